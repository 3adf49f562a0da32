"""What a judged value teaches: level, profile, losses, scale, effects of special days; and when everything jumps to a new level.

The baseline is kept free of what it should flag: a value counts fully up to 2.5 sigma, fades from 3.5, and is replaced by the forecast
beyond 6. Three strange periods of one sign are a new level; the old one is remembered for the way back.
"""

from __future__ import annotations

import numpy as np

from lupus_provider.detectors.order import median_columns
from lupus_provider.detectors.seasonal.forecast import PROFILE_GAIN, Forecast
from lupus_provider.detectors.seasonal.lanes import Bools, Floats
from lupus_provider.detectors.seasonal.level import SETTLE, learn_level, learn_losses, set_line
from lupus_provider.detectors.seasonal.memory import LONG_AGO, RECENT, RESIDUALS, Memory
from lupus_provider.detectors.seasonal.noise import learn_volatility, volatility
from lupus_provider.detectors.seasonal.plan import Day, Plan
from lupus_provider.detectors.seasonal.sampling import learn_rows
from lupus_provider.detectors.seasonal.special import learn_special

FULL, FADE, GONE = 2.5, 3.5, 6.0
STRANGE, STRANGE_SIGMAS, JUMP_RUN = 2.6, 2.4, 3
LEFT_OUT = 4.5
"""Surprise from which a deviation does not count for the scale's core."""
REMEMBERED = 60
TOGETHER = 10
"""Jumps within so many periods are one: the way back leads to the level before the first."""
PROFILE_PART = 0.9
ODD_SIGMAS, ODD_RUN = 3.0, 3
NEW_SEASONS, OLD_SEASONS = 2, 6
ECHO_GAIN = 1 / 60


def learn(
    memory: Memory, day: Day, plan: Plan, f: Forecast, y: Floats, surprise: Floats, live: Bools, back: Bools
) -> Bools:
    """Take in one period; return which series jumped to a new level."""
    there = live & np.isfinite(y)
    residual = np.where(there, y - f.expected, 0.0)
    z = residual / f.sigma
    jumped = _run(memory, day, f, there, surprise, z, back)
    clean = _clean(memory, day, plan, f, residual, there, z)
    settling = there & (memory.since_split < SETTLE)
    _remember(memory, day, f, residual, surprise, z, there & ~settling)
    learn_special(memory, day, np.where(there, y - f.plain, 0.0), np.where(there, y - f.level, 0.0), f.sigma, there)
    learn_rows(memory, day, z, there & ~f.odd & ~settling)
    usual = there & ~f.odd & ~settling
    _learn_profile(memory, day, plan, f, clean, z, usual, back)
    learn_losses(memory, (clean - f.season - f.candidates) / f.sigma, usual & (np.abs(z) < GONE))
    learn_level(memory, clean - f.season, live, plan.period)
    newest = np.where(there & ~f.odd, y - f.season - f.effect, np.nan)[None]
    memory.recent_level = np.concatenate([memory.recent_level[1:], newest])
    _settle(memory, f, y, settling, plan)
    _jump(memory, day, f, y, jumped, back, plan)
    return jumped


def _clean(memory: Memory, day: Day, plan: Plan, f: Forecast, residual: Floats, there: Bools, z: Floats) -> Floats:
    """Keep the value without what is strange in it, and without the special day's effect."""
    fade = np.where(np.abs(z) > FADE, np.clip((GONE - np.abs(z)) / (GONE - FADE), 0, 1), 1.0)
    kept = np.sign(residual) * np.minimum(np.abs(z), FULL) * fade * f.sigma
    clean = np.where(there & ~f.odd, f.plain + kept, f.plain)
    memory.clean[day.position % plan.window] = clean
    return clean


def _run(memory: Memory, day: Day, f: Forecast, there: Bools, surprise: Floats, z: Floats, back: Bools) -> Bools:
    """Count strange periods of one sign; return where the third came."""
    with np.errstate(invalid="ignore"):
        big = there & (np.abs(surprise) > STRANGE) & (np.abs(z) > STRANGE_SIGMAS) & (day.special < 0)
    sign = np.sign(z).astype(np.int8)
    same = big & (sign == memory.run_sign) & (memory.run > 0)
    memory.run_level = np.where(big & ~same, f.level, memory.run_level)
    memory.run = np.where(same, memory.run + 1, np.where(big, 1, np.where(there, 0, memory.run))).astype(np.int32)
    memory.run_sign = np.where(big, sign, memory.run_sign)
    memory.run = np.where(back, 0, memory.run).astype(np.int32)
    return (memory.run >= JUMP_RUN) & there


def _remember(
    memory: Memory, day: Day, f: Forecast, residual: Floats, surprise: Floats, z: Floats, there: Bools
) -> None:
    usable = there & ~f.odd
    slot, recent = day.position % RESIDUALS, day.position % RECENT
    noise = volatility(memory)
    memory.residual[slot] = np.where(usable, residual / f.rows, np.nan)
    with np.errstate(invalid="ignore"):
        memory.ordinary[slot] = usable & (np.abs(surprise) * noise < LEFT_OUT)
    shown = np.where(usable, np.clip(z / f.rows, -60, 60), np.nan)
    before = np.clip(memory.recent_z[(day.position - 1) % RECENT], -3, 3)
    together = np.clip(shown, -3, 3) * before
    pair = np.isfinite(together)
    memory.echo += np.where(pair, (np.where(pair, together, 0.0) - memory.echo) * ECHO_GAIN, 0.0)
    memory.recent_z[recent] = np.clip(shown, -6, 6)
    memory.last_surprise = np.where(usable, np.nan_to_num(surprise), 0.0)
    memory.recent_surprise[recent] = np.where(usable, np.nan_to_num(surprise) * noise, np.nan)
    learn_volatility(memory, shown)


