"""Statistics of slow changes over the cleaned past: steps, ramps, bursts and collapses of the noise, a lost weekly pattern, repeats.

Each is compared with its own past, so that a series that always wanders is not told to wander.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from lupus_provider.detectors.seasonal.lanes import Bools, Floats, weighted_rows
from lupus_provider.detectors.seasonal.memory import RECENT, Memory
from lupus_provider.detectors.seasonal.plan import Day
from lupus_provider.detectors.seasonal.transform import Scale

STEPS, RAMPS = (4, 9), (24, 40)
LAG_SHARE = 1 - 0.5 ** (1 / 90)
SHAPE_MOST = 12.0
SHAPE_GAIN, CALM = 0.012, 28
USUAL_SHARE, USUAL_QUANTILE = 0.8, 1.2816
LEARN_AGE, LEAST_AGE = 14, 42
"""Periods of being judged before the usual size of shapes is learnt, and before they are looked for."""
RISING = 7
"""Only what is larger than so many periods ago is new: what an old change leaves in the window fades."""
BURST_DAYS, BURST_MOST = 7, 9.0
BURST_MEAN, BURST_SIGMA = 6.6, 3.3
SEASON_ENERGY = 4.0
SPREAD_LEAST, SPREAD_LEAST_VARIANCE = 18.0, 0.15
TIES_MOST = 0.08
"""Series that repeat their value more often are steady by nature."""
TOLD = 7
"""Repeats after which a series is not told to be stale again."""
FORGET_TIES = 0.5 ** (1 / 250)


@dataclass(frozen=True, slots=True)
class Slow:
    """Statistics of one period, shapes (n,) unless said."""

    shapes: Floats
    """(shapes, n): matched filters over their usual size."""
    burst: Floats
    season: Floats
    collapse: Floats
    """Logarithm of the noise's variance against its mean."""
    collapse_z: Floats
    stale: Floats
    """Probability of so many repeats in a row."""


@lru_cache(maxsize=8)
def _filters(window: int) -> Floats:
    """Return steps and ramps at the end of the window, orthogonal to level and line, norm 1, shape (shapes, window)."""
    age = np.arange(window)
    shapes = [(age >= window - h).astype(float) for h in STEPS]
    shapes += [np.maximum(age - (window - h) + 1, 0) / h for h in RAMPS]
    x = np.linspace(-1, 1, window)
    line, _ = np.linalg.qr(np.stack([np.ones(window), x], 1))
    filters = np.array([shape - line @ (line.T @ shape) for shape in shapes])
    return filters / np.linalg.norm(filters, axis=1, keepdims=True)


def shapes(memory: Memory, day: Day, season: Floats, sigma: Floats) -> Floats:
    """Return steps and ramps at the end of the cleaned past, in usual sizes, shape (shapes, n); learn what is usual."""
    window = len(memory.clean)
    filters = _filters(window)
    rolled = np.roll(filters, day.position + 1, axis=1).astype(np.float32)
    found = weighted_rows(rolled, memory.clean).astype(np.float64)
    if len(season) > 1:
        by_phase = np.zeros((len(filters), len(season)))
        for row, weights in zip(by_phase, filters, strict=True):
            np.add.at(row, np.array(day.recent_phases[-window:]), weights)
        found -= weighted_rows(by_phase, season)
    found = np.where(memory.judged_age >= LEARN_AGE, found / sigma, np.nan)
    slot = day.position % RECENT
    old = memory.recent_shapes[slot].astype(np.float64)
    there = np.isfinite(old) & (memory.rebased_age > CALM)
    above = np.abs(np.where(np.isfinite(old), old, 0.0)) > USUAL_QUANTILE * memory.shape_size
    memory.shape_size *= np.exp(np.where(there, SHAPE_GAIN * (above - (1 - USUAL_SHARE)), 0.0))
    before = np.nan_to_num(memory.recent_shapes[(day.position - RISING) % RECENT])
    rising = np.abs(found) > np.abs(before)
    memory.recent_shapes[slot] = found
    found = np.where(rising & (memory.judged_age >= LEAST_AGE), found / np.maximum(memory.shape_size, 1.0), 0.0)
    return np.nan_to_num(found)


def burst(memory: Memory, position: int, live: Bools) -> Floats:
    """Sum of the last squared surprises, each clipped, as a normal deviate against its usual size."""
    last = memory.recent_surprise[[(position - k) % RECENT for k in range(BURST_DAYS)]]
    total = np.minimum(np.nan_to_num(last) ** 2, BURST_MOST).sum(axis=0).astype(np.float64)
    x = (total - BURST_MEAN) / BURST_SIGMA
    found = x / np.sqrt(np.maximum(memory.burst_power, 1.0))
    memory.burst_power += np.where(live, LAG_SHARE * (np.minimum(x * x, SHAPE_MOST) - memory.burst_power), 0.0)
    return found


