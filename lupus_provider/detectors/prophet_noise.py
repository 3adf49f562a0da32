"""Quantiles and tails of Prophet's predictive distribution, computed instead of simulated.

A future value is the forecast plus normal noise plus, for every period since the fit, a slope change that comes with some chance
and has a Laplace size. The characteristic function of that sum is a product; Gil-Pelaez (1951) turns it into probabilities.
The package's own band is the same quantiles from 1000 draws, so it jumps around these by a few per cent of its width.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

from lupus_provider.detectors.base import Floats
from lupus_provider.detectors.prophet_forecast import Noise

FASTEST = 8.5
"""Frequency beyond which the normal part leaves nothing: exp(-36)."""
REACH = 12.0
"""Total standard deviations beyond which probabilities are not told apart."""
LEAST_PROBABILITY = 1e-14
"""Smaller ones are rounding errors of the integral."""
NODES = (128, 256, 512, 1024, 2048)
ROWS_AT_ONCE = 4096
NEWTON_STEPS = 60


def tails(noise: Noise, distance: Floats) -> Floats:
    """Two-sided probability of a value at least so far (in the metric's unit) from its forecast, shape (n,)."""
    reach = REACH * _total(noise)
    with np.errstate(all="ignore"):
        x = np.minimum(np.abs(distance) / noise.sigma, reach)
    return np.clip(1 - 2 * _by_nodes(noise, reach, x, _central), LEAST_PROBABILITY, 1.0)


def half_widths(noise: Noise, interval_width: float) -> Floats:
    """Distance from the forecast that a value exceeds with probability 1 - `interval_width`, in the metric's unit, shape (n,)."""
    from scipy.special import ndtri

    # adding changes of slope only widens, and the central probability is concave: Newton climbs and never oversteps
    begin = np.full(len(noise.sigma), ndtri((1 + interval_width) / 2))

    def climb(x: Floats, v: Floats, weight: Floats) -> Floats:
        going = np.ones(len(x), bool)
        for _ in range(NEWTON_STEPS):
            part, some = x[going], weight[going]
            short = interval_width / 2 - _central(part, v, some)
            density = (some * np.cos(part[:, None] * v)).sum(axis=1) / np.pi
            step = np.maximum(short, 0.0) / np.maximum(density, 1e-300)
            x[going] += step
            going[going] = step > 1e-10 * part
            if not going.any():
                break
        return x

    return _by_nodes(noise, REACH * _total(noise), begin, climb) * noise.sigma


def _central(x: Floats, v: Floats, weight: Floats) -> Floats:
    """Probability between the forecast and x scales above it."""
    return (weight * np.sin(x[:, None] * v) / v).sum(axis=1) / np.pi


def _by_nodes(noise: Noise, reach: Floats, x: Floats, do: Callable[[Floats, Floats, Floats], Floats]) -> Floats:
    """Apply a function to the rows; those that reach further get more nodes, whatever rows are beside them."""
    needed = 64 + 1.5 * FASTEST / np.pi * reach
    level = np.minimum(np.searchsorted(NODES, needed), len(NODES) - 1)
    answer = np.empty(len(x))
    for which in np.unique(level):
        v, share = _nodes(NODES[which])
        every = np.flatnonzero(level == which)
        for begin in range(0, len(every), ROWS_AT_ONCE):
            rows = every[begin : begin + ROWS_AT_ONCE]
            answer[rows] = do(x[rows], v, _characteristic(noise, rows, v) * share)
    return answer


@cache
def _nodes(n: int) -> tuple[Floats, Floats]:
    """Frequencies and weights of an integral from 0 to `FASTEST` (Gauss and Legendre); slow to find, and always the same."""
    place, share = np.polynomial.legendre.leggauss(n)
    return (place + 1) * FASTEST / 2, share * FASTEST / 2


def _characteristic(noise: Noise, rows: NDArray[np.intp], v: Floats) -> Floats:
    """Characteristic function of the noise in parts of sigma, shape (rows, nodes)."""
    steps, chance, shift = noise.steps[rows], noise.chance[rows][:, None], noise.shift[rows][:, None]
    product = np.broadcast_to(np.exp(-(v**2) / 2), (len(rows), len(v))).copy()
    for past in range(int(steps.max(initial=0))):
        # a change weighs half in its own period: the package spreads it over two
        laplace = 1 / (1 + (shift * (past + 0.5) * v) ** 2)
        product *= np.where((steps > past)[:, None], 1 - chance + chance * laplace, 1.0)
    return product


def _total(noise: Noise) -> Floats:
    """Return the standard deviation of the whole noise, in parts of sigma."""
    n = noise.steps
    squares = n * (4.0 * n**2 - 1) / 12  # sum of (i + 1/2)² for i < n
    return np.sqrt(1 + 2 * noise.chance * noise.shift**2 * squares)
