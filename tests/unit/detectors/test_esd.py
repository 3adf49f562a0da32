from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from lupus_provider.detectors.esd import (
    Direction,
    WithoutMad,
    critical_value,
    critical_values,
    find_outliers,
    new_value_limit,
    new_value_probability,
    tail_probability,
)  # fmt: skip

ROSNER = [
    -0.25, 0.68, 0.94, 1.15, 1.20, 1.26, 1.26, 1.34, 1.38, 1.43, 1.49, 1.49, 1.55, 1.56, 1.58, 1.65, 1.69, 1.70, 1.76, 1.77, 1.81,
    1.91, 1.94, 1.96, 1.99, 2.06, 2.09, 2.10, 2.14, 2.15, 2.23, 2.24, 2.26, 2.35, 2.37, 2.40, 2.47, 2.54, 2.62, 2.64, 2.90, 2.92,
    2.92, 2.93, 3.21, 3.26, 3.30, 3.59, 3.68, 4.30, 4.64, 5.34, 5.42, 6.01,
]  # fmt: skip
DIRECTIONS: list[Direction] = ["both", "up", "down"]


def slow_outliers(
    values: list[float], max_ratio: float, alpha: float, direction: Direction, without_mad: WithoutMad
) -> tuple[list[int], float, float]:
    """The test as its papers tell it: sort, measure and remove, anew at every step."""
    left = {i: value for i, value in enumerate(values) if not math.isnan(value)}
    n, removed, flagged = len(left), [], 0
    if not left:
        return [], math.nan, 0.0
    origin = sorted(left.values())[n // 2]

    def measure(before: float) -> tuple[float, float]:
        kept = np.array(list(left.values()))
        centre, scale = np.median(kept), 1.4826 * np.median(np.abs(kept - np.median(kept)))
        spread = np.sqrt(np.mean((kept - origin) ** 2))
        if scale <= 1e-6 * spread or scale == 0:
            scale = (
                0.0 if without_mad == "stop" and scale == 0 else scale if without_mad == "stop" else before or spread
            )
        return float(centre), float(scale)

    sign = {"both": abs, "up": lambda d: d, "down": lambda d: -d}[direction]
    centre, scale = end = measure(0.0)
    for step in range(min(max(int(n * max_ratio), 1), n - 2)):
        if scale == 0:
            break
        deviation = {i: sign(value - centre) for i, value in left.items()}
        strangest = max(deviation, key=lambda i: (deviation[i], -i))
        exceeds = deviation[strangest] / scale > critical_value(np.array(n - step), alpha, direction)
        removed.append(strangest)
        del left[strangest]
        centre, scale = measure(scale)
        if exceeds:
            flagged, end = len(removed), (centre, scale)
    return sorted(removed[:flagged]), *end


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.one_of(st.integers(-4, 4), st.integers(-40, 40), st.floats(-1e3, 1e3).map(lambda x: round(x, 6)), st.just(math.nan)), min_size=1, max_size=60
    ),
    st.sampled_from([0.02, 0.1, 0.3, 0.49]), st.sampled_from([0.01, 0.05, 0.4]), st.sampled_from(DIRECTIONS),
    st.sampled_from(["root_mean_square", "stop"]),
)  # fmt: skip
def test_the_outliers_are_those_of_the_slow_and_obvious_test(
    values: list[float], max_ratio: float, alpha: float, direction: Direction, without_mad: WithoutMad
) -> None:
    rows = np.array([values], dtype=np.float64)
    found = find_outliers(rows, max_anomaly_ratio=max_ratio, alpha=alpha, direction=direction, without_mad=without_mad)
    outliers, centre, scale = slow_outliers(rows[0].tolist(), max_ratio, alpha, direction, without_mad)
    assert np.flatnonzero(found.mask[0]).tolist() == outliers
    assert found.left[0] == np.isfinite(rows).sum() - len(outliers)
    assert found.centre[0] == pytest.approx(centre, nan_ok=True)
    assert found.scale[0] == pytest.approx(scale, abs=1e-9)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(DIRECTIONS))
def test_long_rows_with_heavy_tails_too(seed: int, direction: Direction) -> None:
    rng = np.random.default_rng(seed)
    rows = rng.standard_t(1.5, size=(2, 400)).round(rng.integers(0, 4))
    found = find_outliers(rows, max_anomaly_ratio=0.45, alpha=0.05, direction=direction)
    for row in range(2):
        outliers, *_ = slow_outliers(rows[row].tolist(), 0.45, 0.05, direction, "root_mean_square")
        assert np.flatnonzero(found.mask[row]).tolist() == outliers


def test_the_critical_values_are_those_of_rosners_table() -> None:
    theirs = [3.158, 3.151, 3.143, 3.136, 3.128, 3.120, 3.111, 3.103, 3.094, 3.085]
    ours = critical_values(np.array([len(ROSNER)]), 10, 0.05, "both")[0]
    assert ours == pytest.approx(theirs, abs=1.1e-3)


def test_one_tail_has_all_of_alpha() -> None:
    left = np.array([54])
    assert critical_value(left, 0.025, "up") == critical_value(left, 0.05, "both")


def test_the_last_step_that_exceeds_counts_with_all_before_it() -> None:
    # three hide each other: the first two steps find nothing, the last one does
    values = [*np.linspace(-1, 1, 11), 2.4, 2.5, 2.6]
    masked = find_outliers(np.array([values]), max_anomaly_ratio=0.08, alpha=0.05)
    seen = find_outliers(np.array([values]), max_anomaly_ratio=0.25, alpha=0.05)
    assert (masked.mask.sum(), np.flatnonzero(seen.mask).tolist()) == (0, [11, 12, 13])


