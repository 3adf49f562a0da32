from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from lupus_provider.detectors import Outcome, SeriesInfo, Threshold
from lupus_provider.testing.detectors import judge_all, make_panel


def test_only_values_beyond_the_bounds_are_flagged() -> None:
    judgement = judge_all(Threshold(min=1, max=3), make_panel([0.999, 1.0, 2.0, 3.0, 3.001]))
    assert judgement.outcome[0].tolist() == [1, 0, 0, 0, 1]
    assert judgement.kind[0].tolist() == ["threshold", "", "", "", "threshold"]


def test_the_bounds_are_the_band_and_nothing_is_expected() -> None:
    judgement = judge_all(Threshold(max=3), make_panel([0.0]))
    assert (judgement.lower[0, 0], judgement.upper[0, 0]) == (-np.inf, 3.0)
    assert np.isnan(judgement.expected[0, 0])
    assert np.isnan(judgement.score[0, 0])


def test_it_judges_from_the_first_period_on() -> None:
    assert judge_all(Threshold(min=1), make_panel([0.0])).outcome[0, 0] == Outcome.ANOMALY


def test_no_value_is_no_data_and_a_failed_point_too() -> None:
    panel = make_panel([np.nan, 9.0], present=[True, True], failed=[False, True])
    assert judge_all(Threshold(max=3), panel).outcome[0].tolist() == [Outcome.NO_DATA, Outcome.NO_DATA]


def test_an_infinite_value_is_above_every_maximum() -> None:
    panel = make_panel([np.inf, -np.inf], present=[True, True])
    assert judge_all(Threshold(max=3), panel).outcome[0].tolist() == [Outcome.ANOMALY, Outcome.NORMAL]


def test_a_threshold_without_bounds_is_refused() -> None:
    with pytest.raises(ValidationError, match="needs min, max or both"):
        Threshold()


def test_a_minimum_above_the_maximum_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"min 3\.0 is above its max 1\.0"):
        Threshold(min=3, max=1)


def test_a_bound_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValidationError):
        Threshold(min=float("nan"))


def of_rows(
    values: list[float], rows: list[float], metrics: tuple[str, ...] = ("null_count", "row_count")
) -> np.ndarray:
    series = [SeriesInfo("a", "age", metrics[0]), SeriesInfo("b", "", metrics[1])]
    rule = Threshold(metrics=["null_count"], of="row_count", min=0.1, max=0.5)
    panel = make_panel([values, rows], series=series).select(np.array([0]))
    judgement = judge_all(rule, panel)
    of_rows.band = (judgement.lower[0].tolist(), judgement.upper[0].tolist())
    return judgement.outcome[0]


def test_limits_of_another_metric_are_parts_of_it_and_found_beside_the_selection() -> None:
    assert of_rows([10.0, 9, 50, 51], [100.0] * 4).tolist() == [0, 1, 0, 1]
    assert of_rows.band == ([10.0] * 4, [50.0] * 4)


def test_nothing_of_nothing_is_normal_and_something_of_nothing_is_not() -> None:
    assert of_rows([0.0, 1.0], [0.0, 0.0]).tolist() == [Outcome.NORMAL, Outcome.ANOMALY]


def test_without_the_other_value_there_is_nothing_to_judge() -> None:
    assert of_rows([10.0], [np.nan]).tolist() == [Outcome.NO_DATA]
    assert of_rows([10.0], [100.0], ("null_count", "unique")).tolist() == [Outcome.NO_DATA]


def test_a_negative_other_value_does_not_turn_the_band_upside_down() -> None:
    assert of_rows([-20.0, -5, -60], [-100.0] * 3).tolist() == [0, 1, 1]


def test_the_other_metric_of_the_same_column_and_group_is_preferred() -> None:
    jp, tw = {"region": "JP"}, {"region": "TW"}
    series = [
        SeriesInfo("a", "age", "p95", None, jp), SeriesInfo("b", "", "p50", None, jp),
        SeriesInfo("c", "age", "p50", None, tw), SeriesInfo("d", "age", "p50", None, jp),
    ]  # fmt: skip
    judgement = judge_all(
        Threshold(metrics=["p95"], of="p50", max=2),
        make_panel([[9.0], [1.0], [2.0], [3.0]], series=series).select(np.array([0])),
    )
    assert judgement.upper[0, 0] == 6.0


def test_a_metric_is_not_compared_with_itself() -> None:
    assert not Threshold(of="row_count", max=0.5).selects(SeriesInfo("b", "", "row_count"))


def test_groups_have_limits_of_their_own() -> None:
    series = [
        SeriesInfo(str(i), "x", "avg", None, key)
        for i, key in enumerate([{"region": "JP"}, {"region": "JP", "os": "iOS"}, {"region": "TW"}, {}])
    ]
    rule = Threshold(max=10, per_group=[{"group_key": {"region": "JP"}, "max": 5}])
    assert judge_all(rule, make_panel([[7.0]] * 4, series=series)).outcome[:, 0].tolist() == [1, 1, 0, 0]


def test_limits_of_groups_alone_judge_only_those_groups() -> None:
    series = [SeriesInfo(str(i), "x", "avg", None, {"region": region}) for i, region in enumerate(["JP", "TW"])]
    rule = Threshold(per_group=[{"group_key": {"region": "JP"}, "max": 5}])
    assert judge_all(rule, make_panel([[7.0]] * 2, series=series)).outcome[:, 0].tolist() == [1, 0]


def test_a_group_limit_that_can_flag_nothing_is_refused() -> None:
    with pytest.raises(ValidationError, match="needs min, max or both"):
        Threshold(max=1, per_group=[{"group_key": {"region": "JP"}}])


def test_a_limit_for_a_group_or_of_a_metric_is_another_detector() -> None:
    keys = {
        Threshold(max=1).key,
        Threshold(max=1, of="row_count").key,
        Threshold(max=1, per_group=[{"group_key": {"a": "b"}, "max": 2}]).key,
    }
    assert len(keys) == 3
