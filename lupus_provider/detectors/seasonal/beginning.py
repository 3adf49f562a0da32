"""The first look at a series: scale of the values, weekly profile, level and noise from medians of its first weeks.

Also the second to fourth look: while a series is young the scale is chosen again, and all is learnt anew from what is remembered.
"""

from __future__ import annotations

import numpy as np

from lupus_provider.detectors.order import median_columns
from lupus_provider.detectors.seasonal.lanes import Floats, in_lanes
from lupus_provider.detectors.seasonal.level import set_line
from lupus_provider.detectors.seasonal.memory import RESIDUALS, Memory
from lupus_provider.detectors.seasonal.plan import REVIEWS, WARM_VALUES, Day, Plan, Traits
from lupus_provider.detectors.seasonal.transform import Transform, choose, forward

FOLDS_MOST = 8
"""Weeks that the first look takes in."""
LEAST_EFFECT = 2e-4
"""Part of the level below which no deviation is of interest."""
QUANTUM = 0.4
"""Part of the smallest step between two values that is noise."""
EXPECTED_BETTER = 1.25
"""The noise around medians of few values looks smaller than it is."""
CLIP = 4.0
SLOPE_SIGMAS = 3.0

MEASURED = (
    "recent_z", "recent_surprise", "recent_shapes", "recent_y", "recent_spread", "recent_level", "last_surprise", "burst_power", "echo",
    "fast_noise", "slow_noise", "shape_size", "spread_mean", "spread_power", "spread_n", "run", "run_sign", "old_level",
    "old_profile", "effect", "effect_of_level", "month_ends", "special_energy", "special_n", "special_most", "rows_moments",
)  # fmt: skip
"""Arrays on the scale of the values."""


def transform_of(memory: Memory) -> Transform:
    """Return the scale of the values of a memory."""
    return Transform(memory.scale, memory.unit, memory.centre, memory.spread)


