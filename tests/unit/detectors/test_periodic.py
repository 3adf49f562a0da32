from __future__ import annotations

import numpy as np
import pytest

from lupus_provider.detectors import Outcome, Periodic, SeriesInfo
from lupus_provider.testing.detectors import judge_all, make_panel

WEEK = np.array([100.0, 110, 120, 115, 105, 20, 10])


def weekly(weeks: int = 12, seed: int = 0, noise: float = 1.0) -> np.ndarray:
    return np.tile(WEEK, weeks) + noise * np.random.default_rng(seed).normal(size=7 * weeks)


def found(value: np.ndarray, detector: Periodic | None = None) -> list[int]:
    outcome = judge_all(detector or Periodic(), make_panel(value, start="2013-01-07")).outcome[0]
    return np.flatnonzero(outcome == Outcome.ANOMALY).tolist()


def test_a_sunday_like_a_monday_is_found_though_its_value_is_usual() -> None:
    value = weekly()
    value[-1] = 100.0
    assert found(value) == [83]


def test_last_weeks_spike_does_not_echo_unless_only_last_week_is_the_reference() -> None:
    value = weekly()
    value[60] += 60
    assert found(value) == [60]
    assert found(value, Periodic(seasons=1)) == [60, 67]


def test_growth_is_a_usual_change() -> None:
    assert found(weekly() + 3.0 * np.arange(84)) == []


def test_growth_of_one_per_cent_a_day_is_a_usual_ratio() -> None:
    noise = 1 + 0.01 * np.random.default_rng(0).normal(size=210)
    value = np.tile(WEEK, 30) * noise * 1.01 ** np.arange(210)
    assert found(value, Periodic(change="ratio")) == []


def test_the_ratio_takes_a_halved_value_for_the_same_on_every_weekday() -> None:
    value = np.tile(WEEK, 12) * (1 + 0.03 * np.random.default_rng(0).normal(size=84))
    value[82] /= 2  # a Saturday, 10 less
    assert found(value, Periodic(change="ratio")) == [82]
    assert found(value) == []


def test_a_ratio_to_nothing_is_not_judged() -> None:
    value = np.zeros(60)
    value[-1] = 5.0
    outcome = judge_all(Periodic(change="ratio"), make_panel(value)).outcome[0]
    assert (outcome == Outcome.TOO_SHORT).all()


def test_no_variance_at_all_and_then_a_jump_is_an_anomaly() -> None:
    value = np.tile(WEEK, 10)
    value[-1] += 1
    assert found(value) == [69]


def test_missing_weeks_are_left_out_of_the_reference() -> None:
    value = weekly()
    value[63:70] = np.nan
    value[-1] += 40
    assert found(value) == [83]


def test_gaps_do_not_move_the_weekday() -> None:
    panel = make_panel(weekly(), start="2013-01-07")
    keep = np.r_[0:30, 33:84]  # three days that the axis does not have
    short = make_panel(panel.value[:, keep])
    cut = type(panel)(
        short.series,
        "day",
        panel.period_start[keep],
        panel.local_start[keep],
        short.value,
        short.present,
        short.n_rows,
        short.failed,
    )
    outcome = judge_all(Periodic(), cut).outcome[0]
    assert not (outcome == Outcome.ANOMALY).any()


def test_a_month_is_compared_with_the_month_before_and_a_year_on_request() -> None:
    year = np.arange(60) % 12 * 10.0 + np.random.default_rng(0).normal(size=60)
    panel = make_panel(year, period="month", start="2010-01-01")
    assert Periodic(season_length=12, seasons=1, least_changes=3).detect(panel, slice(59, 60)).expected[
        0, 0
    ] == pytest.approx(110, abs=4)


def test_the_band_is_cut_at_the_bounds_of_the_metric() -> None:
    share = SeriesInfo("s", "x", "null_ratio", lower_bound=0.0, upper_bound=1.0)
    value = np.clip(0.02 * np.random.default_rng(0).normal(size=60), 0, 1)
    judgement = judge_all(Periodic(), make_panel(value, series=[share]))
    assert np.nanmin(judgement.lower) == 0.0
