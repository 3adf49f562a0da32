"""What detectors of single values share: the spread of past values, and the way from a band to a judgement.

Apart from the detectors, because the files of the shelf do not know each other.
"""

from __future__ import annotations

import numpy as np

from lupus_provider.detectors.base import Bools, Floats, Judgement, Outcome, Panel
from lupus_provider.detectors.order import MAD_TO_SIGMA, median_rows

MEAN_DEVIATION_TO_SIGMA = 1.2533
"""sqrt(pi / 2): mean absolute to standard deviation of normal noise."""
TAIL_DEGREES = 3
"""Degrees of freedom of the t distribution behind the score: real daily series have tails of index 2 to 3, normal ones flatter."""
LEAST_SCALE = 1e-9
"""Part of the level below which a deviation is a rounding error."""
FARTHEST = 1e90
"""Distances are told apart up to so many scales; beyond, their cube would overflow."""


def mean_rows(rows: Floats) -> Floats:
    """Mean of every row without its gaps, 0 where there is nothing else; divided before it is summed, so that 1e308 does not overflow."""
    observed = np.isfinite(rows)
    part = np.maximum(observed.sum(axis=1), 1)[:, None]
    return np.where(observed, rows / part, 0).sum(axis=1)


def spread_rows(rows: Floats, centre: Floats) -> Floats:
    """Return the standard deviation of every row around its centre, from median or mean absolute deviation.

    The larger of the two: the median distance alone is 0 where more than half of the values are equal, and then all others would be flagged.

    Examples
    --------
    >>> spread_rows(np.array([[1.0, 1.0, 1.0, 5.0]]), np.array([1.0])).tolist()
    [1.2533]
    """
    distance = np.abs(rows - centre[:, None])
    return np.maximum(
        MEAN_DEVIATION_TO_SIGMA * mean_rows(distance), MAD_TO_SIGMA * np.nan_to_num(median_rows(distance))
    )


def tail_score(distance: Floats) -> Floats:
    """Two-sided probability of a value so many scales away, by a t distribution with heavy tails."""
    from scipy.special import stdtr  # here, not above: DAG files import this module

    return 2 * stdtr(TAIL_DEGREES, -np.minimum(distance, FARTHEST))


def bounds(panel: Panel) -> tuple[Floats, Floats]:
    """Smallest and largest value that each series can have, shape (n, 1) each."""
    lowest = np.array([series.lower_bound for series in panel.series])[:, None]
    return lowest, np.array([series.upper_bound for series in panel.series])[:, None]


def judge_by_band(
    panel: Panel, judged: slice, expected: Floats, lower: Floats, upper: Floats, score: Floats, judgeable: Bools
) -> Judgement:
    """Return the judgement of values by a band: outside is `spike` or `dip`.

    Parameters
    ----------
    expected, lower, upper, score
        Shape (n, judged periods); cut here at the metric's bounds. `score` counts where there is a value.
    judgeable
        Where there was enough history; elsewhere the outcome is `too_short`.
    """
    value = panel.observed[:, judged]
    lowest, highest = bounds(panel)
    blank = np.where(judgeable, 0.0, np.nan)
    expected, lower, upper = (np.clip(edge, lowest, highest) + blank for edge in (expected, lower, upper))
    seen = judgeable & np.isfinite(value)
    high, low = seen & (value > upper), seen & (value < lower)
    outcome = np.select(
        [~np.isfinite(value), ~judgeable, high | low],
        [Outcome.NO_DATA, Outcome.TOO_SHORT, Outcome.ANOMALY], Outcome.NORMAL,
    ).astype(np.int8)  # fmt: skip
    kind = np.select([high, low], ["spike", "dip"], "").astype(object)
    return Judgement(outcome, expected, lower, upper, np.where(seen, score, np.nan), kind)
