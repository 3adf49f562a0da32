from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pytest
from pydantic import ValidationError

from lupus_provider.detectors import Judgement, Outcome, SeasonalHybridEsd, SeriesInfo
from lupus_provider.testing.detectors import check_detector, judge_all, make_panel

WEEK = np.array([100.0, 110, 120, 115, 105, 20, 10])


def found(judgement: Judgement, row: int = 0) -> list[int]:
    return np.flatnonzero(judgement.outcome[row] == Outcome.ANOMALY).tolist()


@pytest.mark.parametrize(
    "detector",
    [
        SeasonalHybridEsd(direction="up", threshold="p95"), SeasonalHybridEsd(direction="down", alpha=0.3, max_anomaly_ratio=0.4),
        SeasonalHybridEsd(season_length=1, seasons=3), SeasonalHybridEsd(season_length=3, seasons=6, least_seasons=2),
        SeasonalHybridEsd(threshold="med_max", threshold_by="day", compatible="r"),
    ],
    ids=lambda detector: detector.key,
)  # fmt: skip
def test_the_laws_of_the_shelf_hold_for_other_parameters(detector: SeasonalHybridEsd) -> None:
    check_detector(detector)


@pytest.mark.parametrize("period", ["hour", "week", "month"])
def test_the_laws_of_the_shelf_hold_for_other_periods(period: Literal["hour", "week", "month"]) -> None:
    panel = make_panel(np.random.default_rng(0).normal(size=(3, 70)), period=period)
    check_detector(SeasonalHybridEsd(season_length=4), panel)


def weeks(count: int = 20, noise: float = 2.0, seed: int = 0) -> np.ndarray:
    return np.tile(WEEK, count) + np.random.default_rng(seed).normal(0, noise, 7 * count)


def judge(value: np.ndarray, **parameters: Any) -> Judgement:
    return judge_all(SeasonalHybridEsd(**parameters), make_panel(value, start="2013-01-07"))


@pytest.mark.parametrize(("change", "kind"), [(30, "spike"), (-30, "dip")])
def test_a_value_far_from_its_season_is_flagged_by_direction(change: float, kind: str) -> None:
    value = weeks()
    value[-2] += change
    judgement = judge(value)
    assert judgement.kind[0, -2] == kind
    assert judgement.score[0, -2] < 1e-6
    assert judgement.expected[0, -2] == pytest.approx(20, abs=3)
    opposite = "down" if change > 0 else "up"
    assert judge(value, direction=opposite).outcome[0, -2] == Outcome.NORMAL


def test_what_is_usual_on_one_weekday_is_strange_on_another() -> None:
    value = weeks()
    value[-1] = 100.0  # a Sunday like a Monday
    assert found(judge(value))[-1] == 139


def test_the_judged_value_is_not_in_its_own_baseline() -> None:
    value = weeks()
    band = judge(value)
    value[-1] = 1e9
    other = judge(value)
    assert (band.lower[0, -1], band.upper[0, -1]) == (other.lower[0, -1], other.upper[0, -1])


def test_past_anomalies_do_not_hide_the_next() -> None:
    value = weeks()
    value[[-20, -13, -9, -6, -2]] += 60
    assert set(found(judge(value))) >= {120, 127, 131, 134, 138}


def test_noise_raises_few_alarms_from_the_first_weeks_on() -> None:
    panel = make_panel(np.random.default_rng(0).normal(size=(200, 150)))
    young, old = (SeasonalHybridEsd().detect(panel, when).outcome for when in (slice(35, 63), slice(140, 150)))
    assert (young == Outcome.ANOMALY).mean() < 0.006
    assert (old == Outcome.ANOMALY).mean() < 0.003


def test_a_score_below_alpha_over_the_number_of_values_is_an_alarm() -> None:
    value = weeks()
    for change in np.linspace(-12, 12, 13):
        value[-1] = 10 + change
        judgement = judge(value, max_anomaly_ratio=0.01)
        # the window of 91 may lose an outlier or two, never more
        if judgement.score[0, -1] < 0.05 / 92:
            assert judgement.outcome[0, -1] == Outcome.ANOMALY
        if judgement.score[0, -1] > 0.05 / 88:
            assert judgement.outcome[0, -1] == Outcome.NORMAL


def test_too_little_history_is_too_short_until_every_place_of_the_season_is_known() -> None:
    outcome = judge(weeks(7)).outcome[0]
    assert (outcome[:35] == Outcome.TOO_SHORT).all()
    assert not (outcome[35:] == Outcome.TOO_SHORT).any()


def test_a_job_of_weekdays_only_is_judged_on_weekdays_and_a_sunday_is_too_short() -> None:
    value = weeks()
    value[np.arange(140) % 7 > 4] = np.nan
    value[139] = 10.0
    value[130] += 60  # a Friday
    judgement = judge(value)
    assert found(judgement) == [130]
    assert judgement.outcome[0, 139] == Outcome.TOO_SHORT
    assert judgement.outcome[0, 138] == Outcome.NO_DATA


