from __future__ import annotations

import json
import math

import numpy as np
import pytest

from lupus_provider.metrics import SHELVES, Family, distances, parse_metric
from lupus_provider.metrics.base import Binned, Kind
from lupus_provider.metrics.bins import CategoryBins, NumericBins, coarsened, quantile_bins

NAMES = tuple(SHELVES[Family.DRIFT])
SYMMETRIC = ("psi", "js", "js_distance", "hellinger", "linf", "chi2", "ks", "wasserstein")
TEN = NumericBins(tuple(np.arange(1.0, 10.0).tolist()))


def metric(name):
    return parse_metric(name, Family.DRIFT).metric


def state(values, bins=TEN):
    """Histogram of one group, as an engine would count it."""
    values = np.asarray(values, float)
    at = np.searchsorted(bins.edges, values, side="right")
    parts = [values[at == i] for i in range(len(bins))]

    def each(reduce, least=1):
        return np.array([[reduce(part) if len(part) >= least else np.nan for part in parts]])

    count = np.array([[float(len(part)) for part in parts]])
    return {
        "count": count, "min": each(np.min), "max": each(np.max), "sum": each(np.sum),
        "variance": each(lambda part: part.var(ddof=1), 2),
    }  # fmt: skip


def drift(name, current, reference, bins=TEN):
    values = metric(name).of_bins(Binned(bins, state(current, bins), state(reference, bins)))
    return float(values.value[0])


def of_counts(name, current, reference):
    bins = CategoryBins(tuple("abcdefgh"[: len(current) - 1]))
    binned = Binned(bins, {"count": np.array([current], float)}, {"count": np.array([reference], float)})
    return float(metric(name).of_bins(binned).value[0])


def test_psi_equals_a_calculation_by_hand(root):
    golden = json.loads((root / "tests/golden/psi.json").read_text(encoding="utf-8"))
    for case in golden["cases"]:
        assert of_counts("psi", case["current"], case["reference"]) == pytest.approx(case["psi"], abs=2e-7), case[
            "name"
        ]


@pytest.mark.parametrize("name", NAMES)
def test_equal_sides_have_no_distance(name):
    values = np.random.default_rng(1).uniform(0, 10, 300)
    assert drift(name, values, values) == pytest.approx(1 if name.endswith("pvalue") else 0, abs=1e-12)


@pytest.mark.parametrize("name", SYMMETRIC)
def test_a_distance_does_not_ask_which_side_is_the_reference(name):
    rng = np.random.default_rng(2)
    left, right = rng.uniform(0, 10, 300), rng.uniform(1, 9, 40)
    assert drift(name, left, right) == pytest.approx(drift(name, right, left), rel=1e-12)


@pytest.mark.parametrize("name", ["js", "js_distance", "hellinger", "linf", "ks"])
def test_sides_with_nothing_in_common_are_at_distance_one(name):
    assert drift(name, [0.5, 0.6], [8.5, 8.6, 8.7]) == pytest.approx(1)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("current", "reference"), [([], [1, 2, 3]), ([1, 2, 3], []), ([], [])])
def test_a_side_without_rows_leaves_drift_undefined(name, current, reference):
    assert math.isnan(drift(name, current, reference))


@pytest.mark.parametrize("name", NAMES)
def test_no_reference_leaves_drift_undefined_and_says_the_rows(name):
    values = metric(name).of_bins(Binned(TEN, state([1, 2, 3])))
    assert np.isnan(values.value).all()
    assert values.n_rows.tolist() == [3]


@pytest.mark.parametrize("name", NAMES)
def test_a_group_that_the_reference_lacks_leaves_the_others_alone(name):
    ours, theirs = state(range(10)), state(range(2, 9))
    both = {key: np.concatenate([value, value]) for key, value in ours.items()}
    reference = {key: np.concatenate([np.full_like(value, np.nan), value]) for key, value in theirs.items()}
    values = metric(name).of_bins(Binned(TEN, both, reference)).value
    assert math.isnan(values[0])
    assert values[1] == pytest.approx(drift(name, range(10), range(2, 9)))


