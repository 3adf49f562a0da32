from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import pytest

from lupus_provider.errors import TimeColumnError
from lupus_provider.periods import Period, days_span, periods_in
from lupus_provider.processors import DistributionProcessor

NEW_YORK = ZoneInfo("America/New_York")
DAYS = periods_in(days_span(date(2013, 3, 9), date(2013, 3, 11), NEW_YORK), "day", NEW_YORK)  # the 10th has 23 hours
HOURS = [DAYS[0].start + timedelta(hours=h, minutes=30) for h in range(24 + 23 + 24)]
OUTSIDE = [DAYS[0].start - timedelta(seconds=1), DAYS[-1].end]


def counts(column, periods=DAYS, **options):
    options = {"zone": "America/New_York", "time_column": "at", **options}
    table = column if isinstance(column, pa.Table) else pa.table({"at": column, "x": list(range(len(column)))})
    points = DistributionProcessor(table, column_metrics={}, periods=periods, **options).get_metrics().to_arrow()
    return points["value"].to_pylist()


def local(moments):
    return [t.astimezone(NEW_YORK).replace(tzinfo=None) for t in moments]


def test_aware_timestamps_fall_into_the_days_of_the_zone():
    assert counts(pa.array([*HOURS, *OUTSIDE], pa.timestamp("us", tz="Asia/Tokyo"))) == [24, 23, 24]


def test_naive_timestamps_are_read_in_the_time_zone_that_is_stated():
    in_utc = [t.replace(tzinfo=None) for t in (*HOURS, *OUTSIDE)]
    for unit in ("s", "ms", "us", "ns"):
        assert counts(pa.array(in_utc, pa.timestamp(unit))) == [24, 23, 24]
        assert counts(pa.array(local([*HOURS, *OUTSIDE]), pa.timestamp(unit)), time_zone="America/New_York") == [
            24,
            23,
            24,
        ]


def test_dates_are_days_of_the_zone():
    assert counts([date(2013, 3, 8), date(2013, 3, 9), date(2013, 3, 10), date(2013, 3, 10), date(2013, 3, 12)]) == [
        1,
        2,
        0,
    ]


@pytest.mark.parametrize(
    ("zone", "days"),
    [
        ("America/Sao_Paulo", [date(2013, 10, 19), date(2013, 10, 20), date(2013, 10, 21)]), ("America/Havana", [date(2013, 11, 3), date(2013, 11, 4)]),
        ("Pacific/Apia", [date(2011, 12, 29), date(2011, 12, 31)]), ("America/St_Johns", [date(2010, 11, 6), date(2010, 11, 7), date(2010, 11, 8)]),
        ("America/Toronto", [date(1919, 3, 30), date(1919, 3, 31)]),
    ],
)  # fmt: skip
def test_a_date_stays_in_its_day_where_midnight_is_missing_or_comes_twice(zone, days):
    periods = periods_in(days_span(days[0], days[-1], ZoneInfo(zone)), "day", ZoneInfo(zone))
    assert counts(days, periods, zone=zone) == [1] * len(days)
    assert counts([day.isoformat() for day in days], periods, zone=zone) == [1] * len(days)


@pytest.mark.parametrize(
    "spell",
    [
        datetime.isoformat, lambda t: t.isoformat(" "), lambda t: t.strftime("%Y-%m-%dT%H:%M:%SZ"), lambda t: t.strftime("%Y-%m-%d %H:%M:%S+00"),
        lambda t: t.strftime("%Y-%m-%d %H:%M:%S UTC"), lambda t: t.astimezone(ZoneInfo("Asia/Kolkata")).isoformat(timespec="milliseconds"),
        lambda t: t.strftime("%Y-%m-%dT%H:%M:%S.%f+0000"),
    ],
)  # fmt: skip
def test_iso_text_with_an_offset_says_its_instant(spell):
    assert counts([spell(t) for t in (*HOURS, *OUTSIDE)], time_zone="Asia/Tokyo") == [24, 23, 24]


