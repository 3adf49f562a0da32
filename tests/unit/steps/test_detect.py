"""detect: history → verdicts on the stage."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from lupus_provider.detectors import Judgement, Outcome, Threshold
from lupus_provider.periods import Span
from lupus_provider.records import ANOMALIES, EVALUATIONS, POINTS
from lupus_provider.steps import detect as step
from lupus_provider.steps.detect import detect
from lupus_provider.steps.panel import GONE_AFTER
from lupus_provider.steps.target import Target
from lupus_provider.stores import open_history, open_stage
from lupus_provider.testing.builders import METRIC_SET, PROJECT, a_point, a_project, day, incoming, points

KEY = (PROJECT, METRIC_SET)


class World:
    def __init__(self, folder):
        self.history = open_history((folder / "history").as_uri())
        self.stage = open_stage((folder / "stage").as_uri())

    def load(self, *rows):
        by_start = {}
        for row in rows:
            by_start.setdefault(row["period_start"], []).append(row)
        self.history.load(POINTS, *KEY, lambda: [incoming(at, points(*mine)) for at, mine in by_start.items()])

    def detect(self, first, last, rules, **project):
        target = Target(a_project(detect=rules, **project), METRIC_SET, Span(day(first), day(last + 1)))
        return detect(target, self.history, self.stage, day(500), "run")

    def staged(self, kind, first=-10, last=400):
        files = self.stage.files(kind, *KEY, Span(day(first), day(last)))
        return [row for file in files for row in self.stage.read(kind, file).to_pylist()]


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


HIGH = {"detector": "threshold", "metrics": ["avg"], "max": 5.0}


def test_every_judged_point_has_a_verdict_and_only_the_strange_ones_are_anomalies(world):
    world.load(*(a_point(v, day(n)) for n, v in enumerate([1.0, 9.0, None, 2.0])))
    done = world.detect(0, 3, [HIGH])
    assert (done.periods, done.series, done.evaluations, done.anomalies) == (4, 1, 4, 1)
    assert [row["outcome"] for row in world.staged(EVALUATIONS)] == ["normal", "anomaly", "no_data", "normal"]
    (row,) = world.staged(ANOMALIES)
    assert (row["period_start"], row["value"], row["upper"], row["direction"]) == (day(1), 9.0, 5.0, "up")


def test_only_the_spans_periods_are_judged(world):
    world.load(*(a_point(9.0, day(n)) for n in range(5)))
    world.detect(2, 3, [HIGH])
    assert [row["period_start"] for row in world.staged(ANOMALIES)] == [day(2), day(3)]


def test_judging_again_clears_what_is_no_longer_strange(world):
    world.load(a_point(9.0))
    world.detect(0, 0, [HIGH])
    world.load(a_point(1.0))
    world.detect(0, 0, [HIGH])
    assert world.staged(ANOMALIES) == []


def test_without_detectors_or_points_verdicts_are_cleared(world):
    assert world.detect(0, 0, [HIGH]).evaluations == 0
    world.load(a_point(9.0))
    world.detect(0, 0, [HIGH])
    world.detect(0, 0, [])
    assert world.staged(EVALUATIONS) == []
    assert len(world.stage.files(EVALUATIONS, *KEY, Span(day(0), day(1)))) == 1


def test_a_series_is_judged_from_its_first_point_until_it_is_long_gone(world):
    always = (a_point(1.0, day(n), entity="always") for n in range(GONE_AFTER + 10))
    once = a_point(1.0, day(3), entity="once")
    world.load(*always, once)
    world.detect(0, GONE_AFTER + 9, [HIGH])
    mine = [row["period_start"] for row in world.staged(EVALUATIONS) if row["series_id"] == once["series_id"]]
    assert (mine[0], mine[-1], len(mine)) == (day(3), day(3 + GONE_AFTER), GONE_AFTER + 1)


@pytest.mark.parametrize("error", [RuntimeError, ZeroDivisionError, AttributeError, AssertionError])
def test_one_broken_detector_does_not_stop_the_others(world, monkeypatch, error, caplog):
    real = Threshold.detect

    def detect_or_break(self, panel, judged):
        if self.max == 7.0:
            raise error
        return real(self, panel, judged)

    monkeypatch.setattr(Threshold, "detect", detect_or_break)
    world.load(a_point(9.0))
    done = world.detect(0, 0, [{**HIGH, "max": 7.0}, HIGH])
    assert (done.failed_detectors, done.anomalies) == (1, 1)
    assert "broke" in caplog.text
    assert sorted(row["outcome"] for row in world.staged(EVALUATIONS)) == ["anomaly", "failed"]


def test_two_rules_with_the_same_parameters_judge_a_series_once_by_the_louder(world):
    world.load(a_point(9.0, entity="a"), a_point(9.0, entity="b"))
    rules = [{**HIGH, "severity": "low"}, {**HIGH, "entities": ["a"], "severity": "critical"}]
    world.detect(0, 0, rules)
    severities = {row["series_id"]: row["severity"] for row in world.staged(ANOMALIES)}
    assert Counter(severities.values()) == {"critical": 1, "low": 1}
    assert severities[a_point(entity="a")["series_id"]] == "critical"
    assert len(world.staged(EVALUATIONS)) == 2


def test_points_beside_the_axis_do_not_hurt(world):
    world.load(a_point(9.0, day(0, 5)), a_point(1.0, day(1)))
    done = world.detect(0, 1, [HIGH])
    assert (done.evaluations, done.anomalies) == (1, 0)


def test_a_newer_detection_is_not_overwritten(world):
    world.load(a_point(9.0))
    world.detect(0, 0, [HIGH])
    target = Target(a_project(detect=[]), METRIC_SET, Span(day(0), day(1)))
    assert detect(target, world.history, world.stage, day(499), "stale").superseded == 2
    assert len(world.staged(ANOMALIES)) == 1


@pytest.mark.parametrize(
    ("value", "expected", "lower", "upper", "direction"),
    [
        (9.0, 5.0, 1.0, 8.0, "up"), (0.0, 5.0, 1.0, 8.0, "down"), (6.0, 5.0, np.nan, np.nan, "up"), (4.0, 5.0, np.nan, np.nan, "down"),
        (9.0, np.nan, np.nan, 8.0, "up"), (0.0, np.nan, 1.0, np.inf, "down"), (np.nan, 5.0, 1.0, 8.0, "none"), (5.0, 5.0, np.nan, np.nan, "none"),
        (0.0, -5.0, 1.0, 8.0, "down"),
    ],
)  # fmt: skip
def test_the_direction_is_where_the_value_lies(value, expected, lower, upper, direction):
    judgement = Judgement.empty(1, 1, Outcome.ANOMALY)
    for name, x in (("expected", expected), ("lower", lower), ("upper", upper)):
        getattr(judgement, name)[0, 0] = x
    at = np.array([0])
    assert step._direction(np.array([value]), judgement, at, at).tolist() == [direction]


def test_infinite_edges_are_stored_as_none(world):
    world.load(a_point(9.0))
    world.detect(0, 0, [HIGH])
    assert world.staged(ANOMALIES)[0]["lower"] is None
