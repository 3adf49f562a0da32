"""alert: what is news is told once; what was told is told to be over."""

from __future__ import annotations

import json

import pytest

from lupus_provider.alert.channels import Channel
from lupus_provider.errors import DetectorsFailedError, LedgerMovedError
from lupus_provider.periods import Span
from lupus_provider.records import ANOMALIES, EVALUATIONS, POINTS
from lupus_provider.steps import alert as step
from lupus_provider.steps.alert import alert, record_news
from lupus_provider.steps.target import Target
from lupus_provider.stores import open_history, open_ledger
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
    incoming,
    points,
)

KEY = (PROJECT, METRIC_SET)


class World:
    def __init__(self, folder):
        self.folder = folder
        self.history = open_history((folder / "history").as_uri())
        self.ledger = open_ledger(f"sqlite:///{folder / 'ledger.db'}")
        self.channel = Channel("file", "file", path=folder / "told.jsonl")

    def judge(self, strange, n=1, first=0, **given):
        """Say of the days first … first + n - 1 which of them are strange."""
        days = range(first, first + n)
        wrong = {d: anomalies(*([an_anomaly(start=day(d), **given)] if d in strange else [])) for d in days}
        told = {d: evaluations(an_evaluation("anomaly" if d in strange else "normal", day(d))) for d in days}
        self.history.load(POINTS, *KEY, lambda: [incoming(day(d), points(a_point(1.0, day(d)))) for d in days])
        self.history.load(ANOMALIES, *KEY, lambda: [incoming(day(d), t, ANOMALIES) for d, t in wrong.items()])
        self.history.load(EVALUATIONS, *KEY, lambda: [incoming(day(d), t, EVALUATIONS) for d, t in told.items()])

    def target(self, first=0, n=1):
        return Target(a_project(), METRIC_SET, Span(day(first), day(first + n)))

    def alert(self, first=0, n=1, now=400):
        return alert(self.target(first, n), self.history, self.ledger, self.channel, day(now))

    @property
    def told(self):
        path = self.channel.path
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    @property
    def episodes(self):
        return self.ledger.episodes(*KEY, day(-400))


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def test_an_episode_is_told_once_however_often_the_step_runs(world):
    world.judge({0})
    assert (world.alert().opened, world.alert().opened, world.alert(now=401).sent) == (1, 0, 0)
    (message,) = world.told
    assert [fact["name"] for fact in message["episodes"]] == ["age avg"]


def test_quiet_days_are_silent(world):
    world.judge(set(), n=3)
    assert world.alert(n=3).episodes == 0
    assert world.told == []


def test_an_episode_that_goes_on_is_not_told_again(world):
    for n in range(3):
        world.judge({n}, first=n)
        world.alert(n)
    assert len(world.told) == 1
    (episode,) = world.episodes
    assert (episode.first_period, episode.last_period, episode.state) == (day(0), day(2), "open")


def test_an_episode_of_hundreds_of_periods_is_told_once(world):
    world.judge(set(range(step.CONTEXT * 3)), n=step.CONTEXT * 3)
    for first in range(0, step.CONTEXT * 3, 10):
        world.alert(first, 10)
    (episode,) = world.episodes
    assert (episode.first_period, episode.last_period) == (day(0), day(step.CONTEXT * 3 - 1))
    assert len(world.told) == 1


def test_recovery_is_told_once(world):
    world.judge({0})
    world.alert()
    world.judge(set(), first=1)
    assert (world.alert(1).over, world.alert(1).over) == (1, 0)
    assert [message["n_over"] for message in world.told] == [0, 1]
    assert world.episodes[0].state == "over"


def test_what_is_judged_anew_and_not_strange_is_withdrawn_silently(world):
    world.judge({0})
    world.alert()
    world.judge(set())
    assert (world.alert().withdrawn, world.alert().withdrawn) == (1, 0)
    assert world.episodes[0].state == "withdrawn"
    assert len(world.told) == 1


def test_an_earlier_beginning_found_later_is_the_same_episode(world):
    world.judge({2}, n=3)
    world.alert(2)
    world.judge({1, 2}, n=3)
    assert world.alert(1, 2).opened == 0
    (episode,) = world.episodes
    assert episode.first_period == day(1)


def test_a_run_over_old_days_leaves_later_episodes_alone(world):
    world.judge({0, 80}, n=90)
    world.alert(80, 5)
    (later,) = world.episodes
    done = world.alert(0, 40)
    assert (done.opened, done.withdrawn) == (1, 0)
    assert world.episodes[1] == later
    assert len(world.told) == 2


def test_a_run_over_the_beginning_of_an_episode_does_not_cut_it(world):
    world.judge({0, 1, 2, 3}, n=9)
    world.alert(0, 9)
    world.alert(0, 2)
    (episode,) = world.episodes
    assert (episode.last_period, episode.state) == (day(3), "over")
    assert len(world.told) == 1


def test_what_is_quieter_than_the_project_wants_is_not_told(world):
    world.judge({0}, severity="low")
    assert world.alert().episodes == 0


def test_two_tries_that_decide_at_once_tell_once(world, monkeypatch):
    world.judge({0})
    real, others = step._found, [None]

    def other_try_comes_between(*args):
        if others:
            others.pop()
            record_news(world.target(), world.history, world.ledger, world.channel, day(400))
        return real(*args)

    monkeypatch.setattr(step, "_found", other_try_comes_between)
    assert (world.alert().opened, len(world.told)) == (0, 1)


def test_a_decision_on_what_has_changed_since_is_not_recorded(world, monkeypatch):
    world.judge({0})
    target, real = world.target(), step._found

    def others_are_quicker(*args):
        monkeypatch.setattr(step, "_found", real)
        record_news(target, world.history, world.ledger, world.channel, day(400))
        return real(*args)

    monkeypatch.setattr(step, "_found", others_are_quicker)
    with pytest.raises(LedgerMovedError):
        record_news(target, world.history, world.ledger, world.channel, day(400))
    assert len(world.ledger.messages()) == 1


def test_broken_detectors_turn_the_run_red_after_everything_else_was_told(world):
    world.judge({0})
    broken = evaluations(an_evaluation("failed", day(1)))
    world.history.load(POINTS, *KEY, lambda: [incoming(day(1), points(a_point(1.0, day(1))))])
    world.history.load(EVALUATIONS, *KEY, lambda: [incoming(day(1), broken, EVALUATIONS)])
    with pytest.raises(DetectorsFailedError, match=r"1 series"):
        world.alert(0, 2)
    assert len(world.told) == 1
    world.judge(set(), first=1)
    world.alert(0, 2)
