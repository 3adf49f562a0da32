"""One period: begin, forecast, judge, learn.

The judged value is learnt after it was judged, so nothing ever stands in its own baseline. What is learnt does not depend on the
thresholds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lupus_provider.detectors.seasonal.beginning import begin, noise_floor, transform_of
from lupus_provider.detectors.seasonal.forecast import Forecast, forecast
from lupus_provider.detectors.seasonal.lanes import Bools, Floats, NDArray
from lupus_provider.detectors.seasonal.learning import learn
from lupus_provider.detectors.seasonal.memory import LONG_AGO, Memory
from lupus_provider.detectors.seasonal.noise import fit, tail_probability
from lupus_provider.detectors.seasonal.plan import Day, Plan, Traits
from lupus_provider.detectors.seasonal.presence import missing
from lupus_provider.detectors.seasonal.rules import Points, decide
from lupus_provider.detectors.seasonal.slow import Slow, burst, collapse, season_break, shapes, stale
from lupus_provider.detectors.seasonal.transform import Scale, backward, forward

COUNTING_NOISE = 1.0
RETURNED = 2.5
"""A value within so many sigmas of the level before the jump is back there."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is said of one period of a block, shapes (n,); values in the metric's unit."""

    kind: NDArray[np.int8]
    excused: Bools
    judged: Bools
    """Whether there was enough history."""
    expected: Floats
    lower: Floats
    upper: Floats
    score: Floats


def step(memory: Memory, day: Day, traits: Traits, plan: Plan, special: tuple[bool, ...]) -> Verdict:
    """Judge one period of a block of series and learn from it.

    Parameters
    ----------
    special
        Whether each of the periods before was special, the newest last.
    """
    value = np.where(day.excluded, np.nan, day.value)
    there = np.isfinite(value)
    _grow_older(memory, there, plan)
    begin(memory, day, traits, plan, special)
    live = memory.judged_age >= 0
    due = live & (day.refit | (memory.judged_age == 0))
    if due.any():
        memory.floor = np.where(due, noise_floor(memory, memory.raw), memory.floor)
        fit(memory, np.where(memory.scale == Scale.COUNT, COUNTING_NOISE, 0.0), due, plan.probability)
    _split(memory, day, live & there)
    absent = missing(memory, there, day.excluded, day.phase) & plan.missing
    seen = np.isfinite(day.value)
    y = np.where(seen, forward(transform_of(memory), np.where(seen, day.value, 0.0)), np.nan)
    f = forecast(memory, day, traits, plan)
    verdict, surprise, back = _judge(memory, day, traits, plan, f, y, live)
    before = memory.last_surprise
    jumped = learn(memory, day, plan, f, np.where(there, y, np.nan), surprise, live, back)
    slow = Slow(
        shapes(memory, day, f.profile, f.sigma), burst(memory, day.position, live), season_break(memory, day, f.profile, f.sigma),
        *collapse(memory, day, np.where(there, y, np.nan), f.odd), stale(memory, day, value, f.expected),
    )  # fmt: skip
    memory.raw[day.position % plan.window] = value
    seen &= live
    with np.errstate(all="ignore"):
        ratio = np.where(verdict.expected != 0, day.value / verdict.expected, 1.0)
    points = Points(
        seen & ~day.excluded, seen & (day.value > verdict.upper), seen & (day.value < verdict.lower), absent,
        np.where(seen, surprise, 0.0), before, np.nan_to_num(ratio, nan=1.0), ~traits.is_share | (day.value > 1), f.odd, day.after_special, jumped, back,
    )  # fmt: skip
    kind = np.where(verdict.judged | absent, decide(memory, points, slow, plan.factor), 0)
    memory.judged_age += live
    excused = day.excluded & (kind != 0)
    return Verdict(
        np.where(excused, 0, kind).astype(np.int8),
        excused,
        verdict.judged,
        verdict.expected,
        verdict.lower,
        verdict.upper,
        verdict.score,
    )


