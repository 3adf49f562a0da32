"""S-H-ESD over whole series: what was strange in a file, seen from its end.

Here every value may be judged by every other one, as the R package does; in the daily run none may, see `s_h_esd`. Source: Hochenbaum, Vallis and Kejariwal 2017, Automatic Anomaly Detection in the Cloud Via Statistical Learning.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lupus_provider.detectors.esd import Direction, Outliers, critical_value, find_outliers, tail_probability
from lupus_provider.detectors.order import median_rows
from lupus_provider.detectors.stl import Compatible, decompose

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

NOISE = 1e-12
"""Part of the largest value below which a spread is a rounding error of the decomposition."""
LEAST_SCORE = 1e-300
"""So strange is whatever is further away than so few values can be: not 0, whose logarithm is none."""


@dataclass(frozen=True, slots=True)
class EsdTest:
    """How the remainders are tested; see the fields of the detector."""

    max_anomaly_ratio: float
    alpha: float
    direction: Direction
    compatible: Compatible


@dataclass(frozen=True, slots=True)
class Hindsight:
    """Answer for every value; all arrays have shape (n, t)."""

    is_anomaly: Bools
    expected: Floats
    lower: Floats
    upper: Floats
    score: Floats


def judge_rows(rows: Floats, season_length: int, test: EsdTest, block: int | None = None) -> Hindsight:
    """Judge whole rows, all at once or in blocks.

    Parameters
    ----------
    rows
        Shape (n, t), at least two seasons long; NaN = gap.
    season_length
        Periods in a season; 1 = none: the values themselves are tested.
    test
        Parameters of the test.
    block
        Periods of a block. The last block ends with the rows and is as long as the others, so it overlaps the one before: of the
        two answers the earlier one stands, but what only the later one flags is flagged.

    Returns
    -------
    Hindsight
        Of each value.

    Examples
    --------
    >>> rows = np.tile([1.0, 2, 3, 4, 5, 9, 8], 8)[None, :] + np.sin(np.arange(56) ** 2)
    >>> rows[0, 20] = 30
    >>> found = judge_rows(rows, 7, EsdTest(max_anomaly_ratio=0.1, alpha=0.05, direction="both", compatible="exact"))
    >>> np.flatnonzero(found.is_anomaly).tolist()
    [20]
    """
    t = rows.shape[1]
    size = t if block is None else min(block, t)
    whole = _judge_block(rows[:, :size], season_length, test)
    for start in range(size, t, size):
        first = min(start, t - size)
        whole = _append(whole, _judge_block(rows[:, first : first + size], season_length, test), first)
    return whole


def _append(earlier: Hindsight, later: Hindsight, first: int) -> Hindsight:
    overlap = earlier.is_anomaly.shape[1] - first
    news = later.is_anomaly[:, :overlap] & ~earlier.is_anomaly[:, first:]
    joined = []
    for field in fields(Hindsight):
        old, new = getattr(earlier, field.name), getattr(later, field.name)
        both = np.where(news, new[:, :overlap], old[:, first:])
        joined.append(np.concatenate([old[:, :first], both, new[:, overlap:]], axis=1))
    return Hindsight(*joined)


def _judge_block(rows: Floats, season_length: int, test: EsdTest) -> Hindsight:
    middle = median_rows(rows)[:, None]
    season, expected = np.zeros_like(rows), np.broadcast_to(middle, rows.shape)
    if season_length > 1:
        parts = decompose(rows, season_length, compatible=test.compatible)
        season, expected = parts.season, parts.season + parts.trend
    remainder = rows - season - middle
    found = find_outliers(
        remainder, max_anomaly_ratio=test.max_anomaly_ratio, alpha=test.alpha, direction=test.direction,
        least_scale=rounding_errors(rows), without_mad="stop" if test.compatible == "r" else "root_mean_square",
    )  # fmt: skip
    above = found.mask & (remainder > found.centre[:, None])
    lower, upper = _edges(remainder, found, above, test)
    lower, upper = _agree(rows, found.mask, above, season + middle + lower, season + middle + upper)
    with np.errstate(divide="ignore", invalid="ignore"):
        deviation = (remainder - found.centre[:, None]) / np.where(found.scale > 0, found.scale, np.nan)[:, None]
    score = np.maximum(tail_probability(deviation, found.left[:, None]), LEAST_SCORE)
    return Hindsight(found.mask, np.trunc(expected) if test.compatible == "r" else expected, lower, upper, score)


def rounding_errors(rows: Floats) -> Floats:
    """Spread of rows that a decomposition may make of no spread at all, shape (n,)."""
    return NOISE * np.where(np.isfinite(rows), np.abs(rows), 0.0).max(axis=1, initial=0.0)


def _edges(remainder: Floats, found: Outliers, above: Bools, test: EsdTest) -> tuple[Floats, Floats]:
    """Band of the remainders, shape (n, 1) each: what the test of the next removal would allow.

    Moved where the limit on the number of outliers, or an outlier that only a later one betrayed, wants it elsewhere: between the
    values that were flagged and those that were not.
    """
    limit = np.nan_to_num(critical_value(found.left, test.alpha, test.direction)) * found.scale

    def most(side: Floats, where: Bools) -> Floats:
        return np.where(where, side, -np.inf).max(axis=1, initial=-np.inf)

    kept, below = np.isfinite(remainder) & ~found.mask, found.mask & ~above
    upper = np.minimum(np.maximum(found.centre + limit, most(remainder, kept)), -most(-remainder, above))
    lower = np.maximum(np.minimum(found.centre - limit, -most(-remainder, kept)), most(remainder, below))
    return lower[:, None], upper[:, None]


def _agree(rows: Floats, flagged: Bools, above: Bools, lower: Floats, upper: Floats) -> tuple[Floats, Floats]:
    """Let the band agree with what was flagged also in the last digit."""
    upper = np.where(flagged, upper, np.fmax(upper, rows))
    lower = np.where(flagged, lower, np.fmin(lower, rows))
    upper = np.where(above, np.minimum(upper, np.nextafter(rows, -np.inf)), upper)
    lower = np.where(flagged & ~above, np.maximum(lower, np.nextafter(rows, np.inf)), lower)
    return lower, upper


def usual_highs(rows: Floats, group: Ints, rule: Literal["med_max", "p95", "p99"]) -> Floats:
    """Median or percentile of the largest values of the groups (seasons, or days).

    Parameters
    ----------
    rows
        Shape (n, t); NaN = gap.
    group
        Shape (t,), ascending: the season or day of each period.
    rule
        `med_max`: median; `p95`, `p99`: percentile, linear between neighbours.

    Returns
    -------
    Floats
        Shape (n,); NaN for a row without values.

    Examples
    --------
    >>> usual_highs(np.array([[1.0, 5, 2, 7, 9, np.nan]]), np.array([0, 0, 1, 1, 2, 2]), "med_max").tolist()
    [7.0]
    """
    starts = np.flatnonzero(np.diff(group, prepend=group[0] - 1)) if group.size else np.zeros(0, np.intp)
    highs = np.fmax.reduceat(rows, starts, axis=1) if starts.size else np.full((len(rows), 1), np.nan)
    ordered, count = np.sort(highs, axis=1), np.isfinite(highs).sum(axis=1)
    place = {"med_max": 0.5, "p95": 0.95, "p99": 0.99}[rule] * np.maximum(count - 1, 0)
    floor = place.astype(np.int64)
    row, ceil = np.arange(len(rows)), np.minimum(floor + 1, np.maximum(count - 1, 0))
    share = place - floor
    return ordered[row, floor] * (1 - share) + ordered[row, ceil] * share
