"""reconcile and rebuild_index: what differs between the stores is found, said and mended."""

from __future__ import annotations

import sqlite3
from datetime import timedelta

import pytest

from lupus_provider.config.models import Retention
from lupus_provider.periods import Span
from lupus_provider.records import ANOMALIES, EVALUATIONS, POINTS
from lupus_provider.steps.expire import expire
from lupus_provider.steps.load_history import load_history
from lupus_provider.steps.load_index import load_index
from lupus_provider.steps.rebuild_index import rebuild_index
from lupus_provider.steps.reconcile import mend, reconcile
from lupus_provider.steps.target import Target
from lupus_provider.stores import open_history, open_index, open_stage
from lupus_provider.testing.builders import (
    METRIC_SET,
    PROJECT,
    a_point,
    a_project,
    an_anomaly,
    an_evaluation,
    anomalies,
    day,
    evaluations,
    points,
)

KEY = (PROJECT, METRIC_SET)
DAYS = 40
SERIES = a_point()["series_id"]


class World:
    def __init__(self, folder):
        self.folder = folder
        self.stage = open_stage((folder / "stage").as_uri())
        self.history = open_history((folder / "history").as_uri())
        self.index = open_index(f"sqlite:///{folder / 'index.db'}")
        self.target = Target(a_project(), METRIC_SET, Span(day(), day(DAYS)))

    @property
    def stores(self):
        return self.stage, self.history, self.index

    def write(self, n, value):
        self.stage.write(POINTS, *KEY, day(n), points(a_point(value, day(n))), day(400))
        self.stage.write(EVALUATIONS, *KEY, day(n), evaluations(an_evaluation(start=day(n))), day(400))
        self.stage.write(ANOMALIES, *KEY, day(n), anomalies(an_anomaly(value, day(n))), day(400))

    def load(self):
        for kind in (POINTS, ANOMALIES, EVALUATIONS):
            load_history(self.target, self.stage, self.history, kind.name)
            load_index(self.target, self.stage, self.index, [kind.name])

    def values(self):
        found = self.index.points([SERIES], None, None)
        return found[SERIES].value.tolist() if found else []

    def compared(self, **how):
        return reconcile(self.target, *self.stores, NOW, **how)

    def mend(self, found):
        return mend(self.target, found, *self.stores)


NOW = day(400)


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path)
    for n in range(DAYS):
        world.write(n, float(n))
    world.load()
    return world


def test_stores_that_agree_have_no_differences(world):
    found = world.compared(deep=True)
    assert (found.periods, found.differences) == (3 * DAYS, ())


def test_what_was_staged_and_never_loaded_is_found_and_loaded(world):
    world.stage.write(POINTS, *KEY, day(3), points(a_point(-1.0, day(3))), day(401))
    found = world.compared()
    told = {(d.kind, d.period_start, d.store, d.problem) for d in found.differences}
    assert told == {("points", day(3), "history", "different"), ("points", day(3), "index", "different")}
    assert "orders points 2024-01-04T00:00Z: different in the history" in map(str, found.differences)
    assert world.mend(found) == 2
    assert world.compared(deep=True).differences == ()
    assert world.values()[3] == -1.0


def test_a_period_that_left_the_stage_comes_from_the_history(world):
    for kind in (POINTS, ANOMALIES, EVALUATIONS):
        world.stage.objects.delete([found.key for found in world.stage.objects.list(f"{kind.name}/")])
    other = open_index(f"sqlite:///{world.folder / 'other.db'}")
    found = reconcile(world.target, world.stage, world.history, other, NOW)
    assert {d.problem for d in found.differences} == {"missing"}
    assert len(found.differences) == 3 * DAYS
    mend(world.target, found, world.stage, world.history, other)
    assert reconcile(world.target, world.stage, world.history, other, NOW).differences == ()
    assert other.points([SERIES], None, None)[SERIES].value.tolist() == world.values()


def test_records_that_are_not_what_the_manifest_says_are_found_by_reading_them(world):
    damaged = [found.key for found in world.history.objects.list("points/") if "dt=2024-01-05" in found.key]
    world.history.objects.put(next(key for key in damaged if key.endswith(".parquet")), b"no Parquet at all")
    assert world.compared().differences == ()
    found = world.compared(deep=True)
    assert [(d.period_start, d.store, d.problem) for d in found.differences] == [(day(4), "history", "damaged")]
    world.mend(found)
    assert world.compared(deep=True).differences == ()


def test_a_rebuild_writes_what_the_history_says_and_clears_the_rest(world):
    with sqlite3.connect(world.folder / "index.db") as database:
        database.execute("DELETE FROM lupus_points WHERE month = 202401")
        database.execute("UPDATE lupus_series SET last_value = 12345")
    world.index.load(POINTS, _about(), lambda: [_period(90)])
    assert len(world.values()) == DAYS - 31 + 1
    calls = []
    done = rebuild_index(
        world.target.project, world.history, world.index, NOW, progress=lambda *state: calls.append(state)
    )
    assert world.values() == [float(n) for n in range(DAYS)]
    assert world.index.series([SERIES], frozenset({PROJECT}))[SERIES].last_value == DAYS - 1
    assert done.periods == 3 * DAYS + 1
    assert calls[-1] == (METRIC_SET, 3 * DAYS, 3 * DAYS)
    assert day(90) in world.index.periods(POINTS, *KEY)


def test_what_a_store_dropped_for_its_age_is_neither_missed_nor_brought_back(world):
    kept = a_project().model_copy(update={"retention": Retention(index=timedelta(days=10), history=timedelta(days=20))})
    world.target = Target(kept, METRIC_SET, world.target.span)
    now = day(DAYS)
    expire(kept, world.history, world.index, now)
    assert len(world.values()) == 10
    assert len(world.history.periods(POINTS, *KEY)) == 20
    assert reconcile(world.target, *world.stores, now).differences == ()
    assert reconcile(world.target, *world.stores, now - timedelta(days=1)).differences  # one more should be there
    rebuild_index(kept, world.history, world.index, now)
    assert len(world.values()) == 10


def test_a_rebuild_of_other_metric_sets_leaves_this_one_alone(world):
    assert rebuild_index(world.target.project, world.history, world.index, NOW, []).periods == 0


def _about():
    from lupus_provider.steps.load_index import about_metric_set

    return about_metric_set(Target(a_project(), METRIC_SET, Span(day(), day(1))))


def _period(n):
    from lupus_provider.testing.builders import incoming

    return incoming(day(n), points(a_point(1.0, day(n))))
