from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from lupus_provider.detectors import Outcome, Threshold
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
