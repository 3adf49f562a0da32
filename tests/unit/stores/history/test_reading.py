"""Which files a scan opens, and what of them counts."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given, strategies as st

from lupus_provider.periods import Span
from lupus_provider.stores.history.manifest import Manifest
from lupus_provider.stores.history.reading import Source, overlaps, sources
from lupus_provider.testing.builders import day

MONTH = "points/month=2024-01/v=m/part.parquet"


def name(n):
    return day(n).date().isoformat()


def own(n):
    return {"path": f"dt={name(n)}/v={n}/part.parquet", "rows": 1, "bytes": 10, "periods": {}}


def merged(days, rows=None):
    entries = {name(n): {"rows": 1, "periods": {}, "merged": MONTH} for n in days}
    return Manifest(entries, merged={MONTH: {"rows": len(entries) if rows is None else rows, "bytes": 99}})


def test_a_month_is_opened_once_and_counts_as_a_whole():
    manifest = merged(range(31))
    assert sources(manifest, manifest.days) == [Source(MONTH, 99)]


def test_a_month_is_opened_as_a_whole_where_only_some_of_its_days_are_wanted():
    assert sources(merged(range(31)), [name(3), name(4)]) == [Source(MONTH, 99)]


@given(st.sets(st.integers(0, 30), min_size=1), st.integers(1, 5))
def test_exactly_the_days_that_name_a_month_count_in_it(days, others):
    manifest = merged(days, rows=len(days) + others)
    (source,) = sources(manifest, manifest.days)
    for n in range(31):
        for moment in (day(n), day(n + 1) - timedelta(microseconds=1)):
            assert (n in days) == (sum(span.start <= moment < span.end for span in source.only) == 1)


def test_a_day_of_its_own_is_read_beside_its_month():
    manifest = merged({0, 2}, rows=3)
    manifest.days[name(1)] = own(1)
    assert [source.path for source in sources(manifest, manifest.days)] == [MONTH, own(1)["path"]]


def test_a_day_overlaps_a_span_that_touches_it():
    assert overlaps(name(1), None)
    assert overlaps(name(1), Span(day(1, 23), day(5)))
    assert not overlaps(name(1), Span(day(2), day(5)))
    assert not overlaps(name(6), Span(day(2), day(5)))
