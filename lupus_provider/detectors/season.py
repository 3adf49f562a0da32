"""Which place of its season a period has: weekday, hour of the day, hour of the week, month.

Read from the wall clock of the project, never counted from the first period, so that a day of 23 or 25 hours, a leap day or a
late first period shifts nothing (test_a_day_of_23_hours_does_not_shift_the_profile).
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

PERIODS_PER_YEAR = {"hour": 8766.0, "day": 365.25, "week": 52.18, "month": 12.0}
SEASON_LENGTH = {"hour": 168, "day": 7, "week": 1, "month": 1}

Period = Literal["hour", "day", "week", "month"]


def count_periods(local_start: NDArray[np.datetime64], period: Period) -> NDArray[np.int64]:
    """Return the number of each wall-clock period; number 0 begins a week (for months, a year).

    Parameters
    ----------
    local_start
        Shape (t,), wall clock without a zone.
    period
        Length of a period.

    Returns
    -------
    NDArray[np.int64]
        Shape (t,); repeated where the clock is put back, with a gap where it is put forward.
    """
    if period == "month":
        return local_start.astype("datetime64[M]").astype(np.int64)
    monday = np.datetime64("1970-01-05", "us")
    unit = {"hour": np.timedelta64(1, "h"), "day": np.timedelta64(1, "D"), "week": np.timedelta64(7, "D")}[period]
    return (local_start.astype("datetime64[us]") - monday) // unit


def phases(local_start: NDArray[np.datetime64], period: Period, season_length: int) -> NDArray[np.int64]:
    """Place of each period in its season, 0 … season_length - 1.

    Examples
    --------
    >>> days = np.array(["2013-02-09", "2013-02-10", "2013-02-11"], "datetime64[us]")
    >>> phases(days, "day", 7).tolist()
    [5, 6, 0]
    """
    return count_periods(local_start, period) % season_length
