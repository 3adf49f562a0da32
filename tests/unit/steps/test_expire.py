"""What is too old goes from history and index; what drift is compared with, and everything without an age, stays."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lupus_provider.config import Project
from lupus_provider.records import HISTOGRAMS, POINTS
from lupus_provider.steps.expire import expire
from lupus_provider.stores.history.base import Expired
from lupus_provider.stores.history.parquet import ParquetHistory
from lupus_provider.testing.builders import METRIC_SET, PROJECT, a_point, a_project, day, incoming, points

NOW = day(800, 5)


class Told:
    """A store that notes what it is asked to forget."""

    def __init__(self):
        self.told = []

    def expire(self, *asked):
        self.told.append(asked)
        return Expired(1, 2, 3) if len(asked) == 4 else 5


def of_project(project, now=NOW):
    history, index = Told(), Told()
    done = expire(project, history, index, now)
    return {kind.name: before for kind, _, _, before in history.told}, index.told, done


def aged(kept=None, **metric_set):
    given = a_project(**metric_set).model_dump(mode="json", by_alias=True, exclude_unset=True)
    return Project.model_validate({**given, **({"retention": kept} if kept else {})})


def test_nothing_goes_without_an_age():
    assert of_project(aged())[:2] == ({}, [])


def test_ages_are_counted_back_to_whole_periods():
    history, index, done = of_project(aged({"history": "400d", "index": "10d"}))
    assert set(history.values()) == {day(400).date()}
    assert index == [(PROJECT, METRIC_SET, day(790))]
    assert (done.history, done.index_periods) == (Expired(4, 8, 12), 5)


def test_a_period_goes_when_all_of_it_is_too_old():
    history, index, _ = of_project(aged({"history": "1y", "index": "52w"}, period="month"), day(800))  # 2026-03-11
    assert {before.isoformat() for before in history.values()} == {"2025-03-01"}
    assert [before.date().isoformat() for _, _, before in index] == ["2025-03-01"]


def test_a_metric_set_says_its_own_key_by_key():
    project = aged({"history": "400d", "index": "400d"}, retention={"index": "10d"})
    assert project.retention_of(METRIC_SET).history == timedelta(days=400)
    assert project.retention_of(METRIC_SET).index == timedelta(days=10)
    assert of_project(aged({"index": "10d"}, retention={"index": None}))[:2] == ({}, [])


@pytest.mark.parametrize(
    ("reference", "first"),
    [({"window": 28}, day(399)), ({"model_version": "previous"}, day(399)), ({"from": "2024-01-01", "to": "2024-01-31"}, day(770))],
)  # fmt: skip
def test_histograms_that_drift_is_compared_with_stay(reference, first):
    drift = {
        "processor": "drift", "reference": reference, "column_metrics": {"age": ["psi"]}, "model_version_column": "version", "detect": [],
    }  # fmt: skip
    history, _, _ = of_project(aged({"history": "30d"}, **drift))
    assert history[HISTOGRAMS.name] == first.date()
    assert history["points"] == day(770).date()


def test_the_history_forgets_and_can_be_expired_again(tmp_path):
    history, project = ParquetHistory(tmp_path), aged({"history": "30d"})
    history.load(POINTS, PROJECT, METRIC_SET, lambda: [incoming(day(n), points(a_point(n, day(n)))) for n in range(40)])
    assert expire(project, history, Told(), day(60)).history == Expired(30, 30, 30)
    assert expire(project, history, Told(), day(60)).history == Expired()
    assert min(history.periods(POINTS, PROJECT, METRIC_SET)) == day(30)
