"""How much a series deviates when nothing is wrong: a mix of Student t distributions of three tails, fitted to its last deviations.

All deviations have a say in the floor, also those that were strange: a scale that leaves out what it flags ends in flagging every
tenth day of series whose days are often odd.
"""

from __future__ import annotations

import numpy as np

from lupus_provider.detectors.order import median_rows
from lupus_provider.detectors.seasonal.lanes import Bools, Floats, NDArray
from lupus_provider.detectors.seasonal.memory import Float32s, Memory

DEGREES = (4.0, 8.0, np.inf)
PRIOR = (0.15, 0.30, 0.55)
"""Of the tails, before a deviation was seen."""
TEMPER = 0.7
"""How much a deviation counts as evidence: they are not independent."""
IN_SIGMAS = (1.25, 1.10, 1.0)
"""Scale of each tail to one comparable sigma."""
FROM_MAD = (0.83, 0.93, 1.0)
ROUNDS = 3
LEAST_RESIDUALS = 10
GUARD = 3.7
"""So many scales hold all but the few largest deviations."""
RARE_COUNT, RARE_SHARE = 3, 0.02
"""How many may lie beyond: the count, or the share where that is more."""
FEW = 2.5
"""The variance of n deviations is widened by this over n."""
CLIPPED_VARIANCE = 1.012
TINY = 1e-24


def sigma(memory: Memory) -> Floats:
    """One comparable standard deviation of every series."""
    return (memory.sigma * memory.tail * np.array(IN_SIGMAS)[:, None]).sum(axis=0)


def fit(memory: Memory, counting: Floats, due: Bools, probability: float) -> None:
    """Fit scale and tail of the series that are `due`.

    Parameters
    ----------
    counting
        Noise that counting alone has, shape (n,); 0 where nothing is counted.
    probability
        Two-sided, at which a point is strange: sets the reach.
    """
    residual = np.ascontiguousarray(memory.residual.T)
    kept = np.ascontiguousarray(memory.ordinary.T) & np.isfinite(residual)
    n = kept.sum(axis=1)
    scales, evidence = _students(np.where(kept, residual, np.float32(np.nan)), kept, n)
    enough = n >= LEAST_RESIDUALS
    floor = np.maximum.reduce([counting, memory.floor, _guard(residual), np.full(len(n), 1e-9)])
    widened = scales * np.sqrt(1 + FEW / np.maximum(n, 1))
    fitted = np.maximum(np.where(enough, widened, memory.first_sigma), floor)
    weight = np.log(np.array(PRIOR))[:, None] + TEMPER * np.where(enough, evidence, 0.0)
    weight = np.exp(weight - weight.max(axis=0))
    memory.sigma = np.where(due, fitted, memory.sigma)
    memory.tail = np.where(due, weight / weight.sum(axis=0), memory.tail)
    memory.reach = np.where(due, quantile(probability, memory.sigma, memory.tail), memory.reach)


def _guard(residual: Float32s) -> Floats:
    size = np.sort(np.nan_to_num(np.abs(residual), nan=-1.0), axis=1)
    n = (size >= 0).sum(axis=1)
    beyond = np.minimum(np.maximum(RARE_COUNT, np.ceil(RARE_SHARE * n)).astype(np.intp), size.shape[1] - 1)
    return np.maximum(size[np.arange(len(n)), -1 - beyond], 0.0) / GUARD


def _students(residual: Float32s, kept: Bools, n: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """Most likely scale, and log-likelihood, under each tail, shapes (tails, n)."""
    from scipy.special import gammaln  # here, not above: DAG files import this module

    square = np.where(kept, residual, 0) ** 2
    size = np.abs(np.where(kept, residual, 0))
    many = np.maximum(n, 1)
    mean = size.sum(axis=1) / many
    mean = np.minimum(size, 3 * mean[:, None].astype(np.float32)).sum(axis=1) / many
    middle = np.maximum(np.nan_to_num(median_rows(np.abs(residual))), 0.75 * 0.6745 * mean)
    scales, evidence = [], []
    for degrees, factor in zip(DEGREES, FROM_MAD, strict=True):
        variance = (1.4826 * middle) ** 2 * factor + TINY
        for _ in range(ROUNDS):
            column = variance[:, None].astype(np.float32)
            if np.isinf(degrees):
                variance = np.minimum(square, 9 * column).sum(axis=1) / many * CLIPPED_VARIANCE + TINY
            else:
                part = square * np.float32(degrees + 1) / (np.float32(degrees) + square / column)
                variance = part.sum(axis=1) / many + TINY
        ratio = square / variance[:, None].astype(np.float32)
        if np.isinf(degrees):
            total = -0.5 * ratio.sum(axis=1) - n * 0.5 * np.log(2 * np.pi)
        else:
            constant = gammaln((degrees + 1) / 2) - gammaln(degrees / 2) - 0.5 * np.log(degrees * np.pi)
            total = n * constant - (degrees + 1) / 2 * np.log1p(ratio / np.float32(degrees)).sum(axis=1)
        scales.append(np.sqrt(variance))
        evidence.append(total - n * 0.5 * np.log(variance))
    return np.array(scales, np.float64), np.array(evidence, np.float64)


def tail_probability(deviation: Floats, scale: Floats, weight: Floats) -> Floats:
    """Two-sided probability of a deviation at least this large, shape (n,)."""
    from scipy.special import ndtr, stdtr

    total = np.zeros_like(deviation)
    for k, degrees in enumerate(DEGREES):
        z = -deviation / scale[k]
        total += weight[k] * 2 * (ndtr(z) if np.isinf(degrees) else stdtr(degrees, z))
    return total


def quantile(probability: float, scale: Floats, weight: Floats) -> Floats:
    """Return the deviation whose two-sided tail has this probability."""
    from scipy.special import ndtri, stdtrit

    ends = np.array([-ndtri(probability / 2) if np.isinf(d) else -stdtrit(d, probability / 2) for d in DEGREES])
    reach = (ends.reshape(len(DEGREES), -1) * scale * weight).sum(axis=0)
    goal = np.log(probability)
    for _ in range(5):  # the logarithm of the tail is nearly straight in the logarithm of the deviation
        here = np.log(np.maximum(tail_probability(reach, scale, weight), 1e-300))
        there = np.log(np.maximum(tail_probability(reach * 1.01, scale, weight), 1e-300))
        slope = np.minimum((there - here) / np.log(1.01), -0.5)
        reach = reach * np.exp(np.clip((goal - here) / slope, -0.5, 0.5))
    return reach


def volatility(memory: Memory) -> Floats:
    """How much wider the band is because the last days deviated more than usual, shape (n,), 1…3."""
    return np.clip((memory.fast_noise / memory.slow_noise) ** VOLATILE, 1.0, VOLATILE_MOST)


def learn_volatility(memory: Memory, z: Floats) -> None:
    """Take in the deviation in scales, NaN where there is none."""
    there = np.isfinite(z)
    size = np.where(there, np.minimum(np.abs(z), 6.0), 0.0)
    memory.fast_noise += np.where(there, FAST * (size - memory.fast_noise), 0.0)
    memory.slow_noise += np.where(there, SLOW * (size - memory.slow_noise), 0.0)


VOLATILE, VOLATILE_MOST = 0.4, 3.0
FAST, SLOW = 1 - 0.5 ** (1 / 8), 1 - 0.5 ** (1 / 90)
