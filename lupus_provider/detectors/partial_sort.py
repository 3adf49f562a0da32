"""The partial sort behind R's `stl`, with the quirk that moves its median.

R asks it for the two middle places of an even number of values in descending order, where it expects ascending ones; it then may
leave the lower place unsorted. Who wants R's numbers to the last digit needs the same walk through the same values.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SHORT = 10
"""Segments up to this length are sorted by insertion."""


def sum_of_middles(values: NDArray[np.float64]) -> float:
    """Sum of what R finds at the two middle places, twice the median where its sort does what was meant.

    Parameters
    ----------
    values
        Shape (t,), t >= 1, no NaN.

    Examples
    --------
    >>> sum_of_middles(np.array([3.0, 1.0, 2.0]))
    4.0
    """
    upper = len(values) // 2
    lower = len(values) - upper - 1
    ordered = partial_sort(values.tolist(), [upper, lower])
    return ordered[upper] + ordered[lower]


def partial_sort(a: list[float], places: list[int]) -> list[float]:
    """Sort a list in place until the values at `places` (from 0) stand where a full sort would put them, if these ascend.

    Notes
    -----
    Singleton's quicksort (CACM algorithm 347): median of three, the shorter part first, segments that hold no wanted place are
    left alone. Which places a segment holds is looked up at one end of the list only, hence the need for order.
    """
    waiting = [(0, len(a) - 1, 0, len(places) - 1)]
    while waiting:
        low, high, first, last = waiting.pop()
        while first <= last and low < high:
            if high - low <= SHORT and low > 0:
                a[low : high + 1] = sorted(a[low : high + 1])
                break
            left, right = _split(a, low, high)
            if left - low <= high - right:
                held = last
                while first <= last and places[last] > left:
                    last -= 1
                waiting.append((right, high, last + 1, held))
                high = left
            else:
                held = first
                while first <= last and places[first] < right:
                    first += 1
                waiting.append((low, left, held, first - 1))
                low = right
    return a


def _split(a: list[float], low: int, high: int) -> tuple[int, int]:
    """Part a segment at the median of three: up to the first index answered nothing is larger, from the second nothing smaller."""
    middle = (low + high) // 2
    pivot = a[middle]
    if a[low] > pivot:
        a[middle], a[low] = a[low], pivot
        pivot = a[middle]
    if a[high] < pivot:
        a[middle], a[high] = a[high], pivot
        pivot = a[middle]
        if a[low] > pivot:
            a[middle], a[low] = a[low], pivot
            pivot = a[middle]
    left, right = high, low
    while True:
        left -= 1
        while a[left] > pivot:
            left -= 1
        right += 1
        while a[right] < pivot:
            right += 1
        if right > left:
            return left, right
        a[left], a[right] = a[right], a[left]
