"""Brings rows near 1 by a power of two, and back.

Sums, squares and products of 1e300 overflow and those of 1e-300 vanish; a power of two changes no digit, so the same series in
another unit gets the same answer.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def exponents(rows: NDArray[np.float64]) -> NDArray[np.int64]:
    """Power of two that brings the largest value of each row near 1.

    Parameters
    ----------
    rows
        Shape (n, t); NaN and infinite values are passed over.

    Returns
    -------
    NDArray[np.int64]
        Shape (n, 1); for `np.ldexp(rows, -exponents)`.

    Examples
    --------
    >>> exponents(np.array([[3.0, -5.0], [0.0, 0.0]])).tolist()
    [[3], [0]]
    """
    size = np.where(np.isfinite(rows), np.abs(rows), 0.0).max(axis=1, keepdims=True, initial=0.0)
    return np.frexp(size)[1].astype(np.int64)
