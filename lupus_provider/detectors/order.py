"""Order statistics of rows or columns with gaps: sorted values, picked places, medians.

Order statistics and not squares, so that 1e300 does not overflow, 1e-300 does not vanish, and one wild day weighs as much as a
mild one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

MAD_TO_SIGMA = 1.4826
"""Median absolute deviation to standard deviation of normal noise."""


def sort_rows(rows: Floats) -> tuple[Floats, Ints]:
    """Sort every row, gaps last, and count what is no gap."""
    return np.sort(rows, axis=1), np.isfinite(rows).sum(axis=1)


def pick(rows: Floats, column: Ints) -> Floats:
    """One value of each row; columns outside the row mean its edge."""
    column = np.clip(column, 0, rows.shape[1] - 1)
    return rows[np.arange(len(rows)), column]


def median_rows(rows: Floats) -> Floats:
    """Median of every row without its gaps; NaN where a row has nothing else.

    Examples
    --------
    >>> median_rows(np.array([[3.0, np.nan, 1.0, 9.0], [1.0, 2.0, np.nan, np.nan]])).tolist()
    [3.0, 1.5]
    """
    ordered, n = sort_rows(rows)
    low, high = pick(ordered, (n - 1) // 2), pick(ordered, n // 2)
    return np.where(n > 0, low / 2 + high / 2, np.nan)


def sort_columns(values: NDArray[Any]) -> tuple[NDArray[Any], Ints]:
    """Sort along the first axis, gaps last, and count what is no gap."""
    return np.sort(values, axis=0), np.isfinite(values).sum(axis=0)


def pick_columns(ordered: NDArray[Any], place: Ints) -> NDArray[Any]:
    """One value along the first axis for every other place; places outside mean the edge."""
    place = np.clip(place, 0, len(ordered) - 1)
    return np.take_along_axis(ordered, place[None], axis=0)[0]


def median_columns(values: NDArray[Any]) -> NDArray[Any]:
    """Median along the first axis without the gaps; NaN where there is nothing else.

    Examples
    --------
    >>> median_columns(np.array([[3.0, 1.0], [np.nan, 2.0], [1.0, np.nan]])).tolist()
    [2.0, 1.5]
    """
    ordered, n = sort_columns(values)
    low, high = pick_columns(ordered, (n - 1) // 2), pick_columns(ordered, n // 2)
    return np.where(n > 0, low / 2 + high / 2, np.nan)
