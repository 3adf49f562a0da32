from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from lupus_provider.periods import Period, Span, days_span, last_complete, period_at, periods_in

TOKYO = ZoneInfo("Asia/Tokyo")


def test_a_day_of_tokyo_starts_at_fifteen_utc():
    moment = datetime(2024, 5, 1, 3, tzinfo=timezone(timedelta(hours=9)))
    assert period_at(moment, "day", TOKYO) == Period(
        datetime(2024, 4, 30, 15, tzinfo=UTC), datetime(2024, 5, 1, 15, tzinfo=UTC)
    )


def test_a_moment_on_a_border_belongs_to_the_period_that_starts_there():
    border = datetime(2024, 4, 30, 15, tzinfo=UTC)
    assert period_at(border, "day", TOKYO).start == border
    assert last_complete(border, "day", TOKYO).end == border
    assert last_complete(border - timedelta(microseconds=1), "day", TOKYO).end == border - timedelta(days=1)


def test_a_span_takes_the_periods_that_start_in_it():
    span = Span(datetime(2024, 4, 30, 16, tzinfo=UTC), datetime(2024, 5, 2, 15, 0, 1, tzinfo=UTC))
    assert [p.start.day for p in periods_in(span, "day", TOKYO)] == [1, 2]
    assert (
        periods_in(Span(span.start, span.start), "hour", TOKYO)
        == [Period(span.start, span.start + timedelta(hours=1))][:0]
    )


@pytest.mark.parametrize(
    ("name", "count", "start"),
    [("day", 3, (2024, 2, 27, 15)), ("week", 1, (2024, 2, 18, 15)), ("month", 2, (2023, 12, 31, 15))],
)
def test_the_last_complete_periods_reach_back_over_month_ends_and_leap_days(name, count, start):
    as_of = datetime(2024, 3, 1, 20, tzinfo=UTC)  # Saturday the 2nd in Tokyo
    assert last_complete(as_of, name, TOKYO, count).start == datetime(*start, tzinfo=UTC)


def test_the_span_of_days_includes_the_last():
    assert days_span(date(2024, 2, 28), date(2024, 3, 1), TOKYO) == Span(
        datetime(2024, 2, 27, 15, tzinfo=UTC), datetime(2024, 3, 1, 15, tzinfo=UTC)
    )
