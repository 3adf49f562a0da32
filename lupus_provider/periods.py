"""Periods of a zone: which span of UTC a local hour, day, week or month is.

A local day starts with the first instant whose local date is that day or later, so days of 23 and 25 hours, days that a zone skipped and
clocks that fall back over midnight need no special case (law: every instant belongs to exactly one period, tests/property/test_periods.py).
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Literal, NamedTuple

from dateutil.relativedelta import relativedelta

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

PeriodName = Literal["hour", "day", "week", "month"]

_STEP: dict[str, relativedelta] = {
    "day": relativedelta(days=1),
    "week": relativedelta(weeks=1),
    "month": relativedelta(months=1),
}
_HOUR, _SECOND = timedelta(hours=1), timedelta(seconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_REFERENCE = datetime(2030, 1, 1, tzinfo=UTC)


class Period(NamedTuple):
    """Half-open span of UTC, `start` inclusive, `end` exclusive; both aware."""

    start: datetime
    end: datetime


class Span(NamedTuple):
    """Half-open span of UTC that a run works on: one period or many."""

    start: datetime
    end: datetime


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    """First instant of a local day; where midnight does not exist, the jump itself; where it comes twice, the first."""
    midnight = datetime.combine(day, time())
    found = midnight.replace(tzinfo=zone).astimezone(UTC)  # fold=0: the first of two
    if found.astimezone(zone).replace(tzinfo=None) == midnight:
        return found
    # Midnight lies in a jump of the clock, which may have begun before it: look for the jump.
    before, after = midnight.replace(tzinfo=zone, fold=1).astimezone(UTC), found
    while after - before > _SECOND:
        middle = before + (after - before) // 2
        before, after = (
            (before, middle) if middle.astimezone(zone).replace(tzinfo=None) >= midnight else (middle, after)
        )
    return after.replace(microsecond=0)


def _local_floor(moment: datetime, period: PeriodName, zone: ZoneInfo) -> date:
    day = moment.astimezone(zone).date()
    if period == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if period == "month" else day


def _hour_floor(moment: datetime, zone: ZoneInfo) -> datetime:
    # Aligned to one offset for all times, the zone's present standard one: hours that followed the offset through history would overlap
    # or leave gaps wherever a zone moved by half an hour.
    local = _REFERENCE.astimezone(zone)
    shift = ((local.utcoffset() or timedelta()) - (local.dst() or timedelta())) % _HOUR
    moment = moment.astimezone(UTC)
    return moment - (moment - _EPOCH + shift) % _HOUR


def period_at(moment: datetime, period: PeriodName, zone: ZoneInfo) -> Period:
    """Return the period that holds `moment`.

    Parameters
    ----------
    moment
        Aware.
    zone
        The project's zone: days, weeks (from Monday) and months are its local ones. Hours are 60 minutes everywhere and start with the
        hours of its present standard time.

    Examples
    --------
    >>> from zoneinfo import ZoneInfo
    >>> p = period_at(datetime(2013, 3, 10, 12, tzinfo=UTC), "day", ZoneInfo("America/New_York"))
    >>> p.end - p.start
    datetime.timedelta(seconds=82800)
    """
    if period == "hour":
        start = _hour_floor(moment, zone)
        return Period(start, start + _HOUR)
    first = _local_floor(moment, period, zone)
    start, end = _midnight(first, zone), _midnight(first + _STEP[period], zone)
    while end <= moment:  # the clock fell back over midnight: the next day had begun already
        first += _STEP[period]
        start, end = end, _midnight(first + _STEP[period], zone)
    return Period(start, end)


def periods_in(span: Span, period: PeriodName, zone: ZoneInfo) -> list[Period]:
    """Return the periods that start in the span, oldest first."""
    found: list[Period] = []
    current = period_at(span.start, period, zone)
    if current.start < span.start:
        current = period_at(current.end, period, zone)
    while current.start < span.end:
        found.append(current)
        current = period_at(current.end, period, zone)
    return found


def last_complete(as_of: datetime, period: PeriodName, zone: ZoneInfo, count: int = 1) -> Span:
    """Return the span of the last `count` periods that ended by `as_of`."""
    end = period_at(as_of, period, zone).start
    start = end
    for _ in range(count):
        start = period_at(start - timedelta(microseconds=1), period, zone).start
    return Span(start, end)


def days_span(first: date, last: date, zone: ZoneInfo) -> Span:
    """Return the span from the start of the local day `first` to the end of the local day `last`."""
    return Span(_midnight(first, zone), _midnight(last + timedelta(days=1), zone))
