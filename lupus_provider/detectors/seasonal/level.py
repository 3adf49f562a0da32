"""The level: a mix of smoothed levels and lines of several speeds, weighted by how well each has forecast this series lately.

Each also comes with a part of the last value, because the deviations of real series follow one another.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from lupus_provider.detectors.seasonal.lanes import Bools, Floats
from lupus_provider.detectors.seasonal.memory import LEVELS, Memory

HALF_LIVES: dict[str, tuple[float, ...]] = {
    "hour": (6.0, 24.0, 96.0, 24.0, 96.0), "day": (3.5, 7.0, 14.0, 10.0, 20.0), "week": (2.0, 4.0, 10.0, 6.0, 16.0), "month": (2.0, 4.0, 8.0, 6.0, 12.0),
}  # fmt: skip
"""Periods after which a weight halves: of three levels, then of two lines."""
OF_LAST = {
    "hour": (0.0, 0.3, 0.6, 0.9),
    "day": (0.0, 0.2, 0.4, 0.6),
    "week": (0.0, 0.2, 0.4, 0.6),
    "month": (0.0, 0.2, 0.4, 0.6),
}
"""How much of the last value a forecast takes."""
SHARPNESS = 0.35
"""How strongly the weights prefer the better forecaster: 0.5 = likelihood of normal noise."""
LOSSES_MOST = 60.0
FORGET_LOSS = 0.022
LOSS_MOST = 9.0
SETTLE, SETTLE_VARIANCE = 7, 4.0
"""Periods after a split in which the level is the mean since then, and the variance of its first value, in that of the noise."""

Period = Literal["hour", "day", "week", "month"]


def candidates(memory: Memory, period: Period) -> Floats:
    """Forecasts of every forecaster for the next period without season, shape (forecasters, n)."""
    beta = 0.5 ** (1 / np.array(HALF_LIVES[period]))
    level = memory.smooth[:LEVELS]
    once, twice = memory.smooth[LEVELS:], memory.smooth_twice
    slope = ((1 - beta) / beta)[LEVELS:, None] * (once - twice)
    bases = np.concatenate([level, 2 * once - twice + slope])
    part = np.array(OF_LAST[period])[:, None, None]
    return (bases + part * (memory.last - bases)).reshape(-1, bases.shape[-1])


def mix(memory: Memory, forecasts: Floats) -> Floats:
    """Level that the forecasters agree on, weighted by their losses, shape (n,)."""
    evidence = -SHARPNESS * np.minimum(memory.losses, LOSSES_MOST) * np.log(memory.loss)
    weight = np.exp(evidence - evidence.max(axis=0))
    return (weight * forecasts).sum(axis=0) / weight.sum(axis=0)


def learn_level(memory: Memory, clean: Floats, live: Bools, period: Period) -> None:
    """Take in a cleaned value without its season, where `live`."""
    gain = 1 - 0.5 ** (1 / np.array(HALF_LIVES[period]))[:, None]
    memory.smooth += np.where(live, gain * (clean - memory.smooth), 0.0)
    memory.smooth_twice += np.where(live, gain[LEVELS:] * (memory.smooth[LEVELS:] - memory.smooth_twice), 0.0)
    memory.last = np.where(live, clean, memory.last)


def learn_losses(memory: Memory, error: Floats, taken: Bools) -> None:
    """Take in the squared errors, in scales, of every forecaster where a value was `taken`."""
    gain = np.where(memory.losses < 30, 1 / (memory.losses + 8), FORGET_LOSS)
    loss = np.minimum(error**2, LOSS_MOST)
    memory.loss += np.where(taken, gain * (loss - memory.loss), 0.0)
    memory.losses += taken


def set_line(memory: Memory, where: Bools, level: Floats, slope: Floats, period: Period) -> None:
    """Put all forecasters on a line through `level` at the last period."""
    beta = 0.5 ** (1 / np.array(HALF_LIVES[period]))[:, None]
    lag = beta / (1 - beta) * slope
    memory.smooth = np.where(where, level - lag, memory.smooth)
    memory.smooth_twice = np.where(where, level - 2 * lag[LEVELS:], memory.smooth_twice)
    memory.last = np.where(where, level, memory.last)
