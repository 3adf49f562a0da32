from __future__ import annotations

from decimal import Decimal

import duckdb
import pyarrow as pa
import pytest

from lupus_provider.engines import duckdb as engine, duckdb_reading
from lupus_provider.engines.source import TableSource
from lupus_provider.errors import EngineFailedError, PlanFailedError, SourceUnreadableError, Terminal, Transient
from lupus_provider.processors import DistributionProcessor

HUGE = Decimal(10**38 - 1)
TABLE = pa.table({
    "region": ["JP", "JP", "TW"], "age": [20, 30, None], "name": ["a", "b", "b"], "price": [0.5, 1.5, 2.5],
    "huge": pa.array([HUGE, HUGE, HUGE], pa.decimal128(38, 0)), "tags": [["x"], [], None],
})  # fmt: skip


def measure(column_metrics, data=TABLE, **options):
    return DistributionProcessor(data, column_metrics=column_metrics, **options).get_metrics()


def failed(metrics):
    return {(p["column_name"], p["metric"], tuple(p["group_key"])): p["error"] for p in metrics.errors.to_pylist()}


def test_a_metric_that_overflows_fails_alone_in_every_group():
    asked = {"huge": ["sum", "max", "unique"], "age": ["avg", "sum", "p50"], "tags": ["unique"], "name": ["count"]}
    metrics = measure(asked, group_columns=["region"])

    assert set(failed(metrics)) == {("huge", "sum", (("region", "JP"),)), ("huge", "sum", (("region", "TW"),))}
    assert all("Overflow" in error for error in failed(metrics).values())
    assert metrics.value("huge", "unique", region="JP") == 1
    assert metrics.value("age", "avg", region="JP") == 25
    assert metrics.value("", "row_count", region="TW") == 1
    assert metrics.value("", "row_count") == 3


def test_failures_stand_in_every_group_even_if_row_counts_were_not_asked():
    metrics = measure({"huge": ["sum"], "age": ["max"]}, group_columns=["region"], table_metrics=())
    assert len(failed(metrics)) == 2
    assert metrics.value("age", "max", region="JP") == 30
    assert len(metrics) == 4


def test_every_wrong_column_and_type_is_a_point_with_its_reason():
    metrics = measure(
        {
            "absent": ["avg"],
            "AGE": ["avg"],
            "name": ["avg", "p50", "unique"],
            "age": ["avg@2"],
            "price": ["count"],
            "tags": ["sum"],
        }
    )
    reasons = {key[:2]: reason for key, reason in failed(metrics).items()}
    assert set(reasons) == {
        ("absent", "avg"),
        ("AGE", "avg"),
        ("name", "avg"),
        ("name", "p50"),
        ("age", "avg@2"),
        ("price", "count"),
        ("tags", "sum"),
    }
    assert (
        reasons["absent", "avg"] == "column 'absent' is not in the table. It has: region, age, name, price, huge, tags."
    )
    assert "is not in the table" in reasons["AGE", "avg"]
    assert "every value would be an entity. Round it" in reasons["price", "count"]
    assert metrics.value("name", "unique") == 2
    assert all(p["value"] is None and p["n_rows"] is None for p in metrics.errors.to_pylist())


@pytest.mark.parametrize(
    "where",
    [
        "nosuch > 1",
        "age >",
        "age = 'abc'",
        "no_such_function(age)",
        "(age > 1",
        "name",
        "age > 1; DROP TABLE lupus_base",
        "age > 1)) OR ((1",
    ],
)
def test_a_wrong_condition_fails_the_plan_and_no_retry_can_help(where):
    with pytest.raises(PlanFailedError, match="Check 'where' and the group columns") as caught:
        measure({"age": ["avg"]}, where=where)
    assert isinstance(caught.value, Terminal)


def test_a_condition_may_end_in_a_comment():
    assert measure({"age": ["avg"]}, where="age > 20 -- grown up").value("age", "avg") == 30


@pytest.mark.parametrize("column", ["gone", "Region", 'x"; DROP TABLE y; --', ""])
def test_a_wrong_group_column_fails_the_plan(column):
    with pytest.raises(PlanFailedError, match="is not in the table"):
        measure({"age": ["avg"]}, group_columns=[column])


def test_a_missing_file_may_come_later(tmp_path):
    for data in (
        tmp_path / "gone.parquet",
        str(tmp_path / 'it\'s "gone".csv'),
        tmp_path / "*.json",
        TableSource(table="t", database=str(tmp_path / "x")),
    ):
        with pytest.raises(SourceUnreadableError, match="cannot be read") as caught:
            measure({"age": ["avg"]}, data)
        assert isinstance(caught.value, Transient)


def test_a_file_that_is_no_parquet_is_unreadable(tmp_path):
    (tmp_path / "a.parquet").write_text("this is no parquet file at all")
    with pytest.raises(SourceUnreadableError):
        measure({"age": ["avg"]}, tmp_path / "a.parquet")


def test_a_missing_table_of_a_database_file_may_come_later(tmp_path):
    with duckdb.connect(str(tmp_path / "a.duckdb")) as connection:
        connection.execute("CREATE TABLE there AS SELECT 1 AS age")
    assert (
        measure({"age": ["avg"]}, TableSource(table="there", database=str(tmp_path / "a.duckdb"))).value("age", "avg")
        == 1
    )
    with pytest.raises(SourceUnreadableError, match="gone of"):
        measure({"age": ["avg"]}, TableSource(table="gone", database=str(tmp_path / "a.duckdb")))


def test_memory_that_runs_out_is_not_the_metrics_fault(monkeypatch):
    def out_of_memory(self, query):
        raise duckdb.OutOfMemoryException("Out of Memory Error: could not allocate block")

    monkeypatch.setattr(engine._Door, "arrow", out_of_memory)
    for metrics in ({"age": ["avg"]}, {"name": ["count"]}):
        with pytest.raises(EngineFailedError, match="broke off: Out of Memory") as caught:
            measure(metrics)
        assert isinstance(caught.value, Transient)


def test_columns_named_like_the_engines_own_are_only_columns():
    hostile = [
        "g0",
        "v0",
        "v1",
        "period",
        "moment",
        "item",
        "rows",
        "lupus_base",
        "lupus_source",
        "entity",
        "n",
        "total",
        "start",
        'a"b',
        "a'b",
        "a b",
        "select",
    ]
    hostile += ["'; DROP TABLE lupus_base; --", '"; DROP TABLE lupus_base; --', "é", "a.b"]
    table = pa.table({name: pa.array([i, i, i + 1]) for i, name in enumerate(hostile)})
    metrics = measure({name: ["sum", "count"] for name in hostile}, table, group_columns=hostile[:6])
    whole = measure({name: ["sum", "count", "unique"] for name in hostile}, table)

    assert len(metrics.errors) == len(whole.errors) == 0
    for i, name in enumerate(hostile):
        assert whole.value(name, "sum") == 3 * i + 1
        assert whole.value(name, "count", entity=str(i)) == 2
    assert metrics.value("total", "sum", **{name: i for i, name in enumerate(hostile[:6])}) == 22


def test_the_working_table_has_the_name_that_the_tests_know():
    assert duckdb_reading.BASE == "lupus_base"
