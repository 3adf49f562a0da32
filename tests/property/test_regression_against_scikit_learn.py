"""Regression metrics against scikit-learn and NumPy: the whole way from a table to points."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings, strategies as st
from sklearn import metrics as sk

from lupus_provider.metrics import SHELVES, Family
from lupus_provider.processors.regression import RegressionProcessor

NAMES = list(SHELVES[Family.REGRESSION])
numbers = st.one_of(
    st.none(),
    st.just(math.nan),
    st.floats(-1e6, 1e6, width=32, allow_subnormal=False),
    st.sampled_from([0.0, -0.0, 1.0, 1e-20]),
)
SCHEMA = pa.schema({"region": pa.string(), "predicted": pa.float64(), "target": pa.float64()})


def known(value):
    return value is not None and not math.isnan(value)


def wanted(name, rows):
    """Value of rows (predicted, target) by scikit-learn, or NumPy where it has none; None is undefined."""
    if name == "label_coverage":
        return sum(known(t) for _, t in rows) / len(rows) if rows else None
    both = [row for row in rows if known(row[0]) and known(row[1])]
    if not both or (name == "r2" and len({t for _, t in both}) < 2):
        return None
    p, t = np.array(both).T
    size = np.abs(p) + np.abs(t)
    return {
        "mae": lambda: sk.mean_absolute_error(t, p), "rmse": lambda: sk.root_mean_squared_error(t, p),
        "mape": lambda: sk.mean_absolute_percentage_error(t, p), "r2": lambda: sk.r2_score(t, p), "bias": lambda: (p - t).mean(),
        "smape": lambda: np.mean(2 * np.abs(p - t) / np.where(size > 0, size, 1)),
    }[name]()  # fmt: skip


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from(["JP", "TW", None]), numbers, numbers), max_size=30))
@example([])
@example([("JP", 1.0, 2.0)])
@example([("JP", 1.0, 2.0), ("JP", 3.0, 2.0)])
@example([(None, None, 2.0), (None, 1.0, None), (None, math.nan, math.nan)])
def test_points(rows):
    table = pa.Table.from_pylist([dict(zip(SCHEMA.names, row)) for row in rows], schema=SCHEMA)
    processor = RegressionProcessor(
        table, target_column="target", prediction_column="predicted", metrics=NAMES, group_sets=[[], ["region"]]
    )
    found = {
        (row["metric"], dict(row["group_key"]).get("region", "whole")): (row["value"], row["error"])
        for row in processor.get_metrics().to_arrow().to_pylist()
        if row["column_name"] == "predicted"
    }
    groups = {"whole": rows} | {g: [row for row in rows if row[0] == g] for g in {row[0] for row in rows}}
    for group, members in groups.items():
        for name in NAMES:
            value = wanted(name, [row[1:] for row in members])
            # The bias of numbers that cancel is exact here and rounded there.
            tolerance = {"rel": 1e-9, "abs": 1e-9} if name in ("bias", "r2") else {"rel": 1e-12, "abs": 1e-15}
            assert found[name, group] == (None if value is None else pytest.approx(value, **tolerance), None), (
                name,
                group,
            )


def test_infinite_errors_are_told_and_not_added():
    table = pa.table({"p": [1.0, math.inf], "t": [1.0, 2.0]})
    points = RegressionProcessor(table, target_column="t", prediction_column="p", metrics=["mae"]).get_metrics()
    assert points.value("p", "mae") is None
    assert points.errors["metric"].to_pylist() == ["mae"]
