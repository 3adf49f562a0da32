"""STL: takes every row apart into a season, a trend and a remainder, robustly, many rows at once.

The season is periodic (one value for each place of the cycle), so that it can be carried forward to periods that are not there
yet. Source: Cleveland, Cleveland, McRae and Terpenning 1990, with the parameters that R chooses for `stl(…, "periodic", robust)`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lupus_provider.detectors.judging import spread_rows
from lupus_provider.detectors.loess import Floats, smooth, tricube
from lupus_provider.detectors.magnitude import exponents
from lupus_provider.detectors.order import median_rows
from lupus_provider.detectors.partial_sort import sum_of_middles
from lupus_provider.errors import Terminal

Bools = NDArray[np.bool_]
Compatible = Literal["exact", "r"]

ROBUST_PASSES = 15
BISQUARE_REACH = 6
"""So many median residuals from the fit a value loses all trust."""
LEAST_RESIDUAL = 1e-7
"""Part of the spread below which half of the values are fitted exactly: smaller residuals are rounding errors, and do not decide
which values are trusted (short seasons and few cycles only)."""
NEAR, FAR = 0.001, 0.999
BATCH = 60_000
"""Values taken apart at once: what the windows of a loess make of them still fits the processor's cache."""


class ShortSeriesError(Terminal, ValueError):
    """A series that is too short for its season to be seen twice."""

    def __init__(self, length: int, season_length: int) -> None:
        self.length, self.season_length = length, season_length
        super().__init__(
            f"A series of {length} periods cannot be taken apart by a season of {season_length}: "
            "two whole seasons of at least 2 periods are needed. Give more history, or another season_length."
        )


@dataclass(frozen=True, slots=True)
class Decomposition:
    """A row is season + trend + remainder; all arrays have its shape (n, t) and unit."""

    season: Floats
    """Sums to about 0 over a cycle, repeats exactly."""
    trend: Floats
    remainder: Floats
    """NaN where the row has a gap."""
    weight: Floats
    """Trust in each value, 0 … 1; 0 where the row has a gap."""


