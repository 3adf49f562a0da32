from __future__ import annotations

import numpy as np

from lupus_provider.detectors.profile import FORGET_PERIODS, forecast_all

WEEK = np.array([100.0, 110, 120, 115, 105, 20, 10])


def forecasts(value: np.ndarray, length: int = 7) -> np.ndarray:
    values = np.atleast_2d(value)
    return forecast_all(values, np.arange(values.shape[1]) % length, length).expected[0]


def test_a_perfect_week_is_forecast_after_three_weeks() -> None:
    value = np.tile(WEEK, 12)
    assert np.allclose(forecasts(value)[40:], value[40:], atol=1e-9)


def test_nothing_is_forecast_before_a_weekday_was_seen_twice() -> None:
    known = np.isfinite(forecasts(np.tile(WEEK, 12)))
    assert not known[:20].any()
    assert known[20:].all()


def test_noise_is_not_taken_for_a_profile() -> None:
    value = np.random.default_rng(0).normal(size=(200, 120))
    expected = forecast_all(value, np.arange(120) % 7, 7).expected[:, 60:]
    assert np.nanstd(expected) < 0.55  # a level of 14 noisy values alone has about 0.3


def test_the_judged_point_is_never_in_its_own_baseline() -> None:
    value = np.tile(WEEK, 6)
    other = value.copy()
    other[-1] = 1e12
    assert forecasts(value)[-1] == forecasts(other)[-1]


def test_one_spike_hardly_moves_the_next_forecasts() -> None:
    value = 100 + np.random.default_rng(0).normal(size=90)
    other = value.copy()
    other[80] += 1000
    assert np.abs(forecasts(other) - forecasts(value))[81:].max() < 2


def test_a_new_level_is_learnt_within_two_weeks() -> None:
    value = np.where(np.arange(90) < 60, 100.0, 150.0)
    assert np.allclose(forecasts(value)[75:], 150, atol=8)


def test_a_growing_series_is_followed() -> None:
    value = 1000 * 1.01 ** np.arange(200)
    assert (np.abs(forecasts(value) / value - 1)[60:] < 0.12).all()


def test_gaps_are_no_zeros() -> None:
    value = np.tile(WEEK, 12)
    value[50:55] = np.nan
    assert np.allclose(forecasts(value)[55:], np.tile(WEEK, 12)[55:], atol=25)


def test_a_series_that_returns_after_a_long_gap_starts_anew() -> None:
    value = np.tile(WEEK, 20)
    value[60 : 60 + FORGET_PERIODS] = np.nan
    result = forecast_all(value[None], np.arange(140) % 7, 7)
    returned = 60 + FORGET_PERIODS
    assert result.began[0, returned] == 0
    assert (result.began[0, returned + 1 :] == returned).all()
    assert not np.isfinite(result.expected[0, returned + 1 : returned + 14]).any()


def test_a_shorter_gap_is_bridged() -> None:
    value = np.tile(WEEK, 20)
    value[60 : 60 + FORGET_PERIODS - 1] = np.nan
    assert np.isfinite(forecasts(value)[60:]).all()


def test_without_a_season_the_level_is_the_forecast() -> None:
    assert np.allclose(forecasts(np.full(30, 5.0), 1)[5:], 5.0)


def test_a_new_year_in_the_first_week_is_forgotten_with_the_seasons() -> None:
    value = np.tile(WEEK, 20)
    value[1] = 5.0
    assert np.allclose(forecasts(value)[70:], value[70:], atol=1e-6)
