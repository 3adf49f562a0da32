from __future__ import annotations

import numpy as np
import pytest

from lupus_provider.detectors import Missing, Outcome
from lupus_provider.testing.detectors import judge_all, make_panel

MONDAY = "2013-01-07"


def kinds(value: np.ndarray, detector: Missing | None = None) -> list[int]:
    judgement = judge_all(detector or Missing(), make_panel(value, start=MONDAY))
    return np.flatnonzero(judgement.kind[0] == "missing").tolist()


def test_a_day_without_a_point_is_missing_where_there_usually_is_one() -> None:
    value = np.ones(40)
    value[33] = np.nan
    assert kinds(value) == [33]


def test_an_undefined_value_and_an_error_are_missing_too() -> None:
    panel = make_panel(np.where(np.arange(40) == 38, np.nan, 1.0), present=True, failed=np.arange(40) == 39)
    assert judge_all(Missing(), panel).outcome[0, 38:].tolist() == [Outcome.ANOMALY, Outcome.ANOMALY]


def test_a_job_of_weekdays_is_not_missed_on_weekends_but_on_a_weekday() -> None:
    value = np.where(np.arange(70) % 7 < 5, 1.0, np.nan)
    value[58] = np.nan
    assert kinds(value) == [58]


def test_a_weekly_job_is_missed_on_its_day_only() -> None:
    value = np.where(np.arange(70) % 7 == 2, 1.0, np.nan)
    value[65] = np.nan
    assert kinds(value) == [65]


def test_what_is_often_absent_is_not_missed() -> None:
    value = np.where(np.random.default_rng(0).random((200, 365)) < 0.5, np.nan, 1.0)
    judgement = judge_all(Missing(), make_panel(value))
    assert (judgement.outcome == Outcome.ANOMALY)[:, 90:].mean() < 0.005


def test_an_outage_does_not_teach_absence() -> None:
    value = np.ones(90)
    value[50:70] = np.nan
    assert kinds(value) == list(range(50, 70))


def test_a_series_that_stays_away_is_told_only_until_patience_ends() -> None:
    value = np.ones(120)
    value[50:] = np.nan
    assert kinds(value, Missing(patience=10)) == list(range(50, 60))
    outcome = judge_all(Missing(patience=10), make_panel(value)).outcome[0, 60:]
    assert (outcome == Outcome.NO_DATA).all()


def test_before_a_series_began_nothing_is_missed_and_its_start_is_too_short() -> None:
    value = np.ones(90)
    value[:40] = np.nan
    value[45] = np.nan
    judgement = judge_all(Missing(), make_panel(value))
    assert (judgement.outcome[0, :40] == Outcome.TOO_SHORT).all()
    assert judgement.outcome[0, 45] == Outcome.TOO_SHORT


def test_a_group_that_returns_is_missed_again() -> None:
    value = np.ones(260)
    value[60:100] = np.nan
    value[250] = np.nan
    assert kinds(value, Missing(patience=3)) == [60, 61, 62, 250]


@pytest.mark.parametrize(("period", "t"), [("hour", 24 * 40), ("week", 40), ("month", 40)])
def test_every_period_has_a_usual(period: str, t: int) -> None:
    value = np.ones(t)
    value[-2] = np.nan
    judgement = judge_all(Missing(), make_panel(value, period=period))
    assert np.flatnonzero(judgement.kind[0] == "missing").tolist() == [t - 2]


def test_the_score_is_the_smoothed_share_of_seasons_without_a_value() -> None:
    value = np.ones(100)
    value[99] = np.nan
    assert judge_all(Missing(), make_panel(value, start=MONDAY)).score[0, 99] == pytest.approx(0.5 / 13)


def days(first: str, t: int) -> np.ndarray:
    return np.datetime64(first) + np.arange(t)


def test_a_job_of_the_29th_is_missed_on_a_29th_and_not_in_a_february_without_one() -> None:
    axis = days("2022-01-01", 500)
    day = (axis - axis.astype("datetime64[M]")).astype(int) + 1
    value = np.where(day == 29, 1.0, np.nan)
    late = int(np.flatnonzero(axis == np.datetime64("2023-03-29"))[0])
    value[late] = np.nan
    panel = make_panel(value, start="2022-01-01")
    assert np.flatnonzero(judge_all(Missing(), panel).kind[0] == "missing").tolist() == [late]


def test_a_job_of_the_last_of_the_month_is_missed_on_that_day() -> None:
    axis = days("2022-01-01", 500)
    last = (axis + 1).astype("datetime64[M]") != axis.astype("datetime64[M]")
    value = np.where(last, 1.0, np.nan)
    late = int(np.flatnonzero(axis == np.datetime64("2023-02-28"))[0])
    value[late] = np.nan
    panel = make_panel(value, start="2022-01-01")
    assert np.flatnonzero(judge_all(Missing(), panel).kind[0] == "missing").tolist() == [late]


def test_a_job_of_every_second_week_is_missed_in_its_week_only() -> None:
    value = np.where(np.arange(200) % 14 == 2, 1.0, np.nan)
    value[184] = np.nan
    assert kinds(value) == [184]


def test_series_that_come_at_random_have_no_rare_schedule() -> None:
    value = np.where(np.random.default_rng(1).random((300, 365)) < 0.8, np.nan, 1.0)
    assert (judge_all(Missing(), make_panel(value)).kind == "missing").mean() < 1e-4
