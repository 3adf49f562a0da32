"""Generalised extreme Studentized deviate test with median and MAD.

What remains after each removal is contiguous in sorted order, so the median costs one look and the MAD one bisection, started where
the last one ended: nothing is sorted anew. A plain loop over lists: one step is too little work for an array. Sources: Rosner 1983 for the test; Hochenbaum, Vallis and Kejariwal 2017 for median and MAD in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from math import inf, sqrt
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lupus_provider.detectors.judging import FARTHEST
from lupus_provider.detectors.magnitude import exponents
from lupus_provider.detectors.order import MAD_TO_SIGMA

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Direction = Literal["up", "down", "both"]
WithoutMad = Literal["root_mean_square", "stop"]

MAD_EFFICIENCY = 0.37
MEDIAN_VARIANCE = 1.571
"""pi / 2: variance of the median of n values of normal noise, as a multiple of 1/n."""
LEAST_PART = 1e-6
"""A MAD that is a smaller part of the root mean square deviation comes from values that are equal but for errors of a fit."""


@dataclass(frozen=True, slots=True)
class Outliers:
    """What the test found in each row, and what is left of it."""

    mask: Bools
    """Shape (n, t); True for an outlier."""
    centre: Floats
    """Shape (n,); median of the values that are left, NaN for a row without values."""
    scale: Floats
    """Shape (n,); their standard deviation, by MAD where they have one; 0 where they have no spread."""
    left: Ints
    """Shape (n,); how many are left."""


def find_outliers(
    rows: Floats,
    *,
    max_anomaly_ratio: float,
    alpha: float,
    direction: Direction = "both",
    least_scale: Floats | float = 0.0,
    without_mad: WithoutMad = "root_mean_square",
) -> Outliers:
    """Find the outliers of every row.

    Parameters
    ----------
    rows
        Shape (n, t), in any unit; NaN = gap.
    max_anomaly_ratio
        Part of the values that may be outliers, (0, 0.5); at least one may.
    alpha
        Significance level of each step of the test.
    direction
        Which tail is tested; `both` halves alpha.
    least_scale
        Shape (n,) or one for all, in the unit of the rows: a MAD that is not larger is none, but rounding errors.
    without_mad
        What to do where more than half of the values are equal, or nearly: keep the scale of the step before (of the first step:
        the root mean square deviation, as Rosner has it), or stop, as R does. To measure the rest anew would flag, one after the
        other, every value that is not like the most.

    Returns
    -------
    Outliers
        All removals up to the last step whose deviation exceeds its critical value; equal values go in the order of the row.

    Examples
    --------
    >>> found = find_outliers(np.array([[2.0, 1, 3, 2, 90, 2, 1, 3, 80, 4]]), max_anomaly_ratio=0.4, alpha=0.05)
    >>> np.flatnonzero(found.mask).tolist(), found.centre.tolist()
    ([4, 8], [2.0])
    """
    n, power = len(rows), exponents(rows)
    rows = np.ldexp(np.where(np.isfinite(rows), rows, np.nan), -power)
    upwards, downwards = (np.argsort(side, axis=1, kind="stable") for side in (rows, -rows))
    ordered = np.take_along_axis(rows, upwards, axis=1)
    count = np.isfinite(rows).sum(axis=1)
    steps = np.minimum(np.maximum((count * max_anomaly_ratio).astype(np.int64), 1), np.maximum(count - 2, 0))
    critical = _critical_lists(count, int(steps.max(initial=0)), alpha, direction)
    least = np.ldexp(np.broadcast_to(np.asarray(least_scale, np.float64), (n,)), -power[:, 0]).tolist()
    gone, centre, scale = np.zeros((n, 2), np.int64), np.full(n, np.nan), np.zeros(n)
    for row in np.flatnonzero(count).tolist():
        values = ordered[row, : count[row]].tolist()
        rest = _Rest(values, least[row], without_mad, (upwards[row], downwards[row]))
        state = rest.test(critical[len(values)], int(steps[row]), direction)
        gone[row], centre[row], scale[row] = (state.low, len(values) - 1 - state.high), state.centre, state.scale
    mask = _firsts(upwards, gone[:, 0]) | _firsts(downwards, gone[:, 1])
    return Outliers(mask, np.ldexp(centre, power[:, 0]), np.ldexp(scale, power[:, 0]), count - gone.sum(axis=1))


def critical_values(count: Ints, steps: int, alpha: float, direction: Direction) -> Floats:
    """Deviations that the test must exceed, for rows of `count` values.

    Returns
    -------
    Floats
        Shape (n, steps), in standard deviations; NaN where too few values are left to say.

    Notes
    -----
    Source: Rosner 1983, formula 2.5.

    Examples
    --------
    >>> critical_values(np.array([54]), 2, 0.05, "both").round(2).tolist()  # table 3 of Rosner 1983
    [[3.16, 3.15]]
    """
    return critical_value(count[:, None] - np.arange(steps)[None, :], alpha, direction)


def critical_value(left: Ints, alpha: float, direction: Direction) -> Floats:
    """Deviation that the strangest of `left` values must exceed, in standard deviations; any shape."""
    from scipy.special import stdtrit  # here, not above: DAG files import the shelf

    known = np.where(left > 2, left, 3).astype(np.float64)
    tails = 2 if direction == "both" else 1
    t = -stdtrit(known - 2, alpha / (tails * known))
    return np.where(left > 2, t * (known - 1) / np.sqrt((known - 2 + t**2) * known), np.nan)


def tail_probability(deviation: Floats, left: Ints) -> Floats:
    """Two-sided probability of a deviation in standard deviations, of one of `left` values: `critical_value` the other way round.

    Examples
    --------
    >>> limit = critical_value(np.array([50]), 0.05, "both")
    >>> (tail_probability(limit, np.array([50])) * 50).round(9).tolist()
    [0.05]
    """
    from scipy.special import stdtr

    known = np.where(left > 2, left, 3).astype(np.float64)
    # as a part of the largest deviation that there can be among so many values: nothing overflows
    part = np.minimum(np.abs(deviation) * np.sqrt(known) / (known - 1), 1.0)
    with np.errstate(divide="ignore"):
        t = part * np.sqrt((known - 2) / (1 - part) / (1 + part))
    return np.where((left > 2) & ~np.isnan(deviation), 2 * stdtr(known - 2, -t), np.nan)


def new_value_limit(left: Ints, alpha: float, direction: Direction) -> Floats:
    """Deviation from median and MAD of `left` values that one more value must exceed, at the level of one step of the test.

    A value that is not among those that made the scale can be further away by chance; and a MAD is as good a scale as a standard
    deviation of 37 % of the values (Rousseeuw and Croux 1993), which are the degrees of freedom here.
    """
    from scipy.special import stdtrit

    known = np.where(left > 2, left, 3).astype(np.float64)
    tails = 2 if direction == "both" else 1
    limit = -stdtrit(MAD_EFFICIENCY * (known - 1), alpha / (tails * (known + 1))) * np.sqrt(1 + MEDIAN_VARIANCE / known)
    return np.where(left > 2, limit, np.nan)


def new_value_probability(deviation: Floats, left: Ints) -> Floats:
    """Two-sided probability of such a deviation of one more value: `new_value_limit` the other way round.

    Examples
    --------
    >>> limit = new_value_limit(np.array([49]), 0.05, "both")
    >>> (new_value_probability(limit, np.array([49])) * 50).round(9).tolist()
    [0.05]
    """
    from scipy.special import stdtr

    known = np.where(left > 2, left, 3).astype(np.float64)
    t = np.minimum(np.abs(deviation) / np.sqrt(1 + MEDIAN_VARIANCE / known), FARTHEST)
    return np.where(left > 2, 2 * stdtr(MAD_EFFICIENCY * (known - 1), -t), np.nan)


def _critical_lists(count: Ints, steps: int, alpha: float, direction: Direction) -> dict[int, list[float]]:
    sizes = np.unique(count)
    return dict(zip(sizes.tolist(), critical_values(sizes, steps, alpha, direction).tolist(), strict=True))


def _firsts(order: Ints, count: Ints) -> Bools:
    """Mark the first `count` indices of every row of an order."""
    mask = np.zeros(order.shape, np.bool_)
    np.put_along_axis(mask, order, np.arange(order.shape[1])[None, :] < count[:, None], axis=1)
    return mask


class _State(NamedTuple):
    """What is left of a sorted row: the values from `low` to `high`."""

    low: int
    high: int
    centre: float
    scale: float


class _Rest:
    """A sorted row that loses its smallest and largest values one by one."""

    def __init__(self, values: list[float], least: float, without_mad: WithoutMad, orders: tuple[Ints, Ints]) -> None:
        self._values, self._least, self._without_mad, self._orders = values, least, without_mad, orders
        self._squares: tuple[list[float], list[float]] | None = None
        self._low, self._high, self._near = 0, len(values) - 1, len(values) // 4
        self._centre, self._scale = 0.0, 0.0
        self._measure()

    def test(self, critical: list[float], steps: int, direction: Direction) -> _State:
        """Remove the strangest value, so many times; return the state after the last that exceeded its critical value."""
        values, last = self._values, self._state()
        for step in range(steps):
            if self._scale <= 0:
                break
            below, above = self._centre - values[self._low], values[self._high] - self._centre
            if direction == "down" or (direction == "both" and self._is_low_next(below, above)):
                self._low, deviation = self._low + 1, below / self._scale
            else:
                self._high, deviation = self._high - 1, above / self._scale
            self._measure()
            if deviation > critical[step]:
                last = self._state()
        return last

    def _state(self) -> _State:
        return _State(self._low, self._high, self._centre, self._scale)

    def _is_low_next(self, below: float, above: float) -> bool:
        if below != above:
            return below > above
        upwards, downwards = self._orders
        return bool(upwards[self._low] < downwards[len(self._values) - 1 - self._high])

    def _measure(self) -> None:
        """Median and scale of what is left."""
        values, first, last = self._values, self._low, self._high
        size = last - first + 1
        half = (size + 1) // 2
        self._centre = centre = (values[first + half - 1] + values[first + size // 2]) / 2
        self._near = near = self._nearest(half)
        distance = max(centre - values[near], values[near + half - 1] - centre)
        if size % 2 == 0:
            left = centre - values[near - 1] if near > first else inf
            right = values[near + half] - centre if near + half <= last else inf
            distance = (distance + min(left, right)) / 2
        scale = MAD_TO_SIGMA * distance
        if self._without_mad == "stop":
            self._scale = scale if scale > self._least else 0.0
        elif scale > max(self._least, LEAST_PART * (spread := self._root_mean_square(size))):
            self._scale = scale
        elif self._scale <= 0 and spread > self._least:
            self._scale = spread

    def _nearest(self, half: int) -> int:
        """First index of the `half` values nearest to the median: bisection, from near where they were."""
        values, centre = self._values, self._centre
        low, high = self._low, self._high - half + 1
        for guess in (self._near - 1, self._near + 1):
            if low <= guess < high:
                if centre - values[guess] > values[guess + half] - centre:
                    low = guess + 1
                else:
                    high = guess
        while low < high:
            middle = (low + high) // 2
            if centre - values[middle] > values[middle + half] - centre:
                low = middle + 1
            else:
                high = middle
        return low

    def _root_mean_square(self, size: int) -> float:
        """Root mean square distance from the median of the whole row."""
        values, middle = self._values, len(self._values) // 2
        if self._squares is None:
            # outwards from the middle, so that no sum has to forget a giant
            origin = values[middle]
            self._squares = tuple(  # pyright: ignore[reportAttributeAccessIssue]
                list(accumulate((value - origin) ** 2 for value in side))
                for side in (values[middle:], values[middle::-1])
            )
        upper, lower = self._squares  # pyright: ignore[reportGeneralTypeIssues]
        return sqrt((upper[self._high - middle] + lower[middle - self._low]) / size)
