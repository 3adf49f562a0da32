"""A catalogue beside merges and expiries: it goes on showing days, is told of those that go, and of each at most what is true."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import timedelta

import pytest

from lupus_provider import clock
from lupus_provider.errors import CatalogAwayError, CatalogError
from lupus_provider.records import POINTS
from lupus_provider.stores import parquet
from lupus_provider.stores.history.errors import DaysUntoldError
from lupus_provider.stores.history.manifest import Manifest
from lupus_provider.stores.history.parquet import ParquetHistory
from lupus_provider.stores.objects.local import LocalObjects
from lupus_provider.testing.builders import METRIC_SET, PROJECT, day
from lupus_provider.testing.history import END, KEY, load, values

FOLDER = f"points/project={PROJECT}/metric_set={METRIC_SET}"


class Shown:
    """A catalogue that reads what it is told of; days in `refused` are refused."""

    name = "shown"

    def __init__(self, root):
        self.root, self.days, self.refused, self.is_away, self.closed = root, {}, set(), False, 0
        self.then = None

    def publish(self, kind, project, metric_set, versions):
        if self.is_away:
            raise CatalogAwayError(self.name, "ALTER", "it is away")
        untold = {v.dt: CatalogError(self.name, "ALTER", "no") for v in versions if v.dt in self.refused}
        self.days |= {v.dt: v.url for v in versions if v.dt not in untold}
        if self.then:
            self.then()
        if untold:
            raise DaysUntoldError(self.name, untold, len(versions) - len(untold))

    def drop(self, kind, project, metric_set, days):
        if self.is_away:
            raise CatalogAwayError(self.name, "ALTER", "it is away")
        for dt in days:
            self.days.pop(dt, None)

    def close(self):
        self.closed += 1

    def rows(self):
        """Return day → rows in the folder that it shows."""
        files = {dt: url.removeprefix("file://") + "part.parquet" for dt, url in self.days.items()}
        return {dt.isoformat(): parquet.read(file, POINTS).num_rows for dt, file in files.items()}


@pytest.fixture
def catalog(tmp_path):
    return Shown(tmp_path)


@pytest.fixture
def history(tmp_path, catalog):
    return ParquetHistory(tmp_path, catalog)


def pass_time(monkeypatch, history, hours=2):
    """Let the grace pass, and a load sweep."""
    now = clock.utc_now()
    monkeypatch.setattr(clock, "utc_now", lambda: now + timedelta(hours=hours))
    load(history, {day(60): 1.0})


def names(*days):
    return {day(n).date().isoformat(): 1 for n in days}


def test_days_that_a_catalogue_shows_keep_their_folders(history, catalog, monkeypatch):
    load(history, {day(n): 1.0 for n in range(3)})
    before = dict(catalog.days)
    assert history.compact(*KEY, END).months == 1
    assert catalog.days == before
    pass_time(monkeypatch, history)
    assert catalog.rows() == names(0, 1, 2, 60)


def test_days_that_a_catalogue_shows_stay_where_somebody_merges_who_does_not_know_it(history, catalog, monkeypatch):
    load(history, {day(n): 1.0 for n in range(3)})
    ParquetHistory(history.objects).compact(*KEY, END)
    pass_time(monkeypatch, history)
    assert catalog.rows() == names(0, 1, 2, 60)


def test_a_catalogue_that_comes_after_a_merge_gets_folders_of_days(tmp_path, catalog, monkeypatch):
    plain = ParquetHistory(tmp_path)
    load(plain, {day(n, hour): 1.0 for n in range(40) for hour in (0, 5)})
    plain.compact(*KEY, END)
    pass_time(monkeypatch, plain)
    history = ParquetHistory(tmp_path, catalog)
    load(history, {day(61): 1.0})
    assert catalog.rows() == {day(n).date().isoformat(): 2 for n in range(40)} | names(60, 61)
    assert history.compact(*KEY, END).months == 1  # only March, of two days of their own


def test_an_expiry_is_told_and_told_again_until_it_is_heard(history, catalog, monkeypatch):
    load(history, {day(n): 1.0 for n in range(4)})
    catalog.is_away = True
    with pytest.raises(CatalogAwayError):
        history.expire(*KEY, day(2).date())
    assert set(values(history)) == {day(2), day(3)}
    now = clock.utc_now()
    monkeypatch.setattr(clock, "utc_now", lambda: now + timedelta(hours=5))
    with pytest.raises(CatalogAwayError):
        load(history, {day(3): 1.0})
    assert catalog.rows() == names(0, 1, 2, 3)  # what it still shows is not swept
    catalog.is_away = False
    assert history.expire(*KEY, day(2).date()).days == 0
    assert catalog.rows() == names(2, 3)
    assert Manifest.read(history.objects, FOLDER).dropped == {}


def test_a_day_that_is_loaded_again_before_the_catalogue_heard_of_its_end_is_shown(history, catalog):
    load(history, {day(n): 1.0 for n in range(2)})
    catalog.is_away = True
    with pytest.raises(CatalogAwayError):
        history.expire(*KEY, day(2).date())
    catalog.is_away = False
    load(history, {day(): 2.0})
    assert catalog.rows() == names(0)
    assert values(history) == {day(): 2.0}


def test_a_day_that_is_dropped_while_the_catalogue_is_told_of_it_is_dropped_there(
    history, catalog, tmp_path, monkeypatch
):
    monkeypatch.setattr(LocalObjects, "is_exclusive", False)  # as in a bucket: nobody waits for anybody
    monkeypatch.setattr(LocalObjects, "exclusive", lambda *_: nullcontext())
    catalog.then = lambda: ParquetHistory(tmp_path).expire(*KEY, day(1).date())
    load(history, {day(n): 1.0 for n in range(2)})
    assert catalog.rows() == names(1)


def test_days_that_are_refused_do_not_hold_up_the_others(history, catalog):
    catalog.refused = {day(1).date()}
    with pytest.raises(DaysUntoldError, match=r"2 days and not of 1; 2024-01-02: .*refused"):
        load(history, {day(n): 1.0 for n in range(3)})
    assert catalog.rows() == names(0, 2)
    days = Manifest.read(history.objects, FOLDER).days
    assert ["published" in days[dt] for dt in sorted(days)] == [True, False, True]
    catalog.refused, catalog.days = set(), {}
    load(history, {day(1): 1.0})
    assert catalog.rows() == names(1)  # the others were noted


def test_closing_a_history_closes_its_catalogue(history, catalog, tmp_path):
    history.close()
    assert catalog.closed == 1
    ParquetHistory(tmp_path).close()
