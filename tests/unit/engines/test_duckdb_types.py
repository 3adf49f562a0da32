from __future__ import annotations

import math
from datetime import UTC, datetime
from decimal import Decimal

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lupus_provider.engines.source import TableSource
from lupus_provider.processors import DistributionProcessor

NOW = datetime(2024, 1, 1, tzinfo=UTC)
ASKED = {
    "age": ["avg", "p50", "stddev", "null_ratio", "count"], "price": ["sum", "min"], "name": ["count", "unique"],
    "tags": ["unique@1", "count", "length_avg", "empty_ratio"], "day": ["min", "max"],
}  # fmt: skip
TABLE = pa.table({
    "region": ["JP", "JP", None, ""], "age": pa.array([20, 30, None, 50], pa.int64()), "price": [0.1, 0.2, None, 0.3], "name": ["a", "b", "", None],
    "tags": pa.array([["x", "y"], [], None, ["x"]], pa.list_(pa.string())), "day": pa.array([NOW, NOW, None, NOW], pa.timestamp("us", tz="UTC")),
})  # fmt: skip


def measure(data, column_metrics, **options):
    return DistributionProcessor(data, column_metrics=column_metrics, **options).get_metrics(collected_at=NOW)


def whole(sql, metrics):
    found = measure(duckdb.sql(sql), {"x": metrics})
    assert found.errors.to_pylist() == []
    return [found.value("x", metric) for metric in metrics]


@pytest.mark.parametrize(
    "form", ["relation", "pandas", "polars", "lazy", "reader", "path", "pathlib", "duckdb file", "glob", "arrow types"]
)
def test_the_form_of_a_table_does_not_change_its_points(form, tmp_path):
    pq.write_table(TABLE, tmp_path / "it's a.parquet")
    path = tmp_path / "it's a.parquet"
    with duckdb.connect(str(tmp_path / "a.duckdb")) as connection:
        connection.register("given", TABLE)
        connection.execute('CREATE TABLE "my table" AS FROM given')
    data = {
        "relation": lambda: duckdb.from_arrow(TABLE), "pandas": lambda: TABLE.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get),
        "polars": lambda: pl.from_arrow(TABLE), "lazy": lambda: pl.from_arrow(TABLE).lazy(), "reader": TABLE.to_reader, "path": lambda: str(path),
        "pathlib": lambda: path, "duckdb file": lambda: TableSource(table="my table", database=str(tmp_path / "a.duckdb")),
        "glob": lambda: str(tmp_path / "*.parquet"),
        "arrow types": lambda: TABLE.cast(pa.schema([*(pa.field(f.name, pa.large_string() if f.type == pa.string() else f.type) for f in TABLE.schema)])),
    }[form]()  # fmt: skip

    expected = measure(TABLE, ASKED, group_columns=["region"])
    found = measure(data, ASKED, group_columns=["region"])
    assert found.to_arrow().to_pylist() == expected.to_arrow().to_pylist()
    assert len(found.errors) == 0


def test_a_frame_can_be_measured_twice():
    relation = duckdb.from_arrow(TABLE)
    assert measure(relation, ASKED).to_arrow().to_pylist() == measure(relation, ASKED).to_arrow().to_pylist()


def test_csv_and_json_lines_are_tables(tmp_path):
    (tmp_path / "a.csv").write_text("age,name\n20,a\nNA,b\n,NA\n")
    (tmp_path / "a.jsonl").write_text(
        '{"age": 20, "name": "a"}\n{"age": null, "name": "b"}\n{"age": null, "name": null}\n'
    )
    for file in ("a.csv", "a.jsonl"):
        found = measure(tmp_path / file, {"age": ["avg", "null_count"], "name": ["unique"]})
        assert (found.value("age", "avg"), found.value("age", "null_count"), found.value("name", "unique")) == (
            20,
            2,
            2,
        )


def test_nan_of_pandas_is_a_missing_value_and_nan_of_arrow_is_not():
    values = [1.0, math.nan, 3.0]
    metrics = ["avg", "nan_ratio", "null_ratio"]
    in_pandas, in_arrow = (
        measure(pd.DataFrame({"x": values}), {"x": metrics}),
        measure(pa.table({"x": values}), {"x": metrics}),
    )
    assert [in_pandas.value("x", m) for m in metrics] == [2, 0, pytest.approx(1 / 3)]
    assert [in_arrow.value("x", m) for m in metrics] == [2, pytest.approx(1 / 3), 0]


def test_large_whole_numbers_are_added_exactly_before_they_are_rounded():
    assert whole("SELECT unnest([9007199254740993, 1, -9007199254740992])::BIGINT AS x", ["sum"]) == [2]
    assert whole("SELECT unnest([9223372036854775807, 9223372036854775807]) AS x", ["sum"]) == [2.0**64]
    assert whole("SELECT unnest([18446744073709551615::UBIGINT, 1]) AS x", ["sum", "unique"]) == [2.0**64, 2]
    assert whole("SELECT 10000000000000000000000000000000000000::HUGEINT AS x", ["sum", "max"]) == [1e37, 1e37]
    assert whole("SELECT unnest([0.1, 0.2, -0.3])::DECIMAL(38,30) AS x", ["sum", "zero_ratio"]) == [0, 0]


