from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from pydantic import ValidationError

from lupus_provider.detectors import Judgement, Outcome, Panel, Seasonal, SeriesInfo
from lupus_provider.testing.detectors import judge_all, make_panel

WEEK = np.array([0.0, 10, 20, 15, 5, -80, -90])
SHARE = SeriesInfo("share", "x", "null_ratio", lower_bound=0.0, upper_bound=1.0)
COUNT = SeriesInfo("count", "", "row_count", lower_bound=0.0, is_count=True)
MONDAY = "2013-01-07"


def noisy(t: int = 200, seed: int = 0, week: float = 1.0) -> np.ndarray:
    return 500 + week * WEEK[np.arange(t) % 7] + np.random.default_rng(seed).normal(0, 5, t)


def judge(
    value: np.ndarray, series: SeriesInfo | None = None, n_rows: object = 1000.0, **parameters: object
) -> Judgement:
    panel = make_panel(value, series=None if series is None else [series], start=MONDAY, n_rows=n_rows)
    return judge_all(Seasonal(**parameters), panel)


def many(series: SeriesInfo, n: int) -> list[SeriesInfo]:
    return [dataclasses.replace(series, series_id=str(i)) for i in range(n)]


@pytest.mark.parametrize(("change", "kind"), [(60, "spike"), (-60, "dip")])
def test_an_anomaly_on_the_last_point_is_found(change: float, kind: str) -> None:
    value = noisy()
    value[-1] += change
    judgement = judge(value)
    assert np.flatnonzero(judgement.outcome[0] == Outcome.ANOMALY).tolist() == [199]
    assert judgement.kind[0, -1] == kind


def test_a_sunday_like_a_monday_is_strange() -> None:
    value = noisy(196)
    value[-1] = 500.0
    assert judge(value).kind[0, -1] == "spike"
    assert judge(value, season_length=1).outcome[0, -1] == Outcome.NORMAL


def test_the_default_raises_about_as_many_false_alarms_as_it_states() -> None:
    value = np.array([noisy(549, seed) for seed in range(100)])
    flagged = judge_all(Seasonal(), make_panel(value)).outcome[:, 184:] == Outcome.ANOMALY
    starts = flagged[:, 1:] & ~flagged[:, :-1]
    assert 0.3 < starts.sum() / 100 < 1.5


def test_a_value_that_does_not_come_is_missing_unless_another_detector_tells_it() -> None:
    value = noisy()
    value[-1] = np.nan
    assert judge(value).kind[0, -1] == "missing"
    assert judge(value, missing=False).outcome[0, -1] == Outcome.NO_DATA


def test_a_table_of_fixed_size_alarms_when_it_halves() -> None:
    value = np.full(100, 1000.0)
    value[-1] = 500.0
    assert judge(value, COUNT).kind[0, -1] == "dip"


def test_a_share_of_few_rows_is_judged_by_the_noise_of_drawing_them() -> None:
    value = np.zeros(100)
    value[-1] = 0.5
    assert judge(value, SHARE, n_rows=2).outcome[0, -1] == Outcome.NORMAL
    assert judge(value, SHARE, n_rows=2000).outcome[0, -1] == Outcome.ANOMALY


def test_bounds_of_the_metric_cut_the_band() -> None:
    value = 1 - 0.01 * np.random.default_rng(0).random(100)
    judgement = judge(value, SHARE)
    assert np.nanmax(judgement.upper) == 1.0
    assert judgement.upper[0, 50] == 1.0


def test_mostly_zero_shares_do_not_flag_every_other_value() -> None:
    rng = np.random.default_rng(0)
    value = np.where(rng.random((50, 365)) < 0.8, 0.0, rng.random((50, 365)) * 0.1)
    outcome = judge_all(Seasonal(), make_panel(value, series=many(SHARE, 50))).outcome
    assert (outcome == Outcome.ANOMALY).mean() < 0.005  # a fifth of the values is not zero


def test_worse_is_told_from_bad_far_out_in_the_tail() -> None:
    scores = []
    for change in (40.0, 80.0, 200.0, 1000.0):
        value = noisy()
        value[-1] += change
        scores.append(judge(value).score[0, -1])
    assert scores == sorted(scores, reverse=True)
    assert len(set(scores)) == 4
    assert scores[-1] > 0


def test_the_score_crosses_the_stated_probability_where_the_band_ends() -> None:
    value = np.array([noisy(200, seed) for seed in range(20)])
    value[:, -1] += np.linspace(-60, 60, 20)
    judgement = judge_all(Seasonal(), make_panel(value))
    probable = judgement.score[:, -1] >= Seasonal().plan("day").probability
    inside = (value[:, -1] <= judgement.upper[:, -1]) & (value[:, -1] >= judgement.lower[:, -1])
    assert (probable == inside).sum() >= 19
    assert 0 < probable.sum() < 20


def test_a_change_of_unit_changes_nothing() -> None:
    value = noisy()
    value[150] += 70
    one, other = judge(value), judge(value * 1024)
    assert (one.outcome == other.outcome).all()
    assert np.allclose(one.score, other.score, equal_nan=True)


def test_more_sensitive_means_a_narrower_band_around_the_same_forecast() -> None:
    calm, keen = judge(noisy(), false_alarms_per_series_year=0.25), judge(noisy(), false_alarms_per_series_year=4)
    seen = np.isfinite(calm.expected)
    assert np.array_equal(calm.expected, keen.expected, equal_nan=True)
    assert (keen.upper < calm.upper)[seen].all()
    assert np.array_equal(calm.score, keen.score, equal_nan=True)


