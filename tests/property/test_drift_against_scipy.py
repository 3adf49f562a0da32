"""The distances against SciPy: exact over the same bins, within the stated error from the values themselves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, strategies as st
from scipy import stats
from scipy.spatial.distance import jensenshannon
from scipy.special import chdtrc

from lupus_provider.metrics import Family, distances, parse_metric
from lupus_provider.metrics.base import Binned
from lupus_provider.metrics.bins import NumericBins, quantile_bins

COUNTS = st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 1000)), min_size=2, max_size=30)
SEEDS = st.integers(0, 2**32 - 1)
SHAPES = {
    "normal": lambda rng, n: rng.normal(size=n),
    "heavy": lambda rng, n: rng.lognormal(0, 1.5, n),
    "integers": lambda rng, n: rng.poisson(3, n).astype(float),
    "zeros": lambda rng, n: np.where(rng.random(n) < 0.7, 0.0, rng.exponential(size=n)),
    "two": lambda rng, n: np.where(rng.random(n) < 0.5, rng.normal(-5, 1, n), rng.normal(5, 1, n)),
    "constant": lambda rng, n: np.full(n, 3.0),
}  # fmt: skip


def sides(pairs):
    current, reference = np.array(pairs, float).T
    assume(current.sum() > 0 and reference.sum() > 0)
    return current[None, :], reference[None, :]


@given(COUNTS)
def test_divergences_equal_scipy(pairs):
    current, reference = sides(pairs)
    p, q = distances.shares(current), distances.shares(reference)
    raised = distances.floored_shares(current), distances.floored_shares(reference)
    assert distances.js(p, q)[0] == pytest.approx(jensenshannon(p[0], q[0], base=2) ** 2, abs=1e-12)
    assert distances.kl(*raised)[0] == pytest.approx(stats.entropy(raised[0][0], raised[1][0]), abs=1e-12)
    both = stats.entropy(raised[0][0], raised[1][0]) + stats.entropy(raised[1][0], raised[0][0])
    assert distances.psi(*raised)[0] == pytest.approx(both, abs=1e-12)
    assert distances.hellinger(p, q)[0] == pytest.approx(np.sqrt(max(0, 1 - np.sqrt(p * q).sum())), abs=1e-7)


@given(COUNTS)
def test_bounds_hold_and_floors_add_up_to_one(pairs):
    current, reference = sides(pairs)
    p, q = distances.shares(current), distances.shares(reference)
    for distance in (distances.js, distances.hellinger, distances.linf, distances.kolmogorov_smirnov):
        assert 0 <= distance(p, q)[0] <= 1
    raised = distances.floored_shares(current)
    assert raised.sum() == pytest.approx(1)
    assert raised.min() > 0


@given(COUNTS)
def test_chi_square_equals_scipys_contingency_table(pairs):
    current, reference = sides(pairs)
    table = np.concatenate([current, reference])
    table = table[:, table.sum(axis=0) > 0]
    statistic, freedom = distances.chi_square(current, reference)
    assert freedom[0] == table.shape[1] - 1
    if freedom[0]:
        expected = stats.chi2_contingency(table, correction=False)
        assert statistic[0] == pytest.approx(expected.statistic, rel=1e-9, abs=1e-9)
        assert chdtrc(freedom[0], statistic[0]) == pytest.approx(expected.pvalue, rel=1e-6, abs=1e-12)


@given(COUNTS)
def test_kolmogorov_smirnov_is_exact_where_a_bin_is_one_value(pairs):
    current, reference = sides(pairs)
    values = np.arange(current.shape[1])
    expected = exact_ks(*(np.repeat(values, side[0].astype(int)) for side in (current, reference)))
    found = distances.kolmogorov_smirnov(distances.shares(current), distances.shares(reference))
    assert found[0] == pytest.approx(expected, abs=1e-12)


def exact_ks(now, past):
    """The statistic alone: SciPy computes a p-value as well, and most of its time goes there."""
    pooled = np.concatenate([now, past])
    return np.abs(
        np.subtract(*(np.searchsorted(np.sort(side), pooled, "right") / len(side) for side in (now, past)))
    ).max()


def test_the_p_value_is_scipys():
    """At sizes whose n m / (n + m) is whole: SciPy rounds it."""
    rng = np.random.default_rng(6)
    for n, m, shift in ((60, 60, 0.1), (200, 300, 0.2), (1000, 4000, 0.05)):
        now, past = rng.normal(shift, size=n), rng.normal(size=m)
        expected = stats.ks_2samp(now, past, method="asymp")
        assert exact_ks(now, past) == pytest.approx(expected.statistic, abs=1e-12)
        pooled = NumericBins(tuple(np.unique(np.concatenate([now, past])).tolist()))
        binned = Binned(pooled, histogram(now, pooled), histogram(past, pooled))
        assert parse_metric("ks", Family.DRIFT).metric.of_bins(binned).value[0] == pytest.approx(
            expected.statistic, abs=1e-12
        )
        assert parse_metric("ks_pvalue", Family.DRIFT).metric.of_bins(binned).value[0] == pytest.approx(
            expected.pvalue, abs=1e-3
        )


def grid(values):
    return quantile_bins(np.percentile(values, np.arange(1, 100)))


def histogram(values, bins):
    at = np.searchsorted(bins.edges, values, side="right")
    order = np.lexsort((values, at))
    at, values = at[order], values[order]
    found, first, count = np.unique(at, return_index=True, return_counts=True)
    state = {name: np.full((1, len(bins)), np.nan) for name in ("min", "max", "sum", "variance")}
    state["count"] = np.zeros((1, len(bins)))
    state["count"][0, found] = count
    state["min"][0, found], state["max"][0, found] = values[first], values[first + count - 1]
    for i, start, n in zip(found, first, count):
        state["sum"][0, i] = values[start : start + n].sum()
        if n > 1:
            state["variance"][0, i] = values[start : start + n].var(ddof=1)
    return state


@given(SEEDS, st.sampled_from(sorted(SHAPES)), st.floats(-1, 1), st.integers(1, 400), st.integers(1, 2000))
def test_from_values_the_errors_are_as_stated(seed, shape, shift, n, m):
    rng = np.random.default_rng(seed)
    past, now = SHAPES[shape](rng, m), SHAPES[shape](rng, n) + shift
    bins = grid(past)
    ours, theirs = histogram(now, bins), histogram(past, bins)
    p, q = distances.shares(ours["count"]), distances.shares(theirs["count"])
    exact = exact_ks(now, past)
    found = distances.kolmogorov_smirnov(p, q)[0]
    wide = theirs["max"] > theirs["min"]
    largest = np.where(wide, q, 0).max() + 1 / m
    assert found <= exact + 1e-12
    assert exact <= found + max(largest, 2 / 100 + 1 / m) + 1e-12
    error = sum(
        (share * np.nan_to_num(side["max"] - side["min"])).sum() / 2 for share, side in ((p, ours), (q, theirs))
    )
    far = stats.wasserstein_distance(now, past)
    assert abs(distances.wasserstein(ours, theirs)[0] - far) <= error + 1e-9 * (1 + far)
    assert abs(distances.wasserstein(ours, theirs)[0] - distances.wasserstein(theirs, ours)[0]) <= 1e-9 * (1 + far)
    assert distances.wasserstein(ours, theirs)[0] >= abs(now.mean() - past.mean()) - 1e-9 * (1 + far)
    if m > 1:
        assert distances.deviation(theirs)[0] == pytest.approx(past.std(ddof=1), rel=1e-9, abs=1e-9)


@given(SEEDS, st.integers(200, 2000), st.floats(-1, 1))
def test_a_continuous_column_has_its_ks_within_a_hundredth(seed, n, shift):
    rng = np.random.default_rng(seed)
    past, now = rng.normal(size=5_000), rng.normal(shift, 1.2, n)
    bins = grid(past)
    p, q = (distances.shares(histogram(values, bins)["count"]) for values in (now, past))
    exact = exact_ks(now, past)
    assert exact - 1 / 100 - 1 / 5_000 <= distances.kolmogorov_smirnov(p, q)[0] <= exact + 1e-12


@given(SEEDS, st.integers(1, 50), st.integers(1, 50))
def test_wasserstein_is_exact_where_every_bin_holds_one_value(seed, n, m):
    rng = np.random.default_rng(seed)
    past, now = rng.integers(0, 20, m).astype(float), rng.integers(0, 25, n).astype(float)
    bins = NumericBins(tuple(np.arange(0.5, 25).tolist()))
    found = distances.wasserstein(histogram(now, bins), histogram(past, bins))[0]
    assert found == pytest.approx(stats.wasserstein_distance(now, past), abs=1e-9)


@given(SEEDS)
def test_many_groups_at_once_equal_one_after_the_other(seed):
    rng = np.random.default_rng(seed)
    bins = grid(rng.normal(size=500))
    states = [histogram(rng.normal(rng.normal(), 1, rng.integers(1, 60)), bins) for _ in range(8)]
    ours, theirs = (
        {name: np.concatenate([s[name] for s in part]) for name in states[0]} for part in (states[:4], states[4:])
    )
    together = distances.wasserstein(ours, theirs)
    assert together.tolist() == [distances.wasserstein(a, b)[0] for a, b in zip(states[:4], states[4:])]
