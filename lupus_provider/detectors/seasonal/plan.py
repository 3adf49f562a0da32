"""What stays the same over all days and blocks of a run: the season's length, the thresholds, what is known of the series; and a day.

Apart from the steps, so that these are functions of memory, day and plan and of nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from lupus_provider.detectors.base import SeriesInfo
from lupus_provider.detectors.seasonal.lanes import Bools, Floats, Lanes
from lupus_provider.detectors.seasonal.memory import WINDOW

DIAL = np.array([0.04, 0.1, 0.25, 0.63, 1.5, 3.1, 6.9])
FACTOR = np.array([1.16, 1.08, 1.0, 0.93, 0.86, 0.78, 0.7])
"""False alarms a series and year -> factor on all thresholds: measured on clean series (benchmarks/detection.py, calibration)."""
POINT = 3.3
"""Normal deviate at which a single point is strange, at factor 1."""
WARM, WARM_SEASONS, WARM_VALUES = 14, 2, 10
"""A series is judged after so many periods, seasons, and values."""
GONE, GONE_SEASONS = 28, 4
"""A series that was away for both of these starts anew."""
REFIT = {"hour": 24, "day": 7, "week": 4, "month": 3}
"""Periods between two fits of the noise."""
REVIEWS = (28, 56, 91)
"""Ages at which the scale of the values is chosen again."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What stays the same."""

    period: Literal["hour", "day", "week", "month"]
    phases: int
    """Periods in a season."""
    factor: float
    """On all thresholds."""
    missing: bool = True
    """Whether a value that does not come is told."""

    @property
    def week(self) -> int:
        """Periods of one fold of the first look at a series: a season, or seven periods where there is none."""
        return self.phases if self.phases > 1 else 7

    @property
    def window(self) -> int:
        """Cleaned periods that are kept."""
        return max(WINDOW, WARM_SEASONS * self.week)

    @property
    def warm(self) -> int:
        """Periods before a series is judged."""
        return max(WARM, WARM_SEASONS * self.phases)

    @property
    def gone(self) -> int:
        """Periods of absence after which a series starts anew."""
        return max(GONE, GONE_SEASONS * self.phases)

    @property
    def probability(self) -> float:
        """Two-sided, below which a single point is strange."""
        from scipy.special import ndtr  # here, not above: DAG files import this module

        return 2 * ndtr(-POINT * self.factor)


def factor_of(false_alarms_per_series_year: float) -> float:
    """Return the factor on all thresholds that gives so many false alarms on clean series.

    Examples
    --------
    >>> factor_of(0.25)
    1.0
    """
    return float(np.interp(np.log(false_alarms_per_series_year), np.log(DIAL), FACTOR))


@dataclass(slots=True)
class Traits(Lanes):
    """What is known of every series beforehand, shapes (n,)."""

    is_count: Bools
    is_share: Bools
    lower: Floats
    upper: Floats

    @classmethod
    def of(cls, series: Sequence[SeriesInfo]) -> Traits:
        """Read the traits of these series."""
        lower = np.array([s.lower_bound for s in series], np.float64)
        upper = np.array([s.upper_bound for s in series], np.float64)
        return cls(np.array([s.is_count for s in series], bool), (lower == 0) & (upper == 1), lower, upper)


@dataclass(slots=True)
class Day:
    """One period of a block of series; arrays of shape (n,)."""

    value: Floats
    n_rows: Floats
    excluded: Bools
    split: Bools
    position: int
    """Number of the period since the memory began: its place in the rings."""
    phase: int
    recent_phases: tuple[int, ...]
    """Of the last periods, the newest (this one) last; as many as the window has."""
    special: int
    """Row of the special day's effects, -1 where it is none."""
    moved: bool
    """Whether the special day was on a weekend last time and is not now, or the other way round."""
    after_special: bool
    month_end: bool
    refit: bool