def season_break(memory: Memory, day: Day, season: Floats, sigma: Floats) -> Floats:
    """Last deviations along the negative profile, as a normal deviate; 0 where there is hardly a profile."""
    if len(season) == 1:
        return np.zeros_like(sigma)
    phases = day.recent_phases[-RECENT:]
    slots = [(day.position - len(phases) + 1 + k) % RECENT for k in range(len(phases))]
    usual = season[list(phases)] / sigma
    energy = (usual**2).sum(axis=0)
    along = (np.nan_to_num(memory.recent_z[slots]) * usual).sum(axis=0)
    return np.where((energy > SEASON_ENERGY) & (memory.judged_age >= 0), along / np.sqrt(np.maximum(energy, 1e-9)), 0.0)


def collapse(memory: Memory, day: Day, y: Floats, odd: Bools) -> tuple[Floats, Floats]:
    """Log variance of the last eight values against its own past, and the same in its own deviations."""
    memory.recent_y[day.position % 8] = np.where(odd, np.nan, y)
    there = np.isfinite(memory.recent_y)
    n = there.sum(axis=0)
    mean = np.where(there, memory.recent_y, 0.0).sum(axis=0) / np.maximum(n, 1)
    square = np.where(there, (memory.recent_y - mean) ** 2, 0.0).sum(axis=0) / np.maximum(n, 1)
    usable = (n >= 6) & (memory.scale != Scale.COUNT) & (memory.judged_age >= 0)
    now = np.where(usable, np.log(square + 1e-30), np.nan)
    slot = day.position % len(memory.recent_spread)
    old = memory.recent_spread[slot].copy()
    memory.recent_spread[slot] = now
    _learn_spread(memory, old)
    ready = (memory.spread_n > SPREAD_LEAST) & np.isfinite(now)
    below = np.where(ready, now - memory.spread_mean, 0.0)
    steady = (memory.ties / np.maximum(memory.tie_chances, 1.0)) > TIES_MOST
    below = np.where(steady, 0.0, below)
    return below, below / np.sqrt(np.maximum(memory.spread_power, SPREAD_LEAST_VARIANCE))


def _learn_spread(memory: Memory, old: Floats) -> None:
    there = np.isfinite(old)
    x = np.where(there, old, 0.0)
    x = np.where(memory.spread_n > 15, np.maximum(x, memory.spread_mean - 2.5), x)
    n = np.where(there, memory.spread_n * (1 - LAG_SHARE) + 1, memory.spread_n)
    off = np.where(there, x - memory.spread_mean, 0.0)
    memory.spread_mean += off / np.maximum(n, 1)
    memory.spread_power += np.where(there, (off * off - memory.spread_power) / np.maximum(n, 1), 0.0)
    memory.spread_n = n


def stale(memory: Memory, day: Day, value: Floats, expected: Floats) -> Floats:
    """Probability of so many exact repeats in a row, by the series' own rate of repeats; 1 where there are fewer than two."""
    there = np.isfinite(value)
    same = there & (value == memory.last_value)
    ended = there & ~same
    memory.longest_run = np.where(ended, np.maximum(memory.longest_run, memory.same_run), memory.longest_run)
    memory.same_run = np.where(same, memory.same_run + 1, 0).astype(np.int32)
    paired = there & np.isfinite(memory.last_value)
    memory.ties = memory.ties * np.where(paired, FORGET_TIES, 1.0) + same
    memory.tie_chances = memory.tie_chances * np.where(paired, FORGET_TIES, 1.0) + paired
    memory.last_value = np.where(there, value, np.nan)
    probability = np.ones_like(value)
    at = np.flatnonzero(memory.same_run >= 2)
    at = at[value[at] != 0]  # zero is the value of nothing
    for i in at:  # rare: only where two repeats in a row exist
        probability[i] = _repeat_probability(memory, int(i), day.position, float(value[i]), float(expected[i]))
    return probability


def _repeat_probability(memory: Memory, i: int, position: int, value: float, expected: float) -> float:
    k, window = int(memory.same_run[i]), len(memory.raw)
    if memory.longest_run[i] >= 4 and k < 2 * memory.longest_run[i]:
        return 1.0  # this series has had runs like this before
    before = [(position - back) % window for back in range(k, window)]
    past = memory.raw[before, i]
    n, equal = np.isfinite(past).sum(), float((past == value).sum())
    chances = memory.tie_chances[i] - k
    ties = max(memory.ties[i] - k, 0.0)
    if memory.scale[i] == Scale.COUNT:  # a repeat is as likely as the value itself
        from scipy.special import gammaln

        mean = max((max(expected, 0.2) / 2) ** 2 - 0.375, 0.05) if np.isfinite(expected) else 1.0
        equal = max(equal, n * float(np.exp(-mean + value * np.log(mean) - gammaln(value + 1))))
    if n < 10:
        return float((max(ties, equal) + 0.5) / (n + 5))
    rate = max((ties + 0.5) / (max(chances, 0.0) + 1), (equal + 0.5) / (n + 1))
    told = k - TOLD
    return float(min(rate, 1.0) ** k) if told <= 0 or rate**told > 1e-4 else 1.0