def test_an_anomaly_on_every_monday_is_the_season() -> None:
    value = np.random.default_rng(0).normal(size=210) + 40 * (np.arange(210) % 7 == 0)
    assert len(found(judge(value))) <= 1


def test_zero_variance_and_then_a_jump_is_an_alarm() -> None:
    for level in (0.0, 0.1, 1e300):
        value = np.full(90, level)
        value[-1] = level + max(abs(level), 1.0) / 1e6
        assert found(judge(value)) == [89]


def test_a_year_of_a_perfect_week_and_one_other_day() -> None:
    value = np.tile(WEEK, 52)
    value[300] += 1
    assert found(judge(value)) == [300]


def test_mostly_equal_values_do_not_make_every_other_value_strange() -> None:
    value = np.where(np.random.default_rng(0).random(200) < 0.1, 1.0, 0.0)
    assert len(found(judge(value))) < 0.5 * value[28:].sum()


def test_after_a_gap_of_sixty_days_the_season_is_still_known() -> None:
    value = weeks(30)
    value[100:160] = np.nan
    value[165] += 60
    judgement = judge(value, seasons=18)
    assert found(judgement) == [165]
    assert (judgement.outcome[0, 100:160] == Outcome.NO_DATA).all()


@pytest.mark.parametrize("factor", [1e-300, 1e-3, 1e3, 1e300])
def test_another_unit_changes_no_verdict(factor: float) -> None:
    value = weeks()
    value[[60, 100]] += [60, -60]
    mine, other = judge(value / 100), judge(factor * value / 100)
    assert (mine.outcome == other.outcome).all()
    assert len(found(mine)) >= 2


def test_bounds_of_the_metric_cut_the_band() -> None:
    share = SeriesInfo("s", "x", "null_ratio", lower_bound=0.0, upper_bound=1.0)
    value = np.clip(np.random.default_rng(0).normal(0.01, 0.01, 90), 0, 1)
    assert judge_all(SeasonalHybridEsd(), make_panel(value, series=[share])).lower[0, -1] == 0.0


def test_a_day_of_23_hours_shifts_nothing() -> None:
    day = 100 + 50 * np.sin(2 * np.pi * np.arange(24) / 24)
    clock = np.arange(np.datetime64("2013-02-01T00", "h"), np.datetime64("2013-04-10T00", "h"))
    clock = clock[clock != np.datetime64("2013-03-10T02", "h")]
    value = day[clock.astype(np.int64) % 24] + np.random.default_rng(0).normal(size=len(clock))
    panel = replace(make_panel(value, period="hour"), local_start=clock.astype("datetime64[us]"))
    judgement = judge_all(SeasonalHybridEsd(season_length=24), panel)
    after = slice(888, None)
    assert np.abs(judgement.expected[0, after] - day[clock[after].astype(np.int64) % 24]).max() < 2


def test_without_a_season_the_values_themselves_are_tested() -> None:
    value = np.random.default_rng(0).normal(size=100)
    value[70] = 12
    panel = make_panel(value, period="week")
    assert found(judge_all(SeasonalHybridEsd(), panel)) == [70]
    assert found(SeasonalHybridEsd().detect_whole(panel)) == [70]


def test_the_threshold_holds_day_by_day_too() -> None:
    value = weeks()
    value[[118, 132, 139]] += [-60, 60, 130]  # Sundays
    assert set(found(judge(value))) >= {118, 132, 139}
    assert found(judge(value, threshold="med_max")) == [139]


# parameters


def test_the_spelling_of_r_is_understood_and_is_the_same_detector() -> None:
    assert SeasonalHybridEsd.model_validate({"direction": "pos"}).key == SeasonalHybridEsd(direction="up").key
    assert SeasonalHybridEsd.model_validate({"direction": "neg"}).key == SeasonalHybridEsd(direction="down").key
    with pytest.raises(ValidationError, match="'up', 'down' or 'both'"):
        SeasonalHybridEsd.model_validate({"direction": "sideways"})


def test_dips_with_a_threshold_for_spikes_are_refused() -> None:
    with pytest.raises(ValidationError, match="direction down and threshold 'p95', which tells spikes only"):
        SeasonalHybridEsd(direction="down", threshold="p95")


def test_a_changed_parameter_is_another_detector() -> None:
    changed: list[dict[str, Any]] = [
        {}, {"season_length": 7}, {"max_anomaly_ratio": 0.2}, {"alpha": 0.01}, {"direction": "up"}, {"seasons": 8},
        {"least_seasons": 6}, {"piecewise_weeks": 2}, {"threshold": "p95"}, {"threshold": "p99"}, {"threshold_by": "day"},
        {"only_last": "season"}, {"compatible": "r"},
    ]  # fmt: skip
    assert len({SeasonalHybridEsd(**parameters).key for parameters in changed}) == len(changed)
