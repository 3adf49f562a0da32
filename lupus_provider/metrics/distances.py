"""Distances between two distributions over the same bins, for many groups at once: numbers in, numbers out.

Shares are shape (groups, bins) and sum to 1 a group; rows of NaN stand for a side without rows, and every distance of them is NaN.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lupus_provider.metrics.base import Floats

FLOOR = 1e-4
"""Least share of a bin in `psi` and `kl`, which an empty bin would make infinite."""
_CHUNK = 512
"""Groups whose Wasserstein distance is taken at once: 30 MB at 100 bins."""


def shares(counts: Floats) -> Floats:
    """Return the share of each bin; NaN where a group has no rows or no counts."""
    total = counts.sum(axis=1, keepdims=True)
    return np.divide(counts, total, out=np.full(counts.shape, np.nan), where=total > 0)


def floored_shares(counts: Floats) -> Floats:
    """Return the share of each bin, at least `FLOOR` and at least half a row, scaled to sum to 1 again.

    Half a row, because among 20 rows an empty bin is nothing strange, and a floor of 1e-4 would make it an alarm (`psi` 0.69 for one
    empty tenth).
    """
    total = counts.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        raised = np.maximum(shares(counts), np.maximum(FLOOR, 0.5 / total))
    return raised / raised.sum(axis=1, keepdims=True)


def psi(current: Floats, reference: Floats) -> Floats:
    """Return the population stability index, sum of (p - q) ln(p / q). Source: Siddiqi 2006, chapter 9."""
    return ((current - reference) * np.log(current / reference)).sum(axis=1)


def kl(current: Floats, reference: Floats) -> Floats:
    """Return the Kullback-Leibler divergence of the current from the reference, sum of p ln(p / q), in nats; no share of q may be 0."""
    return np.maximum(_relative_entropy(current, reference), 0.0)  # rounding may come below zero


def js(current: Floats, reference: Floats) -> Floats:
    """Return the Jensen-Shannon divergence in bits, 0…1. Source: Lin 1991."""
    middle = (current + reference) / 2
    nats = (_relative_entropy(current, middle) + _relative_entropy(reference, middle)) / 2
    return np.clip(nats / np.log(2), 0.0, 1.0)


def _relative_entropy(p: Floats, q: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = p * np.log(p / q)
    return np.where(p == 0, 0.0, terms).sum(axis=1)


def hellinger(current: Floats, reference: Floats) -> Floats:
    """Return the Hellinger distance, root of 1/2 times the sum of (√p - √q)², 0…1."""
    return np.minimum(np.sqrt(((np.sqrt(current) - np.sqrt(reference)) ** 2).sum(axis=1) / 2), 1.0)


def linf(current: Floats, reference: Floats) -> Floats:
    """Return the largest difference of a bin's shares, 0…1."""
    return np.abs(current - reference).max(axis=1)


def kolmogorov_smirnov(current: Floats, reference: Floats) -> Floats:
    """Return the largest difference of the two distribution functions at the edges, 0…1."""
    return np.minimum(np.abs(np.cumsum(current - reference, axis=1)).max(axis=1), 1.0)


def chi_square(current: Floats, reference: Floats) -> tuple[Floats, Floats]:
    """Return Pearson's statistic of homogeneity of two samples, and its degrees of freedom.

    Parameters
    ----------
    current, reference
        Counts, not shares. Bins that are empty on both sides take no part.
    """
    n, m = current.sum(axis=1), reference.sum(axis=1)
    both = current + reference
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = (current * np.sqrt(m / n)[:, None] - reference * np.sqrt(n / m)[:, None]) ** 2 / both
    statistic = np.where(both == 0, 0.0, terms).sum(axis=1)
    known = (n > 0) & (m > 0)
    return np.where(known, statistic, np.nan), (both > 0).sum(axis=1) - 1.0


def deviation(state: Mapping[str, Floats]) -> Floats:
    """Return the standard deviation of a sample (n - 1) from each bin's count, sum and sample variance; NaN below two values.

    Exact: squares within bins plus squares between them (Chan, Golub and LeVeque 1979).
    """
    count = np.nan_to_num(state["count"])
    total = count.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        centre = np.nansum(state["sum"], axis=1) / total
        between = np.nansum(count * (state["sum"] / count - centre[:, None]) ** 2, axis=1)
        # A bin of one value has no variance, and a bin of several whose variance was not measured makes the whole unknown.
        within = np.where(count > 1, state["variance"] * (count - 1), 0.0).sum(axis=1)
        return np.where(total > 1, np.sqrt((between + within) / (total - 1)), np.nan)


