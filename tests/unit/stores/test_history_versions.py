"""Versions of the Parquet history: replaced ones stay for their readers, and no longer."""

from __future__ import annotations

from datetime import timedelta

from lupus_provider import clock
from lupus_provider.records import POINTS
from lupus_provider.stores.history.base import HistoryQuery
from lupus_provider.stores.history.parquet import ParquetHistory
from lupus_provider.testing.builders import METRIC_SET, PROJECT, a_point, day, incoming, points

KEY = (POINTS, PROJECT, METRIC_SET)


def load(history, value, n=0):
    return history.load(*KEY, lambda: [incoming(day(n), points(a_point(value, day(n))))])


def versions(folder):
    return sorted(folder.name for folder in folder.rglob("v=*"))


def test_a_replaced_version_stays_for_its_grace_and_is_swept_by_a_later_load(tmp_path, monkeypatch):
    now = day(400)
    monkeypatch.setattr(clock, "utc_now", lambda: now)
    history = ParquetHistory(tmp_path, grace=timedelta(hours=1))
    load(history, 1.0)
    (first,) = versions(tmp_path)
    load(history, 2.0)
    now += timedelta(minutes=59)
    load(history, 2.0)
    assert first in versions(tmp_path)
    now += timedelta(minutes=2)
    load(history, 2.0)
    assert len(versions(tmp_path)) == 1
    assert first not in versions(tmp_path)


def test_leavings_of_a_killed_load_are_swept_by_the_next(tmp_path):
    history = ParquetHistory(tmp_path)
    load(history, 1.0)
    leaving = next(tmp_path.rglob("v=*")).parent / "v=20240101T000000000000-deadbeef"
    leaving.mkdir()
    (leaving / "part.parquet").write_bytes(b"whole, but no manifest names it")
    load(history, 1.0)
    assert not leaving.exists()
    assert history.scan(HistoryQuery(*KEY)).read_all().num_rows == 1


def test_other_metric_sets_are_not_swept(tmp_path):
    history = ParquetHistory(tmp_path)
    history.load(POINTS, PROJECT, "other", lambda: [incoming(day(), points(a_point()))])
    load(history, 1.0)
    assert history.scan(HistoryQuery(POINTS, PROJECT, "other")).read_all().num_rows == 1
