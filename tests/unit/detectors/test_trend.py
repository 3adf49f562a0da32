from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from lupus_provider.detectors import Outcome, Trend
from lupus_provider.testing.detectors import judge_all, make_panel


def noisy(n: int = 1, t: int = 200, seed: int = 0) -> np.ndarray:
    return 100 + 5 * (np.arange(t) % 7 < 5) + np.random.default_rng(seed).normal(size=(n, t))


def flagged(value: np.ndarray, detector: Trend | None = None) -> np.ndarray:
    return judge_all(detector or Trend(), make_panel(value)).outcome == Outcome.ANOMALY


@pytest.mark.parametrize("slope", [0.25, -0.25])
def test_a_slope_that_begins_is_found_within_the_window_and_named(slope: float) -> None:
    value = noisy(20)
    value[:, 150:] += slope * np.arange(50)
    judgement = judge_all(Trend(), make_panel(value))
    strange = judgement.outcome == Outcome.ANOMALY
    assert strange[:, 150:185].any(axis=1).mean() >= 0.95
    assert set(judgement.kind[strange]) == {"trend"}


def test_a_series_that_always_grew_has_no_change_of_slope() -> None:
    assert flagged(noisy(20) + 0.5 * np.arange(200)).mean() < 0.005


def test_stated_probability_is_observed_on_normal_noise() -> None:
    score = judge_all(Trend(), make_panel(noisy(300, 160))).score
    assert np.nanmean(score < 0.01) == pytest.approx(0.01, rel=0.5)


def test_a_single_spike_is_no_trend() -> None:
    value = noisy(20)
    value[:, 180] += 60
    assert not flagged(value)[:, 178:186].any()


def test_the_week_is_no_trend_wherever_the_windows_begin() -> None:
    value = np.tile([0.0, 10, 20, 30, 20, -40, -40], 30) + np.random.default_rng(0).normal(size=(20, 210))
    assert flagged(value).mean() < 0.005


def test_expected_is_where_the_older_line_would_be_by_now() -> None:
    value = 10 + 2.0 * np.arange(120) + 1e-3 * np.random.default_rng(0).normal(size=120)
    value[100:] -= 3.0 * np.arange(20)
    judgement = judge_all(Trend(season_length=1), make_panel(value))
    assert judgement.expected[0, 119] == pytest.approx(10 + 2 * 119, abs=0.1)


def test_windows_with_too_few_values_are_too_short() -> None:
    value = noisy(1, 120)
    value[0, 60:75] = np.nan
    outcome = judge_all(Trend(), make_panel(value)).outcome[0]
    assert (outcome[:83] != Outcome.NORMAL).all()
    assert outcome[87] == Outcome.TOO_SHORT


def test_perfect_weeks_and_then_a_slope_alarm_and_perfect_weeks_alone_do_not() -> None:
    value = np.tile([0.0, 1, 2, 3, 2, -4, -4], 30)
    assert not flagged(value).any()
    value[180:] += np.arange(30)
    assert flagged(value)[0, -1]


def test_a_window_shorter_than_three_seasons_is_refused() -> None:
    with pytest.raises(ValidationError, match="less than three seasons of 14"):
        Trend(season_length=14, window=28)


def test_a_short_window_has_no_season_by_itself() -> None:
    assert Trend(window=12).seasons_of("day") == 1
    assert Trend().seasons_of("hour") == 1
    assert Trend(window=72, previous=72).seasons_of("hour") == 24