@pytest.mark.parametrize("form", ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S.%f"])
def test_iso_text_without_an_offset_is_read_in_the_time_zone_that_is_stated(form):
    assert counts([t.strftime(form) for t in local(HOURS)], time_zone="America/New_York") == [24, 23, 24]
    assert counts([t.strftime(form) for t in HOURS]) == [24, 23, 24]


@pytest.mark.parametrize("text", ["yesterday", "2013-02-30", "2013-03-10 25:00:00", "", "1362873600"])
def test_text_that_is_no_time_is_an_error_with_the_text(text):
    with pytest.raises(TimeColumnError, match=r"which is no time. Name a column of timestamps") as caught:
        counts(["2013-03-10", text, None])
    assert repr(text) in str(caught.value)


def test_rows_without_a_time_are_left_out_and_counted(caplog):
    assert counts(pa.array([HOURS[0], None, None], pa.timestamp("us", tz="UTC"))) == [1, 0, 0]
    assert "2 rows have no value in time_column 'at' and are left out" in caplog.text
    caplog.clear()
    assert counts(["2013-03-10", None]) == [0, 1, 0]
    assert "1 rows have no value" in caplog.text


def test_rows_that_the_condition_leaves_out_are_not_judged():
    assert counts(["2013-03-10", "yesterday", None], where="x = 0") == [0, 1, 0]


@pytest.mark.parametrize(
    ("column", "said"),
    [("gone", "is not in the table"), ("x", "is BIGINT"), (None, "is not given"), ("At", "is not in the table")],
)
def test_a_time_column_that_says_no_time_is_refused(column, said):
    with pytest.raises(TimeColumnError, match=said):
        counts(["2013-03-10"], time_column=column)


def test_one_period_needs_no_time_column_and_takes_all_rows():
    assert counts([date(1999, 1, 1)], DAYS[:1], time_column=None) == [1]


def test_a_time_column_may_be_a_field_of_a_struct():
    table = pa.table({"event": pa.array([{"at": t} for t in HOURS], pa.struct([("at", pa.timestamp("us", tz="UTC"))]))})
    assert counts(table, time_column="event.at") == [24, 23, 24]


def test_rows_between_periods_belong_to_none():
    assert counts(pa.array(HOURS, pa.timestamp("us", tz="UTC")), [DAYS[0], DAYS[2]]) == [24, 24]


def test_a_time_at_infinity_is_outside_of_every_period():
    relation = duckdb.sql("SELECT unnest(['infinity', '-infinity', '2013-03-10 12:00'])::TIMESTAMP AS at, 1 AS x")
    points = DistributionProcessor(
        relation, column_metrics={}, periods=DAYS, time_column="at", zone="America/New_York"
    ).get_metrics()
    assert points.to_arrow()["value"].to_pylist() == [0, 1, 0]


def test_no_periods_have_no_points():
    assert counts([date(2013, 3, 10)], []) == []


def test_a_period_without_rows_is_a_zero_and_not_a_gap():
    long_ago = Period(datetime(1990, 1, 1, tzinfo=UTC), datetime(1990, 1, 2, tzinfo=UTC))
    table = pa.table({"at": [HOURS[0]], "g": ["a"], "x": [1]})
    points = DistributionProcessor(
        table,
        column_metrics={"x": ["avg", "count"], "gone": ["sum"]},
        group_sets=[[], ["g"]],
        periods=[long_ago, DAYS[0]],
        time_column="at",
    ).get_metrics()
    empty = {
        (p["column_name"], p["metric"]): (p["value"], p["error"] is None)
        for p in points.to_arrow().to_pylist()
        if p["period_start"] == long_ago.start
    }
    assert empty == {("", "row_count"): (0, True), ("x", "avg"): (None, True), ("gone", "sum"): (None, False)}
