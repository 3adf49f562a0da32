"""Loess of many evenly spaced rows at once, with robustness weights and jumps.

All series of a metric set share their axis, so the neighbourhood weights are computed once for all of them; the law is that a row
is smoothed alike alone and among others, bit by bit (test_a_row_is_smoothed_alike_alone_and_among_others).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NEAR, FAR = 0.001, 0.999
"""Parts of the reach within which a neighbour has full weight, and beyond which it has none."""
LEAST_SPREAD = 0.001
"""Spread of the neighbours, as a part of the series' length, below which no line is fitted but a constant."""


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """Where a row of `length` values is fitted, and how much each neighbour counts there."""

    point: Ints
    """Shape (points,); index of the value that is fitted."""
    start: Ints
    """Shape (points,); index of its first neighbour."""
    distance: Floats
    """Shape (points, span); signed distance of each neighbour, in steps."""
    weight: Floats
    """Shape (points, span); tricube weight of each neighbour."""
    line: Floats
    """Shape (points, span); what a fitted line makes of each neighbour where all are trusted."""
    left: Ints
    """Shape (length,); for each place of the row, the fitted point at or before it."""
    share: Floats
    """Shape (length,); how far each place is on its way to the next fitted point, 0 … 1."""


def tricube(distance: Floats, reach: Floats) -> Floats:
    """Weights of neighbours: 1 near by, 0 beyond the reach.

    Notes
    -----
    Source: Cleveland 1979; the flat ends as the STL Fortran has them.
    """
    far = np.abs(distance)
    part = far / np.maximum(reach, 1e-300)
    middle = (1 - np.minimum(part, 1) ** 3) ** 3
    return np.where(far <= NEAR * reach, 1.0, np.where(far <= FAR * reach, middle, 0.0))


@lru_cache(maxsize=32)
def neighbourhood(length: int, span: int, jump: int) -> Neighbourhood:
    """Place the fits of a row: every `jump`-th value and the last, each with its `span` nearest neighbours.

    A span beyond the row takes the whole row and widens the reach by half of what is missing (Cleveland et al. 1990, 2.1).
    """
    jump = min(jump, length - 1)
    width = min(span, length)
    regular = np.union1d(np.arange(0, length, jump), length - 1)
    start = np.clip(regular - (span + 1) // 2 + 1, 0, length - width)
    distance = (start[:, None] + np.arange(width) - regular[:, None]).astype(np.float64)
    reach = np.maximum(-distance[:, :1], distance[:, -1:]) + (max(span - length, 0)) // 2
    left = np.minimum(np.searchsorted(regular, np.arange(length), side="right") - 1, len(regular) - 2)
    share = (np.arange(length) - regular[left]) / (regular[left + 1] - regular[left])
    weight = tricube(distance, reach)
    return Neighbourhood(regular, start, distance, weight, _line(weight, distance, length), left, share)


def _line(weight: Floats, distance: Floats, length: int) -> Floats:
    """Turn neighbourhood weights into those of the value at distance 0 of a fitted line."""
    part = weight / weight.sum(axis=1, keepdims=True)
    off = distance - (part * distance).sum(axis=1, keepdims=True)
    spread = (part * off**2).sum(axis=1, keepdims=True)
    tilt = np.where(
        np.sqrt(spread) > LEAST_SPREAD * (length - 1), (off - distance) * off / np.maximum(spread, 1e-300), 0.0
    )
    return part * (1 + tilt)


def smooth(rows: Floats, weight: Floats | None, span: int, jump: int) -> Floats:
    """Smooth every row by locally weighted lines, fitted at every `jump`-th value, straight in between.

    Parameters
    ----------
    rows
        Shape (n, t), finite, t >= 2.
    weight
        Shape (n, t), >= 0: how far each value is trusted; without, all are.
    span
        Number of neighbours of a fit, odd, >= 3.
    jump
        Steps between two fits, >= 1.

    Returns
    -------
    Floats
        Shape (n, t). Where no neighbour is trusted, the value itself.

    Examples
    --------
    >>> line = np.array([[1.0, 2, 3, 4, 99, 6]])
    >>> smooth(line, np.array([[1.0, 1, 1, 1, 0, 1]]), span=5, jump=1).round(9).tolist()
    [[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]]
    """
    near = neighbourhood(rows.shape[1], span, jump)
    windows = _windows(rows, near)
    fitted = _weighted_sum(windows, near.line) if weight is None else _fit(windows, _windows(weight, near), near, rows)
    return fitted[:, near.left] + near.share * (fitted[:, near.left + 1] - fitted[:, near.left])


def _fit(windows: Floats, trust: Floats, near: Neighbourhood, rows: Floats) -> Floats:
    """Fit a line around every point; shape (n, points)."""
    value = trust * windows
    once = near.weight * near.distance
    total, first, second = (_weighted_sum(trust, kernel) for kernel in (near.weight, once, once * near.distance))
    level, moment = _weighted_sum(value, near.weight), _weighted_sum(value, once)
    with np.errstate(all="ignore"):
        level, moment, centre = level / total, moment / total, first / total
        spread = np.maximum(second / total - centre**2, 0)
        slope = np.where(np.sqrt(spread) > LEAST_SPREAD * (rows.shape[1] - 1), (moment - centre * level) / spread, 0.0)
        fitted = level - centre * slope
    return np.where(total > 0, fitted, rows[:, near.point])


def _windows(rows: Floats, near: Neighbourhood) -> Floats:
    """Neighbours of every point, shape (n, points, span)."""
    return sliding_window_view(rows, near.weight.shape[1], axis=1)[:, near.start]


def _weighted_sum(windows: Floats, kernel: Floats) -> Floats:
    """Sum every window of shape (n, points, span) with the weights of its point, shape (points, span)."""
    # not a matrix product: its sums run in an order that depends on how many rows there are
    return np.einsum("nps,ps->np", windows, kernel)
