from __future__ import annotations

import numpy as np
import pytest

from lupus_provider.detectors import Outcome, SeriesInfo
from lupus_provider.detectors.judging import judge_by_band, mean_rows, spread_rows, tail_score
from lupus_provider.testing.detectors import make_panel


def test_the_mean_leaves_gaps_out_and_does_not_overflow() -> None:
    assert mean_rows(np.array([[1.0, np.nan, 3.0], [np.nan] * 3, [1.5e308] * 3])) == pytest.approx([2.0, 0.0, 1.5e308])


def test_the_spread_is_a_standard_deviation_and_not_0_where_most_values_are_equal() -> None:
    noise = np.random.default_rng(0).normal(size=(1, 4000))
    assert spread_rows(noise, np.zeros(1))[0] == pytest.approx(1, rel=0.05)
    assert spread_rows(np.array([[0.0, 0, 0, 0, 4]]), np.zeros(1))[0] > 0


def test_the_score_falls_with_the_distance_and_stays_a_probability() -> None:
    score = tail_score(np.array([0.0, 1, 5, 1e300, np.inf]))
    assert score[0] == 1.0
    assert (np.diff(score) <= 0).all()
    assert (score >= 0).all()


def test_outcomes_follow_the_band_and_the_band_the_bounds() -> None:
    share = SeriesInfo("s", "x", "null_ratio", lower_bound=0.0, upper_bound=1.0)
    panel = make_panel([0.5, 0.95, 0.05, np.nan, 0.5], series=[share])
    edges = [np.full((1, 5), edge) for edge in (0.5, -0.4, 0.9)]
    enough = np.array([[True, True, True, True, False]])
    judgement = judge_by_band(panel, slice(0, 5), *edges, np.full((1, 5), 0.5), enough)
    assert judgement.outcome[0].tolist() == [
        Outcome.NORMAL,
        Outcome.ANOMALY,
        Outcome.NORMAL,
        Outcome.NO_DATA,
        Outcome.TOO_SHORT,
    ]
    assert judgement.kind[0].tolist() == ["", "spike", "", "", ""]
    assert judgement.lower[0, :3].tolist() == [0.0] * 3
    assert np.isnan(judgement.upper[0, 4])
