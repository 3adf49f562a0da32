"""The scale on which a series is judged: where its noise is as large at high values as at low ones.

Chosen from the values before the judged one and nothing else; chosen anew while a series is young, because two weeks tell little.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from lupus_provider.detectors.order import MAD_TO_SIGMA, median_columns, pick_columns, sort_columns
from lupus_provider.detectors.seasonal.lanes import Bools, Floats, Lanes, NDArray

REACH = 1e9
"""Values further away than so many typical values are all the same."""
COUNT_MEDIAN = 50
"""Whole numbers with a smaller median are counts with the noise of counting."""
LEAST_PAIRS = 20
"""Pairs of values a week apart before their spread is compared with their size."""
SHARE_LEAST = 1e-4
"""Values that are all smaller are taken for small numbers, not for shares."""
COUNTING_LEAST, COUNTING_MEDIAN = 0.5, 3
"""Whole numbers that scatter less than this part of what counting would are no counts; told from this median on."""
KEEP = 0.1
"""A series keeps its scale unless another is so much steadier."""
PENALTY = {"log": 0.0, "root": 0.08, "identity": 0.12}


class Scale(IntEnum):
    """On which scale."""

    IDENTITY = 0
    LOG = 1
    COUNT = 2
    """2·sqrt(v + 3/8) (Anscombe): counting has noise 1 there."""
    ROOT = 3
    SHARE = 4
    """arcsin(sqrt(v)): drawing n rows has noise 1/(2·sqrt(n)) there."""
    ASINH = 5


@dataclass(slots=True)
class Transform(Lanes):
    """Scale and its constants of every series, shapes (n,)."""

    scale: NDArray[np.int8]
    unit: Floats
    """Power of two near the typical value: 1e300 and 1e-300 are computed with like 1."""
    centre: Floats
    """Of asinh: the median in units."""
    spread: Floats
    """Of asinh: twice the robust deviation in units; of the logarithm: a thousandth of the least positive value."""

    @classmethod
    def identity(cls, n: int) -> Transform:
        """Return the transform that changes nothing."""
        return cls(np.zeros(n, np.int8), np.ones(n), np.zeros(n), np.ones(n))


def _share(x: Floats, _centre: Floats, _spread: Floats) -> Floats:
    inside = np.arcsin(np.sqrt(np.clip(x, 0, 1)))
    return np.where(x > 1, np.pi / 2 + (x - 1), np.where(x < 0, x, inside))


def _share_back(y: Floats, _centre: Floats, _spread: Floats) -> Floats:
    inside = np.sin(np.clip(y, 0, np.pi / 2)) ** 2
    return np.where(y > np.pi / 2, 1 + (y - np.pi / 2), np.where(y < 0, y, inside))


Function = Callable[[Floats, Floats, Floats], Floats]
FORWARD: dict[Scale, Function] = {
    Scale.LOG: lambda x, _c, s: np.log(np.maximum(x, s)),
    Scale.COUNT: lambda x, _c, _s: 2 * np.sqrt(np.maximum(x, 0) + 0.375),
    Scale.ROOT: lambda x, _c, _s: np.sign(x) * np.sqrt(np.abs(x)),
    Scale.SHARE: _share,
    Scale.ASINH: lambda x, c, s: np.arcsinh((x - c) / s),
}
BACKWARD: dict[Scale, Function] = {
    Scale.LOG: lambda y, _c, _s: np.exp(np.minimum(y, 700)),
    Scale.COUNT: lambda y, _c, _s: np.maximum((np.maximum(y, 0) / 2) ** 2 - 0.375, 0),
    Scale.ROOT: lambda y, _c, _s: np.sign(y) * y * y,
    Scale.SHARE: _share_back,
    Scale.ASINH: lambda y, c, s: c + s * np.sinh(np.clip(y, -700, 700)),
}


def _apply(functions: dict[Scale, Function], transform: Transform, values: Floats) -> Floats:
    result = values.copy()
    used = np.bincount(transform.scale, minlength=len(Scale))
    for scale, function in functions.items():
        if used[scale]:
            at = np.flatnonzero(transform.scale == scale)
            result[..., at] = function(values[..., at], transform.centre[at], transform.spread[at])
    return result


def forward(transform: Transform, value: Floats) -> Floats:
    """Bring values, shape (…, n), to the scale of their series."""
    return _apply(FORWARD, transform, np.clip(value / transform.unit, -REACH, REACH))


def backward(transform: Transform, y: Floats) -> Floats:
    """Bring values of the scale, shape (…, n), back to the metric's unit."""
    return _apply(BACKWARD, transform, y) * transform.unit


