from __future__ import annotations

import numpy as np
import pytest

from lupus_provider.detectors import NewGroup, Outcome, SeriesInfo, VanishedGroup
from lupus_provider.testing.detectors import judge_all, make_panel

NONE = np.nan


def told(detector: NewGroup | VanishedGroup, value: object, series: list[SeriesInfo] | None = None) -> list[list[int]]:
    judgement = judge_all(detector, make_panel(value, series=series))
    assert {*judgement.kind.ravel()} <= {"", detector.detector}
    return np.argwhere(judgement.outcome == Outcome.ANOMALY).tolist()


def rows(*present: list[int], t: int = 60) -> np.ndarray:
    value = np.full((len(present), t), NONE)
    for row, days in enumerate(present):
        value[row, days] = 1.0
    return value


ALWAYS = list(range(60))


def test_a_group_is_new_once_on_its_first_day() -> None:
    assert told(NewGroup(), rows(ALWAYS, ALWAYS[30:])) == [[1, 30]]


def test_before_the_history_is_long_enough_nothing_is_new() -> None:
    assert told(NewGroup(least_history=14), rows(ALWAYS, ALWAYS[13:], ALWAYS[14:])) == [[2, 14]]


def test_a_group_that_returns_is_not_new_unless_it_was_forgotten() -> None:
    value = rows(ALWAYS, [*ALWAYS[:20], *ALWAYS[45:]])
    assert told(NewGroup(), value) == []
    assert told(NewGroup(forgotten_after=25), value) == [[1, 45]]
    assert told(NewGroup(forgotten_after=26), value) == []


def test_many_metrics_of_a_new_group_are_one_anomaly_and_the_row_count_speaks() -> None:
    key = {"region": "JP"}
    series = [
        SeriesInfo("a", "age", "avg", None, key),
        SeriesInfo("b", "", "row_count", None, key),
        SeriesInfo("c", "age", "p50", None, key),
    ]
    assert told(NewGroup(), rows(ALWAYS[30:], ALWAYS[30:], ALWAYS[30:]), series) == [[1, 30]]
    assert told(VanishedGroup(), rows(ALWAYS[:30], ALWAYS[:30], ALWAYS[:30]), series) == [[1, 32]]


def test_a_metric_that_comes_later_does_not_change_who_spoke() -> None:
    key = {"region": "JP"}
    series = [SeriesInfo("a", "age", "avg", None, key), SeriesInfo("b", "", "row_count", None, key)]
    assert told(NewGroup(), rows(ALWAYS[30:], ALWAYS[40:]), series) == [[0, 30]]


def test_the_whole_is_no_group() -> None:
    series = [SeriesInfo("a", "", "row_count")]
    assert told(NewGroup(), rows(ALWAYS[30:]), series) == []
    assert told(VanishedGroup(), rows(ALWAYS[:30]), series) == []


def test_entities_are_groups_of_their_column() -> None:
    series = [SeriesInfo("a", "device", "count", "iOS"), SeriesInfo("b", "device", "count", "watch")]
    assert told(NewGroup(), rows(ALWAYS, ALWAYS[50:]), series) == [[1, 50]]


def test_a_group_that_stops_has_vanished_once_after_the_least_gap() -> None:
    assert told(VanishedGroup(least_gap=3), rows(ALWAYS, ALWAYS[:30])) == [[1, 32]]


def test_a_group_that_vanishes_returns_and_vanishes_again_is_told_twice() -> None:
    days = [*ALWAYS[:20], *ALWAYS[24:30]]
    assert told(VanishedGroup(least_gap=3), rows(days)) == [[0, 22], [0, 37]]


def test_a_weekly_group_has_not_vanished_within_its_rhythm() -> None:
    assert told(VanishedGroup(least_history=3), rows(ALWAYS[::7])) == []
    assert told(VanishedGroup(least_history=3), rows([0, 7, 14, 21])) == [[0, 33]]


def test_a_group_seen_too_seldom_is_not_missed() -> None:
    assert told(VanishedGroup(least_history=14), rows(ALWAYS[:13], ALWAYS[:14])) == [[1, 16]]


def test_a_failed_point_is_no_sign_of_life() -> None:
    panel = make_panel(np.ones(60), failed=np.arange(60) >= 40)
    assert np.argwhere(judge_all(VanishedGroup(), panel).outcome == Outcome.ANOMALY).tolist() == [[0, 42]]


@pytest.mark.parametrize("detector", [NewGroup(least_history=3), VanishedGroup(least_history=3)])
def test_a_selected_series_is_judged_as_with_its_whole_group_beside_it(detector: NewGroup) -> None:
    key = {"region": "JP"}
    series = [SeriesInfo("a", "age", "avg", None, key), SeriesInfo("b", "", "row_count", None, key)]
    panel = make_panel(rows(ALWAYS[10:40], ALWAYS[10:40]), series=series)
    assert not (judge_all(detector, panel.select(np.array([0]))).outcome == Outcome.ANOMALY).any()
    assert (judge_all(detector, panel.select(np.array([1]))).outcome == Outcome.ANOMALY).sum() == 1
