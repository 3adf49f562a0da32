from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings, strategies as st

from lupus_provider.config.schedule import PRESETS, check_schedule, fire_times

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize("schedule", ["0 6 * * *", "*/5 1-3 * * mon-fri", "0 0 29 2 *", *PRESETS])
def test_good_schedules_pass_as_they_are(schedule):
    assert check_schedule(schedule) == schedule


@pytest.mark.parametrize(
    "schedule", ["", "daily", "0 6 * *", "0 0 6 * * *", "61 * * * *", "0 25 * * *", "@never", "@reboot"]
)
def test_what_is_no_cron_expression_of_five_fields_is_refused(schedule):
    with pytest.raises(ValueError, match="is not a cron expression of five fields"):
        check_schedule(schedule)


def test_a_schedule_that_never_fires_is_refused():
    with pytest.raises(ValueError, match="never fires"):
        check_schedule("0 0 30 2 *")


def test_a_time_that_the_clock_change_skips_fires_an_hour_later():
    fires = fire_times("30 2 * * *", BERLIN, datetime(2026, 3, 28, 12, tzinfo=UTC), 2)
    assert [fire.isoformat() for fire in fires] == ["2026-03-29T03:30:00+02:00", "2026-03-30T02:30:00+02:00"]


def test_a_time_that_comes_twice_fires_the_second_time_only():
    fires = fire_times("30 2 * * *", BERLIN, datetime(2026, 10, 24, 12, tzinfo=UTC), 2)
    assert [fire.isoformat() for fire in fires] == ["2026-10-25T02:30:00+01:00", "2026-10-26T02:30:00+01:00"]


@settings(max_examples=40)
@given(
    st.sampled_from(["0 6 * * *", "30 2 * * *", "*/20 * * * *", "0 0 1 * *", "@quarterly"]),
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]),
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)),  # noqa: DTZ001
)
def test_fire_times_strictly_increase_and_come_after_the_asked_moment(schedule, zone, after):
    start = after.replace(tzinfo=UTC)
    fires = [start, *(fire.astimezone(UTC) for fire in fire_times(schedule, ZoneInfo(zone), start, 8))]
    assert all(one < two for one, two in pairwise(fires))