def _grow_older(memory: Memory, there: Bools, plan: Plan) -> None:
    begins = there & (memory.gap >= plan.gone)
    if begins.any():
        n_special = len(memory.effect)
        fresh = Memory.fresh(int(begins.sum()), plan.phases, plan.window, n_special)
        memory.put(begins, fresh)
    memory.age += there | (memory.age >= 0)
    memory.gap = np.where(there, 0, np.minimum(memory.gap + 1, LONG_AGO)).astype(np.int32)
    memory.seen += there


def _split(memory: Memory, day: Day, there: Bools) -> None:
    """Count values since a split of the baseline: the first is taken as the new level."""
    since = np.where(day.split, -1, memory.since_split)
    memory.since_split = np.minimum(since + there, LONG_AGO).astype(np.int32)


def _judge(
    memory: Memory, day: Day, traits: Traits, plan: Plan, f: Forecast, y: Floats, live: Bools
) -> tuple[Verdict, Floats, Bools]:
    from scipy.special import ndtri  # here, not above: DAG files import this module

    residual = y - f.expected
    back = _is_back(memory, f, y, live & ~day.excluded)
    expected = np.where(back, memory.old_level + f.season, f.expected)
    transform = transform_of(memory)
    reach = memory.reach * f.width
    judged = live & (memory.since_split > 0)
    with np.errstate(all="ignore"):
        middle, low, high = backward(transform, np.stack([expected, expected - reach, expected + reach]))
        low, high = _counting_band(memory, plan, expected, low, high)
    middle, low, high = (np.clip(edge, traits.lower, traits.upper) for edge in (middle, low, high))
    low, high = np.minimum(low, middle), np.maximum(high, middle)
    off = np.abs(y - expected) / f.width
    probability = tail_probability(np.nan_to_num(off), memory.sigma, memory.tail)
    score = np.where(judged & np.isfinite(y), np.clip(probability, 1e-300, 1.0), np.nan)
    plain = (
        tail_probability(np.nan_to_num(np.abs(residual) / f.width), memory.sigma, memory.tail)
        if back.any()
        else probability
    )
    surprise = np.sign(residual) * -ndtri(np.maximum(plain, 1e-300) / 2)
    blank = np.where(judged, 0.0, np.nan)
    verdict = Verdict(
        np.zeros(len(y), np.int8), np.zeros(len(y), bool), judged, middle + blank, low + blank, high + blank, score
    )
    return verdict, np.where(live & np.isfinite(y), surprise, np.nan), back


def _is_back(memory: Memory, f: Forecast, y: Floats, live: Bools) -> Bools:
    """Whether a value is back at the level before the last jump: not an alarm."""
    with np.errstate(invalid="ignore"):
        there = np.isfinite(memory.old_level) & (np.abs(y - memory.old_level - f.season) < RETURNED * f.sigma)
        away = (np.abs(y - f.expected) > 3 * f.sigma) & (np.abs(memory.old_level - f.level) > 3 * f.sigma)
    return live & there & away


def _counting_band(memory: Memory, plan: Plan, expected: Floats, low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Widen the band of counts to what the exact Poisson tail allows."""
    at = np.flatnonzero(memory.scale == Scale.COUNT)
    if not len(at):
        return low, high
    from scipy.special import pdtrik

    mean = np.maximum((np.maximum(expected[at], 0.2) / 2) ** 2 - 0.375, 0.05)
    probability = np.broadcast_to(plan.probability, expected.shape)[at]
    most = pdtrik(1 - probability / 2, mean) + 1
    least = pdtrik(probability / 2, mean)
    low, high = low.copy(), high.copy()
    high[at] = np.fmax(high[at], most)
    low[at] = np.fmin(low[at], np.where(np.isfinite(least), np.maximum(least, 0), 0))
    return low, high
