from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from lupus_provider.metrics import parse_metric
from lupus_provider.metrics.base import Binned
from lupus_provider.metrics.bins import (
    NICE,
    CategoryBins,
    NumericBins,
    coarsened,
    labels,
    merged,
    quantile_bins,
    same_bins,
)

PERCENTS = np.arange(1, 100)
VALUES = st.lists(st.one_of(st.integers(-5, 5).map(float), st.floats(-1e6, 1e6)), min_size=1, max_size=300)


def counts(values, bins):
    return np.bincount(np.searchsorted(bins.edges, values, side="right"), minlength=len(bins)).astype(float)


@given(VALUES)
def test_edges_rise_and_bins_of_several_values_hold_few_of_them(values):
    values = np.sort(np.array(values))
    bins = quantile_bins(np.percentile(values, PERCENTS))
    assert all(a < b for a, b in zip(bins.edges, bins.edges[1:]))
    assert len(bins.shares) == len(bins)
    assert sum(bins.shares) == pytest.approx(1)
    at = np.searchsorted(bins.edges, values, side="right")
    for i in np.unique(at):
        inside = values[at == i]
        if inside[0] != inside[-1]:
            assert len(inside) <= 0.02 * len(values) + 2


@given(VALUES, st.integers(2, 20))
def test_few_bins_are_sums_of_the_fine_ones(values, number):
    bins = coarsened(quantile_bins(np.percentile(values, PERCENTS)), number)
    fine = counts(values, bins)
    few = merged(bins, fine[None, :])[0]
    assert few.sum() == len(values)
    assert len(few) == len(bins.kept) + 1 <= number
    assert few.tolist() == counts(values, NumericBins(tuple(bins.edges[i] for i in bins.kept))).tolist()


def test_a_frequent_value_has_a_bin_of_its_own_in_both_grids():
    values = np.concatenate([np.zeros(700), np.linspace(0.001, 1, 300)])
    bins = coarsened(quantile_bins(np.percentile(values, PERCENTS)), 10)
    assert 700 in counts(values, bins)
    assert 700 in merged(bins, counts(values, bins)[None, :])[0]


def test_a_constant_column_has_the_bins_below_at_and_above_it():
    bins = coarsened(quantile_bins(np.full(99, 7.0)), 10)
    assert counts([6, 7, 7, 8], bins).tolist() == [1, 2, 1]
    assert merged(bins, counts([6, 7, 7, 8], bins)[None, :]).tolist() == [[1, 2, 1]]


def test_a_column_without_values_has_one_bin():
    bins = coarsened(quantile_bins(np.full(99, np.nan)), 10)
    assert len(bins) == 1
    assert labels(bins) == ["[-inf, inf]"]


def test_frequent_values_that_are_next_to_each_other_share_an_edge():
    bins = quantile_bins(np.array([1.0] * 50 + [np.nextafter(1.0, 2.0)] * 49))
    assert len(bins.edges) == len(set(bins.edges)) == 3
    assert sum(bins.shares) == pytest.approx(1)


def test_infinite_quantiles_are_no_edges():
    assert quantile_bins(np.array([-np.inf, 1.0, np.inf])).edges == (1.0,)


def test_minus_zero_is_zero():
    assert str(quantile_bins(np.array([-0.0, 1.0])).edges[0]) == "0.0"


def test_bins_are_compared_by_what_they_hold():
    assert same_bins(NumericBins((1.0,), (0.5, 0.5)), NumericBins((1.0,), None, (0,)))
    assert not same_bins(NumericBins((1.0,)), NumericBins((2.0,)))
    assert not same_bins(NumericBins(()), CategoryBins(()))
    assert same_bins(CategoryBins(("a",)), CategoryBins(("a",)))


def test_fixed_bins_are_at_one_two_and_five_of_every_decade():
    assert {1.0, 2.0, 5.0, 10.0, 0.001, -20.0, 0.0} <= set(NICE.edges)
    assert list(NICE.edges) == sorted(set(NICE.edges))
    assert labels(NICE)[counts([15.0], NICE).argmax()] == "[10, 20)"


def test_a_histogram_has_one_value_a_bin_that_holds_values():
    state = {"count": np.array([[0.0, 2.0, 1.0], [0.0, 0.0, 0.0], [4.0, 0.0, 0.0]])}
    values = parse_metric("histogram").metric.of_bins(Binned(NumericBins((10.0, 20.0)), state))
    assert values.entity.tolist() == ["[10, 20)", "[20, inf]", "[-inf, 10)"]
    assert values.value.tolist() == [2, 1, 4]
    assert values.n_rows.tolist() == [3, 3, 4]
    assert values.group.tolist() == [0, 0, 2]
