"""What the demo's delay model knows of a flight one hour before its scheduled hour: plan, weather, delays seen so far.

Nothing here may look ahead, because a monitored model that had seen the future would have nothing to be monitored for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa
    from numpy.typing import NDArray

    Reals = NDArray[np.float64]
    Integers = NDArray[np.int64]

LEAD_HOURS = 1
"""A flight is scored this long before its scheduled hour: no flight of 2013 left earlier than that."""
WEATHER = ("wind_speed", "wind_gust", "precip", "visib", "humid")
_MARGIN = 48
"""Hours of the grid before the first and after the last flight: look-backs and the longest departure delay fit in."""
_WAITING_HOURS = 5
"""After so long a flight that has not left counts as cancelled, not as waiting."""
_DELAYS = (-20.0, 180.0)
"""Minutes; observed delays are cut to this, so that one flight of the day before does not move an average."""
_MICROSECONDS = 3_600_000_000


@dataclass(frozen=True, slots=True)
class Grid:
    """Flights placed on whole hours since shortly before the first; one entry a flight."""

    hour: Integers
    """Scheduled hour."""
    left: Reals
    """Hours from the grid's start to the departure, NaN if cancelled."""
    delay: Reals
    """Departure delay in minutes, cut to `_DELAYS`, NaN if cancelled."""
    start: int
    """Hours from 1970 in UTC to the grid's start."""
    length: int

    @property
    def now(self) -> Integers:
        """Hour of the prediction."""
        return self.hour - LEAD_HOURS


def known_inputs(departures: pa.Table, weather: pa.Table) -> dict[str, NDArray]:
    """Return the model's inputs, in the order of `departures`.

    Parameters
    ----------
    departures, weather
        Tables of `prepare_flights`.

    Returns
    -------
    dict
        `hour` (local, scheduled), `weekday` (1 = Monday), `distance` (miles), `scheduled_departures` (of the origin in that hour),
        weather at the origin when the prediction is made (miles an hour, inches, miles, percent; NaN where nobody measured),
        `origin_delay` and `origin_delay_6h`, `carrier_delay`, `network_delay` (average minutes of the last 2, 6, 4, 2 hours' departures,
        drawn towards 0 where these are few) and `waiting` (flights of the origin that should have left and have not).
    """
    grid = _grid(departures)
    origin, n_origins = codes(departures["origin"])
    carrier, n_carriers = codes(departures["carrier"])
    whole = np.zeros_like(origin)
    per_hour = np.bincount(origin * grid.length + grid.hour, minlength=n_origins * grid.length)
    return {
        "hour": _numbers(departures, "hour").astype(np.int32),
        "weekday": _weekday(departures),
        "distance": _numbers(departures, "distance").astype(np.int32),
        "scheduled_departures": per_hour[origin * grid.length + grid.hour].astype(np.int32),
        **_weather(weather, departures, grid),
        "origin_delay": _recent_delay(grid, origin, n_origins, hours=2, few=3),
        "origin_delay_6h": _recent_delay(grid, origin, n_origins, hours=6, few=3),
        "carrier_delay": _recent_delay(grid, carrier, n_carriers, hours=4, few=3),
        "network_delay": _recent_delay(grid, whole, 1, hours=2, few=10),
        "waiting": _waiting(grid, origin, n_origins).astype(np.int32),
    }


def codes(column: pa.ChunkedArray) -> tuple[Integers, int]:
    """Return each value's place among the sorted distinct values, and their number."""
    names, places = np.unique(column.to_numpy(zero_copy_only=False).astype(str), return_inverse=True)
    return places.astype(np.int64), len(names)


def hours_of(times: pa.ChunkedArray) -> Integers:
    """Return whole hours from 1970 in UTC."""
    return times.cast("int64").to_numpy() // _MICROSECONDS


def _numbers(table: pa.Table, name: str) -> Reals:
    return table[name].to_numpy(zero_copy_only=False).astype(np.float64)


def _weekday(departures: pa.Table) -> NDArray[np.int32]:
    """Weekday of the local date, 1 = Monday; 1970-01-01 was a Thursday."""
    year, month, day = (_numbers(departures, name).astype(np.int64) for name in ("year", "month", "day"))
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    days = months.astype("datetime64[D]").astype(np.int64) + day - 1
    return ((days + 3) % 7 + 1).astype(np.int32)


def _grid(departures: pa.Table) -> Grid:
    hours = hours_of(departures["time_hour"])
    start = int(hours.min()) - _MARGIN
    hour = hours - start
    delay = _numbers(departures, "dep_delay")
    left = hour + (_numbers(departures, "minute") + delay) / 60
    return Grid(hour, left, np.clip(delay, *_DELAYS), start, int(hour.max()) + _MARGIN)


def _weather(weather: pa.Table, departures: pa.Table, grid: Grid) -> dict[str, Reals]:
    """Weather as measured at the origin in the hour of the prediction; NaN where nobody measured."""
    places = {name: place for place, name in enumerate(_sorted(departures["origin"]))}
    hour = hours_of(weather["time_hour"]) - grid.start
    at = np.array([places.get(name, -1) for name in weather["origin"].to_pylist()])
    known = (at >= 0) & (hour >= 0) & (hour < grid.length)
    origin, _ = codes(departures["origin"])
    found = {}
    for name in WEATHER:
        measured = np.full((len(places), grid.length), np.nan)
        measured[at[known], hour[known]] = _numbers(weather, name)[known]
        found[name] = measured[origin, grid.now]
    return found


def _sorted(column: pa.ChunkedArray) -> Iterable[str]:
    return sorted(column.unique().to_pylist())


def _recent_delay(grid: Grid, group: Integers, n_groups: int, *, hours: int, few: int) -> Reals:
    """Average delay of the group's departures of the `hours` before the prediction, as if `few` more had left on time."""
    left = ~np.isnan(grid.left)
    slot = group[left] * grid.length + grid.left[left].astype(np.int64)
    size = n_groups * grid.length
    minutes = _running(np.bincount(slot, grid.delay[left], size).reshape(n_groups, -1))
    flights = _running(np.bincount(slot, minlength=size).reshape(n_groups, -1))
    since = grid.now - hours
    late = minutes[group, grid.now] - minutes[group, since]
    return late / (flights[group, grid.now] - flights[group, since] + few)


def _waiting(grid: Grid, group: Integers, n_groups: int) -> Integers:
    """Flights of the group whose hour is over and that have not left, at the time of the prediction."""
    given_up = grid.hour + 1 + _WAITING_HOURS
    left = np.where(np.isnan(grid.left), given_up, np.nan_to_num(grid.left) + 1).astype(np.int64)
    first, last = grid.hour + 1, np.minimum(left, given_up)
    waits = last > first
    size = n_groups * grid.length
    base = group * grid.length
    changes = np.bincount((base + first)[waits], minlength=size) - np.bincount((base + last)[waits], minlength=size)
    return changes.reshape(n_groups, -1).cumsum(axis=1)[group, grid.now]


def _running(hourly: NDArray) -> Reals:
    """Return the sums over all hours before each hour."""
    return np.concatenate([np.zeros((len(hourly), 1)), hourly.cumsum(axis=1)], axis=1)
