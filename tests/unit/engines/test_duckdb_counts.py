"""Numbers of lists whose items repeat come from counted values; they are the same as those from the items themselves."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest

from lupus_provider.engines import duckdb_counts
from lupus_provider.engines.sql.run import Run
from lupus_provider.processors import ClassificationProcessor, DistributionProcessor

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


@pytest.mark.parametrize("repeated", [False, True], ids=["all scores differ", "one comes twice"])
def test_a_curve_walked_row_by_row_is_the_curve_of_counted_scores(monkeypatch, repeated):
    draw = np.random.default_rng(4)
    scores = draw.random(600)
    scores[[7, 590]] = scores[590] if repeated else scores[[7, 590]]
    table = pa.table({
        "g": draw.choice(["a", "b"], 600), "label": ["no"] * 590 + ["yes"] * 10, "score": scores,
    })  # fmt: skip
    table = table.set_column(0, "g", pa.array(["a"] * 600)) if repeated else table
    made = ClassificationProcessor(
        table, label_column="label", score_column="score", positive_label="yes", metrics=["roc_auc", "average_precision"],
        group_columns=["g"],
    )  # fmt: skip
    by_rows = []
    monkeypatch.setattr(duckdb_counts, "_PROBED_ROWS", 5)  # too few to see the tie
    walk = duckdb_counts.curve_of_rows
    monkeypatch.setattr(duckdb_counts, "curve_of_rows", lambda *given: by_rows.append(1) or walk(*given))
    found = made.get_metrics().to_arrow()["value"].to_pylist()
    monkeypatch.setattr(duckdb_counts.CountingRun, "_walked", Run._walked)
    assert made.get_metrics().to_arrow()["value"].to_pylist() == found
    assert by_rows


def test_places_among_the_first_items_are_those_of_the_list_however_short_it_is():
    lists = [["a", None, "b", "a", "c", "c"], [], None, ["c"], [None], ["b"] * 12]
    found = DistributionProcessor(
        pa.table({"x": pa.array(lists)}), column_metrics={"x": ["count", "count@2", "count@11", "unique@3"]}
    )
    metrics = found.get_metrics()
    counts = {k: {e: metrics.value("x", f"count{k}", entity=e) for e in "abc"} for k in ("@2", "")}
    assert counts == {"@2": {"a": 1, "b": 2, "c": 1}, "": {"a": 2, "b": 13, "c": 3}}
    assert metrics.value("x", "count@11", entity="b") == 12
    assert metrics.value("x", "unique@3") == 3
