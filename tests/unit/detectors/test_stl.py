from __future__ import annotations

import csv
import gzip
from pathlib import Path
from statistics import median

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from lupus_provider.detectors.loess import smooth
from lupus_provider.detectors.partial_sort import partial_sort, sum_of_middles
from lupus_provider.detectors.stl import LEAST_RESIDUAL, Decomposition, ShortSeriesError, decompose

GOLDEN = Path(__file__).parents[2] / "golden" / "shesd"
WEEK = np.array([0.0, 1, 2, 3, 2, -4, -4])


def read(name: str) -> list[dict[str, str]]:
    with gzip.open(GOLDEN / name, "rt") as file:
        return list(csv.DictReader(file))


def reference(series: str) -> tuple[np.ndarray, int, Decomposition]:
    rows = [row for row in read("decomposition.csv.gz") if row["series"] == series]
    value = np.array([float(row["value"]) for row in read("inputs.csv.gz") if row["series"] == series])
    parts = (np.array([float(row[part]) for row in rows]) for part in ("season", "trend", "remainder", "weight"))
    return value, int(rows[0]["season_length"]), Decomposition(*parts)


def distance(ours: Decomposition, theirs: Decomposition) -> float:
    """Largest difference of any part, as a part of its largest value."""
    names = ("season", "trend", "remainder", "weight")
    pairs = [(getattr(ours, name)[0], getattr(theirs, name)) for name in names]
    return max(float(np.abs(left - right).max() / np.abs(right).max()) for left, right in pairs)


SERIES = ["nyc_taxi_daily", "exchange-2_cpc_results", "rogue_agent_key_hold", "ec2_request_latency_system_failure"]


@pytest.mark.parametrize("series", SERIES)
def test_a_decomposition_equals_that_of_r_to_print_precision(series: str) -> None:
    value, season_length, theirs = reference(series)
    assert distance(decompose(value[None, :], season_length, compatible="r"), theirs) < 1e-11


@pytest.mark.parametrize(
    ("series", "least", "most"),
    [*((s, 0, 1e-11) for s in SERIES if "rogue" not in s), ("rogue_agent_key_hold", 1e-5, 1e-3)],
)
def test_the_exact_median_differs_from_r_only_where_r_misses_it(series: str, least: float, most: float) -> None:
    value, season_length, theirs = reference(series)
    assert least <= distance(decompose(value[None, :], season_length), theirs) < most


# the same from the paper and the Fortran's documentation, one number at a time


def slow_fit(
    y: list[float], trust: list[float], at: int, first: int, last: int, span: int, degree: int
) -> float | None:
    n = len(y)
    reach = max(at - first, last - at) + (max(span - n, 0)) // 2
    weight = {}
    for j in range(first, last + 1):
        far = abs(j - at)
        if far <= 0.999 * reach:
            weight[j] = trust[j] * (1.0 if far <= 0.001 * reach else (1 - (far / reach) ** 3) ** 3)
    total = sum(weight.values())
    if total <= 0:
        return None
    weight = {j: w / total for j, w in weight.items()}
    if degree:
        mean = sum(w * j for j, w in weight.items())
        spread = sum(w * (j - mean) ** 2 for j, w in weight.items())
        if spread**0.5 > 0.001 * (n - 1):
            weight = {j: w * (1 + (at - mean) / spread * (j - mean)) for j, w in weight.items()}
    return sum(w * y[j] for j, w in weight.items())


def slow_smooth(y: list[float], trust: list[float], span: int, degree: int, jump: int) -> list[float]:
    n = len(y)
    jump = min(jump, n - 1)
    half = (span + 1) // 2
    points, first = {}, 0
    for at in range(0, n, jump):
        first = 0 if span >= n else min(max(at - half + 1, 0), n - span)
        fitted = slow_fit(y, trust, at, first, min(first + span, n) - 1, span, degree)
        points[at] = y[at] if fitted is None else fitted
    if n - 1 not in points:
        fitted = slow_fit(y, trust, n - 1, first, min(first + span, n) - 1, span, degree)
        points[n - 1] = y[n - 1] if fitted is None else fitted
    return np.interp(range(n), list(points), list(points.values())).tolist()


