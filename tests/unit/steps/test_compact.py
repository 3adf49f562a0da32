"""Which months are closed, and what a compaction of a project touches."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from lupus_provider.records import ANOMALIES, POINTS
from lupus_provider.steps.compact import closed_before, compact
from lupus_provider.stores.history.base import HistoryQuery
from lupus_provider.stores.history.parquet import ParquetHistory
from lupus_provider.testing.builders import (
    METRIC_SET,
    PROJECT,
    a_point,
    a_project,
    an_anomaly,
    anomalies,
    day,
    incoming,
    points,
)


@pytest.mark.parametrize(
    ("revisit", "now", "wanted"),
    [
        (0, datetime(2024, 3, 2, 5, tzinfo=UTC), date(2024, 3, 1)),
        (0, datetime(2024, 3, 1, 5, tzinfo=UTC), date(2024, 2, 29)),  # the last day of February is measured yet
        (3, datetime(2024, 3, 4, 5, tzinfo=UTC), date(2024, 2, 29)),
        (3, datetime(2024, 3, 5, 5, tzinfo=UTC), date(2024, 3, 1)),
    ],
)
def test_what_a_run_of_now_would_measure_is_not_closed(revisit, now, wanted):
    assert closed_before(a_project(revisit=revisit), METRIC_SET, now) == wanted


def test_all_kinds_of_the_closed_months_are_merged_and_read_the_same(tmp_path):
    history = ParquetHistory(tmp_path)
    for n in range(62):
        history.load(POINTS, PROJECT, METRIC_SET, lambda n=n: [incoming(day(n), points(a_point(n, day(n))))])
    for n in range(3):
        rows = anomalies(an_anomaly(start=day(n)))
        key = (ANOMALIES, PROJECT, METRIC_SET)
        history.load(*key, lambda n=n, rows=rows: [incoming(day(n), rows, ANOMALIES)])
    queries = [HistoryQuery(kind, PROJECT, METRIC_SET) for kind in (POINTS, ANOMALIES)]
    before = [history.scan(query).read_all() for query in queries]
    done = compact(a_project(), history, day(61, 5))
    assert (done.months, done.files) == (3, 31 + 29 + 3)
    assert [history.scan(query).read_all() for query in queries] == before
    assert compact(a_project(), history, day(61, 5)).months == 0


def test_only_the_named_metric_sets_are_compacted(tmp_path):
    history = ParquetHistory(tmp_path)
    history.load(POINTS, PROJECT, METRIC_SET, lambda: [incoming(day(n), points(a_point(1.0, day(n)))) for n in (0, 1)])
    assert compact(a_project(), history, day(90), []).months == 0
    assert compact(a_project(), history, day(90), [METRIC_SET]).months == 1