def test_small_samples_look_less_like_drift_in_few_bins():
    """The stated expectation of chance, (B - 1)(1/n + 1/m), and the factors of its kin, over 2,000 draws without any drift."""
    rng = np.random.default_rng(3)
    n, m, parts = 500, 5_000, 10
    current, reference = (rng.multinomial(size, [1 / parts] * parts, 2_000).astype(float) for size in (n, m))
    p, q = distances.shares(current), distances.shares(reference)
    chance = (parts - 1) * (1 / n + 1 / m)
    assert distances.psi(
        distances.floored_shares(current), distances.floored_shares(reference)
    ).mean() == pytest.approx(chance, rel=0.05)
    assert distances.kl(p, q).mean() == pytest.approx(chance / 2, rel=0.05)
    assert distances.js(p, q).mean() == pytest.approx(chance / 8 / math.log(2), rel=0.05)
    assert (distances.hellinger(p, q) ** 2).mean() == pytest.approx(chance / 8, rel=0.05)


def test_psi_reads_the_coarse_grid_and_ks_the_fine_one():
    rng = np.random.default_rng(4)
    past, now = rng.normal(size=5_000), rng.normal(size=200)
    fine = quantile_bins(np.percentile(past, np.arange(1, 100)))
    few = coarsened(fine, 10)
    assert len(few.kept) == 9
    assert drift("ks", now, past, few) == drift("ks", now, past, fine)
    assert drift("psi", now, past, few) < 0.5 * drift("psi", now, past, fine)
    by_hand = NumericBins(tuple(np.percentile(past, np.arange(10, 100, 10)).tolist()))
    assert drift("psi", now, past, few) == drift("psi", now, past, by_hand)


def test_an_empty_tenth_of_twenty_rows_is_no_alarm():
    assert of_counts("psi", [2, 2, 2, 2, 2, 2, 2, 4, 0], [100] * 9) < 0.25
    assert of_counts("psi", [200, 200, 200, 200, 200, 200, 200, 400, 0], [100] * 9) > 0.25


def test_wasserstein_is_in_the_columns_unit_and_normed_is_not():
    rng = np.random.default_rng(5)
    past = rng.uniform(0, 9, 2_000)
    assert drift("wasserstein", past + 1, past) == pytest.approx(1)
    tenfold = NumericBins(tuple(10 * edge for edge in TEN.edges))
    assert drift("wasserstein", 10 * past + 10, 10 * past, tenfold) == pytest.approx(10)
    normed = drift("wasserstein_normed", past + 1, past)
    assert normed == pytest.approx(1 / past.std(ddof=1))
    assert drift("wasserstein_normed", 10 * past + 10, 10 * past, tenfold) == pytest.approx(normed)


def test_wasserstein_sees_how_far_the_ends_have_moved():
    """Beyond the last edge, minimum, maximum and mean of the bin say where its values are."""
    assert drift("wasserstein", [5, 1000], [5, 10]) == pytest.approx(495)


def test_infinite_values_make_wasserstein_infinite_and_nothing_else():
    assert drift("wasserstein", [1, math.inf], [1, 2]) == math.inf
    assert drift("wasserstein", [1, 2], [-math.inf, 2]) == math.inf
    assert drift("ks", [1, math.inf], [1, 2]) == 0.5


def test_a_reference_without_spread_norms_nothing():
    assert math.isnan(drift("wasserstein_normed", [1, 2], [3, 3]))
    assert drift("wasserstein", [1, 2], [3, 3]) == 1.5


def test_extremes_that_were_not_measured_leave_wasserstein_undefined():
    past = {
        "count": state([1, 2])["count"],
        **{name: np.full((1, 10), np.nan) for name in ("min", "max", "sum", "variance")},
    }
    assert np.isnan(metric("wasserstein").of_bins(Binned(TEN, state([1, 2]), past)).value).all()


@pytest.mark.parametrize("name", NAMES)
def test_texts_are_refused_by_what_needs_an_order(name):
    refusal = parse_metric(name, Family.DRIFT).refusal(Kind.TEXT, is_list=False, type_name="VARCHAR")
    if metric(name).ordered:
        assert (
            refusal == f"{name!r} does not measure columns of type VARCHAR. Cast the column, or ask for another metric."
        )
    else:
        assert refusal is None


def test_one_category_says_nothing():
    assert of_counts("chi2_pvalue", [5, 0], [7, 0]) == 1
    assert of_counts("psi", [5, 0], [7, 0]) < 0.05