def slow_cycles(y: list[float], trust: list[float], p: int) -> list[float]:
    n, out = len(y), [0.0] * (len(y) + 2 * p)
    span = 10 * n + 1
    for place in range(p):
        values, weights = y[place::p], trust[place::p]
        k = len(values)
        inner = slow_smooth(values, weights, span, 0, -(-span // 10))
        before, after = (slow_fit(values, weights, at, 0, k - 1, span, 0) for at in (-1, k))
        out[place::p] = [inner[0] if before is None else before, *inner, inner[-1] if after is None else after]
    return out


def slow_average(y: list[float], width: int) -> list[float]:
    return [sum(y[i : i + width]) / width for i in range(len(y) - width + 1)]


def odd(number: float) -> int:
    whole = int(np.ceil(number))
    return whole if whole % 2 else whole + 1


def slow_stl(y: list[float], p: int, has: list[bool]) -> tuple[np.ndarray, np.ndarray]:
    n = len(y)
    spread = max(
        1.2533 * float(np.mean(np.abs(np.array(y) - median(y)))), 1.4826 * median(abs(v - median(y)) for v in y)
    )
    trend, season, trust = [0.0] * n, [0.0] * n, [float(there) for there in has]
    trend_span, low_span = max(3, odd(1.5 * p / (1 - 1.5 / (10 * n + 1)))), max(3, odd(p))
    for again in range(16):
        if again:
            residual = [abs(v - s - t) for v, s, t in zip(y, season, trend, strict=True)]
            middle = median(r for r, there in zip(residual, has, strict=True) if there)
            reach = 6 * max(middle, LEAST_RESIDUAL * spread)
            trust = [
                0.0 if not there or r > 0.999 * reach else 1.0 if r <= 0.001 * reach else (1 - (r / reach) ** 2) ** 2
                for r, there in zip(residual, has, strict=True)
            ]
        cycles = slow_cycles([v - t for v, t in zip(y, trend, strict=True)], trust, p)
        slow = slow_smooth(
            slow_average(slow_average(slow_average(cycles, p), p), 3), [1.0] * n, low_span, 1, -(-low_span // 10)
        )
        season = [c - s for c, s in zip(cycles[p:-p], slow, strict=True)]
        trend = slow_smooth([v - s for v, s in zip(y, season, strict=True)], trust, trend_span, 1, -(-trend_span // 10))
    means = [float(np.mean(season[i % p :: p])) for i in range(n)]
    return np.array(means), np.array(trend)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10**6), st.integers(2, 12), st.integers(0, 25), st.sampled_from([1.0, 1e-6, 1e9]), st.sampled_from([0.0, 0.1, 0.3]),
)  # fmt: skip
def test_a_decomposition_equals_the_slow_and_obvious_one(
    seed: int, p: int, more: int, unit: float, gaps: float
) -> None:
    rng = np.random.default_rng(seed)
    t = 2 * p + more
    value = unit * (rng.standard_t(3, t) + 5 * np.sin(2 * np.pi * np.arange(t) / p) + 0.1 * np.arange(t))
    gap = rng.random(t) < gaps
    gap[0] = False  # the slow one carries the last value into a gap
    carried = value.copy()
    for i in np.flatnonzero(gap):
        carried[i] = carried[i - 1]
    season, trend = slow_stl(carried.tolist(), p, (~gap).tolist())
    found = decompose(np.where(gap, np.nan, value)[None, :], p)
    assert np.allclose(found.season[0], season, rtol=0, atol=1e-6 * np.abs(value).max())
    assert np.allclose(found.trend[0], trend, rtol=0, atol=1e-6 * np.abs(value).max())


def test_season_trend_and_remainder_make_the_value_and_the_season_repeats() -> None:
    value = 50 + np.tile(WEEK, 9)[None, :] + np.random.default_rng(0).normal(size=(4, 63))
    found = decompose(value, 7)
    assert np.allclose(found.season + found.trend + found.remainder, value)
    assert (found.season[:, 7:] == found.season[:, :-7]).all()


def test_outliers_do_not_bend_the_season() -> None:
    value = 50 + np.tile(WEEK, 12) + np.random.default_rng(1).normal(0, 0.1, 84)
    value[[10, 40, 41, 60]] += [90, -70, 300, 55]
    found = decompose(value[None, :], 7)
    assert np.abs(found.season[0, :7] - WEEK).max() < 0.3
    assert (found.weight[0, [10, 40, 41, 60]] == 0).all()


def test_a_gap_has_no_weight_and_the_season_goes_through_it() -> None:
    value = 50 + np.tile(WEEK, 12) + np.random.default_rng(1).normal(0, 0.1, 84)
    value[:3], value[20:38], value[77] = np.nan, np.nan, np.nan
    found = decompose(value[None, :], 7)
    assert np.abs(found.season[0, 21:28] - WEEK).max() < 0.2
    assert (np.isnan(found.remainder[0]) == np.isnan(value)).all()
    assert (found.weight[0, np.isnan(value)] == 0).all()


def test_a_row_is_taken_apart_alike_alone_and_among_others() -> None:
    value = np.random.default_rng(0).normal(size=(900, 91))  # more rows than one batch
    together = decompose(value, 7)
    for row in (0, 1, 450, 899):
        alone = decompose(value[[row]], 7)
        assert (alone.season == together.season[[row]]).all()
        assert (alone.trend == together.trend[[row]]).all()


def test_a_row_is_smoothed_alike_alone_and_among_others() -> None:
    value, trust = np.random.default_rng(0).random((2, 50, 80))
    for span, jump in ((7, 1), (11, 2), (43, 5), (901, 91)):
        together = smooth(value, trust, span, jump)
        assert all((smooth(value[[i]], trust[[i]], span, jump) == together[[i]]).all() for i in range(50))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 40), st.sampled_from([3, 7, 11, 61, 201]), st.integers(1, 6))
def test_a_smoothed_row_equals_the_slow_and_obvious_one(seed: int, t: int, span: int, jump: int) -> None:
    rng = np.random.default_rng(seed)
    value, trust = rng.normal(size=t), rng.random(t) * (rng.random(t) < 0.8)
    jump = min(jump, (span + 1) // 2)
    for given_trust, theirs in ((trust, trust), (None, np.ones(t))):
        ours = smooth(value[None, :], None if given_trust is None else given_trust[None, :], span, jump)
        slow = slow_smooth(value.tolist(), theirs.tolist(), span, 1, jump)
        assert np.allclose(ours[0], slow, rtol=0, atol=1e-6)


@pytest.mark.parametrize("factor", [1e-305, 1e306])
def test_tiny_and_huge_values_are_taken_apart_like_others(factor: float) -> None:
    value = 5 + np.tile(WEEK, 9) + np.random.default_rng(0).normal(size=63)
    there, here = decompose(factor * value[None, :], 7), decompose(value[None, :], 7)
    assert np.allclose(there.season / factor, here.season, rtol=1e-6)
    assert np.isfinite(there.trend).all()


def test_where_half_of_the_values_are_fitted_exactly_rounding_errors_decide_nothing() -> None:
    value = np.random.default_rng(5).normal(size=(200, 18))
    assert np.allclose(decompose(1000 * value, 3).season / 1000, decompose(value, 3).season, rtol=0, atol=1e-9)


@pytest.mark.parametrize(("t", "season_length"), [(13, 7), (50, 1), (0, 7)])
def test_less_than_two_seasons_are_refused_with_what_is_needed(t: int, season_length: int) -> None:
    with pytest.raises(ShortSeriesError, match=f"{t} periods .* season of {season_length}: two whole seasons"):
        decompose(np.ones((1, t)), season_length)


def test_no_row_is_no_error() -> None:
    assert decompose(np.ones((0, 21)), 7).trend.shape == (0, 21)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=120), st.data())
def test_the_partial_sort_puts_ascending_places_right(values: list[int], data: st.DataObject) -> None:
    place = st.integers(0, len(values) - 1)
    places = sorted(data.draw(st.lists(place, min_size=1, max_size=2, unique=True)))
    after = partial_sort([float(value) for value in values], places)
    assert [after[i] for i in places] == [sorted(values)[i] for i in places]
    assert sorted(after) == sorted(values)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=121).filter(lambda values: len(values) % 2 == 1))
def test_the_middles_of_an_odd_number_of_values_are_the_median(values: list[float]) -> None:
    assert sum_of_middles(np.array(values)) == 2 * median(values)


def test_the_middles_of_an_even_number_are_not_always_the_median() -> None:
    missed = 0
    for seed in range(200):
        values = np.random.default_rng(seed).normal(size=100)
        missed += sum_of_middles(values) != np.sort(values)[49:51].sum()
    assert 0 < missed < 200
