"""All periods of all series: blocks of series go through all their periods one after the other, so that a block stays in the cache."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from lupus_provider.detectors.base import Floats, Judgement, Outcome, Panel
from lupus_provider.detectors.calendars import ends_of_months, special_days
from lupus_provider.detectors.season import count_periods, phases
from lupus_provider.detectors.seasonal.lanes import LANES
from lupus_provider.detectors.seasonal.memory import Memory
from lupus_provider.detectors.seasonal.plan import REFIT, Day, Plan, Traits
from lupus_provider.detectors.seasonal.rules import WORDS
from lupus_provider.detectors.seasonal.state import GapInStateError, State
from lupus_provider.detectors.seasonal.step import Verdict, step

BLOCK = 1024
"""Series that go through the periods together."""


@dataclass(frozen=True, slots=True)
class Axis:
    """What the periods of a run have in common for all series; lists of equal length."""

    first: int
    """Position of the first period."""
    phases: list[int]
    """With those before the run, the newest last."""
    special: list[int]
    """Row of the special day's effects, -1 = none; only of the run."""
    was_special: list[bool]
    """With those before the run."""
    moved: list[bool]
    month_end: list[bool]
    refit: list[bool]


def new_state(key: str, plan: Plan) -> State:
    """Return a state that knows nothing."""
    window = plan.window + 1
    return State(key, [], Memory.fresh(0, plan.phases, plan.window, 0), phases=[0] * window, special=[False] * window)


def advance(
    state: State,
    panel: Panel,
    plan: Plan,
    code: str | None,
    own: Mapping[str, Sequence[date]],
    month_ends: bool,
    judged: slice | None = None,
) -> tuple[State, Judgement]:
    """Judge the periods after the state's last, and return the state after them.

    The state that was given is used up.

    Parameters
    ----------
    judged
        Index range of the panel to answer for; by default all new periods.
    """
    begin = _first_new(state, panel)
    n_periods = len(panel.period_start)
    judged = judged or slice(begin, n_periods)
    new = panel.local_start[begin:]
    names = special_days(new, code, own) if plan.period in ("day", "hour") else [""] * len(new)
    axis = _axis(state, plan, new, names, month_ends)
    ids = [series.series_id for series in panel.series]
    fresh = _fresh(state, ids, plan)
    state = state.for_series(ids, fresh, plan.gone)
    _more_effects(state.memory, len(state.names))
    judgement = Judgement.empty(len(panel), judged.stop - judged.start, Outcome.TOO_SHORT)
    traits = Traits.of(panel.series)
    for start in range(0, len(state.series_ids), BLOCK):
        rows = slice(start, min(start + BLOCK, len(state.series_ids)))
        _run_block(state.memory, panel, traits, rows, begin, axis, plan, judgement, judged)
    _remember(state, axis, panel, begin)
    return state, judgement


def _first_new(state: State, panel: Panel) -> int:
    if state.until is None or not len(panel.period_start):
        return 0
    begin = int(np.searchsorted(panel.period_start, state.until, side="right"))
    if begin == 0 or panel.period_start[begin - 1] != state.until:
        raise GapInStateError(str(state.until), str(panel.period_start[0]))
    return begin


def _fresh(state: State, ids: list[str], plan: Plan) -> Memory:
    n = len(set(ids) | set(state.series_ids))
    gone = state.memory.gap >= plan.gone
    wanted = set(ids)
    n -= sum(bool(g) and s not in wanted for s, g in zip(state.series_ids, gone, strict=True))
    return Memory.fresh(n, plan.phases, plan.window, len(state.memory.effect))


def _more_effects(memory: Memory, names: int) -> None:
    missing = names - len(memory.effect)
    if missing > 0:
        more = np.full((missing, len(memory)), np.nan, np.float32)
        memory.effect = np.concatenate([memory.effect, more])
        memory.effect_of_level = np.concatenate([memory.effect_of_level, more])


