from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import duckdb
import pytest

from lupus_provider.engines.spark_time import bounds_sql, moment_sql, zone_changes
from lupus_provider.engines.sql.periods import index_sql, micros
from lupus_provider.engines.sql.spark import SparkDialect
from lupus_provider.periods import Period, Span, periods_in

DIALECT = SparkDialect()
YEAR = Span(datetime(2018, 1, 1, tzinfo=UTC), datetime(2019, 3, 1, tzinfo=UTC))
ZONES = ["America/New_York", "Asia/Tokyo", "Australia/Lord_Howe", "America/Sao_Paulo", "America/Havana"]
TEXTS = [
    "2018-01-05", "2018-01-05 01:02:03", "2018-01-05T01:02:03", "2018-01-05T01:02:03Z", "2018-01-05 01:02:03+09:00", "2018-01-05T01:02:03-0930",
    "2018-01-05T01:02:03+09", "2018-01-05 01:02", "2018-01-05T01:02Z", "2018-01-05T01:02+09:00", "2018-01-05T01:02:03Z",
    "2018-01-05 01:02:03 UTC", "2018-02-29", "2018-02-30 00:00:00", "2018-01-05 25:00:00", "2018-01-05 01:02:60", "2018", "2018-01", "2018-01-05 01",
    "", "noon", "20180105", "01:02:03", "2018-01-05 ", "2018-01-05 01:02:03+25:00", "\uff12018-01-05",
]  # fmt: skip


@pytest.fixture(params=["UTC", "America/New_York"])
def zoned(spark, request):
    """Sessions whose own zone and rules must not matter."""
    before = {name: spark.conf.get(name) for name in ("spark.sql.session.timeZone", "spark.sql.ansi.enabled")}
    spark.conf.set("spark.sql.session.timeZone", request.param)
    spark.conf.set("spark.sql.ansi.enabled", str(request.param == "UTC").lower())
    yield spark
    for name, value in before.items():
        spark.conf.set(name, value)


def in_duckdb(sql, values):
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return [connection.execute(f"SELECT epoch_us({sql})", [value]).fetchone()[0] for value in values]