def choose(value: Floats, is_share: Bools, is_count: Bools, current: Transform | None = None) -> Transform:
    """Choose the scale of every series from its recent values.

    Parameters
    ----------
    value
        Shape (t, n), oldest first, NaN where there is none.
    is_share, is_count
        Shape (n,), what is known of the metric; without it the values tell.
    current
        The scale so far: kept where the new choice is hardly better.
    """
    n = value.shape[1]
    ordered, count = sort_columns(value)
    least, most = pick_columns(ordered, np.zeros(n, np.intp)), pick_columns(ordered, count - 1)
    middle = np.nan_to_num(median_columns(value))
    whole = (np.isnan(value) | (value == np.round(value))).all(axis=0)
    different = 1 + (np.diff(ordered, axis=0) > 0).sum(axis=0)
    constant = (count == 0) | (least == most)
    share = ((least >= 0) & (most <= 1) & (most > SHARE_LEAST)) | is_share
    chance = whole & (least >= 0) & (middle < COUNT_MEDIAN)
    counted = (
        chance
        & ~is_share
        & _scatters_like_counts(value, middle)
        & (((most >= 3) & (different >= 4)) | (is_count & ~constant) | (is_count & (most == 0)))
    )
    unit = _unit(ordered, count, middle)
    spread = np.abs(value - middle)
    deviation = MAD_TO_SIGMA * np.nan_to_num(median_columns(spread))
    skewed = _octile_skew(ordered, count) > 0.2
    wide = pick_columns(*_sorted(spread, 0.95)) > 3 * deviation
    positive = _steadiest(value / unit, least > 0, count, None if current is None else current.scale)
    near_zero = (least < 0.1 * middle) & ~whole
    scale = np.select(
        [counted, constant, share, least < 0, least == 0, near_zero],
        [
            Scale.COUNT, Scale.IDENTITY, _of_share(value, least, middle),
            np.where((deviation > 0) & (skewed | wide), Scale.ASINH, Scale.IDENTITY), Scale.ROOT,
            np.where((deviation > 0) & skewed, Scale.ASINH, Scale.IDENTITY),
        ],
        positive,
    ).astype(np.int8)  # fmt: skip
    plain = np.isin(scale, (Scale.COUNT, Scale.SHARE))
    unit = np.where(plain, 1.0, unit)
    centre = np.where(scale == Scale.ASINH, middle / unit, 0.0)
    broad = np.where(deviation > 0, 2 * deviation / unit, 1.0)
    floor = np.nan_to_num(_least_positive(value), nan=1.0) / unit * 1e-3
    return Transform(scale, unit, centre, np.where(scale == Scale.LOG, floor, broad))


def _scatters_like_counts(value: Floats, middle: Floats) -> Bools:
    y = 2 * np.sqrt(np.maximum(value, 0) + 0.375)
    lag = 7 if len(value) > 14 else 1
    typical = np.nan_to_num(median_columns(np.abs(y[lag:] - y[:-lag]))) / 0.954
    return (middle < COUNTING_MEDIAN) | (typical >= COUNTING_LEAST)


def _sorted(value: Floats, quantile: float) -> tuple[Floats, NDArray[np.intp]]:
    ordered, count = sort_columns(value)
    return ordered, np.floor(quantile * np.maximum(count - 1, 0)).astype(np.intp)


