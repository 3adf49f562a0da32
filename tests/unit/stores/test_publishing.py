"""A catalogue is told of every version, after it is whole, and again until it was heard."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lupus_provider import clock
from lupus_provider.records import POINTS
from lupus_provider.stores.history.parquet import ParquetHistory
from lupus_provider.stores.objects.errors import StorageAwayError
from lupus_provider.testing.builders import METRIC_SET, PROJECT, day
from lupus_provider.testing.history import load, values


class Heard:
    """A catalogue that notes what it hears, or is away."""

    name = "heard"

    def __init__(self):
        self.versions, self.calls, self.is_away = {}, 0, False
        self.then = None

    def publish(self, kind, project, metric_set, versions):
        assert (kind, project, metric_set) == (POINTS, PROJECT, METRIC_SET)
        if self.is_away:
            raise StorageAwayError("catalogue", "it is away")
        self.calls += 1
        then, self.then = self.then, None
        if then:
            then()
        self.versions |= {version.dt: version for version in versions}


@pytest.fixture
def catalog():
    return Heard()


@pytest.fixture
def history(tmp_path, catalog):
    return ParquetHistory(tmp_path, catalog)


def valid(history):
    return {stored.key.rpartition("/")[0] for stored in history.objects.list("points/") if "v=" in stored.key}


def told(history, catalog):
    return {version.url.removeprefix(f"{history.url}/").rstrip("/") for version in catalog.versions.values()}


def test_every_day_is_told_once(history, catalog):
    load(history, {day(0): 1.0, day(1): 2.0})
    load(history, {day(0): 1.0, day(1): 2.0})
    assert catalog.calls == 1
    assert told(history, catalog) == valid(history)
    assert [version.n_rows for version in catalog.versions.values()] == [1, 1]


def test_a_catalogue_that_is_away_leaves_the_history_loaded_and_is_told_by_the_next_load(history, catalog):
    catalog.is_away = True
    with pytest.raises(StorageAwayError):
        load(history, {day(): 1.0})
    assert values(history) == {day(): 1.0}
    with pytest.raises(StorageAwayError):  # the task's retry finds nothing new, and still must tell
        load(history, {day(): 1.0})
    catalog.is_away = False
    load(history, {day(): 1.0})
    assert told(history, catalog) == valid(history)


def test_a_catalogue_that_comes_later_is_told_everything(tmp_path, catalog):
    load(ParquetHistory(tmp_path), {day(n): 1.0 for n in range(3)})
    load(history := ParquetHistory(tmp_path, catalog), {day(5): 1.0})
    assert len(catalog.versions) == 4
    assert told(history, catalog) == valid(history)


def test_what_the_catalogue_still_shows_is_not_swept(history, catalog, monkeypatch):
    load(history, {day(): 1.0})
    (shown,) = told(history, catalog)
    catalog.is_away = True
    now = clock.utc_now()
    for n in range(1, 4):
        monkeypatch.setattr(clock, "utc_now", lambda n=n: now + timedelta(days=n))
        with pytest.raises(StorageAwayError):
            load(history, {day(): 1.0 + n})
    assert shown in valid(history)
    catalog.is_away = False
    load(history, {day(): 9.0})
    monkeypatch.setattr(clock, "utc_now", lambda: now + timedelta(days=9))
    load(history, {day(): 9.0})
    assert valid(history) == told(history, catalog)


def test_a_switch_while_the_catalogue_is_told_is_told_too(history, catalog, tmp_path, monkeypatch):
    monkeypatch.setattr(type(history.objects), "is_exclusive", False)  # as in a bucket: nobody waits for anybody
    catalog.then = lambda: load_in_between(tmp_path)
    load(history, {day(): 1.0})
    assert values(history) == {day(): 2.0}
    (version,) = catalog.versions.values()
    assert version.url.rstrip("/").rpartition("/")[2] in str(history._days(POINTS, PROJECT, METRIC_SET))


def load_in_between(folder):
    from lupus_provider.stores.history.loading import Loading
    from lupus_provider.stores.objects.local import LocalObjects
    from lupus_provider.testing.builders import a_point, incoming, points

    loading = Loading(LocalObjects(folder), POINTS, PROJECT, METRIC_SET, timedelta(hours=1))
    loading.run(lambda: [incoming(day(), points(a_point(2.0)))])