def next_odd(number: float) -> int:
    """Smallest odd integer that is not below."""
    return 2 * (ceil(number) // 2) + 1


def decompose(rows: Floats, season_length: int, *, compatible: Compatible = "exact") -> Decomposition:
    """Take rows of equal length apart.

    Parameters
    ----------
    rows
        Shape (n, t), at least two cycles long. NaN = gap: it has no weight in any fit (paper, section 3.4), so season and trend
        go through it.
    season_length
        Values in a cycle, >= 2.
    compatible
        `r` reproduces R's bits: for an even number of values its median of the residuals is not always the median.

    Returns
    -------
    Decomposition
        In the unit of the rows, exact for any scale from 1e-300 to 1e300.

    Raises
    ------
    ShortSeriesError
        If the rows are shorter than two cycles.

    Examples
    --------
    >>> week = np.tile([0.0, 1, 2, 3, 2, -4, -4], 6)
    >>> decompose(5 + week[None, :], 7).season[0, :3].round(6).tolist()
    [0.0, 1.0, 2.0]
    """
    n, t = rows.shape
    if season_length < 2 or t < 2 * season_length:
        raise ShortSeriesError(t, season_length)
    parts = [np.empty((n, t)) for _ in range(4)]
    step = max(1, BATCH // t)
    for first in range(0, n, step):
        batch = slice(first, first + step)
        for whole, part in zip(parts, _decompose(rows[batch], season_length, compatible), strict=True):
            whole[batch] = part
    return Decomposition(*parts)


def _decompose(rows: Floats, season_length: int, compatible: Compatible) -> tuple[Floats, Floats, Floats, Floats]:
    observed = np.isfinite(rows)
    scale = exponents(rows)
    value = np.ldexp(_fill(rows, observed), -scale)
    least = LEAST_RESIDUAL * spread_rows(value, median_rows(value))
    trend = np.zeros_like(value)
    season = trend
    trust = observed.astype(np.float64)
    for again in range(ROBUST_PASSES + 1):
        if again:
            residual = np.where(observed, np.abs(value - (season + trend)), np.nan)
            middle = _r_median(residual) if compatible == "r" else np.maximum(median_rows(residual), least)
            trust = _trust(residual, middle)
        season = _season(value - trend, trust, season_length)
        trend = _trend(value - season, trust, season_length)
    season = cycle_means(season, season_length)
    remainder = np.where(observed, value - season - trend, np.nan)
    return np.ldexp(season, scale), np.ldexp(trend, scale), np.ldexp(remainder, scale), trust


def _fill(rows: Floats, observed: Bools) -> Floats:
    """Put the last value before a gap into it (it counts only where no neighbour is trusted), at the start the first one."""
    index = np.maximum.accumulate(np.where(observed, np.arange(rows.shape[1]), -1), axis=1)
    index = np.where(index < 0, observed.argmax(axis=1)[:, None], index)
    return np.nan_to_num(np.take_along_axis(rows, index, axis=1), posinf=0.0, neginf=0.0)


def _r_median(residual: Floats) -> Floats:
    rows = [row[np.isfinite(row)] for row in residual]
    return np.array([sum_of_middles(row) / 2 if row.size else np.nan for row in rows])


def _trust(residual: Floats, middle: Floats) -> Floats:
    """Bisquare weights of absolute residuals by their median, 0 for gaps."""
    reach = (BISQUARE_REACH * middle)[:, None]
    part = residual / np.maximum(reach, 1e-300)
    with np.errstate(invalid="ignore"):
        bisquare = (1 - np.minimum(part, 1) ** 2) ** 2
        return np.where(residual <= NEAR * reach, 1.0, np.where(residual <= FAR * reach, bisquare, 0.0))


def _season(detrended: Floats, trust: Floats, season_length: int) -> Floats:
    """Smooth each place of the cycle over the cycles, less what of that is slow."""
    t = detrended.shape[1]
    cycle = _smooth_cycles(detrended, trust, season_length)
    slow = cycle
    for width in (season_length, season_length, 3):
        slow = _moving_average(slow, width)
    span = max(3, next_odd(season_length))
    return cycle[:, season_length : season_length + t] - smooth(slow, None, span, ceil(span / 10))


def _trend(deseasoned: Floats, trust: Floats, season_length: int) -> Floats:
    window = 10 * deseasoned.shape[1] + 1
    span = max(3, next_odd(ceil(1.5 * season_length / (1 - 1.5 / window))))
    return smooth(deseasoned, trust, span, ceil(span / 10))


def _smooth_cycles(rows: Floats, trust: Floats, season_length: int) -> Floats:
    """Loess of every cycle-subseries by a constant, one cycle longer at both ends; shape (n, t + 2 cycles).

    The span is ten times the series, so two fits a subseries are enough: the jump leaps over all values in between.
    """
    n, t = rows.shape
    out = np.empty((n, t + 2 * season_length))
    cycles, longer = divmod(t, season_length)
    for places, k in ((slice(0, longer), cycles + 1), (slice(longer, season_length), cycles)):
        if places.start == places.stop:
            continue
        values, weights = (_by_place(array, places, k, season_length) for array in (rows, trust))
        before, first, last, after = _fit_cycles(values, weights, 10 * t + 1)
        between = first[..., None] + (last - first)[..., None] / (k - 1) * np.arange(k)
        between[..., -1] = last
        fitted = np.concatenate([before[..., None], between, after[..., None]], axis=2)
        for cycle in range(k + 2):
            out[:, cycle * season_length + places.start : cycle * season_length + places.stop] = fitted[:, :, cycle]
    return out


def _by_place(rows: Floats, places: slice, cycles: int, season_length: int) -> Floats:
    """Values of some places of the cycle, shape (n, places, cycles)."""
    index = np.arange(places.start, places.stop)[:, None] + season_length * np.arange(cycles)
    return np.ascontiguousarray(rows[:, index])


def _fit_cycles(values: Floats, weights: Floats, span: int) -> tuple[Floats, Floats, Floats, Floats]:
    """Weighted means as seen from a cycle before the first, from the first, the last, and a cycle after it."""
    k = values.shape[2]
    distance = np.arange(k)[None, :] - np.array([-1, 0, k - 1, k])[:, None]
    reach = np.abs(distance).max(axis=1, keepdims=True) + (span - k) // 2
    kernel = tricube(distance.astype(np.float64), reach.astype(np.float64))
    product = weights * values
    means = []
    for row in kernel:
        total = np.einsum("npk,k->np", weights, row)
        with np.errstate(all="ignore"):
            means.append(np.where(total > 0, np.einsum("npk,k->np", product, row) / total, np.nan))
    first = np.where(np.isnan(means[1]), values[..., 0], means[1])
    last = np.where(np.isnan(means[2]), values[..., -1], means[2])
    return np.where(np.isnan(means[0]), first, means[0]), first, last, np.where(np.isnan(means[3]), last, means[3])


def _moving_average(rows: Floats, width: int) -> Floats:
    total = np.cumsum(rows, axis=1)
    total[:, width:] -= total[:, :-width].copy()
    return total[:, width - 1 :] / width


def cycle_means(rows: Floats, season_length: int) -> Floats:
    """Put the mean of each place of the cycle at all of its periods."""
    n, t = rows.shape
    cycles = -(-t // season_length)
    padded = np.full((n, cycles * season_length), np.nan)
    padded[:, :t] = rows
    places = np.ascontiguousarray(padded.reshape(n, cycles, season_length).transpose(0, 2, 1))
    count = np.where(np.arange(season_length) < t - (cycles - 1) * season_length, cycles, cycles - 1)
    means = np.nan_to_num(places).sum(axis=2) / count
    return np.tile(means, (1, cycles))[:, :t]
