"""Loaders killed again and again, many at once, late and doubled: over a folder, over MinIO and Elasticsearch, and with Hive beside them.

Every end is compared with that of an undisturbed way in a folder, run by one process, one step after the other.
"""

from __future__ import annotations

import os
import random
import signal
import time
import uuid
from datetime import timedelta
from functools import partial
from itertools import count

import pytest

from lupus_provider.records import POINTS
from lupus_provider.stores.index.elastic import ElasticAccess
from lupus_provider.stores.objects.access import S3Access
from lupus_provider.testing import processes
from lupus_provider.testing.builders import METRIC_SET, PROJECT
from lupus_provider.testing.processes import finish, run_together, start
from lupus_provider.testing.servers import S3_REGION
from lupus_provider.testing.way import NOW, STEPS, Places, Way, run_retried, run_step, run_steps, write_source

pytestmark = pytest.mark.timeout(900)
MINUTE = timedelta(minutes=1)
KILLED = -signal.SIGKILL
LOADS = ("collect", "load_history", "load_index")
FOLDER, SERVERS, WITH_HIVE = "folder, SQLite", "MinIO, Elasticsearch", "MinIO, Elasticsearch, Hive"
SEEDED = {FOLDER: 140, SERVERS: 60, WITH_HIVE: 14}
"""Kills, by the stores that the killed loaders write to."""


@pytest.fixture
def places(request):
    """Where the stores are; None: in the folder."""
    return lambda stores: None if stores == FOLDER else _places(request, stores == WITH_HIVE)


def _places(request, with_hive):
    s3, elastic = request.getfixturevalue("s3_server"), request.getfixturevalue("elasticsearch_server")
    bucket, name = s3.make_bucket("ways"), f"w{uuid.uuid4().hex[:10]}"
    access = S3Access(s3.key, s3.secret, region=S3_REGION, endpoint_url=s3.url)
    hive = (_connect_to(request.getfixturevalue("hive_server").port), name) if with_hive else None
    return Places(
        f"s3://{bucket}/{name}/stage", f"s3://{bucket}/{name}/history", f"{elastic.url}/{name}",
        access, ElasticAccess(lease=0.6, patience=60.0), hive,
    )  # fmt: skip


def _connect_to(port):
    from pyhive import hive

    return partial(hive.connect, host="127.0.0.1", port=port, username="lupus", auth="NONE")


@pytest.fixture
def way(places, tmp_path):
    """Make a way over stores; its databases and indices are there, its source is written."""
    made = []

    def way(stores, **given):
        processes.counting(stores)
        made.append(Way(tmp_path / "home", places=places(stores), **given))
        write_source(tmp_path / "home" / "data", made[0].days)
        assert made[0].index is not made[0].ledger
        return made[0]

    yield way
    for one in made:
        one.close()


@pytest.fixture
def undisturbed(tmp_path):
    """What a way of one process in a folder says of a source."""

    def undisturbed(shift=0.0, **given):
        home = tmp_path / f"undisturbed{shift}"
        write_source(home / "data", given.get("days", 2), shift)
        alone = Way(home, **given)
        for step in STEPS:
            alone.run(step)
        return alone.known() | alone.heard()

    return undisturbed


SETS = 20


@pytest.fixture(scope="module")
def undisturbed_sets(folder):
    """What ways of one process say of the metric sets of one project, by their names."""
    home = folder / "sets"
    write_source(home / "data", 2)
    names = Way(home, metric_sets=SETS).target.project.metric_sets
    ways = {name: Way(home, metric_set=name, metric_sets=SETS) for name in names}
    for alone in ways.values():
        run_steps(alone, NOW, *LOADS)
    return {name: alone.known() for name, alone in ways.items()}


def told(catalog, kind):
    """Rows a day that readers of the catalogue find."""
    return catalog.row_counts(kind, PROJECT, METRIC_SET)


def killed(way, step, rng, tries, now):
    """Start a step and kill it: before a write that the seed chooses, or at a moment of the seed's; say whether it died."""
    if tries % 2:
        return finish(start(run_step, way, step, now, "kill", rng.randint(1, 6 if way.places else 9))) == KILLED
    loader = start(run_step, way, step, now)
    time.sleep(rng.uniform(0.0, 0.3 if way.places else 0.06))
    loader.kill()
    return finish(loader) == KILLED


