"""Every trap that has caught a detector of time series, once: a year of days, most of it judged in one panel."""

from __future__ import annotations

import dataclasses
from datetime import date

import numpy as np
import pytest

from lupus_provider.detectors import Judgement, Outcome, Panel, Seasonal, SeriesInfo
from lupus_provider.testing.detectors import judge_all, make_panel

MONDAY = "2013-01-07"
T = 364
DAY = np.arange(T)
WEEK = np.array([0.0, 10, 20, 15, 5, -80, -90])[DAY % 7]
AVERAGE = SeriesInfo("", "x", "avg")
SHARE = SeriesInfo("", "x", "null_ratio", lower_bound=0.0, upper_bound=1.0)
COUNT = SeriesInfo("", "", "row_count", lower_bound=0.0, is_count=True)


def noise(seed: int = 0, size: float = 5.0, t: int = T) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, size, t)


def usual(seed: int = 0) -> np.ndarray:
    return 500 + WEEK + noise(seed)


def changed(value: np.ndarray, where: object, to: object) -> np.ndarray:
    result = value.copy()
    result[where] = to
    return result


def poisson(mean: float, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).poisson(mean, T).astype(float)


TRAPS: dict[str, tuple[SeriesInfo, np.ndarray]] = {
    "usual": (AVERAGE, usual()),
    "constant, then a jump": (AVERAGE, changed(np.full(T, 7.0), 300, 9.0)),
    "zero, then a jump": (AVERAGE, changed(np.zeros(T), 300, 1.0)),
    "undefined for a day": (AVERAGE, changed(usual(), 300, np.nan)),
    "group that vanishes and returns": (AVERAGE, np.where((DAY >= 100) & (DAY < 160), np.nan, usual() + 300.0 * (DAY >= 160))),
    "group that appears": (AVERAGE, np.where(DAY < 200, np.nan, usual(1))),
    "sparse counts": (COUNT, poisson(0.5)),
    "first row after a year": (COUNT, changed(changed(np.zeros(T), 300, 1.0), 330, 100.0)),
    "share at 0": (SHARE, changed(np.zeros(T), 300, 0.3)),
    "share at 1": (SHARE, changed(np.ones(T), 300, 0.6)),
    "whole numbers": (AVERAGE, changed(np.round(20 + noise(2, 0.7)), 300, 27.0)),
    "two digits": (AVERAGE, changed(np.round(0.52 + noise(3, 0.004), 2), 300, 0.61)),
    "thousandfold": (COUNT, changed(np.round(usual() * 20), slice(300, 304), np.round(usual() * 20e3)[300:304])),
    "loaded twice": (COUNT, changed(np.round(usual() * 20), 300, np.round(usual()[300] * 40))),
    "nothing": (AVERAGE, np.full(T, np.nan)),
    "one value": (AVERAGE, changed(np.full(T, np.nan), 100, 5.0)),
    "negative": (AVERAGE, changed(-3 + noise(4, 1.0), 300, 9.0)),
    "tiny": (AVERAGE, changed((5 + noise(5, 0.1)) * 1e-300, 300, 9e-300)),
    "huge": (AVERAGE, changed((5 + noise(5, 0.1)) * 1e300, 300, 9e300)),
    "perfect week": (AVERAGE, changed(500 + WEEK, 363, 520.0 + WEEK[363])),
    "last point": (AVERAGE, changed(usual(), 363, 700.0)),
    "strange Mondays": (AVERAGE, usual() + 120.0 * ((DAY % 7 == 0) & (DAY >= 182))),
    "two shifts in a week": (AVERAGE, usual() + 60.0 * (DAY >= 200) + 80.0 * (DAY >= 204)),
    "payroll": (AVERAGE, usual() + 150.0 * (DAY % 14 == 4)),
    "weekdays only": (AVERAGE, np.where(DAY % 7 < 5, usual(), np.nan)),
    "weekly job": (AVERAGE, changed(np.where(DAY % 7 == 2, 500 + noise(6), np.nan), 359, 700.0)),
    "weekly job that fails": (AVERAGE, np.where((DAY % 7 == 2) & (DAY != 345), 500 + noise(6), np.nan)),
    "one per cent a day": (AVERAGE, changed(1000 * 1.01**DAY * np.exp(noise(7, 0.01)), 300, 1000 * 1.01**300 * 0.7)),
    "outage at another noise": (AVERAGE, np.where((DAY >= 200) & (DAY < 210), 20 + noise(8, 0.1), usual())),
    "constant whole numbers": (COUNT, changed(np.full(T, 12.0), 300, 6.0)),
    "yes or no": (AVERAGE, (np.random.default_rng(9).random(T) < 0.5).astype(float)),
    "rarely yes": (AVERAGE, changed(np.zeros(T), [120, 200, 280], 1.0)),
    "lost week": (AVERAGE, np.where((DAY >= 200) & (DAY < 228), 466 + noise(10), usual())),
    "frozen": (AVERAGE, changed(usual(), slice(300, 306), usual()[299])),
    "noisier": (AVERAGE, usual() + np.where((DAY >= 300) & (DAY < 314), noise(11, 25.0), 0.0)),
    "smoothed": (AVERAGE, 500 + noise(12) * np.where((DAY >= 300) & (DAY < 330), 0.02, 1.0)),
    "drifting": (AVERAGE, usual() + 25.0 * np.clip((DAY - 300) / 30, 0, 1)),
}  # fmt: skip


