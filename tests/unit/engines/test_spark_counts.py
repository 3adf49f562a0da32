"""What Spark makes of counted values is what DuckDB makes of the rows, to the bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from lupus_provider.engines import spark_run
from lupus_provider.metrics.bins import REST
from lupus_provider.processors import DistributionProcessor

N = 2_000
LIMIT = 7


@pytest.fixture(scope="module")
def table() -> pa.Table:
    """Groups that fold and groups that do not, a value that is called as the rest, integers of all sizes."""
    draw = np.random.default_rng(1)
    group = np.array(["many", "many", "few"])[np.arange(N) % 3]
    text = np.where(group == "few", draw.integers(0, LIMIT, N), draw.integers(0, 60, N)).astype(object)
    return pa.table({
        "g": pa.array(group.tolist()),
        "text": pa.array([REST if n == 1 else f"t{n}" for n in text]),
        "small": pa.array(draw.integers(-50, 50, N), mask=draw.random(N) < 0.1),
        "huge": pa.array(draw.integers(-(2**63), 2**63 - 1, N)),
        "flag": pa.array(draw.random(N) < 0.3),
        "steps": pa.array([draw.integers(0, 30, n).tolist() for n in draw.integers(0, 6, N)], pa.list_(pa.int32())),
        "nothing": pa.array([None] * N, pa.int64()),
    })  # fmt: skip


NUMBERS = ["avg", "sum", "min", "max", "p25", "unique", "count"]
ASKED = {
    "text": ["count", "ratio", "unique"],
    "small": [*NUMBERS, "stddev", "zero_ratio", "null_ratio"],
    "huge": ["sum", "avg", "min", "p10"],
    "flag": NUMBERS,
    "steps": [*NUMBERS, *(f"{name}@2" for name in NUMBERS), "folded_entities@2", "length_avg", "length_p90"],
    "nothing": NUMBERS,
}


def measured(data: Any) -> dict[str, tuple[Any, ...]]:
    metrics = DistributionProcessor(data, column_metrics=ASKED, group_sets=[[], ["g"]], max_entities=LIMIT)
    names = ("metric", "column_name", "group_key", "entity", "value", "n_rows", "error")
    return {row["series_id"]: tuple(row[n] for n in names) for row in metrics.get_metrics().to_arrow().to_pylist()}


@pytest.fixture
def queries(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    arrow = spark_run.SparkDoor.arrow

    def noted(self: spark_run.SparkDoor, query: str) -> pa.Table:
        found.append(query)
        return arrow(self, query)

    monkeypatch.setattr(spark_run.SparkDoor, "arrow", noted)
    return found


def test_numbers_and_entities_from_counts_are_those_of_duckdb(local: Any, table: pa.Table) -> None:
    found = measured(local.createDataFrame(table))
    assert found == measured(table)
    folded = {(m, c, str(g)): v for m, c, g, _, v, _, _ in found.values() if m.startswith("folded")}
    assert folded["folded_entities", "text", "[('g', 'many')]"] == 60 - LIMIT
    assert ("folded_entities", "text", "[('g', 'few')]") not in folded
    assert ("folded_entities@2", "steps", "[('g', 'few')]") in folded


def test_integers_whose_values_are_counted_are_not_aggregated_again(
    local: Any, table: pa.Table, queries: list[str]
) -> None:
    columns = {"small": ["avg", "min", "max", "p50"], "text": ["count"]}
    DistributionProcessor(local.createDataFrame(table), column_metrics=columns).get_metrics()
    rows, counts = queries
    assert "WITH counted" in counts
    assert "v0" not in rows


def test_no_more_entities_leave_spark_than_are_kept(
    local: Any, table: pa.Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    arrow = spark_run.SparkDoor.arrow

    def noted(self: spark_run.SparkDoor, query: str) -> pa.Table:
        found = arrow(self, query)
        sizes.append(found.num_rows)
        return found

    monkeypatch.setattr(spark_run.SparkDoor, "arrow", noted)
    columns = {"huge": ["count", "p50", "avg"]}
    DistributionProcessor(local.createDataFrame(table), column_metrics=columns, max_entities=LIMIT).get_metrics()
    assert sizes == [1, 1 + LIMIT]
