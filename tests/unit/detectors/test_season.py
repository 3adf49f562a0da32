from __future__ import annotations

import numpy as np
import pytest

from lupus_provider.detectors.season import count_periods, phases


def axis(*moments: str) -> np.ndarray:
    return np.array(moments, dtype="datetime64[us]")


def test_monday_is_phase_0_of_a_week_of_days() -> None:
    assert phases(axis("2013-02-04", "2013-02-10", "1969-12-29"), "day", 7).tolist() == [0, 6, 0]


def test_hours_of_the_week_start_on_monday_at_midnight() -> None:
    assert phases(axis("2013-02-04T00", "2013-02-05T01", "2013-02-10T23"), "hour", 168).tolist() == [0, 25, 167]


def test_hours_of_the_day_are_wall_clock_hours() -> None:
    assert phases(axis("2013-03-10T01", "2013-03-10T03", "2013-11-03T01", "2013-11-03T01"), "hour", 24).tolist() == [
        1,
        3,
        1,
        1,
    ]


def test_a_leap_day_is_a_weekday_like_any_other() -> None:
    assert phases(axis("2012-02-28", "2012-02-29", "2012-03-01"), "day", 7).tolist() == [1, 2, 3]


def test_months_of_a_year_start_in_january_also_before_1970() -> None:
    assert phases(axis("2013-01-01", "2013-12-01", "1969-01-01"), "month", 12).tolist() == [0, 11, 0]


@pytest.mark.parametrize("period", ["hour", "day", "week", "month"])
def test_without_a_season_all_periods_are_alike(period: str) -> None:
    assert phases(axis("2013-01-01", "2013-06-04"), period, 1).tolist() == [0, 0]


def test_weeks_are_numbered_without_gaps_over_the_new_year() -> None:
    assert np.diff(count_periods(axis("2012-12-24", "2012-12-31", "2013-01-07"), "week")).tolist() == [1, 1]
