"""Numbers of lists whose items repeat come from counted values; they are the same as those from the items themselves."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest

from lupus_provider.engines import duckdb_counts
from lupus_provider.processors import DistributionProcessor

NAMES = ["avg", "sum", "stddev", "variance", "min", "max", "zero_ratio", "negative_ratio", "unique"]


@pytest.fixture
def table() -> pa.Table:
    """Ratings of few distinct values, also 0.1, whose sums round, huge ones, NaN, infinity, null items, empty and null lists."""
    draw = np.random.default_rng(4)
    values = [0.1, -0.25, 0.0, 3.0, 1e300, 1e-300, math.nan, None]
    lists = [[values[i] for i in draw.integers(0, len(values), draw.integers(0, 8))] for _ in range(2_500)]
    lists[7] = None
    return pa.table({
        "region": pa.array([str(i % 3) for i in range(len(lists))]),
        "ratings": pa.array(lists, pa.list_(pa.float64())),
        "steps": pa.array([None if x is None else [int(i % 5) for i, _ in enumerate(x)] for x in lists], pa.list_(pa.int64())),
    })  # fmt: skip


def measured(table: pa.Table) -> dict[tuple[str, ...], float | None]:
    names = [*NAMES, *(f"{name}@3" for name in NAMES)]
    points = DistributionProcessor(
        table, column_metrics={"ratings": names, "steps": names}, group_sets=[[], ["region"]]
    ).get_metrics().to_arrow()  # fmt: skip
    columns = (points[name].to_pylist() for name in ("column_name", "metric", "group_key", "value"))
    assert points["error"].null_count == points.num_rows - infinite(points)
    return {(column, metric, str(group)): value for column, metric, group, value in zip(*columns)}


def infinite(points: pa.Table) -> int:
    return sum(error is not None and "infinite" in error for error in points["error"].to_pylist())


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was counted into tables."""
    found: list[str] = []
    counted = duckdb_counts.CountingRun._counted

    def noted(self: duckdb_counts.CountingRun, tasks: object) -> str:
        found.append(counted(self, tasks))  # type: ignore[arg-type]
        return found[-1]

    monkeypatch.setattr(duckdb_counts.CountingRun, "_counted", noted)
    return found


def test_numbers_of_repeated_items_have_the_same_bits_as_those_of_the_items(
    table: pa.Table, statements: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from_counts = measured(table)
    assert len(statements) == 2
    monkeypatch.setattr(duckdb_counts, "_REPEATS", 10**9)
    from_items = measured(table)
    assert len(statements) == 2
    assert from_counts == from_items


def test_the_exact_sum_of_repeated_items_is_rounded_once(table: pa.Table) -> None:
    items = [x for row in table["ratings"].to_pylist() if row for x in row if x is not None and not math.isnan(x)]
    whole = measured(table)
    assert whole["ratings", "sum", "[]"] == float(sum(map(Fraction, items), Fraction(0)))
    assert whole["ratings", "unique", "[]"] == 6


def test_items_that_hardly_repeat_are_not_counted(statements: list[str]) -> None:
    draw = np.random.default_rng(5)
    values = pa.array(draw.random((500, 4)).tolist(), pa.list_(pa.float64()))
    DistributionProcessor(pa.table({"ratings": values}), column_metrics={"ratings": ["avg", "min"]}).get_metrics()
    assert statements == []