def test_equal_values_go_in_the_order_of_the_row() -> None:
    values = np.array([[9.0, *np.linspace(-1, 1, 15), 9.0, -9.0, -9.0]])
    found = find_outliers(values, max_anomaly_ratio=0.16, alpha=0.05)
    assert np.flatnonzero(found.mask).tolist() == [0, 16, 17]
    assert np.flatnonzero(find_outliers(values, max_anomaly_ratio=0.06, alpha=0.05).mask).tolist() == [0]
    assert np.flatnonzero(find_outliers(-values, max_anomaly_ratio=0.06, alpha=0.05).mask).tolist() == [0]
    up = find_outliers(values, max_anomaly_ratio=0.05, alpha=0.05, direction="up")
    assert np.flatnonzero(up.mask).tolist() == [0]


def test_mostly_equal_values_are_tested_by_their_root_mean_square_or_not_at_all() -> None:
    values = np.array([[*[0.0] * 30, 1.0, 2.0, 1.0, 90.0]])
    assert np.flatnonzero(find_outliers(values, max_anomaly_ratio=0.2, alpha=0.05).mask).tolist() == [33]
    stopped = find_outliers(values, max_anomaly_ratio=0.2, alpha=0.05, without_mad="stop")
    assert (stopped.mask.sum(), stopped.scale[0]) == (0, 0.0)


def test_a_tenth_of_ones_among_zeros_is_not_flagged_one_after_the_other() -> None:
    values = (np.arange(100) % 10 == 3).astype(float)[None, :]
    assert find_outliers(values, max_anomaly_ratio=0.3, alpha=0.05).mask.sum() == 0


def test_a_giant_does_not_hide_the_spread_of_the_rest() -> None:
    values = np.array([[*np.random.default_rng(0).normal(size=90), 1e12, 30.0]])
    found = find_outliers(values, max_anomaly_ratio=0.1, alpha=0.05)
    assert np.flatnonzero(found.mask).tolist() == [90, 91]
    assert found.scale[0] == pytest.approx(1, abs=0.2)


def test_a_spread_of_rounding_errors_is_none() -> None:
    values = np.array([[*(7 + 1e-15 * np.arange(20)), 7 + 1e-12]])
    assert find_outliers(values, max_anomaly_ratio=0.1, alpha=0.05).mask.sum() == 1
    assert find_outliers(values, max_anomaly_ratio=0.1, alpha=0.05, least_scale=1e-11).mask.sum() == 0


@pytest.mark.parametrize("values", [[], [np.nan, np.nan], [3.0], [3.0, 9.0], [5.0] * 40])
def test_rows_that_hold_nothing_to_compare_have_no_outlier(values: list[float]) -> None:
    found = find_outliers(np.array([values]), max_anomaly_ratio=0.4, alpha=0.05)
    assert found.mask.sum() == 0
    assert found.left[0] == np.isfinite(values).sum()


@pytest.mark.parametrize("factor", [1e-300, 1e-3, 1e300])
def test_the_unit_of_a_row_changes_no_outlier(factor: float) -> None:
    values = np.random.default_rng(0).standard_t(2, size=(20, 91))
    mine, other = (find_outliers(f * values, max_anomaly_ratio=0.2, alpha=0.05) for f in (1.0, factor))
    assert (mine.mask == other.mask).all()
    assert np.allclose(other.scale / factor, mine.scale)


def test_a_row_is_tested_alike_alone_and_among_rows_with_more_gaps() -> None:
    values = np.random.default_rng(0).standard_t(2, size=(30, 91))
    values[np.random.default_rng(1).random(values.shape) < np.linspace(0, 1, 30)[:, None]] = np.nan
    together = find_outliers(values, max_anomaly_ratio=0.2, alpha=0.05)
    for row in range(30):
        alone = find_outliers(values[[row]], max_anomaly_ratio=0.2, alpha=0.05)
        assert (alone.mask == together.mask[[row]]).all()
        assert alone.scale[0] == together.scale[row]


@given(st.integers(10, 5000), st.floats(1e-6, 0.4))
def test_the_tail_probability_is_the_critical_value_the_other_way_round(left: int, alpha: float) -> None:
    limit = critical_value(np.array(left), alpha, "both")
    assert float(tail_probability(limit, np.array(left)) * left) == pytest.approx(alpha, rel=1e-4)


def test_the_tail_probability_falls_with_the_deviation_and_survives_extremes() -> None:
    probability = tail_probability(np.array([0.0, 1, 3, 5, 1e300, np.inf]), np.full(6, 50))
    assert probability[0] == 1
    assert (np.diff(probability) <= 0).all()
    assert probability[-1] == 0
    assert np.isnan(tail_probability(np.array([1.0]), np.array([2]))).all()


@given(st.integers(10, 5000), st.floats(1e-6, 0.4))
def test_the_probability_of_a_new_value_is_its_limit_the_other_way_round(left: int, alpha: float) -> None:
    limit = new_value_limit(np.array(left), alpha, "both")
    assert float(new_value_probability(limit, np.array(left)) * (left + 1)) == pytest.approx(alpha, rel=1e-4)
    assert new_value_limit(np.array(left), alpha / 2, "down") == limit


@pytest.mark.parametrize("n", [15, 91])
def test_a_new_value_of_normal_noise_exceeds_its_limit_as_often_as_stated(n: int) -> None:
    values = np.random.default_rng(0).normal(size=(40_000, n + 1))
    past = np.median(values[:, :n], axis=1)
    scale = 1.4826 * np.median(np.abs(values[:, :n] - past[:, None]), axis=1)
    limit = new_value_limit(np.array(n), 0.01 * (n + 1), "both")
    assert 0.007 < (np.abs(values[:, n] - past) / scale > limit).mean() < 0.0125
