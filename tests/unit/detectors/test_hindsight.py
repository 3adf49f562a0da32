from __future__ import annotations

import csv
import gzip
from dataclasses import fields, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from lupus_provider.detectors import Judgement, Outcome, SeasonalHybridEsd
from lupus_provider.detectors.hindsight import usual_highs
from lupus_provider.testing.detectors import check_answers, make_panel, panel_of_troubles

GOLDEN = Path(__file__).parents[2] / "golden" / "shesd"
WEEK = np.array([100.0, 110, 120, 115, 105, 20, 10])
QUIRK = {"nyc_taxi_p336_neg_m0.05"}
"""Where R's median of the residuals is none, and a position depends on it."""


@cache
def golden(name: str, key: str) -> dict[str, list[dict[str, str]]]:
    with gzip.open(GOLDEN / name, "rt") as file:
        rows: dict[str, list[dict[str, str]]] = {}
        for row in csv.DictReader(file):
            rows.setdefault(row[key], []).append(row)
        return rows


with (GOLDEN / "cases.csv").open() as listed:
    CASES = list(csv.DictReader(listed))


def judge_case(case: dict[str, str], compatible: Literal["exact", "r"]) -> tuple[np.ndarray, Judgement]:
    value = np.array([float(row["value"]) for row in golden("inputs.csv.gz", "series")[case["series"]]])
    detector = SeasonalHybridEsd(
        season_length=int(case["season_length"]), max_anomaly_ratio=float(case["max_anomaly_ratio"]), alpha=float(case["alpha"]),
        direction=case["direction"], compatible=compatible,
    )  # fmt: skip
    return value, detector.detect_whole(make_panel(value))


def found(judgement: Judgement, row: int = 0) -> list[int]:
    return np.flatnonzero(judgement.outcome[row] == Outcome.ANOMALY).tolist()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_positions_values_and_expected_values_equal_those_of_the_r_package(case: dict[str, str]) -> None:
    theirs = golden("expected.csv.gz", "case").get(case["case"], [])
    value, judgement = judge_case(case, "r")
    places = found(judgement)
    assert len(theirs) == int(case["anomalies"])
    assert places == [int(row["index"]) for row in theirs]
    assert value[places] == pytest.approx([float(row["value"]) for row in theirs], rel=1e-11)  # R prints 12 digits
    assert judgement.expected[0, places].tolist() == [float(row["expected"]) for row in theirs]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_with_an_exact_median_all_positions_but_those_of_the_quirk_are_the_same(case: dict[str, str]) -> None:
    theirs = golden("expected.csv.gz", "case").get(case["case"], [])
    _, judgement = judge_case(case, "exact")
    assert (found(judgement) == [int(row["index"]) for row in theirs]) == (case["case"] not in QUIRK)
    near = judgement.expected[0, [int(row["index"]) for row in theirs]]
    scale = max((abs(float(row["expected"])) for row in theirs), default=0.0)
    assert all(abs(a - float(row["expected"])) < 1 + 0.01 * scale for a, row in zip(near, theirs, strict=True))


# rules of our own


def weeks(count: int = 20, noise: float = 2.0, seed: int = 0) -> np.ndarray:
    return np.tile(WEEK, count) + np.random.default_rng(seed).normal(0, noise, 7 * count)


def test_hindsight_also_sees_the_first_weeks_and_what_came_later() -> None:
    value = weeks()
    value[[3, 139]] += [60, -60]
    judgement = SeasonalHybridEsd().detect_whole(make_panel(value))
    assert found(judgement) == [3, 139]
    assert judgement.kind[0, [3, 139]].tolist() == ["spike", "dip"]


def test_what_is_missing_at_the_ends_is_cut_off_and_a_gap_is_not_tested() -> None:
    value = weeks()
    value[[30, 60]] += 60
    whole = SeasonalHybridEsd().detect_whole(make_panel(value))
    longer = np.concatenate([np.full(5, np.nan), value, np.full(9, np.nan)])
    cut = SeasonalHybridEsd().detect_whole(make_panel([longer, np.r_[value, np.full(14, np.nan)]]))
    for row, start in ((0, 5), (1, 0)):
        for field in fields(Judgement):
            left, right = getattr(whole, field.name)[0], getattr(cut, field.name)[row, start : start + 140]
            assert (left == right).all(), field.name
    value[50:58] = np.nan
    gap = SeasonalHybridEsd().detect_whole(make_panel(value))
    assert found(gap) == [30, 60]
    assert (gap.outcome[0, 50:58] == Outcome.NO_DATA).all()


def test_less_than_two_seasons_and_no_value_at_all_are_not_judged() -> None:
    judgement = SeasonalHybridEsd().detect_whole(make_panel([weeks(2)[:13], np.full(13, np.nan)]))
    assert (judgement.outcome[0] == Outcome.TOO_SHORT).all()
    assert (judgement.outcome[1] == Outcome.NO_DATA).all()


def test_a_constant_series_has_no_anomaly_in_hindsight_and_its_one_jump_is_one() -> None:
    value = np.full((2, 90), 0.1)
    value[1, 44] = 0.2
    judgement = SeasonalHybridEsd().detect_whole(make_panel(value))
    assert (found(judgement, 0), found(judgement, 1)) == ([], [44])
    assert found(SeasonalHybridEsd(compatible="r").detect_whole(make_panel(value)), 1) == []


def test_only_the_last_season_day_or_hour_is_told() -> None:
    value = weeks(20, seed=3)
    value[[50, 135, 139]] += 60
    panel = make_panel(value)
    assert found(SeasonalHybridEsd().detect_whole(panel)) == [50, 135, 139]
    last = SeasonalHybridEsd(only_last="season").detect_whole(panel)
    assert found(last) == [135, 139]
    assert last.outcome[0, 50] == Outcome.NORMAL
    assert np.isnan(last.upper[0, 50])
    assert found(SeasonalHybridEsd(only_last="day").detect_whole(panel)) == [139]
    hours = make_panel(np.tile(value, 2), period="hour", start="2013-01-07")
    assert found(SeasonalHybridEsd(season_length=7, only_last="hour").detect_whole(hours)) == [279]