def begin(memory: Memory, day: Day, traits: Traits, plan: Plan, special: tuple[bool, ...]) -> None:
    """Begin to judge the series that are old enough, and choose the scale of young ones again.

    Parameters
    ----------
    special
        Whether each of the last periods was special, the newest last.
    """
    first = (memory.judged_age < 0) & (memory.age >= plan.warm) & (memory.seen >= WARM_VALUES)
    first &= (memory.age - plan.warm) % plan.week == 0
    review = (memory.judged_age >= 0) & np.isin(memory.age, [a * plan.week // 7 for a in REVIEWS])
    for rows in (np.flatnonzero(first), np.flatnonzero(review)):
        if not len(rows):
            continue
        padded = in_lanes(rows)
        part, known = memory.take(padded), traits.take(padded)
        past = _past(part, day.position)
        was = part.scale.copy()
        current = transform_of(part) if part.judged_age[0] >= 0 else None
        chosen = choose(past, known.is_share, known.is_count, current)
        part.scale, part.unit, part.centre, part.spread = chosen.scale, chosen.unit, chosen.centre, chosen.spread
        folds = np.clip(part.age // plan.week, 2, max(2, FOLDS_MOST * 7 // plan.week))
        for fold in np.unique(folds):
            same = in_lanes(np.flatnonzero(folds == fold))
            group = part.take(same)
            _learn(group, past[-fold * plan.week :, same], day, plan, special[-fold * plan.week :])
            part.put(same, group)
        changed = (current is None) | (part.scale != was)
        part.judged_age = np.where(current is None, 0, part.judged_age).astype(np.int32)
        _forget(part)
        take = np.flatnonzero(np.broadcast_to(changed, part.scale.shape)[: len(rows)])
        memory.put(rows[take], part.take(take))


def _forget(memory: Memory) -> None:
    """Forget what was measured on another scale."""
    fresh = Memory.fresh(len(memory), len(memory.profile), len(memory.raw), len(memory.effect))
    for name in MEASURED:
        setattr(memory, name, getattr(fresh, name))


def _past(memory: Memory, position: int) -> Floats:
    """Values so far, oldest first."""
    return np.roll(memory.raw, -position, axis=0)


def _learn(memory: Memory, value: Floats, day: Day, plan: Plan, special: tuple[bool, ...]) -> None:
    """Fill level, profile and noise from whole folds of values, shape (folds · week, n)."""
    week = plan.week
    y = forward(transform_of(memory), value)
    usual = np.where(np.array(special)[:, None], np.nan, y)
    usual = np.where(np.isfinite(usual).any(axis=0), usual, y)
    fold = usual.reshape(-1, week, y.shape[1])
    middle = np.nan_to_num(median_columns(usual))
    by_phase = median_columns(fold)
    fold = np.where(np.isfinite(fold), fold, np.where(np.isfinite(by_phase), by_phase, middle))
    levels = median_columns(fold.transpose(1, 0, 2))
    slope = median_columns(np.diff(levels, axis=0)) / week
    line = levels[:, None] + slope * (np.arange(week) - (week - 1) / 2)[:, None]
    deviation = _nearest_zero(fold - line) if plan.phases > 1 else np.zeros(fold.shape[1:])
    noise = _noise(usual, line, week if plan.phases > 1 else 1)
    mean = deviation.sum(axis=0) / week
    deviation, levels = deviation - mean, levels + mean
    sigma = _first_sigma(noise)
    floor = noise_floor(memory, value)
    sigma = np.maximum(sigma, floor)
    slope = np.where(np.abs(slope) * week < SLOPE_SIGMAS * sigma * np.sqrt(2 / week), 0.0, slope)
    kept = np.maximum(0.0, 1 - (week - 1) * sigma**2 / len(fold) / np.maximum((deviation**2).sum(axis=0), 1e-18))
    level = np.where(slope != 0, levels[-1] + slope * (week - 1) / 2, median_columns(levels[-3:]))
    _remember(memory, y, noise, deviation, kept, level, slope, sigma, day, plan)
    memory.first_sigma, memory.floor = sigma, floor


def _remember(
    memory: Memory, y: Floats, noise: Floats, deviation: Floats, kept: Floats, level: Floats, slope: Floats, sigma: Floats,
    day: Day, plan: Plan,
) -> None:  # fmt: skip
    t, n = y.shape
    window = plan.window
    phases = np.array(day.recent_phases[-t - 1 : -1])
    everyone = np.ones(n, bool)
    if plan.phases > 1:
        memory.profile = np.zeros_like(memory.profile)
        memory.profile[phases[: plan.week]] = deviation
    memory.profile_n = np.full_like(memory.profile_n, t / plan.week)
    memory.odd_run[:] = 0
    set_line(memory, everyone, level, slope, plan.period)
    memory.loss[:], memory.losses[:] = 1.0, 0.0
    age = np.arange(-window, 0)
    season = np.zeros((window, n))
    if plan.phases > 1:
        season = kept * deviation[age % plan.week]
    base = level + slope * (age + 1)[:, None] + season
    clean = base.copy()
    limit = CLIP * sigma
    there = np.isfinite(y)
    clean[-t:] = np.where(there, np.clip(y, base[-t:] - limit, base[-t:] + limit), base[-t:])
    memory.clean = np.roll(clean, day.position % window, axis=0).astype(np.float32)
    residual = np.full((RESIDUALS, n), np.nan)
    last = min(t, RESIDUALS)
    residual[-last:] = np.clip(noise, -limit, limit)[-last:]
    memory.residual = np.roll(residual, day.position % RESIDUALS, axis=0).astype(np.float32)
    memory.ordinary = np.isfinite(memory.residual)


def _nearest_zero(deviation: Floats) -> Floats:
    """Median over the folds; of an even number, the one of the two middle values nearer to zero, 0 between two signs.

    Two weeks, one of them with New Year in it: the mean of both would spoil that weekday for months.
    """
    ordered = np.sort(deviation, axis=0)
    low, high = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
    nearer = np.where(np.abs(low) < np.abs(high), low, high)
    return np.where(low * high > 0, nearer, np.where(len(ordered) % 2 == 1, low, 0.0))


def _noise(usual: Floats, line: Floats, phases: int) -> Floats:
    """Deviations from line and mean profile, widened for what the profile has taken of them, shape (t, n); NaN where no value is."""
    off = usual.reshape(line.shape) - line
    there = np.isfinite(off)
    parts = (
        (np.maximum(there.sum(axis=0), 1), there.any(axis=0).sum(axis=0)) if phases > 1 else (there.sum(axis=(0, 1)), 1)
    )
    mean = np.where(there, off, 0.0).sum(axis=0) / parts[0] if phases > 1 else np.zeros(off.shape[-1])
    n = there.sum(axis=(0, 1))
    return (off - mean).reshape(usual.shape) * np.sqrt(n / np.maximum(n - parts[1] - 1, 1))


def _first_sigma(noise: Floats) -> Floats:
    size = np.abs(noise)
    spread = 1.4826 * median_columns(np.abs(noise - median_columns(noise)))
    n = np.maximum(np.isfinite(size).sum(axis=0), 1)
    mean = np.nan_to_num(size).sum(axis=0) / n
    clipped = np.minimum(np.nan_to_num(size), 3 * mean).sum(axis=0) / n
    return np.maximum(np.nan_to_num(spread), 0.8 * clipped) * EXPECTED_BETTER


def noise_floor(memory: Memory, value: Floats) -> Floats:
    """Noise that rounding has, or that nobody is interested in, on the scale of the series."""
    step = np.diff(np.sort(value, axis=0), axis=0)
    quantum = np.where(step > 0, step, np.inf).min(axis=0)
    quantum = np.where(np.isfinite(quantum), quantum, 0.0)
    level = np.nan_to_num(median_columns(value))
    transform = transform_of(memory)

    def spread(distance: Floats) -> Floats:
        return forward(transform, level + distance) - forward(transform, level)

    rounding = np.where(memory.scale == 2, 0.0, QUANTUM * spread(quantum))
    return np.maximum.reduce([rounding, spread(LEAST_EFFECT * np.abs(level)), np.full(len(level), 1e-9)])