def wasserstein(current: Mapping[str, Floats], reference: Mapping[str, Floats]) -> Floats:
    """Return the first Wasserstein distance, the area between the two distribution functions, from the bins of both sides.

    Parameters
    ----------
    current, reference
        `count`, `min`, `max`, `sum` of each bin, shape (groups, bins).

    Returns
    -------
    ndarray
        Shape (groups,), in the column's unit; NaN where a side has no rows, infinite where a side holds infinite values.

    Notes
    -----
    Within a bin each side is spread evenly from its minimum to its mean and from there to its maximum, with the shares that give
    that mean, so that bins of one value and differences of means are exact. By the triangle inequality the error is below
    Σ (p_b + q_b) w_b / 2, with the bins' shares p, q and the widths w between minimum and maximum of a side.
    """
    n = len(current["count"])
    parts = [slice(start, start + _CHUNK) for start in range(0, n, _CHUNK)]
    return np.concatenate([_area(_Side(current, part), _Side(reference, part)) for part in parts] or [np.empty(0)])


class _Side:
    """One distribution: knots of its distribution function in each bin."""

    def __init__(self, state: Mapping[str, Floats], part: slice) -> None:
        count = np.nan_to_num(state["count"][part])
        self.share = shares(count)
        self.below = np.cumsum(self.share, axis=1) - self.share
        filled = count > 0
        self.low = np.where(filled, state["min"][part], np.nan)
        self.high = np.where(filled, state["max"][part], np.nan)
        with np.errstate(all="ignore"):
            mean = np.clip(state["sum"][part] / count, self.low, self.high)  # rounding may leave the span
            self.middle = np.where(filled, mean, np.nan)
            self.left = np.where(
                self.high > self.low, (self.high - self.middle) / (self.high - self.low), 1.0
            )  # share between minimum and mean
        # Filled bins without extremes were counted without them; infinite ones have no finite area.
        extremes = np.where(filled, self.low + self.high + self.middle, 0.0)
        self.unknown = np.isnan(extremes).any(axis=1) | ~(count.sum(axis=1) > 0)
        self.infinite = (filled & (np.isinf(self.low) | np.isinf(self.high))).any(axis=1)

    def function(self, x: Floats, *, from_right: bool) -> Floats:
        """Distribution function at x, shape (groups, bins, points), of the bin's own span; its limit from the right or the left."""
        rising = self.left[..., None] * _ramp(x, self.low[..., None], self.middle[..., None], from_right=from_right)
        rising += (1 - self.left)[..., None] * _ramp(
            x, self.middle[..., None], self.high[..., None], from_right=from_right
        )
        return self.below[..., None] + np.where(self.share[..., None] > 0, self.share[..., None] * rising, 0.0)


def _ramp(x: Floats, low: Floats, high: Floats, *, from_right: bool) -> Floats:
    """0 below low, 1 above high, straight between; a jump where both are the same."""
    with np.errstate(all="ignore"):
        straight = np.clip((x - low) / (high - low), 0.0, 1.0)
    jump = (x >= low if from_right else x > low).astype(float)
    return np.where(high > low, straight, jump)


def _area(p: _Side, q: _Side) -> Floats:
    """Area between two distribution functions that are straight between knots: inside the bins, and in the gaps between them."""
    infinite, unknown = p.infinite | q.infinite, p.unknown | q.unknown
    knots = np.stack([p.low, p.middle, p.high, q.low, q.middle, q.high], axis=-1)
    knots[infinite | unknown] = np.nan
    x = np.sort(knots, axis=-1)  # NaN, of empty sides, comes last
    width = np.nan_to_num(np.diff(x, axis=-1))
    start = (p.function(x, from_right=True) - q.function(x, from_right=True))[..., :-1]
    end = (p.function(x, from_right=False) - q.function(x, from_right=False))[..., 1:]
    inside = (np.where(width > 0, _mean_distance(start, end), 0.0) * width).sum(axis=(1, 2))
    first, last = np.nan_to_num(x[..., 0], nan=np.inf), np.fmax.reduce(x, axis=-1)
    before = np.maximum.accumulate(np.nan_to_num(last, nan=-np.inf), axis=1)[:, :-1]
    with np.errstate(invalid="ignore"):
        gap = np.where(np.isfinite(first[:, 1:]) & np.isfinite(before), first[:, 1:] - before, 0.0)
    area = inside + np.nan_to_num(np.abs(p.below - q.below)[:, 1:] * gap).sum(axis=1)
    return np.where(unknown & ~infinite, np.nan, np.where(infinite, np.inf, area))


def _mean_distance(start: Floats, end: Floats) -> Floats:
    """Mean of |d| where d runs straight from start to end."""
    a, b = np.abs(start), np.abs(end)
    with np.errstate(invalid="ignore", divide="ignore"):
        crossing = (a * a + b * b) / (2 * (a + b))
    return np.where((start < 0) & (end > 0) | (start > 0) & (end < 0), crossing, (a + b) / 2)