def test_long_series_in_blocks_follow_a_level_that_moves() -> None:
    value = weeks(40) + np.repeat([0.0, 400.0, -300.0, 800.0], 70)
    value[100] += 60
    assert 100 not in found(SeasonalHybridEsd().detect_whole(make_panel(value)))
    assert found(SeasonalHybridEsd(piecewise_weeks=10, alpha=1e-4).detect_whole(make_panel(value))) == [100]


def test_the_last_block_is_cut_backwards_and_adds_to_the_one_before() -> None:
    value = weeks(25, seed=2)
    value[[72, 130, 160, 172]] += [60, -60, 60, 60]
    judgement = SeasonalHybridEsd(piecewise_weeks=10).detect_whole(make_panel(value))
    blocks = [SeasonalHybridEsd().detect_whole(make_panel(value[cut])) for cut in np.s_[:70, 70:140, 105:175]]
    union = sorted({start + i for start, block in zip((0, 70, 105), blocks, strict=True) for i in found(block)})
    assert found(judgement) == union
    assert union[-4:] == [72, 130, 160, 172]
    assert (judgement.expected[0, :140] == np.hstack([block.expected[0] for block in blocks[:2]])).all()
    assert (judgement.expected[0, 140:] == blocks[2].expected[0, 35:]).all()


def test_a_block_has_at_least_two_seasons() -> None:
    value = np.tile(WEEK, 12)
    short, enough = (SeasonalHybridEsd(piecewise_weeks=w).detect_whole(make_panel(value)) for w in (1, 2))
    assert (short.outcome == enough.outcome).all()


@pytest.mark.parametrize(
    ("rule", "told"), [(None, [20, 48, 76, 104, 132]), ("med_max", [104, 132]), ("p95", [132]), ("p99", [132])]
)
def test_a_threshold_tells_only_spikes_that_reach_what_seasons_usually_reach(rule: Any, told: list[int]) -> None:
    value = weeks(noise=0.5)
    value[[20, 48, 76, 104, 132]] += [-60, 30, 105, 125, 140]  # Sundays, of 10; Wednesdays have 120
    judgement = SeasonalHybridEsd(threshold=rule).detect_whole(make_panel(value, start="2013-01-07"))
    assert found(judgement) == told


def test_the_threshold_by_day_is_that_of_the_calendar_days() -> None:
    value = 100 + np.random.default_rng(0).normal(size=24 * 20)
    value[[30, 31, 200, 300]] += [50, 20, 10, -50]
    panel = make_panel(value, period="hour", start="2013-01-07")
    highs = value.reshape(20, 24).max(axis=1)
    parameters: dict[str, Any] = {"season_length": 24, "threshold": "p95", "threshold_by": "day"}
    assert value[200] < np.quantile(highs, 0.95) < value[31]
    assert found(SeasonalHybridEsd(**parameters).detect_whole(panel)) == [30, 31]


def test_the_usual_high_is_that_of_the_groups() -> None:
    rows = np.array([[1.0, 9, 2, 4, 7, 5, np.nan], [np.nan] * 7])
    group = np.array([0, 0, 1, 1, 2, 3, 3])
    assert usual_highs(rows, group, "med_max")[0] == 6.0
    assert usual_highs(rows, group, "p95")[0] == pytest.approx(np.quantile([9, 4, 7, 5], 0.95))
    assert usual_highs(rows, group, "p99")[0] == pytest.approx(np.quantile([9, 4, 7, 5], 0.99))
    assert np.isnan(usual_highs(rows, group, "p95")[1])


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10**6), st.sampled_from([None, 3, 5]), st.sampled_from(["both", "up", "down"]), st.sampled_from([0.02, 0.1, 0.45]),
    st.sampled_from(["exact", "r"]), st.sampled_from([0, 1, 6]),
)  # fmt: skip
def test_in_hindsight_too_the_band_parts_anomalies_from_the_rest(
    seed: int, weeks: int | None, direction: Any, ratio: float, compatible: Any, digits: int
) -> None:
    value = np.random.default_rng(seed).standard_t(2, size=(3, 60)).round(digits)
    detector = SeasonalHybridEsd(
        piecewise_weeks=weeks, direction=direction, max_anomaly_ratio=ratio, compatible=compatible, alpha=0.3
    )
    judgement = detector.detect_whole(make_panel(value))
    told = judgement.outcome == Outcome.ANOMALY
    outside = (value < judgement.lower) | (value > judgement.upper)
    assert (told == outside).all()
    assert ((judgement.kind == "spike") == (value > judgement.upper)).all()


@pytest.mark.parametrize("seed", [0, 1])
def test_hindsight_answers_every_trouble_in_one_voice(seed: int) -> None:
    panel = panel_of_troubles(seed)
    for detector in (
        SeasonalHybridEsd(),
        SeasonalHybridEsd(piecewise_weeks=4, alpha=0.3),
        SeasonalHybridEsd(compatible="r"),
    ):
        judgement = detector.detect_whole(panel)
        # season and trend may leave the band: then they are what is strange
        check_answers(detector, panel, replace(judgement, expected=np.full(panel.value.shape, np.nan)))
        for row in range(len(panel)):
            alone = detector.detect_whole(panel.select(np.array([row])))
            assert (alone.outcome == judgement.outcome[[row]]).all()
            assert np.array_equal(alone.upper, judgement.upper[[row]], equal_nan=True)
