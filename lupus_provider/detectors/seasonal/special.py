"""What special days do to a series: the last one of a name is what the next is expected to be, an unknown one widens the band.

Kept per series and name, because a holiday empties one table and fills another.
"""

from __future__ import annotations

import numpy as np

from lupus_provider.detectors.order import median_columns
from lupus_provider.detectors.seasonal.lanes import Bools, Floats
from lupus_provider.detectors.seasonal.memory import Memory
from lupus_provider.detectors.seasonal.plan import Day

UNKNOWN_ENERGY = 25.0
"""Squared sigmas that a holiday is off on a series that has not had one."""
LEAST_ENERGY = 4.0
WIDER = 1.2
KNOWN_ERROR, MOVED_ERROR = 0.2, 0.35
"""Error of a known effect as a part of it."""
FIRST_MONTH_END = 2.0
MONTH_END_ERROR = 0.25
MOST_SIGMAS = 40.0
FORGET = 0.97


def special_effect(memory: Memory, day: Day, sigma: Floats, season: Floats) -> tuple[Floats, Floats]:
    """Return the expected effect of the day on every series, and its standard error, shapes (n,)."""
    effect, error = np.zeros_like(sigma), np.zeros_like(sigma)
    if day.month_end:
        effect, error = _month_end(memory, sigma)
    if day.special >= 0:
        more, doubt = _named(memory, day, sigma, season)
        effect, error = effect + more, np.hypot(error, doubt)
    return effect, error


def _month_end(memory: Memory, sigma: Floats) -> tuple[Floats, Floats]:
    known = np.isfinite(memory.month_ends)
    n = known.sum(axis=0)
    middle = np.nan_to_num(median_columns(memory.month_ends)).astype(np.float64)
    variance = sigma**2 / np.maximum(n, 1)
    kept = np.maximum(0.0, 1 - 1.5 * variance / np.maximum(middle**2, 1e-18))
    error = np.hypot(np.abs(middle) * MONTH_END_ERROR / np.sqrt(np.maximum(n, 1)), np.sqrt(variance))
    return middle * kept, np.where(n == 0, FIRST_MONTH_END * sigma, np.where(kept > 0, error, 0.0))


def _named(memory: Memory, day: Day, sigma: Floats, season: Floats) -> tuple[Floats, Floats]:
    last = memory.effect[day.special].astype(np.float64)
    if day.moved:  # a holiday that moves from Sunday to Monday looks like last year's Sunday
        last = memory.effect_of_level[day.special] - season
    known = np.isfinite(last)
    last = np.nan_to_num(last)
    kept = np.maximum(0.0, 1 - 2 * sigma**2 / np.maximum(last**2, 1e-18))
    effect = np.where(known, last * kept, 0.0)
    usual = np.where(memory.special_n > 0, memory.special_energy / np.maximum(memory.special_n, 1), UNKNOWN_ENERGY)
    unknown = np.maximum(WIDER * sigma * np.sqrt(np.maximum(usual, LEAST_ENERGY)), 0.5 * memory.special_most)
    error = np.hypot(sigma * (kept > 0), (MOVED_ERROR if day.moved else KNOWN_ERROR) * np.abs(effect))
    return effect, np.where(known, error, unknown)


def learn_special(memory: Memory, day: Day, off: Floats, off_level: Floats, sigma: Floats, taken: Bools) -> None:
    """Take in how far the day was off its forecast without effect (`off`), and off the level alone."""
    if day.month_end:
        place = memory.month_ends[1:]
        newest = np.where(taken, off, np.nan).astype(np.float32)[None]
        memory.month_ends = np.where(taken, np.concatenate([place, newest]), memory.month_ends)
    if day.special < 0:
        return
    memory.effect[day.special] = np.where(taken, off, np.nan)
    memory.effect_of_level[day.special] = np.where(taken, off_level, np.nan)
    size = np.where(taken, np.abs(off), 0.0)
    memory.special_most = np.maximum(memory.special_most * FORGET, np.minimum(size, MOST_SIGMAS * sigma))
    memory.special_energy += np.minimum((size / sigma) ** 2, 900.0)
    memory.special_n += taken
