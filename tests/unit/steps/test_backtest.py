"""A backtest says what would have been told, judges each period by its past, and is never silently empty."""

from __future__ import annotations

import numpy as np
import pytest

from lupus_provider.detectors import Judgement, Missing, Outcome, Seasonal, Threshold
from lupus_provider.steps.backtest import NothingSelectedError, backtest, judge_whole
from lupus_provider.testing.detectors import make_panel

DAYS = 90


@pytest.fixture
def panel():
    rng = np.random.default_rng(3)
    value = 100 + rng.normal(0, 2, (2, DAYS))
    value[0, [60, 61, 63, 80]] = 160.0
    value[1, 70] = np.nan
    return make_panel(value)


def test_each_period_is_judged_with_only_those_before_it(panel):
    (trial,) = backtest(panel, [Seasonal()], slice(0, DAYS))
    for stop in (61, 64, 81):
        (alone,) = backtest(panel.before(stop), [Seasonal()], slice(stop - 1, stop))
        assert trial.judgement.outcome[:, stop - 1].tolist() == alone.judgement.outcome[:, 0].tolist()


def test_anomalies_in_a_row_are_one_alarm(panel):
    (trial,) = backtest(panel, [Threshold(max=150)], slice(0, DAYS))
    assert trial.by_kind() == {"threshold": 4}
    assert trial.alarms_of_series.tolist() == [2, 0]  # one quiet day does not end an episode


def test_what_was_not_judged_is_counted(panel):
    (trial,) = backtest(panel, [Seasonal(missing=False)], slice(0, DAYS))
    unjudged = trial.unjudged()
    assert unjudged["no_data"] == 1
    assert int(trial.evaluated.sum()) + sum(unjudged.values()) == 2 * DAYS


def test_periods_before_a_series_began_do_not_count():
    value = np.full((1, DAYS), 5.0)
    value[0, :30] = np.nan
    panel = make_panel(value)
    panel.present[0, :30] = False
    (trial,) = backtest(panel, [Threshold(max=1)], slice(0, DAYS))
    assert (int(trial.counted.sum()), trial.alarms) == (60, 1)


def test_a_rule_that_selects_nothing_is_an_error_that_names_what_is_there(panel):
    with pytest.raises(NothingSelectedError, match=r"metrics=row_cuont selects none.*Their metrics are: "):
        backtest(panel, [Seasonal(metrics=("row_cuont",))], slice(0, DAYS))


def test_rows_have_the_spelling_of_the_file_and_no_numbers_that_are_none(panel):
    labels = [f"day {i}" for i in range(DAYS)]
    (trial,) = backtest(panel, [Threshold(max=150)], slice(50, DAYS))
    rows = list(trial.rows(labels))
    assert [row["date"] for row in rows] == ["day 60", "day 61", "day 63", "day 80"]
    assert all(row[name] is None or np.isfinite(row[name]) for row in rows for name in ("expected", "lower", "score"))


def test_a_whole_series_is_judged_at_once_where_the_detector_can(panel):
    class Clairvoyant(Missing):
        def detect_whole(self, panel):
            return Judgement.empty(len(panel), DAYS, Outcome.ANOMALY)

    assert judge_whole(panel, Clairvoyant()).anomalies.all()
    assert judge_whole(panel, Missing()).by_kind() == {"missing": 1}  # by those before it: it has no other form