def _learn_profile(
    memory: Memory, day: Day, plan: Plan, f: Forecast, clean: Floats, z: Floats, usual: Bools, back: Bools
) -> None:
    if plan.phases == 1:
        return
    p = day.phase
    gain = np.maximum(1 / np.maximum(memory.profile_n[p], 1), PROFILE_GAIN) * PROFILE_PART
    taken = usual & (np.abs(z) < GONE) & (memory.run == 0) & ~back
    memory.profile[p] += np.where(taken, gain * (clean - f.level - memory.profile[p]), 0.0)
    memory.profile_n[p] += taken
    memory.old_profile_age = np.minimum(memory.old_profile_age + 1, LONG_AGO)
    _relearn_phase(memory, day, plan, f, z, usual, clean)


def _relearn_phase(memory: Memory, day: Day, plan: Plan, f: Forecast, z: Floats, usual: Bools, clean: Floats) -> None:
    """Learn a phase anew that is off for three seasons running; take it back when it is as it was."""
    p = day.phase
    off = usual & (np.abs(z) > ODD_SIGMAS) & (memory.run < 2)
    sign = np.sign(z).astype(np.int8)
    counted = np.where(np.sign(memory.odd_run[p]) == sign, memory.odd_run[p] + sign, sign)
    memory.odd_run[p] = np.where(off, counted, np.where(usual, 0, memory.odd_run[p]))
    value = z * f.sigma + f.season
    with np.errstate(invalid="ignore"):
        known = (memory.old_profile_age[p] < REMEMBERED) & (np.abs(value - memory.old_profile[p]) < FULL * f.sigma)
    back = off & known
    new = ~back & (np.abs(memory.odd_run[p]) >= ODD_RUN)
    if not (back | new).any():
        return
    slots = [(day.position - k * plan.phases) % RESIDUALS for k in range(ODD_RUN) if k * plan.phases < RESIDUALS]
    change = np.nan_to_num(median_columns(memory.residual[slots])).astype(np.float64)
    remembered = new & (memory.old_profile_age[p] > REMEMBERED)
    old = memory.old_profile[p].copy()
    memory.old_profile[p] = np.where(remembered, memory.profile[p], np.where(back, np.nan, old))
    memory.old_profile_age[p] = np.where(new, 0, np.where(back, LONG_AGO, memory.old_profile_age[p]))
    memory.profile[p] = np.where(new, memory.profile[p] + change, np.where(back, old, memory.profile[p]))
    memory.profile_n[p] = np.where(new, NEW_SEASONS, np.where(back, OLD_SEASONS, memory.profile_n[p]))
    memory.odd_run[p] = np.where(new | back, 0, memory.odd_run[p])
    memory.run = np.where(back, 0, memory.run).astype(np.int32)
    slot = day.position % plan.window
    memory.clean[slot] = np.where(new, clean + change, np.where(back, value + f.level, memory.clean[slot]))


def _settle(memory: Memory, f: Forecast, y: Floats, settling: Bools, plan: Plan) -> None:
    """After a split the level is the mean of the values since then."""
    if not settling.any():
        return
    k = memory.since_split
    value = np.where(settling, y - f.season - f.effect, 0.0)
    level = np.where(k == 0, value, f.level + (value - f.level) / (k + 1))
    moved = np.where(settling, level - f.level, 0.0)
    memory.clean += np.where(k == 0, moved, 0.0).astype(np.float32)
    set_line(memory, settling, level, np.zeros_like(level), plan.period)
    memory.run = np.where(settling, 0, memory.run).astype(np.int32)


def _jump(memory: Memory, day: Day, f: Forecast, y: Floats, jumped: Bools, back: Bools, plan: Plan) -> None:
    """Move everything to the new level, or back to the old one."""
    memory.old_level_age = np.minimum(memory.old_level_age + 1, LONG_AGO).astype(np.int32)
    memory.old_level = np.where(memory.old_level_age > REMEMBERED, np.nan, memory.old_level)
    if not (jumped | back).any():
        return
    new = np.nan_to_num(median_columns(memory.recent_level))
    new = np.where(back, np.nan_to_num(memory.old_level), new)
    origin = np.where(back, f.level, memory.run_level)
    moved = jumped | back
    memory.clean += np.where(moved, new - origin, 0.0).astype(np.float32)
    for age in range(JUMP_RUN):
        slot = (day.position - age) % plan.window
        value = memory.recent_level[-1 - age]
        off = np.where(np.isfinite(value), np.clip(value - new, -FULL * f.sigma, FULL * f.sigma), 0.0)
        season = f.profile[day.recent_phases[-1 - age]]
        memory.clean[slot] = np.where(jumped, new + off + season, memory.clean[slot])
        memory.residual[(day.position - age) % RESIDUALS] = np.where(
            jumped | (back & (age == 0)), np.nan, memory.residual[(day.position - age) % RESIDUALS]
        )
    slot = day.position % plan.window
    memory.clean[slot] = np.where(back, y, memory.clean[slot])
    set_line(memory, moved, new, np.zeros_like(new), plan.period)
    again = np.isfinite(memory.old_level) & (memory.old_level_age < TOGETHER)
    memory.old_level = np.where(jumped & ~again, memory.run_level, np.where(back, np.nan, memory.old_level))
    memory.old_level_age = np.where(jumped, 0, memory.old_level_age).astype(np.int32)
    memory.run = np.where(moved, 0, memory.run).astype(np.int32)
