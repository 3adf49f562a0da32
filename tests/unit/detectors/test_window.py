from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from lupus_provider.detectors import Outcome, SeriesInfo, Window
from lupus_provider.testing.detectors import judge_all, make_panel

WEEK = np.array([100.0, 110, 120, 115, 105, 20, 10])


def noisy(t: int = 60, seed: int = 0) -> np.ndarray:
    return 100 + np.random.default_rng(seed).normal(size=t)


@pytest.mark.parametrize(("change", "kind"), [(30, "spike"), (-30, "dip")])
@pytest.mark.parametrize("centre", ["median", "mean"])
def test_a_value_far_from_the_recent_ones_is_flagged_by_direction(centre: str, change: float, kind: str) -> None:
    value = noisy()
    value[-1] += change
    judgement = judge_all(Window(centre=centre), make_panel(value))
    assert judgement.outcome[0, -1] == Outcome.ANOMALY
    assert judgement.kind[0, -1] == kind
    assert judgement.score[0, -1] < 1e-3


def test_one_past_spike_does_not_hide_the_next() -> None:
    value = noisy()
    value[[-5, -1]] += 40
    assert judge_all(Window(), make_panel(value)).outcome[0, [-5, -1]].tolist() == [1, 1]


def test_the_judged_value_is_not_in_its_own_window() -> None:
    value = noisy(29)
    band = judge_all(Window(), make_panel(value))
    value[-1] = 1e9
    other = judge_all(Window(), make_panel(value))
    assert (band.lower[0, -1], band.upper[0, -1]) == (other.lower[0, -1], other.upper[0, -1])


def test_the_ratio_is_a_part_of_the_centre() -> None:
    judgement = judge_all(Window(window=5, ratio=0.5), make_panel([10.0] * 5 + [15.0, 15.1, 4.9]))
    assert judgement.outcome[0, 5:].tolist() == [0, 1, 1]
    assert (judgement.lower[0, 5], judgement.expected[0, 5], judgement.upper[0, 5]) == (5.0, 10.0, 15.0)


def test_a_ratio_around_a_negative_centre_is_not_upside_down() -> None:
    judgement = judge_all(Window(window=5, ratio=0.5), make_panel([-10.0] * 5 + [-14.0, -16.0]))
    assert judgement.outcome[0, 5:].tolist() == [0, 1]


def test_the_same_weekday_is_compared_with_itself_only() -> None:
    value = np.tile(WEEK, 10) * (1 + np.random.default_rng(0).normal(0, 0.01, 70))
    value[-1] = 100.0  # a Sunday like a Monday
    panel = make_panel(value, start="2013-01-07")
    by_weekday = judge_all(Window(same_weekday=True, window=8), panel)
    assert np.flatnonzero(by_weekday.outcome[0] == Outcome.ANOMALY).tolist() == [69]
    assert judge_all(Window(), panel).outcome[0, -1] == Outcome.NORMAL


def test_too_few_values_are_too_short_not_normal() -> None:
    value = np.array([5.0, np.nan, 5.0, 5.0, 5.0, 5.0])
    judgement = judge_all(Window(least_values=3), make_panel(value))
    assert judgement.outcome[0].tolist() == [2, 3, 2, 2, 0, 0]


def test_a_constant_series_is_normal_and_its_first_change_is_not() -> None:
    judgement = judge_all(Window(), make_panel([0.1] * 40 + [0.2]))
    assert (judgement.outcome[0, 5:40] == Outcome.NORMAL).all()
    assert judgement.outcome[0, 40] == Outcome.ANOMALY


def test_mostly_equal_values_do_not_make_every_other_value_strange() -> None:
    value = np.where(np.arange(56) % 5 == 0, 1.0, 0.0)
    assert (judge_all(Window(), make_panel(value)).outcome[0, 20:] == Outcome.NORMAL).all()


def test_bounds_of_the_metric_cut_the_band() -> None:
    share = SeriesInfo("s", "x", "null_ratio", lower_bound=0.0, upper_bound=1.0)
    judgement = judge_all(Window(), make_panel(np.tile([0.0, 0.01], 20), series=[share]))
    assert judgement.lower[0, -1] == 0.0


def test_both_distances_at_once_are_refused() -> None:
    with pytest.raises(ValidationError, match=r"deviations 3\.0 and ratio 0\.5. Keep one"):
        Window(deviations=3, ratio=0.5)


def test_a_window_smaller_than_what_it_needs_is_refused() -> None:
    with pytest.raises(ValidationError, match="needs 9 values"):
        Window(window=8, least_values=9)


def test_the_default_distance_and_the_same_one_stated_are_one_detector() -> None:
    assert Window().key == Window(deviations=5).key != Window(deviations=4).key


def test_the_difference_is_in_the_metrics_own_unit() -> None:
    judgement = judge_all(Window(window=5, difference=3), make_panel([10.0] * 5 + [13.0, 13.1, 6.9]))
    assert judgement.outcome[0, 5:].tolist() == [0, 1, 1]
    assert (judgement.lower[0, 5], judgement.upper[0, 5]) == (7.0, 13.0)


def test_a_difference_beside_another_distance_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"ratio 0\.5 and difference 3\.0. Keep one"):
        Window(ratio=0.5, difference=3)


def test_a_key_from_before_there_was_a_difference_is_still_the_key() -> None:
    assert Window().key == "window:93cc1654"
