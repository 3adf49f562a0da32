from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from lupus_provider.processors import DistributionProcessor
from lupus_provider.records import POINTS

GOLDEN = Path(__file__).parents[2] / "golden" / "distribution_five_rows.json"
NOW = datetime(2024, 1, 1, tzinfo=UTC)
FIVE_ROWS = pa.table({
    "region": ["JP", "JP", "JP", "TW", None],
    "age": pa.array([23, 30, None, 41, 18], pa.int32()),
    "device": ["iOS", "Android", "iOS", None, "iOS"],
    "ratings": pa.array([[5.0, 4.0], [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [], None, [3.0, None]], pa.list_(pa.float64())),
    "interests": pa.array([["a", "b", "c"], ["a", "d", "e", "f", "g", "h"], None, [], ["b", None, "b"]], pa.list_(pa.string())),
})  # fmt: skip
COLUMN_METRICS = {
    "age": ["avg", "p25", "p50", "p75"],
    "device": ["count", "unique"],
    "ratings": ["avg", "avg@5", "min", "max"],
    "interests": ["count", "unique", "unique@5"],
}


def measure(data=FIVE_ROWS, column_metrics=COLUMN_METRICS, **options):
    return DistributionProcessor(data, column_metrics=column_metrics, **options).get_metrics(collected_at=NOW)


def test_five_rows_by_hand():
    golden = json.loads(GOLDEN.read_text())
    metrics = measure(group_columns=["region"])
    found = {
        " ".join(filter(None, [p["column_name"], p["metric"], p["entity"], f"[{dict(p['group_key']).get('region')}]" if p["group_key"] else "[]"])): [
            p["value"], p["n_rows"],
        ]
        for p in metrics.to_arrow().to_pylist()
    }  # fmt: skip
    assert found == golden
    assert len(metrics) == len(golden)
    assert len(metrics.errors) == 0


def test_points_have_the_schema_of_points_and_one_series_each():
    table = measure(group_sets=[[], ["region"], ["region", "device"]]).to_arrow()
    assert table.schema == POINTS.schema
    assert len(set(table["series_id"].to_pylist())) == table.num_rows
    assert POINTS.digest(POINTS.sort(table)) == POINTS.digest(POINTS.sort(table))


def test_a_column_may_be_both_grouped_and_measured():
    metrics = measure(column_metrics={"region": ["count", "null_count"]}, group_columns=["region"])
    assert metrics.value("region", "count", "JP", region="JP") == 3
    assert metrics.value("region", "null_count", region=None) == 1


def test_an_empty_table_has_no_rows_and_undefined_values():
    metrics = measure(FIVE_ROWS.slice(0, 0), group_sets=[[], ["region"]])
    values = {(p["column_name"], p["metric"]): p["value"] for p in metrics.to_arrow().to_pylist()}
    assert values["", "row_count"] == 0
    assert values["age", "avg"] is values["age", "p50"] is values["ratings", "avg@5"] is None
    assert values["device", "unique"] == values["interests", "unique@5"] == 0
    assert len(metrics.errors) == 0


def test_an_empty_table_by_groups_still_says_that_it_was_looked_at():
    metrics = measure(FIVE_ROWS.slice(0, 0), group_columns=["region"])
    assert [(p["metric"], p["value"], p["group_key"]) for p in metrics.to_arrow().to_pylist()] == [("row_count", 0, [])]


def test_nothing_asked_is_nothing_measured():
    assert len(measure(column_metrics={}, table_metrics=())) == 0


@pytest.mark.parametrize("sets", [[["region", "device"]], [["device", "region"]]])
def test_groups_of_several_columns_do_not_depend_on_the_order_of_columns(sets):
    metrics = measure(group_sets=sets)
    assert metrics.value("age", "avg", region="JP", device="iOS") == 23
    assert metrics.value("", "row_count", region="TW", device=None) == 1
    both = measure(group_sets=[["region", "device"], ["device", "region"]])
    assert both.to_arrow().to_pylist() == measure(group_sets=[["region", "device"]]).to_arrow().to_pylist()


def test_null_empty_text_and_the_text_null_are_three_groups():
    table = pa.table({"g": [None, "", "null", "None"], "x": [1, 2, 3, 4]})
    metrics = measure(table, {"x": ["sum"]}, group_columns=["g"])
    assert [metrics.value("x", "sum", g=g) for g in (None, "", "null", "None")] == [1, 2, 3, 4]


def test_the_empty_text_is_an_entity_and_null_is_none():
    metrics = measure(pa.table({"x": ["", None, "a"]}), {"x": ["count", "ratio"]})
    assert (metrics.value("x", "count", ""), metrics.value("x", "ratio", "a")) == (1, 0.5)
    with pytest.raises(KeyError):
        metrics.value("x", "count", None)


def test_what_was_folded_is_told(caplog):
    table = pa.table({"x": [str(i) for i in range(20)]})
    metrics = measure(table, {"x": ["count"]}, max_entities=5)
    assert metrics.value("x", "count", "…other") == 15
    assert [metrics.value("x", "count", e) for e in ("0", "1", "10", "11", "12")] == [1] * 5
    assert "'x' has up to 15 entities a group beyond max_entities" in caplog.text


def test_the_number_of_folded_entities_is_a_point_of_the_groups_that_folded_some():
    table = pa.table({"g": ["a"] * 4 + ["b"] * 2, "x": ["1", "2", "3", "3", "1", "2"]})
    points = measure(table, {"x": ["count", "ratio"]}, max_entities=2, group_sets=[[], ["g"]]).to_arrow().to_pylist()
    found = [(p["group_key"], p["value"], p["n_rows"], p["entity"]) for p in points if p["metric"] == "folded_entities"]
    assert sorted(found) == [([], 1, 6, None), ([("g", "a")], 1, 4, None)]


def test_the_number_of_folded_entities_that_was_asked_for_is_zero_where_all_were_kept():
    table = pa.table({"x": [["a", "b", "c"], ["b"]], "y": ["a", None]})
    metrics = measure(table, {"x": ["folded_entities", "folded_entities@1", "count"], "y": ["count"]}, max_entities=2)
    assert metrics.value("x", "folded_entities") == 1
    assert metrics.value("x", "folded_entities@1") == 0
    assert set(metrics.to_arrow()["metric"].to_pylist()) == {
        "row_count",
        "folded_entities",
        "folded_entities@1",
        "count",
    }


def test_rows_are_counted_behind_every_value():
    table = pa.table({"x": [1.0, None, float("nan"), 4.0]})
    metrics = measure(table, {"x": ["avg", "null_ratio", "nan_ratio", "zero_ratio", "unique"]})
    assert {p["metric"]: p["n_rows"] for p in metrics.to_arrow().to_pylist()} == {
        "row_count": 4, "avg": 2, "null_ratio": 4, "nan_ratio": 3, "zero_ratio": 2, "unique": 2,
    }  # fmt: skip


def test_large_tables_of_doubles_give_the_same_bits_every_time():
    size = 150_000
    numbers = pa.array([((i * 2654435761) % 1_000_003) / 7.0 * 10 ** (i % 9 - 4) for i in range(size)])
    table = pa.table({"g": pa.array([i % 3 for i in range(size)]), "x": numbers})
    asked = {"x": ["sum", "avg", "stddev", "p37.5"]}
    first = measure(table, asked, group_sets=[[], ["g"]]).to_arrow().to_pylist()
    for again in (
        table,
        table.take(pa.array(range(size - 1, -1, -1))),
        pa.concat_tables([table.slice(77_777), table.slice(0, 77_777)]),
    ):
        assert measure(again, asked, group_sets=[[], ["g"]]).to_arrow().to_pylist() == first


def test_where_leaves_rows_out():
    assert measure(where="region = 'JP' AND age IS NOT NULL").value("", "row_count") == 2
