"""Special days by name: public holidays, the days around them that everyone knows, the days between the years, own dates.

Named, because the next one of a name is forecast from the last one. The library of holidays is optional and is opened only when a
detector names a country.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from lupus_provider.errors import MissingExtraError, Terminal

EVERYWHERE = {
    "day before christmas eve": (12, 23), "christmas eve": (12, 24), "day after christmas": (12, 26), "27 december": (12, 27),
    "28 december": (12, 28), "29 december": (12, 29), "30 december": (12, 30), "new year's eve": (12, 31), "2 january": (1, 2),
}  # fmt: skip
"""Fixed days that are unlike others wherever Christmas and New Year are holidays."""
UNITED_STATES = {"day before independence day": (7, 3), "day after independence day": (7, 5)}
THANKSGIVING = {
    -1: "day before thanksgiving", 1: "black friday", 2: "thanksgiving saturday", 3: "thanksgiving sunday", 4: "cyber monday",
}  # fmt: skip

WEEKEND = {-2: "the Saturday before", -1: "the Sunday before", 1: "the Saturday after", 2: "the Sunday after"}
"""Of holidays on a Monday or Friday."""


class UnknownHolidaysError(Terminal, ValueError):
    """A detector names a country or region without a holiday calendar."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(
            f"There are no holidays for {code!r}. Use a country code such as 'US', or country and region such as 'US-NY'."
        )


def special_days(
    local_start: NDArray[np.datetime64], code: str | None, own: Mapping[str, Sequence[date]] | None = None
) -> list[str]:
    """Name of the special day that each period lies on, empty where it is none.

    Parameters
    ----------
    local_start
        Shape (t,), wall clock without a zone.
    code
        ISO country, with a region after a hyphen where wanted; None = no public holidays.
    own
        Dates of one's own by name; they win over holidays.

    Returns
    -------
    list[str]
        Length t.

    Raises
    ------
    MissingExtraError
        If the calendar library is not installed.
    UnknownHolidaysError
        If it does not know the country or region.
    """
    days = local_start.astype("datetime64[D]")
    if not len(days) or (code is None and not own):
        return [""] * len(days)
    names: dict[date, str] = {day: name for name, dates in (own or {}).items() for day in dates}
    if code is not None:
        years = range(days.min().item().year - 1, days.max().item().year + 2)
        for day, name in _public(code, years):
            names.setdefault(day, name)
    return [names.get(day, "") for day in days.tolist()]


def _public(code: str, years: range) -> Iterator[tuple[date, str]]:
    """Yield days with their names, the more telling name of a day first."""
    country = code.partition("-")[0]
    public = _holidays(code, years)
    yield from public
    for day, name in public:
        shifts = {0: (-2, -1), 4: (1, 2)}.get(day.weekday(), ())
        yield from ((day + timedelta(days=shift), f"{name}, {WEEKEND[shift]}") for shift in shifts)
    fixed = EVERYWHERE | UNITED_STATES if country == "US" else EVERYWHERE
    for year in years:
        yield from ((date(year, month, day), name) for name, (month, day) in fixed.items())
        if country == "US":
            november = date(year, 11, 1)
            thanksgiving = november + timedelta(days=(3 - november.weekday()) % 7 + 21)
            yield from ((thanksgiving + timedelta(days=shift), name) for shift, name in THANKSGIVING.items())


def _holidays(code: str, years: range) -> list[tuple[date, str]]:
    try:
        from holidays import country_holidays
    except ImportError as err:
        raise MissingExtraError(feature="A holiday calendar", extra="holidays") from err
    country, _, region = code.partition("-")
    try:
        days = country_holidays(country, subdiv=region or None, years=years, language="en_US")
    except NotImplementedError as err:
        raise UnknownHolidaysError(code) from err
    return [(day, name.split(";")[0].strip()) for day, name in sorted(days.items())]


def ends_of_months(local_start: NDArray[np.datetime64]) -> NDArray[np.bool_]:
    """Whether each day is the last of its month."""
    tomorrow = local_start.astype("datetime64[D]") + np.timedelta64(1, "D")
    return tomorrow.astype("datetime64[M]") != local_start.astype("datetime64[M]")
