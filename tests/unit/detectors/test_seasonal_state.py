"""A run that keeps its state, a run that learns anew, and runs of any length say the same, bit by bit."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from lupus_provider.detectors import Judgement, Panel, Seasonal, seasonal
from lupus_provider.testing.detectors import assert_same, judge_all, make_panel, panel_of_troubles

T = 100


@pytest.fixture(scope="module")
def panel() -> Panel:
    rng = np.random.default_rng(0)
    jump = 500 + rng.normal(0, 5, T) + 80.0 * (np.arange(T) > 70)
    spans = {name: rng.random((15, T)) < 0.01 for name in ("excluded", "split")}
    troubles = panel_of_troubles(1, T)
    value = np.concatenate([troubles.value, jump[None]])
    series = [*troubles.series, dataclasses.replace(troubles.series[0], series_id="jump")]
    rows = np.concatenate([troubles.n_rows, np.full((1, T), 50.0)])
    return dataclasses.replace(make_panel(value, series=series, n_rows=rows, start="2013-09-01"), **spans)


DETECTOR = Seasonal(holidays="US")


@pytest.fixture(scope="module")
def full(panel: Panel) -> Judgement:
    return judge_all(DETECTOR, panel)


@settings(max_examples=6, deadline=None)
@given(st.lists(st.integers(1, T - 1), unique=True, max_size=4))
def test_any_batches_with_the_state_on_disk_between_them_say_the_same(
    panel: Panel, full: Judgement, cuts: list[int]
) -> None:
    state = DETECTOR.start(panel)
    begin = 0
    for stop in [*sorted(cuts), T]:
        state, part = DETECTOR.advance(state, panel.before(stop))
        assert_same(part, full, np.s_[:, begin:stop], f"batch {begin}:{stop}")
        state = seasonal.State.load(state.dump(), DETECTOR.state_key)
        begin = stop


def test_a_new_day_needs_only_the_last_known_one_in_its_panel(panel: Panel, full: Judgement) -> None:
    state, _ = DETECTOR.advance(DETECTOR.start(panel), panel.before(90))
    tail = dataclasses.replace(
        panel, period_start=panel.period_start[89:], local_start=panel.local_start[89:],
        **{k: getattr(panel, k)[:, 89:] for k in ("value", "present", "n_rows", "failed", "excluded", "split")},
    )  # fmt: skip
    _, part = DETECTOR.advance(state, tail)
    assert_same(part, full, np.s_[:, 90:], "a short panel")


def test_series_that_come_go_and_return_are_judged_as_in_one_run(panel: Panel, full: Judgement) -> None:
    late = dataclasses.replace(panel, value=panel.value.copy(), present=panel.present.copy())
    late.value[3, :60], late.present[3, :60] = np.nan, False
    late.value[5, 60:70], late.present[5, 60:70] = np.nan, False
    whole = judge_all(DETECTOR, late)
    first = np.array([i for i in range(15) if i != 3])
    second = np.array([i for i in range(15) if i != 5][::-1])
    state, _ = DETECTOR.advance(DETECTOR.start(panel), late.select(first).before(60))
    state, part = DETECTOR.advance(state, late.select(second).before(70))
    assert_same(part, whole, np.s_[second.tolist(), 60:70], "without a series, in another order")
    _, part = DETECTOR.advance(state, late)
    assert_same(part, whole, np.s_[:, 70:], "all again")


def test_a_panel_that_leaves_a_gap_is_refused(panel: Panel) -> None:
    state, _ = DETECTOR.advance(DETECTOR.start(panel), panel.before(50))
    axis = {"period_start": panel.period_start[60:], "local_start": panel.local_start[60:]}
    tail = {k: getattr(panel, k)[:, 60:] for k in ("value", "present", "n_rows", "failed", "excluded", "split")}
    with pytest.raises(seasonal.GapInStateError, match="panel begins with"):
        DETECTOR.advance(state, dataclasses.replace(panel, **axis, **tail))


def test_the_state_of_other_parameters_is_refused(panel: Panel) -> None:
    state, _ = DETECTOR.advance(DETECTOR.start(panel), panel.before(50))
    with pytest.raises(seasonal.ForeignStateError, match="learnt anew"):
        seasonal.State.load(state.dump(), Seasonal().state_key)


def test_a_series_costs_a_few_kilobytes() -> None:
    state = DETECTOR.start(make_panel(np.ones((2, 3))))
    state, _ = DETECTOR.advance(state, make_panel(np.ones((2, 3))))
    assert state.nbytes / 2 < 6000


def test_nothing_new_is_no_error(panel: Panel) -> None:
    state, _ = DETECTOR.advance(DETECTOR.start(panel), panel.before(50))
    state, part = DETECTOR.advance(state, panel.before(50))
    assert part.outcome.shape == (15, 0)
    assert state.position == 50


@pytest.mark.parametrize("block", [1, 5, 64])
def test_the_size_of_blocks_changes_nothing(
    panel: Panel, full: Judgement, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lupus_provider.detectors.seasonal.run.BLOCK", block)
    assert_same(judge_all(DETECTOR, panel), full, np.s_[:, :], f"blocks of {block}")


@pytest.mark.parametrize("period", ["hour", "week", "month"])
def test_other_periods_keep_state_too(period: str) -> None:
    value = 100 + np.random.default_rng(1).normal(size=(2, 120))
    detector = Seasonal(season_length=24 if period == "hour" else None, holidays="US")
    whole = make_panel(value, period=period)
    state, _ = detector.advance(detector.start(whole), whole.before(77))
    _, part = detector.advance(seasonal.State.load(state.dump(), detector.state_key), whole)
    assert_same(part, judge_all(detector, whole), np.s_[:, 77:], period)
