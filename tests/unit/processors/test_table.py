from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from lupus_provider.errors import UnknownMetricError
from lupus_provider.periods import Period
from lupus_provider.processors.table import TableProcessor
from lupus_provider.records import POINTS

START = datetime(2024, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
ROWS = pa.table(
    {"id": [1, 2, 2, None, None], "name": ["a", "b", "b", None, None], "region": ["JP", "JP", "TW", "TW", "TW"]}
)


def values(metrics):
    return {
        (row["column_name"], row["metric"], row["entity"], *(v for _, v in row["group_key"])): row["value"]
        for row in metrics.to_arrow().to_pylist()
    }


def test_what_a_table_tells_follows_from_what_is_known_about_it():
    assert values(TableProcessor(ROWS).get_metrics()).keys() == {
        ("", "row_count", None), ("", "column_count", None), ("", "schema_hash", None),
    }  # fmt: skip
    all_known = TableProcessor(
        ROWS.append_column("moment", pa.array([START] * 5)), key_columns=["id"], reference_schema=ROWS.schema,
        time_column="moment", periods=[Period(START, START + DAY)],
    )  # fmt: skip
    assert {(column, metric) for column, metric, *_ in values(all_known.get_metrics())} == {
        ("", "row_count"), ("", "column_count"), ("", "schema_hash"), ("moment", "freshness_seconds"), ("id", "duplicate_ratio"),
        ("", "columns_added"), ("", "columns_removed"), ("", "columns_retyped"),
    }  # fmt: skip


def test_repeated_keys_by_group():
    metrics = TableProcessor(ROWS, key_columns=["id", "name"], group_sets=[[], ["region"]]).get_metrics()
    found = {key[3:]: value for key, value in values(metrics).items() if key[1] == "duplicate_ratio"}
    assert found == {(): 0.4, ("JP",): 0, ("TW",): pytest.approx(1 / 3)}


def test_a_key_of_nulls_is_a_key():
    table = pa.table({"a": [None, None, "x", "x"], "b": ["y", None, None, "y"]})
    assert TableProcessor(table, key_columns=["a", "b"]).get_metrics().value("a", "duplicate_ratio") == 0
    assert TableProcessor(table, key_columns=["a"]).get_metrics().value("a", "duplicate_ratio") == 0.5


def test_key_columns_do_not_run_into_each_other():
    table = pa.table({"a": ["x", "xy", "1"], "b": ["yz", "z", "1"]})
    assert TableProcessor(table, key_columns=["a", "b"]).get_metrics().value("a", "duplicate_ratio") == 0


def test_a_changed_schema_is_told_in_every_period_and_names_columns():
    periods = [Period(START, START + DAY), Period(START + DAY, START + 2 * DAY)]
    table = ROWS.append_column("moment", pa.array([START] * 5))
    reference = {"id": "string", "old": "int64", "name": "string", "moment": "timestamp[us, tz=UTC]"}
    points = TableProcessor(
        table, reference_schema=reference, time_column="moment", periods=periods, group_columns=["region"]
    ).get_metrics().to_arrow()  # fmt: skip
    assert points.schema == POINTS.schema
    told = [
        (row["period_start"], row["metric"], row["entity"], row["value"]) for row in points.to_pylist() if row["metric"].startswith("columns_")
    ]  # fmt: skip
    assert sorted(told, key=str) == sorted(
        [
            (period.start, *row)
            for period in periods
            for row in [
                ("columns_added", None, 1), ("columns_added", "region", 1), ("columns_removed", None, 1), ("columns_removed", "old", 1),
                ("columns_retyped", None, 1), ("columns_retyped", "id: string → int64", 1),
            ]
        ],
        key=str,
    )  # fmt: skip
    assert len(set(zip(points["series_id"].to_pylist(), points["period_start"].to_pylist()))) == len(points)


@pytest.mark.parametrize("reference", [ROWS, ROWS.schema, ROWS.slice(0, 0)], ids=["table", "schema", "empty"])
def test_a_table_has_not_changed_against_itself(reference):
    found = values(TableProcessor(ROWS, reference_schema=reference).get_metrics())
    assert [found["", name, None] for name in ("columns_added", "columns_removed", "columns_retyped")] == [0, 0, 0]


def test_freshness_of_a_period_without_rows_is_undefined():
    table = pa.table({"moment": pa.array([START + DAY / 4])})
    periods = [Period(START, START + DAY), Period(START + DAY, START + 2 * DAY)]
    points = TableProcessor(
        table, time_column="moment", periods=periods, table_metrics=["freshness_seconds"]
    ).get_metrics()
    assert [(row["value"], row["n_rows"]) for row in points.to_arrow().to_pylist()] == [(64_800, 1), (None, 0)]


def test_names_of_columns_are_measured_beside_the_table():
    metrics = TableProcessor(ROWS, column_metrics={"name": ["null_count"]}, table_metrics=["row_count"]).get_metrics()
    assert values(metrics) == {("", "row_count", None): 5, ("name", "null_count", None): 2}


def test_metrics_of_columns_are_unknown_to_the_table():
    with pytest.raises(UnknownMetricError, match="'avg' is unknown"):
        TableProcessor(ROWS, table_metrics=["avg"])
