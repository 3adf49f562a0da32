"""Order statistics of rows with gaps: medians, middle means, and the scale of each tail.

Everything is an order statistic or a mean of clipped values, never a square, so that 1e300 does not overflow, 1e-300 does not
vanish, and one wild day weighs as much as a mild one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MAD_TO_SIGMA = 1.4826
NORMAL_90 = 1.2816
"""Standard normal quantile of 90 %."""
TAIL_GUARD = 3.3
"""So many scales hold all but the few largest residuals."""
TAIL_COUNT, TAIL_SHARE = 3, 0.02
"""How many residuals may lie beyond the guard: the count, or the share where that is more."""
TAIL_RARE = 15
"""Of few residuals only one in so many may."""
SIDES_ALIKE = 0.8
"""Least ratio of one side's scale to the other's."""
SMALL_SAMPLE = 2.0
"""A scale of n residuals is widened by this number over n."""


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


def middle_mean_rows(rows: Floats) -> Floats:
    """Mean of the middle half of every row (gaps left out): nearly as precise as the mean, deaf to a quarter of bad values."""
    ordered, n = sort_rows(rows)
    cut = ((n - 1) // 4)[:, None]
    column = np.arange(rows.shape[1])[None, :]
    kept = (column >= cut) & (column < n[:, None] - cut)
    total = np.where(kept, ordered, 0.0).sum(axis=1)
    return np.where(n > 0, total / np.maximum(kept.sum(axis=1), 1), np.nan)


def tail_scales(residual: Floats) -> tuple[Floats, Floats, Ints]:
    """Scale of the residuals above and below the forecast, each the largest of three opinions.

    A scale that leaves out what it calls an outlier collapses where a twentieth of the days are "outliers" (shares that are
    mostly zero) and then flags every day that is not zero. So all residuals stay, and the tail itself has a say.

    Parameters
    ----------
    residual
        Shape (n, window), value minus forecast, NaN where there is none.

    Returns
    -------
    above, below, count
        Shape (n,) each; `count` is the number of residuals. Undefined where count is 0.
    """
    ordered, n = sort_rows(residual)
    core = MAD_TO_SIGMA * np.nan_to_num(median_rows(np.abs(residual)))
    few = np.minimum(TAIL_COUNT, n // TAIL_RARE)
    tenth = np.maximum((0.1 * n).astype(np.int64), few)
    rare = np.maximum(np.ceil(TAIL_SHARE * n).astype(np.int64), few)

    def side(sign: int) -> Floats:
        def largest(rank: Ints) -> Floats:
            return np.nan_to_num(np.maximum(sign * pick(ordered, n - 1 - rank if sign > 0 else rank), 0.0))

        return np.maximum.reduce([core, largest(tenth) / NORMAL_90, largest(rare) / TAIL_GUARD])

    above, below = side(1), side(-1)
    wider = 1 + SMALL_SAMPLE / np.maximum(n, 1)
    return np.maximum(above, SIDES_ALIKE * below) * wider, np.maximum(below, SIDES_ALIKE * above) * wider, n