def _axis(state: State, plan: Plan, local: np.ndarray, names: list[str], month_ends: bool) -> Axis:
    weekend = (local.astype("datetime64[D]").astype(np.int64) + 3) % 7 >= 5
    hours = local.astype("datetime64[h]").astype(np.int64) % 24
    rows, moved = [], []
    at = {name: i for i, name in enumerate(state.names)}
    for i, name in enumerate(names):
        if not name:
            rows.append(-1)
            moved.append(False)
            continue
        place = f"{name} {hours[i]}" if plan.period == "hour" else name
        row = at.setdefault(place, len(at))
        if row == len(state.names):
            state.names.append(place)
            state.weekends.append(bool(weekend[i]))
        rows.append(row)
        moved.append(state.weekends[row] != bool(weekend[i]))
        state.weekends[row] = bool(weekend[i])
    ends = ends_of_months(local) if plan.period == "day" and month_ends else np.zeros(len(local), bool)
    refit = count_periods(local, plan.period) % REFIT[plan.period] == 0
    places = phases(local, plan.period, plan.phases)
    if state.until is None and len(places):  # as if the seasons had gone on before the first period
        state.phases = [(int(places[0]) - back) % plan.phases for back in range(len(state.phases), 0, -1)]
    return Axis(
        state.position, state.phases + places.tolist(), rows, state.special + [row >= 0 for row in rows],
        moved, ends.tolist(), refit.tolist(),
    )  # fmt: skip


def _run_block(
    memory: Memory,
    panel: Panel,
    traits: Traits,
    rows: slice,
    begin: int,
    axis: Axis,
    plan: Plan,
    judgement: Judgement,
    judged: slice,
) -> None:
    n = rows.stop - rows.start
    lanes = -(-n // LANES) * LANES
    here = max(0, min(rows.stop, len(panel)) - rows.start)
    mine = slice(rows.start, rows.start + here)
    block = Memory.fresh(lanes, plan.phases, plan.window, len(memory.effect))
    block.put(slice(0, n), memory.take(rows))
    known = Traits(np.zeros(lanes, bool), np.zeros(lanes, bool), np.full(lanes, -np.inf), np.full(lanes, np.inf))
    known.put(slice(0, here), traits.take(mine))

    def lane(values: np.ndarray, fill: float | bool) -> np.ndarray:
        out = np.full((values.shape[1], lanes), fill, values.dtype)
        out[:, :here] = values.T
        return out

    piece = slice(begin, len(panel.period_start))
    part = panel.select(np.arange(mine.start, mine.stop))
    value, n_rows = lane(part.observed[:, piece], np.nan), lane(part.n_rows[:, piece], np.nan)
    excluded, split = lane(part.is_excluded[:, piece], False), lane(part.is_split[:, piece], False)
    kept = plan.window + 1
    with np.errstate(all="ignore"):
        for i in range(len(value)):
            day = Day(
                value[i], n_rows[i], excluded[i], split[i], axis.first + i, axis.phases[kept + i],
                tuple(axis.phases[i : kept + i + 1][-kept:]), axis.special[i], axis.moved[i],
                axis.was_special[kept + i - 1], axis.month_end[i], axis.refit[i],
            )  # fmt: skip
            verdict = step(block, day, known, plan, tuple(axis.was_special[i : kept + i]))
            if judged.start <= begin + i < judged.stop:
                _answer(judgement, verdict, value[i], mine, begin + i - judged.start)
    memory.put(rows, block.take(slice(0, n)))


def _answer(judgement: Judgement, verdict: Verdict, value: Floats, mine: slice, column: int) -> None:
    here = mine.stop - mine.start
    kind = verdict.kind[:here]
    there = np.isfinite(value[:here])
    outcome = np.select(
        [verdict.excused[:here], kind > 0, ~there, ~verdict.judged[:here]],
        [Outcome.EXCUSED, Outcome.ANOMALY, Outcome.NO_DATA, Outcome.TOO_SHORT], Outcome.NORMAL,
    )  # fmt: skip
    judgement.outcome[mine, column] = outcome
    judgement.kind[mine, column] = WORDS[kind]
    for name in ("expected", "lower", "upper", "score"):
        getattr(judgement, name)[mine, column] = getattr(verdict, name)[:here]


def _remember(state: State, axis: Axis, panel: Panel, begin: int) -> None:
    kept = len(state.phases)
    state.phases = axis.phases[-kept:]
    state.special = axis.was_special[-kept:]
    state.position += len(panel.period_start) - begin
    if len(panel.period_start):
        state.until = panel.period_start[-1]
