"""Every step, killed before every write of its own, and repeated: the end is that of a way nobody disturbed."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from datetime import timedelta

import pytest

from lupus_provider.records import POINTS
from lupus_provider.testing.faults import injected, kill
from lupus_provider.testing.processes import finish, run_together, start
from lupus_provider.testing.way import NOW, STEPS, Way, count_acts, die_making_databases, run_step, write_source

LATER = timedelta(minutes=10)
KILLED = -signal.SIGKILL


@pytest.fixture(scope="module")
def undisturbed(folder):
    """What an undisturbed way says, a copy of the home before every step, and how many writes the step has."""
    home, before, acts = folder / "home", {}, {}
    write_source(home / "data", 2)
    open_databases(home)
    for step in STEPS:
        before[step] = folder / step
        shutil.copytree(home, before[step])
        acts[step] = count_acts(home, step).seen
    return Way(home).said(), before, acts


def open_databases(home):
    """Make index and ledger."""
    assert Way(home).index.engine is not Way(home).ledger.engine


def check_end(home, undisturbed):
    way = Way(home)
    assert way.said() == undisturbed
    assert way.leavings() == []


def test_the_undisturbed_way_tells_the_strange_day_once(undisturbed):
    said, _, acts = undisturbed
    assert len(said["told"]) == len(said["episodes"]) == 1
    assert len(said["history"]["points"]) == len(said["history"]["evaluations"]) + 2
    assert all(acts[step] >= 4 for step in STEPS)


@pytest.mark.parametrize("step", STEPS)
def test_a_step_killed_before_any_write_is_mended_by_its_retry(step, undisturbed, tmp_path):
    said, before, acts = undisturbed
    for at in range(1, acts[step] + 1):
        home = tmp_path / str(at)
        shutil.copytree(before[step], home)
        assert finish(start(run_step, home, step, NOW, "kill", at)) == KILLED, (
            f"write {at} of {acts[step]} was not reached"
        )
        Way(home).run_from(step, NOW + LATER)
        check_end(home, said)
        shutil.rmtree(home)


def test_a_process_killed_while_it_makes_the_databases_leaves_none_half_made(tmp_path):
    with injected(0, kill) as acts:
        open_databases(tmp_path / "counted")
    for at in range(1, acts.seen + 1, 3):
        home = tmp_path / str(at)
        assert finish(start(die_making_databases, home, at)) == KILLED
        way = Way(home)
        assert way.ledger.messages() == []
        assert way.index.periods(POINTS, "shop", "orders") == {}


@pytest.mark.parametrize("step", STEPS)
def test_a_step_killed_from_outside_at_any_moment_is_mended_by_its_retry(step, undisturbed, tmp_path):
    said, before, _ = undisturbed
    rng = random.Random(step)
    shutil.copytree(before[step], home := tmp_path / "home")
    process = start(run_step, home, step, NOW)
    time.sleep(rng.uniform(0.0, 0.15))
    process.kill()
    assert finish(process) in (0, KILLED)
    Way(home).run_from(step, NOW + LATER)
    check_end(home, said)


@pytest.mark.parametrize("step", STEPS)
def test_two_tries_of_a_step_at_once_equal_one(step, undisturbed, tmp_path):
    said, before, _ = undisturbed
    shutil.copytree(before[step], home := tmp_path / "home")
    codes = run_together((run_step, home, step, NOW), (run_step, home, step, NOW + LATER))
    assert (
        codes[1] == 0 if step != "alert" else 0 in codes
    )  # a sender that finds the other one's message claimed asks for a retry
    Way(home).run_from(step, NOW + 2 * LATER)
    check_end(home, said)


@pytest.mark.parametrize("step", STEPS)
def test_a_try_that_was_stopped_and_goes_on_beside_its_retry_does_no_harm(step, undisturbed, tmp_path):
    said, before, acts = undisturbed
    for at in {acts[step] // 2, acts[step]}:
        shutil.copytree(before[step], home := tmp_path / str(at))
        old = start(run_step, home, step, NOW, "stop", at)
        wait_until_stopped(old.pid)
        new = start(run_step, home, step, NOW + LATER)
        new.join(0.5)  # it waits where the stopped one holds a lock
        os.kill(old.pid, signal.SIGCONT)
        assert {finish(old), finish(new)} <= ({0, 1} if step == "alert" else {0})
        Way(home).run_from(step, NOW + 2 * LATER)
        check_end(home, said)


def test_a_stale_collection_that_goes_on_late_does_not_overwrite_a_newer_one(undisturbed, tmp_path):
    _, before, acts = undisturbed
    shutil.copytree(before["collect"], fresh := tmp_path / "fresh")
    write_source(fresh / "data", 2, shift=5.0)
    Way(fresh).run_from("collect", NOW + LATER)
    for at in {1, acts["collect"] // 2}:
        shutil.copytree(before["collect"], home := tmp_path / str(at))
        old = start(run_step, home, "collect", NOW, "stop", at)
        wait_until_stopped(old.pid)
        write_source(home / "data", 2, shift=5.0)
        new = start(run_step, home, "collect", NOW + LATER)
        new.join(0.5)
        os.kill(old.pid, signal.SIGCONT)
        assert (finish(old), finish(new)) == (0, 0)
        Way(home).run_from("load_history", NOW + 2 * LATER)
        check_end(home, Way(fresh).said())


def wait_until_stopped(pid):
    for _ in range(3_000):
        with open(f"/proc/{pid}/stat") as file:
            if file.read().rpartition(")")[2].split()[0] == "T":
                return
        time.sleep(0.01)
    raise AssertionError("the process did not stop")