def around_changes(zone):
    found = [YEAR.start.replace(tzinfo=None) + timedelta(days=10 * i, seconds=7 * i) for i in range(42)]
    for at, _ in zone_changes(zone, YEAR)[1:]:
        local = datetime.fromtimestamp(at // 10**6, ZoneInfo(zone)).replace(tzinfo=None)
        found += [local + timedelta(minutes=15 * i) for i in range(-10, 11)]
    return [str(moment) for moment in found]


@pytest.mark.parametrize("zone", ZONES)
def test_local_times_dates_and_texts_are_the_instants_that_duckdb_makes_of_them(zoned, zone):
    texts = around_changes(zone)
    rows = zoned.createDataFrame([(i, t) for i, t in enumerate(texts)], "i int, t string")
    rows = rows.selectExpr("i", "t", "CAST(t AS TIMESTAMP_NTZ) AS n", "CAST(substr(t, 1, 10) AS DATE) AS d")
    expressions = [
        moment_sql(*column, zone, zone, YEAR) for column in (("t", "VARCHAR"), ("n", "TIMESTAMP"), ("d", "DATE"))
    ]
    found = [tuple(row) for row in rows.orderBy("i").selectExpr(*expressions).collect()]
    wall = in_duckdb(f"timezone('{zone}', CAST(? AS TIMESTAMP))", texts)
    day = in_duckdb(f"timezone('{zone}', CAST(? AS TIMESTAMP))", [text[:10] for text in texts])
    assert found == list(zip(wall, wall, day))


def test_a_text_is_the_instant_that_duckdb_makes_of_it_or_no_time(zoned):
    from lupus_provider.engines.sql.duckdb import DuckDBDialect, moment_sql as duckdb_moment

    rows = zoned.createDataFrame([(i, t) for i, t in enumerate([*TEXTS, None])], "i int, t string")
    expression = moment_sql("t", "VARCHAR", "Asia/Tokyo", "America/New_York", YEAR)
    found = [row[0] for row in rows.orderBy("i").selectExpr(expression).collect()]
    sql = duckdb_moment(DuckDBDialect(), "t", "VARCHAR", "Asia/Tokyo", "America/New_York")
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        expected = [
            connection.execute(f"SELECT epoch_us({sql}) FROM (SELECT CAST(? AS VARCHAR) AS t)", [t]).fetchone()[0]
            for t in [*TEXTS, None]
        ]
    expected[TEXTS.index("2018-01-05 01:02:03+25:00")] = None  # DuckDB takes an offset of 25 hours
    assert found == expected


def test_microseconds_of_bounds_are_kept(zoned):
    span = Span(YEAR.start + timedelta(microseconds=1), YEAR.end)
    expression = moment_sql("n", "TIMESTAMP", "UTC", "UTC", span)
    rows = zoned.sql("SELECT TIMESTAMP_NTZ'2018-01-01 00:00:00.000001' AS n")
    assert rows.selectExpr(expression).collect()[0][0] == micros(span.start)


def test_an_instant_is_what_it_is(zoned):
    row = zoned.sql("SELECT timestamp_micros(1514764800000001) AS t").selectExpr(
        moment_sql("t", "TIMESTAMP WITH TIME ZONE", "Asia/Tokyo", "UTC", YEAR)
    )
    assert row.collect()[0][0] == 1514764800000001
    assert moment_sql("t", "BIGINT", "UTC", "UTC", YEAR) is None


@pytest.mark.parametrize(
    ("name", "zone"),
    [("day", "America/New_York"), ("hour", "Asia/Kathmandu"), ("week", "Europe/Berlin"), ("month", "UTC")],
)
def test_the_index_is_of_the_period_that_holds_the_instant(spark, name, zone):
    periods = periods_in(YEAR, name, ZoneInfo(zone))
    periods = [*periods[:7], *periods[9:500]]  # with a gap
    instants = [micros(p.start) + shift for p in periods for shift in (-1, 0, 1)] + [
        micros(periods[-1].end) + s for s in (-1, 0)
    ]
    expected = [
        next((i for i, p in enumerate(periods) if micros(p.start) <= m < micros(p.end)), None) for m in instants
    ]
    rows = spark.createDataFrame(list(enumerate(instants)), "i int, m bigint").orderBy("i")
    assert [row[0] for row in rows.selectExpr(index_sql(DIALECT, "m", periods)).collect()] == expected
    assert len(index_sql(DIALECT, "m", periods)) < 4000


def test_periods_of_any_length_are_found(spark):
    starts = [YEAR.start + timedelta(days=i * i) for i in range(100)]
    periods = [Period(a, b) for a, b in pairwise(starts)]
    rows = spark.createDataFrame([(micros(p.start),) for p in periods], "m bigint").selectExpr(
        "m", f"{index_sql(DIALECT, 'm', periods)} AS i"
    )
    assert [row.i for row in rows.orderBy("m").collect()] == list(range(99))
    assert [row[0] for row in rows.selectExpr(index_sql(DIALECT, "m", [])).limit(1).collect()] == [None]


@pytest.mark.parametrize("type_name", ["TIMESTAMP WITH TIME ZONE", "TIMESTAMP", "DATE"])
def test_bounds_lose_no_row_of_the_span(zoned, type_name):
    kind = {"DATE": "DATE", "TIMESTAMP": "TIMESTAMP_NTZ", "TIMESTAMP WITH TIME ZONE": "TIMESTAMP_LTZ"}[type_name]
    zone = "Pacific/Kiritimati"
    hours = zoned.range(-80, 24 * 430, 5).selectExpr("timestamp_micros(1514764800000000 + id * 3600000000) AS t")
    rows = hours.selectExpr(f"CAST(t AS {kind}) AS c").selectExpr(
        "c", f"{moment_sql('c', type_name, zone, zone, YEAR)} AS m"
    )
    inside = f"m >= {micros(YEAR.start)}L AND m < {micros(YEAR.end)}L"
    condition = bounds_sql("c", type_name, YEAR)
    assert rows.filter(inside).count() == rows.filter(inside).filter(condition).count() > 1000
    assert bounds_sql("c", "VARCHAR", YEAR) is None
