# ruff: noqa: DTZ001  (hypothesis takes bounds without a zone)

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings, strategies as st

from lupus_provider.periods import Span, days_span, last_complete, period_at, periods_in

ZONES = [
    "UTC", "Asia/Tokyo", "America/New_York", "Europe/Dublin", "Australia/Lord_Howe", "America/Sao_Paulo", "America/Havana", "Asia/Kolkata",
    "Pacific/Apia", "America/St_Johns", "America/Caracas", "America/Toronto", "Asia/Kathmandu", "Africa/Casablanca", "Pacific/Kwajalein",
    "America/Juneau", "Asia/Pyongyang",
]  # fmt: skip
zones = st.sampled_from(ZONES)
names = st.sampled_from(["hour", "day", "week", "month"])
moments = st.datetimes(datetime(1860, 1, 1), datetime(2060, 1, 1)).map(lambda t: t.replace(tzinfo=UTC))
recent = st.datetimes(datetime(1985, 1, 1), datetime(2040, 1, 1)).map(lambda t: t.replace(tzinfo=UTC))
thorough = settings(max_examples=400, deadline=None)


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


@thorough
@given(moment=moments | recent, name=names, zone=zones)
@example(
    at(2010, 11, 7, 2, 45), "day", "America/St_Johns"
)  # 00:01 fell back to 23:01: yesterday again, after today had begun
@example(
    at(1919, 3, 31, 4, 45), "day", "America/Toronto"
)  # 23:30 jumped to 00:30: the day starts before its midnight would be
@example(at(2016, 5, 1, 7, 15), "hour", "America/Caracas")  # the standard time moved by half an hour
@example(at(2011, 12, 30, 10), "day", "Pacific/Apia")  # the 30th never was
@example(at(1867, 10, 18, 20), "day", "America/Juneau")  # a day came twice
def test_every_instant_belongs_to_exactly_one_period(moment, name, zone):
    zone = ZoneInfo(zone)
    period = period_at(moment, name, zone)
    inside = [period.start, period.start + (period.end - period.start) / 3, period.end - timedelta(microseconds=1)]

    assert period.start <= moment < period.end
    assert all(period_at(t, name, zone) == period for t in inside)
    assert period_at(period.end, name, zone).start == period.end
    assert period_at(period.start - timedelta(microseconds=1), name, zone).end == period.start


@thorough
@given(moment=moments, name=st.sampled_from(["day", "week", "month"]), zone=zones)
def test_a_period_starts_with_the_first_instant_of_its_local_date(moment, name, zone):
    zone = ZoneInfo(zone)
    start = period_at(moment, name, zone).start
    first = start.astimezone(zone).date()
    just_before = (start - timedelta(microseconds=1)).astimezone(zone).date()

    assert just_before < first
    if name == "month" and just_before.month != 12 and first.day != 1:
        assert first.month != just_before.month  # a zone skipped the first of the month
    if name == "day":
        assert all((start - timedelta(minutes=m)).astimezone(zone).date() < first for m in range(1, 180, 7))


@thorough
@given(first=recent, days=st.integers(0, 40), name=names, zone=zones)
def test_the_periods_of_a_span_have_no_gap_and_no_overlap(first, days, name, zone):
    zone = ZoneInfo(zone)
    span = Span(first, first + timedelta(days=days))
    found = periods_in(span, name, zone)

    assert all(left.end == right.start for left, right in pairwise(found))
    assert all(span.start <= p.start < span.end for p in found)
    if found:
        before = period_at(found[0].start - timedelta(microseconds=1), name, zone)
        assert before.start < span.start <= found[0].start
        assert found[-1].end >= span.end
    else:
        assert period_at(span.start, name, zone).end >= span.end or span.start == span.end


@thorough
@given(as_of=recent, count=st.integers(0, 5), name=names, zone=zones)
def test_the_last_complete_periods_end_by_as_of_and_the_next_does_not(as_of, count, name, zone):
    zone = ZoneInfo(zone)
    span = last_complete(as_of, name, zone, count)

    assert span.end <= as_of < period_at(span.end, name, zone).end
    assert len(periods_in(span, name, zone)) == count


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("America/New_York", date(2013, 3, 10), 23), ("America/New_York", date(2013, 11, 3), 25), ("Asia/Tokyo", date(2013, 3, 10), 24),
        ("Australia/Lord_Howe", date(2024, 4, 7), 24.5), ("Australia/Lord_Howe", date(2024, 10, 6), 23.5),
        ("America/Sao_Paulo", date(2013, 10, 20), 23), ("America/Sao_Paulo", date(2013, 2, 16), 25),
        ("America/Havana", date(2013, 11, 3), 25), ("Asia/Kolkata", date(2024, 2, 29), 24), ("Pacific/Apia", date(2011, 12, 30), 0),
        ("America/Toronto", date(1919, 3, 30), 23.5), ("America/Toronto", date(1919, 3, 31), 23.5), ("America/St_Johns", date(2010, 11, 6), 24),
        ("America/St_Johns", date(2010, 11, 7), 25),
    ],
)  # fmt: skip
def test_a_local_day_has_the_hours_that_its_zone_gave_it(zone, day, hours):
    span = days_span(day, day, ZoneInfo(zone))
    assert (span.end - span.start) / timedelta(hours=1) == hours


def test_months_end_where_the_calendar_ends_them():
    zone = ZoneInfo("Asia/Tokyo")
    found = periods_in(Span(at(2023, 12, 31, 15), at(2024, 12, 31, 15)), "month", zone)
    assert [(p.end - p.start).days for p in found] == [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]


def test_weeks_start_on_monday():
    zone = ZoneInfo("Europe/Dublin")
    assert {
        p.start.astimezone(zone).weekday() for p in periods_in(Span(at(2024, 1, 1), at(2025, 1, 1)), "week", zone)
    } == {0}


def test_hours_start_with_the_hours_of_the_zones_standard_time():
    assert period_at(at(2024, 1, 1, 0, 10), "hour", ZoneInfo("Asia/Kolkata")).start == at(2023, 12, 31, 23, 30)
    assert period_at(at(2024, 1, 1, 0, 10), "hour", ZoneInfo("Asia/Kathmandu")).start == at(2023, 12, 31, 23, 15)
