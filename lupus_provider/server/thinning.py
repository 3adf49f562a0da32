"""Thins a series to what a chart can show, without losing what matters.

The smallest and largest value of every bucket stay, so a spike of one point survives; so do the ends and every flagged point.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def thin(value: NDArray[np.float64], max_points: int, keep: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return sorted indices of at most `max_points` points, and those to keep beside them.

    Parameters
    ----------
    value
        Shape (n,); NaN is a point without a value and counts as a gap that must stay visible.
    max_points
        At least 10.
    keep
        Indices that must stay.

    Examples
    --------
    >>> thin(np.array([0.0, 1, 9, 1, 0, 1, 2, 1, 0, 1, 0, 1]), 10, np.array([5]))[:4].tolist()
    [0, 2, 4, 5]
    """
    n = len(value)
    if n <= max_points:
        return np.arange(n)
    edges = np.linspace(0, n, (max_points - 2) // 3 + 1).astype(int)  # three of a bucket stay, and two ends
    found = [0, n - 1, *(int(i) for i in keep)]
    for start, stop in zip(edges[:-1].tolist(), edges[1:].tolist()):
        part = value[start:stop]
        gap = np.isnan(part)
        if gap.any():
            found.append(start + int(gap.argmax()))
        if not gap.all():
            found += [start + int(np.nanargmin(part)), start + int(np.nanargmax(part))]
    return np.unique(np.array(found, np.intp))