def _least_positive(value: Floats) -> Floats:
    least = np.where(value > 0, value, np.inf).min(axis=0)
    return np.where(np.isfinite(least), least, np.nan)


def _unit(ordered: Floats, count: NDArray[np.intp], middle: Floats) -> Floats:
    far = np.maximum(np.abs(pick_columns(ordered, count - 1)), np.abs(ordered[0]))
    size = np.where(middle != 0, np.abs(middle), np.nan_to_num(far))
    return np.where(size > 0, 2.0 ** np.clip(np.round(np.log2(np.where(size > 0, size, 1.0))), -1020, 1020), 1.0)


def _octile_skew(ordered: Floats, count: NDArray[np.intp]) -> Floats:
    last = np.maximum(count - 1, 0)
    low, mid, high = (pick_columns(ordered, np.floor(q * last + 0.5).astype(np.intp)) for q in (0.05, 0.5, 0.95))
    width = high - low
    return np.where(width > 0, (high / 2 + low / 2 - mid) / np.where(width > 0, width / 2, 1.0), 0.0)


def _of_share(value: Floats, least: Floats, middle: Floats) -> NDArray[np.int64]:
    """Shares near 0 or 1 have binomial noise, other noisy ones that of a product, quiet ones are left alone."""
    lag = 7 if len(value) > 14 else 1
    relative = np.nan_to_num(median_columns(np.abs(value[lag:] - value[:-lag]))) / 0.954 / np.maximum(middle, 1e-12)
    quiet = (relative < 0.05) & (least > 0.02)
    binomial = (least < 0.02) | (middle > 0.5) | (relative < 0.12)
    return np.where(quiet, Scale.IDENTITY, np.where(binomial, Scale.SHARE, Scale.LOG))


def _steadiest(value: Floats, positive: Bools, count: NDArray[np.intp], current: NDArray[np.int8] | None) -> Floats:
    """Of logarithm, root and identity the one whose weekly changes depend least on the size and are least skewed."""
    x = np.where(positive, value, 1.0)
    lag = 7
    if len(x) <= lag + 2:
        return np.full(x.shape[1], float(Scale.LOG))
    scores = []
    for scale, function, penalty in (
        (Scale.LOG, np.log, PENALTY["log"]), (Scale.ROOT, np.sqrt, PENALTY["root"]), (Scale.IDENTITY, np.array, PENALTY["identity"]),
    ):  # fmt: skip
        y = function(x)
        change, size = y[lag:] - y[:-lag], y[lag:] + y[:-lag]
        ordered, pairs = sort_columns(change)
        score = np.abs(_dependence(np.abs(change), size)) + 0.5 * np.abs(_octile_skew(ordered, pairs)) + penalty
        scores.append(score - (KEEP * (current == scale) if current is not None else 0.0))
    names = np.array([Scale.LOG, Scale.ROOT, Scale.IDENTITY], float)
    best = names[np.argmin(np.array(scores), axis=0)]
    enough = np.isfinite(x[lag:] + x[:-lag]).sum(axis=0) >= LEAST_PAIRS
    return np.where(enough & (count > 0), best, float(Scale.LOG))


def _dependence(spread: Floats, size: Floats) -> Floats:
    """Correlation of the clipped spread with being above or below the median size."""
    there = np.isfinite(spread) & np.isfinite(size)
    side = np.where(there, np.sign(size - median_columns(size)), 0.0)
    typical = np.nan_to_num(median_columns(spread))
    clipped = np.where(there, np.minimum(spread / np.where(typical > 0, typical, 1.0), 3.0), 0.0)
    n = np.maximum(there.sum(axis=0), 1)
    mean_side, mean = side.sum(axis=0) / n, clipped.sum(axis=0) / n
    side, clipped = np.where(there, side - mean_side, 0.0), np.where(there, clipped - mean, 0.0)
    power = np.sqrt((side**2).sum(axis=0) * (clipped**2).sum(axis=0))
    return (side * clipped).sum(axis=0) / np.where(power > 0, power, 1.0)
