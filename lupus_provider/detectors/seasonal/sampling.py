"""The part of the noise that comes from few rows: a value of 200 rows scatters more than one of 20,000.

Shares have the noise of drawing; for everything else the part is learnt from how squared deviations go with the number of rows.
"""

from __future__ import annotations

import numpy as np

from lupus_provider.detectors.seasonal.beginning import transform_of
from lupus_provider.detectors.seasonal.lanes import Bools, Floats
from lupus_provider.detectors.seasonal.memory import Memory
from lupus_provider.detectors.seasonal.plan import Day, Traits
from lupus_provider.detectors.seasonal.transform import backward, forward

FORGET = 0.5 ** (1 / 120)
LEAST_VALUES = 20.0
SURE = 9.0
"""Squared correlation times number of values at which the part of the rows is believed."""
NARROWEST, WIDEST = 0.1, 16.0
CLIPPED = 9.0


def rows_variance(memory: Memory, day: Day, traits: Traits) -> Floats:
    """Variance of this period against that of a usual number of rows, shape (n,); 1 where rows say nothing."""
    n, x_mean, y_mean, xx, yy, xy = memory.rows_moments
    spread = xx - x_mean**2
    covariance = xy - x_mean * y_mean
    power = spread * (yy - y_mean**2)
    with np.errstate(all="ignore"):
        slope = np.maximum(covariance / spread, 0.0)
        slope = np.minimum(slope, y_mean / x_mean)  # the rest of the variance is at least 0
        base = y_mean - slope * x_mean
        now = (base + slope / day.n_rows) / y_mean
        sure = (n > LEAST_VALUES) & (covariance > 0) & (covariance**2 * n > SURE * power) & (spread > 1e-6 * x_mean**2)
    usable = sure & (day.n_rows >= 1) & ~traits.is_count & np.isfinite(now)
    return np.where(usable, np.clip(now, NARROWEST, WIDEST), 1.0)


def learn_rows(memory: Memory, day: Day, z: Floats, taken: Bools) -> None:
    """Take in a deviation, in scales of a usual number of rows."""
    usable = taken & (day.n_rows >= 1) & np.isfinite(z)
    x = np.where(usable, 1 / np.maximum(day.n_rows, 1), 0.0)
    y = np.where(usable, np.minimum(z**2, CLIPPED), 0.0)
    n = np.where(usable, memory.rows_moments[0] * FORGET + 1, memory.rows_moments[0])
    now = np.array([x, y, x * x, y * y, x * y])
    gain = np.where(usable, 1 / np.maximum(n, 1), 0.0)
    memory.rows_moments[1:] += gain * (now - memory.rows_moments[1:])
    memory.rows_moments[0] = n


def drawing_noise(memory: Memory, day: Day, traits: Traits, expected: Floats) -> Floats:
    """Noise that a share of so many rows has at least, on the scale of the series; 0 for everything else."""
    if not traits.is_share.any():
        return np.zeros_like(expected)
    transform = transform_of(memory)
    share = np.clip(backward(transform, expected), 0, 1)
    rows = np.where(day.n_rows >= 1, day.n_rows, np.inf)
    noise = np.sqrt(share * (1 - share) / rows + (0.5 / rows) ** 2)
    above = forward(transform, share + noise) - forward(transform, share)
    return np.where(traits.is_share & np.isfinite(above), above, 0.0)