@pytest.mark.parametrize("stores", SEEDED)
def test_loaders_killed_again_and_again_end_like_one_that_nobody_disturbed(stores, way, undisturbed):
    rng, one = random.Random(stores), way(stores)
    before, deaths = processes.KILLS[stores], 0
    for turn in count():
        shift = float(turn)
        write_source(one.home / "data", one.days, shift)
        for number, step in enumerate(STEPS):
            now = NOW + (turn * len(STEPS) + number) * 10 * MINUTE
            for tries in range(6):
                if deaths < SEEDED[stores]:
                    deaths += killed(one, step, rng, tries, now + tries * MINUTE)
            one.run(step, now + 7 * MINUTE)
        assert one.known() == {name: said for name, said in undisturbed(shift).items() if name in one.known()}
        if deaths >= SEEDED[stores]:
            break
    assert processes.KILLS[stores] - before == deaths == SEEDED[stores]
    if stores == WITH_HIVE:
        assert list(told(one.history.catalog, POINTS).values()) == [2] * one.days


def test_the_seeds_kill_two_hundred_loaders():
    assert sum(SEEDED.values()) >= 200


@pytest.mark.parametrize("step", STEPS)
def test_two_tries_of_a_step_at_once_equal_one_on_servers(step, way, undisturbed):
    one = way(SERVERS)
    run_steps(one, NOW, *STEPS[: STEPS.index(step)])
    codes = run_together((run_step, one, step, NOW), (run_step, one, step, NOW + MINUTE))
    assert 0 in codes if step == "alert" else codes == [0, 0]
    one.run_from(step, NOW + 2 * MINUTE)
    assert one.known() | one.heard() == undisturbed()


@pytest.mark.parametrize("at", [1, 2])
@pytest.mark.parametrize("step", LOADS)
def test_an_older_try_that_ends_after_a_newer_one_does_no_harm_on_servers(step, at, way, undisturbed):
    one = way(SERVERS)
    run_steps(one, NOW, *STEPS[: STEPS.index(step)])
    old = start(run_step, one, step, NOW, "stop", at)
    wait_until_stopped(old)
    write_source(one.home / "data", one.days, 5.0)
    new = start(run_steps, one, NOW + MINUTE, *(LOADS if step == "collect" else ("collect", step)))
    assert finish(new) == 0
    os.kill(old.pid, signal.SIGCONT)
    assert finish(old) == 0
    one.run_from("load_history", NOW + 2 * MINUTE)
    assert one.known() == {name: said for name, said in undisturbed(5.0).items() if name in one.known()}


@pytest.mark.parametrize("stores", SEEDED)
def test_eight_loaders_of_the_same_and_of_different_periods_at_once(stores, way, undisturbed):
    one = way(stores, days=8)
    one.run("collect")
    spans = [(0, 8), (0, 8), (0, 8), (0, 2), (2, 2), (4, 2), (6, 2), (3, 4)]
    loaders = [Way(one.home, days, one.places, first) for first, days in spans]
    steps = LOADS[1:]
    run = (
        run_retried if stores == WITH_HIVE else run_steps
    )  # its metastore refuses some of those who make a table at once
    codes = run_together(*((run, loader, NOW, *steps[:: 1 - 2 * (n % 2)]) for n, loader in enumerate(loaders)))
    assert codes == [0] * 8
    one.run_from("detect")
    assert one.known() | one.heard() == undisturbed(days=8)
    if stores == WITH_HIVE:
        assert list(told(one.history.catalog, POINTS).values()) == [2] * one.days


@pytest.mark.parametrize(("stores", "sets"), [(FOLDER, SETS), (SERVERS, SETS), (WITH_HIVE, 4)])
def test_many_metric_sets_of_one_project_at_once(stores, sets, way, undisturbed_sets):
    one = way(stores, metric_sets=SETS)
    names = list(undisturbed_sets)[:sets]
    every = [Way(one.home, places=one.places, metric_set=name, metric_sets=SETS) for name in names]
    run = run_retried if stores == WITH_HIVE else run_steps
    assert run_together(*((run, each, NOW, *LOADS) for each in every)) == [0] * sets
    for each in every:
        assert each.known() == undisturbed_sets[each.metric_set]
        if stores == WITH_HIVE:
            assert list(one.history.catalog.row_counts(POINTS, PROJECT, each.metric_set).values()) == [2] * one.days
        each.close()


def wait_until_stopped(process):
    while True:
        with open(f"/proc/{process.pid}/stat") as file:
            if file.read().rpartition(")")[2].split()[0] == "T":
                return
        assert process.is_alive()
        time.sleep(0.01)
