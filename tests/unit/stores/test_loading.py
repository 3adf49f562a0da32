"""Loads that nobody keeps apart, as in a bucket: what is swept, and when a slow load must start again."""

from __future__ import annotations

import os
from contextlib import nullcontext
from datetime import timedelta

import pytest

from lupus_provider import clock
from lupus_provider.records import POINTS
from lupus_provider.stores.history.loading import SWEPT_AFTER, SWITCH_WITHIN
from lupus_provider.stores.history.parquet import ParquetHistory
from lupus_provider.stores.objects.local import LocalObjects
from lupus_provider.testing.builders import METRIC_SET, PROJECT, a_point, day, incoming, points
from lupus_provider.testing.history import load, values

KEY = (POINTS, PROJECT, METRIC_SET)
HOUR = timedelta(hours=1)


@pytest.fixture
def history(tmp_path, monkeypatch):
    monkeypatch.setattr(LocalObjects, "is_exclusive", False)
    monkeypatch.setattr(LocalObjects, "exclusive", lambda *_: nullcontext())
    return ParquetHistory(tmp_path)


@pytest.fixture
def now(monkeypatch):
    at = [clock.utc_now()]
    monkeypatch.setattr(clock, "utc_now", lambda: at[0])
    return at


def leave(history, age):
    """Leave a version that no manifest names."""
    version = next(history.objects.root.rglob("v=*")).parent / f"v=20240101T000000000000-{int(age.total_seconds()):08d}"
    version.mkdir()
    file = version / "part.parquet"
    file.write_bytes(b"whole, but no manifest names it")
    written = (clock.utc_now() - age).timestamp()
    os.utime(file, (written, written))
    return file


def test_a_version_that_a_loader_may_be_about_to_switch_to_is_not_swept(history, now):
    load(history, {day(): 1.0})
    young, old = leave(history, SWEPT_AFTER - HOUR), leave(history, SWEPT_AFTER + HOUR)
    now[0] += SWEPT_AFTER + timedelta(minutes=1)
    os.utime(young, ((now[0] - SWEPT_AFTER + HOUR).timestamp(),) * 2)
    load(history, {day(1): 1.0})
    assert young.exists()
    assert not old.exists()
    assert values(history) == {day(): 1.0, day(1): 1.0}


def test_leavings_are_looked_for_once_a_day(history, now, monkeypatch):
    listed = []
    real = LocalObjects.list
    monkeypatch.setattr(LocalObjects, "list", lambda *args, **kwargs: listed.append(1) or real(*args, **kwargs))
    load(history, {day(): 1.0})
    for n in range(20):
        now[0] += HOUR
        load(history, {day(): float(n)})
    assert len(listed) == 1
    now[0] += SWEPT_AFTER
    load(history, {day(): 99.0})
    assert len(listed) == 2


def test_a_replaced_version_goes_after_its_grace_without_a_listing(history, now):
    load(history, {day(): 1.0})
    first = next(history.objects.root.rglob("part.parquet"))
    load(history, {day(): 2.0})
    assert first.exists()
    now[0] += 2 * HOUR
    load(history, {day(): 3.0})
    assert not first.exists()


def test_a_load_that_took_too_long_starts_again(history, now):
    calls = []

    def gather():
        calls.append(1)
        at_first = len(calls) == 1

        def read():
            if at_first:
                now[0] += SWITCH_WITHIN + HOUR
            return points(a_point(float(len(calls))))

        listed = incoming(day(), points(a_point(float(len(calls)))))
        return [type(listed)(day(), listed.digest, listed.written_at, read)]

    history.load(*KEY, gather)
    assert len(calls) == 2
    assert values(history) == {day(): 2.0}


def test_a_load_that_lost_the_race_gathers_again_and_writes_only_what_changed(history, tmp_path):
    calls = []

    def gather():
        calls.append(1)
        if len(calls) == 1:
            load(ParquetHistory(tmp_path), {day(1): 1.0, day(5): 5.0})
        return [incoming(day(n), points(a_point(9.0, day(n)))) for n in (1, 2)]

    switched = history.load(*KEY, gather)
    assert len(calls) == 2
    assert (switched.periods, switched.unchanged) == (2, 0)
    assert values(history) == {day(1): 9.0, day(2): 9.0, day(5): 5.0}
    assert len(list(tmp_path.rglob("dt=2024-01-03/v=*"))) == 1  # the day that nobody else touched was written once
