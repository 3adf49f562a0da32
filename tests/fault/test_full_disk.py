"""A full disk at any write of any step: the error is raised, the stores say what they said, and a retry mends it."""

from __future__ import annotations

import errno
import shutil

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from lupus_provider.errors import DeliveryError
from lupus_provider.records import POINTS
from lupus_provider.steps.load_index import about_metric_set
from lupus_provider.stores.objects.errors import StorageFullError
from lupus_provider.testing.builders import a_point, day, incoming, points
from lupus_provider.testing.faults import disk_full, injected
from lupus_provider.testing.way import NOW, STEPS, Way, count_acts, write_source


@pytest.fixture(scope="module")
def homes(folder):
    """A copy of the home before every step."""
    home, before = folder / "home", {}
    write_source(home / "data", 1)
    for step in STEPS:
        before[step] = shutil.copytree(home, folder / step)
        Way(home).run(step)
    return before


@pytest.mark.parametrize("step", ["collect", "load_history", "load_index", "detect", "load_history_verdicts", "alert"])
def test_the_error_is_raised_and_a_retry_mends_it(step, homes, tmp_path):
    shutil.copytree(homes[step], measured := tmp_path / "measured")
    total = count_acts(measured, step).seen
    wanted = Way(measured)
    for at in range(1, total + 1):
        shutil.copytree(homes[step], home := tmp_path / str(at))
        with injected(at, disk_full), pytest.raises((OSError, DeliveryError), match="No space left"):
            Way(home).run(step)
        way = Way(home)
        assert [str(file) for store in ("stage", "history") for file in (home / store / ".tmp").glob("*")] == []
        way.run(step, NOW.replace(hour=1))
        assert contents(way) == contents(wanted)
        shutil.rmtree(home)


def contents(way):
    """What the stores say, as far as the way has come."""
    way.channel.path.touch()
    return way.said()


def test_a_load_that_fails_before_its_switch_changes_nothing(homes, tmp_path):
    before = contents(Way(shutil.copytree(homes["load_history"], tmp_path / "home")))
    acts = count_acts(shutil.copytree(homes["load_history"], tmp_path / "measured"), "load_history").names
    switch = len(acts) - acts[::-1].index("replace")  # the manifest's rename
    for at in range(1, switch + 1):
        way = Way(shutil.copytree(homes["load_history"], tmp_path / str(at)))
        with injected(at, disk_full), pytest.raises(StorageFullError, match="No space") as caught:
            way.run("load_history")
        assert caught.value.errno == errno.ENOSPC
        assert contents(way) == before


def test_a_full_database_raises_and_loses_nothing(homes, tmp_path):
    shutil.copytree(homes["detect"], home := tmp_path / "home")
    way = Way(home)
    before, engine = contents(way), way.index.engine
    with engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()

    def no_more_pages(connection, _record):
        connection.execute(f"PRAGMA max_page_count = {pages}")

    event.listen(engine, "connect", no_more_pages)
    with pytest.raises(OperationalError, match="full"):
        way.index.load(POINTS, about_metric_set(way.target), lambda: [incoming(day(9), many(day(9)), POINTS)])
    event.remove(engine, "connect", no_more_pages)
    assert contents(way) == before


def many(start):
    return points(*(a_point(float(i), start, entity=str(i)) for i in range(2_000)))