@pytest.fixture(scope="module")
def panel() -> Panel:
    series = [dataclasses.replace(info, series_id=name) for name, (info, _) in TRAPS.items()]
    return make_panel(np.array([value for _, value in TRAPS.values()]), series=series, start=MONDAY)


@pytest.fixture(scope="module")
def judged(panel: Panel) -> dict[str, Judgement]:
    full = judge_all(Seasonal(), panel)
    names = [field.name for field in dataclasses.fields(Judgement)]
    return {s.series_id: Judgement(*(getattr(full, name)[i] for name in names)) for i, s in enumerate(panel.series)}


def alarms(judgement: Judgement, first: int = 60, last: int = T) -> list[int]:
    found = np.flatnonzero(judgement.outcome == Outcome.ANOMALY)
    return found[(found >= first) & (found < last)].tolist()


@pytest.mark.parametrize(
    "name",
    [
        "constant, then a jump", "zero, then a jump", "share at 0", "share at 1", "whole numbers", "two digits", "loaded twice", "negative",
        "tiny", "huge", "one per cent a day", "constant whole numbers",
    ],
)  # fmt: skip
def test_one_strange_day_is_flagged_and_hardly_another(judged: dict[str, Judgement], name: str) -> None:
    found = alarms(judged[name])
    assert 300 in found
    assert len(found) <= 3


@pytest.mark.parametrize(("name", "day"), [("perfect week", 363), ("last point", 363), ("weekly job", 359)])
def test_an_anomaly_at_the_end_is_flagged(judged: dict[str, Judgement], name: str, day: int) -> None:
    assert day in alarms(judged[name])


def test_a_usual_year_and_a_perfect_week_are_quiet(judged: dict[str, Judgement]) -> None:
    assert len(alarms(judged["usual"])) <= 1
    assert alarms(judged["perfect week"], 0, 363) == []


def test_an_undefined_value_is_no_data_or_missing_but_never_normal(judged: dict[str, Judgement]) -> None:
    assert judged["undefined for a day"].kind[300] == "missing"
    assert np.isnan(judged["undefined for a day"].score[300])


def test_no_value_at_all_and_one_value_are_never_strange(judged: dict[str, Judgement]) -> None:
    assert (judged["nothing"].outcome == Outcome.NO_DATA).all()
    assert alarms(judged["one value"], 0) == []


def test_a_group_that_returns_is_not_judged_by_its_old_life(judged: dict[str, Judgement]) -> None:
    outcome = judged["group that vanishes and returns"].outcome
    assert (outcome[160:174] == Outcome.TOO_SHORT).all()
    assert len(alarms(judged["group that vanishes and returns"], 160)) <= 1


def test_a_vanished_group_is_told_for_two_weeks_and_no_longer(judged: dict[str, Judgement]) -> None:
    outcome = judged["group that vanishes and returns"].outcome
    assert (outcome[100:114] == Outcome.ANOMALY).all()
    assert (outcome[114:160] == Outcome.NO_DATA).all()


def test_a_group_that_appears_begins_too_short(judged: dict[str, Judgement]) -> None:
    outcome = judged["group that appears"].outcome
    assert (outcome[:200] == Outcome.NO_DATA).all()
    assert (outcome[200:214] == Outcome.TOO_SHORT).all()
    assert len(alarms(judged["group that appears"], 200)) <= 1


def test_counts_near_zero_are_judged_by_the_noise_of_counting(judged: dict[str, Judgement]) -> None:
    assert len(alarms(judged["sparse counts"])) <= 1


def test_one_row_after_a_year_of_none_is_no_alarm_but_a_hundred_are(judged: dict[str, Judgement]) -> None:
    assert 300 not in alarms(judged["first row after a year"])
    assert 330 in alarms(judged["first row after a year"])