def test_a_step_is_told_as_a_jump_on_its_third_day_and_then_is_normal() -> None:
    value = noisy(300)
    value[200:] += 100
    judgement = judge(value)
    assert judgement.kind[0, 200:203].tolist() == ["spike", "spike", "level_shift"]
    assert (judgement.outcome[0, 203:] == Outcome.ANOMALY).sum() <= 1


def test_the_way_back_to_the_old_level_is_no_alarm() -> None:
    value = noisy(300)
    value[200:215] += 100
    assert not (judge(value).outcome[0, 215:220] == Outcome.ANOMALY).any()


def test_the_rate_of_false_discoveries_lets_go_of_lonely_weak_alarms_only() -> None:
    rng = np.random.default_rng(1)
    value = 500 + rng.normal(0, 5, (60, 120))
    value[0, 100] += 100
    value[1:30, 110] += 40
    plain = judge_all(Seasonal(false_alarms_per_series_year=12), make_panel(value))
    strict = judge_all(Seasonal(false_alarms_per_series_year=12, false_discovery_rate=0.05), make_panel(value))
    single = np.isin(plain.kind, ("spike", "dip"))
    assert strict.outcome[0, 100] == Outcome.ANOMALY
    assert (strict.outcome[1:30, 110] == Outcome.ANOMALY).sum() > 20
    let_go = single & (strict.outcome == Outcome.NORMAL)
    assert let_go.any()
    assert ((value <= strict.upper) & (value >= strict.lower))[let_go].all()
    assert (strict.outcome == plain.outcome)[~let_go].all()


def local_hours(start: str, days: int, skipped: str | None, doubled: str | None) -> np.ndarray:
    hours = np.arange(np.datetime64(start, "h"), np.datetime64(start, "h") + 24 * days)
    if skipped is not None:
        hours = hours[hours != np.datetime64(skipped, "h")]
    if doubled is not None:
        hours = np.sort(np.append(hours, np.datetime64(doubled, "h")))
    return hours.astype("datetime64[us]")


@pytest.mark.parametrize("change", [{"skipped": "2013-03-10T02"}, {"doubled": "2013-03-10T01"}])
def test_a_day_of_23_or_25_hours_does_not_shift_the_profile(change: dict[str, str]) -> None:
    local = local_hours("2013-02-25T00", 30, change.get("skipped"), change.get("doubled"))
    hour = local.astype("datetime64[h]").astype(int) % 24
    value = 100 + 50 * np.sin(hour / 24 * 2 * np.pi) + np.random.default_rng(0).normal(0, 1, len(local))
    panel = make_panel(value, period="hour")
    panel = dataclasses.replace(panel, local_start=local)
    judgement = judge_all(Seasonal(season_length=24), panel)
    after = local > np.datetime64("2013-03-11")
    assert np.abs(judgement.expected[0, after] - value[after]).max() < 8
    assert (judgement.outcome[0, after] == Outcome.ANOMALY).sum() <= 1


@pytest.mark.parametrize(("period", "t"), [("hour", 24 * 28), ("week", 60), ("month", 48)])
def test_every_period_has_a_default_season(period: str, t: int) -> None:
    value = 100 + np.random.default_rng(0).normal(size=t)
    value[-1] += 30
    outcome = judge_all(Seasonal(), make_panel(value, period=period)).outcome[0]
    assert outcome[-1] == Outcome.ANOMALY


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 79), st.floats(0, 0.5))
def test_no_later_period_changes_what_was_said(seed: int, stop: int, gaps: float) -> None:
    rng = np.random.default_rng(seed)
    value = rng.standard_t(2, (3, 80)) + 3 * WEEK[np.arange(80) % 7]
    value[rng.random((3, 80)) < gaps] = np.nan
    panel = make_panel(value)
    full, prefix = judge_all(Seasonal(), panel), judge_all(Seasonal(), panel.before(stop))
    for field in dataclasses.fields(Judgement):
        left, right = getattr(prefix, field.name), getattr(full, field.name)[:, :stop]
        assert (left == right).all() if left.dtype == object else np.array_equal(left, right, equal_nan=True)


@settings(max_examples=8, deadline=None)
@given(st.permutations(range(5)), st.integers(0, 2**32 - 1))
def test_the_order_of_series_changes_nothing(order: list[int], seed: int) -> None:
    panel = make_panel(np.random.default_rng(seed).standard_t(2, (5, 60)))
    one, other = judge_all(Seasonal(), panel), judge_all(Seasonal(), permuted(panel, order))
    assert np.array_equal(one.score[order], other.score, equal_nan=True)
    assert (one.outcome[order] == other.outcome).all()


def permuted(panel: Panel, order: list[int]) -> Panel:
    return panel.select(np.array(order))


def test_a_changed_parameter_is_another_detector_and_a_changed_severity_is_not() -> None:
    assert Seasonal().key != Seasonal(false_alarms_per_series_year=2).key
    assert Seasonal().key != Seasonal(holidays="US").key
    assert Seasonal().key != Seasonal(special_days={"sale": ("2013-11-11",)}).key
    assert Seasonal().key == Seasonal(severity="critical", metrics=("avg",), groups=("",)).key


@pytest.mark.parametrize(
    "parameters",
    [{"holidays": "usa"}, {"false_alarms_per_series_year": 0}, {"false_discovery_rate": 1.5}, {"sigma": 3}],
)
def test_impossible_parameters_are_refused(parameters: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Seasonal(**parameters)
