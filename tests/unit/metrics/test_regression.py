from __future__ import annotations

import math

import numpy as np
import pytest

from lupus_provider.metrics import SHELVES, Family, parse_metric

NAN = float("nan")


def finish(name, **state):
    metric = parse_metric(name, Family.REGRESSION).metric
    assert metric.state.keys() == state.keys()
    with np.errstate(all="ignore"):
        return metric.finish(**{key: np.array([value], float) for key, value in state.items()}).tolist()[0]


@pytest.mark.parametrize(
    ("name", "total", "expected"),
    [("mae", 6, 2), ("rmse", 12, 2), ("mape", 0.6, 0.2), ("smape", 1.5, 0.5), ("bias", -3, -1)],
)
def test_means_of_errors(name, total, expected):
    assert finish(name, total=total, count=3) == pytest.approx(expected)
    assert math.isnan(finish(name, total=NAN, count=0))


def test_r2_compares_with_the_mean_of_the_targets():
    # targets 1 2 3 4, predictions 1 2 3 5: residuals 1, spread 5
    assert finish("r2", squares=1, variance=5 / 3, count=4) == pytest.approx(0.8)
    assert finish("r2", squares=5, variance=5 / 3, count=4) == pytest.approx(0.0)


@pytest.mark.parametrize(("variance", "count"), [(0, 4), (NAN, 1), (NAN, 0)])
def test_r2_is_undefined_where_targets_do_not_vary(variance, count):
    assert math.isnan(finish("r2", squares=0, variance=variance, count=count))


def test_coverage_counts_targets_among_all_rows():
    assert finish("label_coverage", known=3, rows=4) == 0.75
    assert math.isnan(finish("label_coverage", known=0, rows=0))


@pytest.mark.parametrize("name", SHELVES[Family.REGRESSION])
def test_every_metric_says_what_its_values_mean(name):
    metric = parse_metric(name, Family.REGRESSION).metric
    assert metric.__doc__
    assert [role.name for role in metric.roles] == ["prediction", "target"]
    assert metric.bounds[0] < metric.bounds[1]
