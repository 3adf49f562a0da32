"""Public holidays as a widening of the band: on them and around them people behave unlike on that weekday.

The calendar is an optional library and is opened only when a detector names a country.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lupus_provider.errors import MissingExtraError, Terminal

WIDENING = {0: 2.5, 1: 2.0, 2: 1.5}
"""Days from the nearest holiday -> factor on the band; two days, because a Monday holiday begins on Saturday."""


class UnknownHolidaysError(Terminal, ValueError):
    """A detector names a country or region without a holiday calendar."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(
            f"There are no holidays for {code!r}. Use a country code such as 'US', or country and region such as 'US-NY'."
        )


def holiday_widening(local_start: NDArray[np.datetime64], code: str | None) -> NDArray[np.float64]:
    """Factor on the width of the band for each period, 1 away from holidays.

    Parameters
    ----------
    local_start
        Shape (t,), wall clock without a zone.
    code
        ISO country, with a region after a hyphen where wanted; None = no calendar.

    Returns
    -------
    NDArray[np.float64]
        Shape (t,), >= 1.

    Raises
    ------
    MissingExtraError
        If the calendar library is not installed.
    UnknownHolidaysError
        If it does not know the country or region.
    """
    widening = np.ones(len(local_start))
    if code is None or not len(local_start):
        return widening
    days = local_start.astype("datetime64[D]")
    dates = _holidays(code, range(days.min().item().year - 1, days.max().item().year + 2))
    for distance, factor in WIDENING.items():
        for shift in (-distance, distance):
            near = np.isin(days + np.timedelta64(shift, "D"), dates)
            widening[near] = np.maximum(widening[near], factor)
    return widening


def _holidays(code: str, years: range) -> NDArray[np.datetime64]:
    try:
        from holidays import country_holidays
    except ImportError as err:
        raise MissingExtraError(feature="A holiday calendar", extra="holidays") from err
    country, _, region = code.partition("-")
    try:
        days = country_holidays(country, subdiv=region or None, years=years)
    except NotImplementedError as err:
        raise UnknownHolidaysError(code) from err
    return np.array(sorted(days), dtype="datetime64[D]")