def test_a_change_of_unit_is_told_as_one(judged: dict[str, Judgement]) -> None:
    assert judged["thousandfold"].kind[300] == "unit_change"


def test_the_new_rhythm_of_mondays_is_learnt_after_three_weeks(judged: dict[str, Judgement]) -> None:
    found = alarms(judged["strange Mondays"], 182)
    assert {182, 189} <= set(found)
    assert len([day for day in found if day > 210]) <= 2


def test_two_shifts_in_a_week_are_both_found_and_then_it_is_quiet(judged: dict[str, Judgement]) -> None:
    found = alarms(judged["two shifts in a week"], 200)
    assert 200 in found
    assert 204 in found or 205 in found
    assert len([day for day in found if day > 210]) <= 1


def test_every_second_payday_is_no_alarm_once_the_tail_is_known(judged: dict[str, Judgement]) -> None:
    assert len(alarms(judged["payroll"], 100)) <= 1


def test_a_job_on_weekdays_does_not_miss_the_weekend(judged: dict[str, Judgement]) -> None:
    assert len(alarms(judged["weekdays only"])) <= 1


def test_a_weekly_job_is_missed_on_its_day(judged: dict[str, Judgement]) -> None:
    found = alarms(judged["weekly job that fails"])
    assert found == [345]
    assert judged["weekly job that fails"].kind[345] == "missing"


def test_after_an_outage_at_another_noise_the_old_band_is_back(judged: dict[str, Judgement]) -> None:
    it = judged["outage at another noise"]
    assert 200 in alarms(it)
    assert len(alarms(it, 212)) <= 1
    assert (it.upper - it.lower)[250] < 2 * (it.upper - it.lower)[190]


def test_yes_or_no_is_never_strange_and_a_rare_yes_at_first(judged: dict[str, Judgement]) -> None:
    assert len(alarms(judged["yes or no"])) <= 2
    assert 120 in alarms(judged["rarely yes"])


def test_a_lost_week_is_told_and_so_soon_forgotten_when_it_is_back(judged: dict[str, Judgement]) -> None:
    it = judged["lost week"]
    assert alarms(it, 200, 214) != []
    assert alarms(it, 240) == []


@pytest.mark.parametrize(
    ("name", "kind", "until"),
    [
        ("frozen", "stale", 304),
        ("noisier", "variance", 314),
        ("smoothed", "smoothing", 330),
        ("drifting", "trend", 340),
    ],
)
def test_slow_changes_are_told_by_their_names(judged: dict[str, Judgement], name: str, kind: str, until: int) -> None:
    assert kind in judged[name].kind[300:until]


def test_the_judged_point_is_never_in_its_own_baseline(panel: Panel) -> None:
    value = usual()
    one = judge_all(Seasonal(), make_panel(value, start=MONDAY))
    other = judge_all(Seasonal(), make_panel(changed(value, 363, 1e9), start=MONDAY))
    assert one.expected[0, 363] == other.expected[0, 363]
    assert one.upper[0, 363] == other.upper[0, 363]


def test_backfilled_days_are_learnt_as_if_they_had_always_been_there(panel: Panel) -> None:
    late = make_panel(changed(usual(), slice(290, 295), np.nan), start=MONDAY)
    assert (judge_all(Seasonal(), late).outcome[0, 290:295] == Outcome.ANOMALY).all()
    late.value[0, 290:295] = usual()[290:295]
    late.present[:] = True
    whole = judge_all(Seasonal(), make_panel(usual(), start=MONDAY))
    assert np.array_equal(judge_all(Seasonal(), late).expected, whole.expected, equal_nan=True)


@pytest.mark.parametrize("start", ["2012-01-02", "2011-01-03"])
def test_a_leap_day_shifts_nothing(start: str) -> None:
    value = np.tile(500 + WEEK[:7], 120)
    judgement = judge_all(Seasonal(), make_panel(value, start=start))
    assert not (judgement.outcome == Outcome.ANOMALY).any()
    assert np.abs(judgement.expected[0, 60:] - value[60:]).max() < 0.05


def test_a_holiday_that_moves_is_forecast_from_last_years(panel: Panel) -> None:
    value = 500 + noise(13, 5.0, 1096)
    days = np.datetime64("2011-01-03") + np.arange(1096)
    for thanksgiving in ("2011-11-24", "2012-11-22", "2013-11-28"):
        value[days == np.datetime64(thanksgiving)] -= 200
    judgement = judge_all(Seasonal(holidays="US"), make_panel(value, start="2011-01-03"))
    at = int(np.flatnonzero(days == np.datetime64("2013-11-28"))[0])
    assert judgement.outcome[0, at] == Outcome.NORMAL
    assert judgement.expected[0, at] < 400
    value[at] += 200  # open on Thanksgiving
    assert judge_all(Seasonal(holidays="US"), make_panel(value, start="2011-01-03")).kind[0, at] == "spike"