def test_both_zeros_are_one_value_and_come_out_as_zero():
    for order in ([0.0, -0.0], [-0.0, 0.0], [-0.0]):
        found = measure(pa.table({"x": order}), {"x": ["min", "max", "sum", "p50", "unique"]})
        assert found.value("x", "unique") == 1
        assert all(math.copysign(1, found.value("x", m)) == 1 for m in ("min", "max", "sum", "p50"))


def test_arrays_of_fixed_length_are_lists():
    sql = "SELECT unnest([['1', 'nan', '3'], ['5', '6', null]])::FLOAT[3] AS x"
    assert whole(sql, ["avg", "avg@1", "max@2", "nan_ratio", "length_avg"]) == [3.75, 3, 6, 0.2, 3]


def test_uuids_and_enums_are_texts():
    assert whole("SELECT unnest(['a', 'b', 'a'])::ENUM('a', 'b') AS x", ["unique"]) == [2]
    assert whole("SELECT unnest([uuid(), uuid()]) AS x", ["unique"]) == [2]
    assert (
        measure(duckdb.sql("SELECT unnest(['DOUBLE', 'b'])::ENUM('DOUBLE', 'b') AS x"), {"x": ["count"]}).value(
            "x", "count", "DOUBLE"
        )
        == 1
    )


@pytest.mark.parametrize(
    "value", ["'ab'::BLOB", "{'a': 1}", "MAP {'a': 1}", "INTERVAL 1 DAY", "TIME '12:00'", "'101'::BIT"]
)
def test_of_other_types_only_nulls_are_counted_and_the_rest_is_refused_with_a_sentence(value):
    found = measure(
        duckdb.sql(f"SELECT {value} AS x UNION ALL SELECT NULL"), {"x": ["null_ratio", "unique", "avg", "count"]}
    )
    assert found.value("x", "null_ratio") == 0.5
    errors = [p["error"] for p in found.errors.to_pylist()]
    assert len(errors) == 3
    assert all("does not measure columns of type" in error for error in errors)


def test_a_column_that_never_held_a_value_is_undefined_not_wrong():
    found = measure(
        pa.table({"x": pa.nulls(3), "y": pa.array([[], None, [None]], pa.list_(pa.null()))}),
        {"x": ["avg", "null_ratio"], "y": ["sum", "length_max"]},
    )
    assert len(found.errors) == 0
    assert [
        found.value("x", "avg"),
        found.value("x", "null_ratio"),
        found.value("y", "sum"),
        found.value("y", "length_max"),
    ] == [None, 1, None, 1]


def test_nanoseconds_that_are_one_number_of_seconds_stay_two_values():
    assert whole(
        "SELECT unnest(['2024-01-01 00:00:00.000000001', '2024-01-01 00:00:00.000000002'])::TIMESTAMP_NS AS x",
        ["unique"],
    ) == [2]


def test_times_at_infinity_are_undefined():
    assert whole("SELECT unnest(['infinity', '2024-01-01'])::TIMESTAMP AS x", ["max", "null_ratio"]) == [
        NOW.timestamp(),
        0,
    ]


def test_extreme_spread_is_an_infinite_value_with_an_error():
    found = measure(
        pa.table({"x": [1e308, -1e308], "y": [1.0, math.inf], "z": [math.inf, -math.inf]}),
        {c: ["variance", "sum", "max"] for c in "xyz"},
    )
    errors = {(p["column_name"], p["metric"]) for p in found.errors.to_pylist()}
    assert errors == {("y", "sum"), ("y", "max"), ("z", "max")}
    assert found.value("x", "sum") is None  # beyond 2**1000 numbers are as good as infinite, here of both signs
    assert found.value("y", "variance") is None
    assert "infinite" in found.errors["error"][0].as_py()


def test_decimals_are_numbers_and_a_group_of_a_field_of_a_struct_is_a_group():
    table = pa.table(
        {
            "user": [{"age": 20, "home": {"city": "東京"}}, {"age": None, "home": None}, None],
            "price": [Decimal("1.10"), Decimal("2.20"), None],
        }
    )
    found = measure(
        table,
        {"user.age": ["avg", "null_count"], "price": ["sum", "p50"], "user.gone": ["avg"]},
        group_sets=[[], ["user.home.city"]],
    )
    assert found.value("price", "sum") == 3.3
    assert found.value("price", "p50") == pytest.approx(1.65)
    assert found.value("user.age", "null_count") == 2
    assert found.value("user.age", "avg", **{"user.home.city": "東京"}) == 20
    assert found.value("price", "sum", **{"user.home.city": None}) == 2.2
    assert {p["column_name"] for p in found.errors.to_pylist()} == {"user.gone"}
