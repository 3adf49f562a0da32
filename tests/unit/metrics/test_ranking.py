from __future__ import annotations

import math

import numpy as np
import pytest

from lupus_provider.metrics import SHELVES, Family, Shape, parse_metric
from lupus_provider.metrics.base import SHAPE_COLUMNS, Counts

NAN = float("nan")


def metric_of(name):
    return parse_metric(name, Family.RANKING).metric


def of_counts(name, *groups, **parameters):
    """Values of groups of rows of the metric's shape, and the rows that they stand on."""
    metric = metric_of(name)
    rows = [(g, *row) for g, group in enumerate(groups) for row in group]
    columns = {
        column: np.array([row[i + 1] for row in rows], np.int64) for i, column in enumerate(SHAPE_COLUMNS[metric.shape])
    }
    group = np.array([row[0] for row in rows], np.int64)
    values = metric.of_counts(Counts(len(groups), group, columns, np.ones(len(groups))), **parameters)
    assert values.group is values.entity is None
    return values.value.tolist(), values.n_rows.tolist()


@pytest.mark.parametrize("name", ["recall@3", "precision@3", "ndcg", "map", "mrr@5", "hit_rate@1", "empty_truth_ratio"])
def test_means_over_judged_rows(name):
    metric = metric_of(name)
    assert metric.finish(total=np.array([3.0, np.nan]), count=np.array([4.0, 0.0])).tolist() == [
        0.75,
        pytest.approx(NAN, nan_ok=True),
    ]
    assert metric.stands_on == metric.state["count"]


def test_coverage_of_truths_counts_empty_ones_as_known():
    assert metric_of("label_coverage").finish(known=np.array([3.0]), rows=np.array([4.0])).tolist() == [0.75]


# One item shown 4 times, two shown once: 3 items in 6 places.
SHOWN = [(1, 2), (4, 1)]


def test_distinct_items():
    assert of_counts("unique@2", SHOWN, []) == ([3, 0], [6, 0])


def test_share_of_the_catalogue():
    assert of_counts("coverage@2", SHOWN, catalog_size=12.0) == ([0.25], [6])
    assert of_counts("coverage@2", SHOWN, catalog_size=2.0) == ([1.0], [6])
    assert math.isnan(of_counts("coverage@2", [], catalog_size=2.0)[0][0])


def gini(exposures):
    """Mean absolute difference over twice the mean: the definition."""
    x = np.array(exposures, float)
    return np.abs(x[:, None] - x[None, :]).mean() / (2 * x.mean())


def test_gini_is_half_the_relative_mean_difference():
    assert of_counts("gini@2", SHOWN)[0] == [pytest.approx(gini([1, 1, 4]))]
    assert of_counts("gini@2", SHOWN, catalog_size=5.0)[0] == [pytest.approx(gini([0, 0, 1, 1, 4]))]
    assert of_counts("gini@2", [(3, 7)])[0] == [0]
    assert of_counts("gini@2", SHOWN, [], [(2, 3), (3, 1), (9, 2)])[0] == [
        pytest.approx(gini([1, 1, 4])), pytest.approx(NAN, nan_ok=True), pytest.approx(gini([2, 2, 2, 3, 9, 9])),
    ]  # fmt: skip


# (truths, items, shown): nobody chose two items shown 1 time, one item was chosen 1 time, one 3 times and shown twice.
CHOICES = [(0, 2, 1), (1, 1, 1), (3, 1, 2)]


def test_popularity_is_the_mean_share_of_choices():
    assert of_counts("popularity@2", CHOICES) == ([pytest.approx((0 + 1 / 4 + 2 * 3 / 4) / 4)], [4])


def test_novelty_is_the_mean_surprise():
    bits = [math.log2(4), math.log2(4), math.log2(4 / 3), math.log2(4 / 3)]
    assert of_counts("novelty@2", CHOICES) == ([pytest.approx(sum(bits) / 4)], [4])
    assert of_counts("novelty@2", [(2, 1, 5)]) == ([0], [5])


@pytest.mark.parametrize("name", ["popularity@2", "novelty@2"])
@pytest.mark.parametrize("rows", [[], [(0, 3, 5)], [(2, 3, 0)]])
def test_choices_are_undefined_without_choices_or_places(name, rows):
    value, n_rows = of_counts(name, rows, CHOICES)
    assert math.isnan(value[0])
    assert not math.isnan(value[1])
    assert n_rows[0] == sum(row[2] for row in rows)


@pytest.mark.parametrize("name", SHELVES[Family.RANKING])
def test_every_metric_says_what_its_values_mean(name):
    metric = metric_of(f"{name}@10" if SHELVES[Family.RANKING][name].cuts else name)
    assert metric.__doc__
    assert [role.is_list for role in metric.roles] == [True, True]
    assert metric.bounds[0] == 0
    assert metric.shape in (Shape.NUMBERS, Shape.SPECTRUM, Shape.POPULARITY)