def test_the_ends_of_months_are_learnt_whatever_their_number() -> None:
    days = np.datetime64("2011-01-01") + np.arange(1096)
    last = (days + 1).astype("datetime64[M]") != days.astype("datetime64[M]")
    value = np.exp(6 + noise(14, 0.02, 1096) + 0.5 * last)
    outcome = judge_all(Seasonal(), make_panel(value, start="2011-01-01")).outcome[0]
    february = np.flatnonzero(np.isin(days, np.array(["2012-02-29", "2013-02-28"], "datetime64[D]")))
    assert (outcome[february] == Outcome.NORMAL).all()
    assert (outcome[last][6:] == Outcome.ANOMALY).sum() <= 1


@pytest.mark.parametrize("holidays", ["US", None])
def test_a_new_year_in_the_first_two_weeks_does_not_spoil_its_weekday(holidays: str | None) -> None:
    value = usual()
    value[1] = 50.0
    judgement = judge_all(Seasonal(holidays=holidays), make_panel(value, start="2012-12-31"))
    assert (judgement.outcome[0, 42:] == Outcome.ANOMALY).sum() <= 1
    assert np.abs(judgement.expected - value)[0, 42:].max() < 40


def test_the_first_weeks_are_too_short_and_not_normal(judged: dict[str, Judgement]) -> None:
    outcome = judged["usual"].outcome
    assert (outcome[:14] == Outcome.TOO_SHORT).all()
    assert (outcome[14:] != Outcome.TOO_SHORT).all()


def marked(value: np.ndarray, **spans: slice) -> Panel:
    panel = make_panel(value, start=MONDAY)
    masks = {name: np.zeros(panel.value.shape, bool) for name in spans}
    for name, span in spans.items():
        masks[name][:, span] = True
    return dataclasses.replace(panel, **masks)


def test_a_labelled_new_normal_is_accepted_at_once() -> None:
    value = usual() * np.where(DAY >= 300, 1.4, 1.0)
    outcome = judge_all(Seasonal(), marked(value, split=slice(300, 301))).outcome[0]
    assert outcome[300] == Outcome.TOO_SHORT
    assert not (outcome[301:] == Outcome.ANOMALY).any()
    assert (judge_all(Seasonal(), make_panel(value, start=MONDAY)).outcome[0, 300:303] == Outcome.ANOMALY).all()


def test_a_labelled_false_alarm_is_excused_and_teaches_nothing() -> None:
    value = changed(usual(), slice(300, 310), 900.0)
    one = judge_all(Seasonal(), marked(value, excluded=slice(300, 310)))
    other = judge_all(Seasonal(), marked(changed(value, slice(300, 310), 700.0), excluded=slice(300, 310)))
    assert (one.outcome[0, 300:310] == Outcome.EXCUSED).all()
    assert not (one.outcome[0, 310:] == Outcome.ANOMALY).any()
    assert np.array_equal(one.expected[0, 310:], other.expected[0, 310:])


def test_a_planned_outage_is_not_missed() -> None:
    value = changed(usual(), slice(300, 305), np.nan)
    outcome = judge_all(Seasonal(), marked(value, excluded=slice(300, 305))).outcome[0]
    assert (outcome[300:305] == Outcome.NO_DATA).all()


def test_own_special_days_are_forecast_from_the_last_one() -> None:
    days = np.datetime64(MONDAY) + np.arange(T)
    sales = [100, 200, 300]
    value = changed(usual(), sales, 900.0)
    own = {"sale": tuple(days[sales].tolist())}
    assert isinstance(own["sale"][0], date)
    found = judge_all(Seasonal(special_days=own), make_panel(value, start=MONDAY)).outcome[0]
    assert (found[[200, 300]] == Outcome.NORMAL).all()
    assert (judge_all(Seasonal(), make_panel(value, start=MONDAY)).outcome[0, sales] == Outcome.ANOMALY).all()


def test_few_rows_widen_the_band() -> None:
    rng = np.random.default_rng(15)
    rows = np.where(rng.random((20, T)) < 0.5, 20.0, 2000.0)
    rows[:, -2:] = 20.0, 2000.0
    value = 100 + rng.normal(size=(20, T)) * np.sqrt(0.2 + 400 / rows)
    judgement = judge_all(Seasonal(), make_panel(value, n_rows=rows, start=MONDAY))
    width = judgement.upper - judgement.lower
    assert np.median(width[:, -2] / width[:, -1]) > 2
