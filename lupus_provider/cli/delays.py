"""The demo's inference log: every flight of 2013 scored an hour ahead by a delay model, and the truth once it has landed.

Two versions of the model serve, as in life: one trained on January, and one trained again at the beginning of July.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from lupus_provider.cli.delay_inputs import LEAD_HOURS, hours_of, known_inputs
from lupus_provider.cli.delay_model import LATE_MINUTES, DelayModel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Reals = NDArray[np.float64]

FORMAT = "1"
"""Changes when the tables should look different."""
LABELS = ("on_time", "delayed")
_INSTANT = pa.timestamp("us", tz="UTC")
_NOT_IN_AIRPORTS = {
    "BQN": "America/Puerto_Rico",
    "PSE": "America/Puerto_Rico",
    "SJU": "America/Puerto_Rico",
    "STT": "America/St_Thomas",
}
_DECIMALS = 2


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the model: it knows the flights that had landed by `trained_at`, and serves from then on."""

    name: str
    trained_at: datetime


VERSIONS = (
    Version("2013-01", datetime(2013, 2, 1, 5, tzinfo=UTC)),
    Version("2013-07", datetime(2013, 7, 1, 4, tzinfo=UTC)),
)
"""Midnights of New York. The first also scores the flights that it was trained on: they are marked as `split = training`."""


def predict_delays(departures: pa.Table, weather: pa.Table, zones: Mapping[str, str | None]) -> dict[str, pa.Table]:
    """Train both versions, score all flights, and note what became of them.

    Parameters
    ----------
    departures, weather
        Tables of `prepare_flights`.
    zones
        IANA zone of each airport.

    Returns
    -------
    dict
        `predictions`: one row a flight in order of prediction, with the inputs, `predicted_delay` (minutes), `delayed_score` (probability of an arrival 15 minutes
        late or more) and `predicted_label`. `truth`: one row a flight that landed where it should, in the order of landing; a cancelled
        or diverted flight has none.
    """
    inputs = known_inputs(departures, weather)
    features = inputs | {name: _text(departures, name) for name in ("origin", "carrier")}
    arr_delay = _reals(departures, "arr_delay")
    landed = landing_minutes(departures, zones)
    predicted_hour = hours_of(departures["time_hour"]) - LEAD_HOURS
    ids = prediction_ids(departures)
    versions = _versions_in_charge(predicted_hour)
    scored = _score(features, arr_delay, landed, versions)
    is_training = predicted_hour * 60 < _minutes(VERSIONS[0].trained_at)
    columns = {
        "prediction_id": pa.array(ids),
        "predicted_at": _instants(predicted_hour * 60),
        "time_hour": departures["time_hour"],
        **{name: departures[name] for name in ("origin", "carrier", "dest")},
        "model_version": pa.array([version.name for version in VERSIONS]).take(pa.array(versions)),
        "split": pa.array(["serving", "training"]).take(pa.array(is_training.astype(np.int8))),
        **{name: _column(values) for name, values in inputs.items()},
        **scored,
    }
    in_time = pa.array(np.argsort(predicted_hour, kind="stable"))
    return {"predictions": pa.table(columns).take(in_time), "truth": _truth(ids, arr_delay, landed)}


def prediction_ids(departures: pa.Table) -> NDArray:
    """Return one name a flight, such as `2013-01-01T10-UA1545-EWR` (scheduled hour in UTC)."""
    hours = np.datetime_as_string(hours_of(departures["time_hour"]).astype("datetime64[h]"))
    flights = zip(
        hours, departures["carrier"].to_pylist(), departures["flight"].to_pylist(), departures["origin"].to_pylist()
    )
    return np.array([f"{hour}-{carrier}{flight}-{origin}" for hour, carrier, flight, origin in flights])


def landing_minutes(departures: pa.Table, zones: Mapping[str, str | None]) -> Reals:
    """Return the minute from 1970 in UTC at which each flight reached its gate, NaN where it never did.

    The table has local clock times without dates. Scheduled departure + scheduled duration (clock difference less the difference of the
    zones, modulo a day) + delay at arrival gives the instant.
    """
    hour = hours_of(departures["time_hour"])
    start, end = (_minute_of_day(_reals(departures, name)) for name in ("sched_dep_time", "sched_arr_time"))
    there = _utc_offsets(departures["dest"], hour, dict(zones) | _NOT_IN_AIRPORTS)
    here = _minute_of_day(_reals(departures, "hour") * 100) - hour * 60 % 1440
    duration = (end - start - (there - here)) % 1440
    return hour * 60 + _reals(departures, "minute") + duration + _reals(departures, "arr_delay")


def _minute_of_day(clock: Reals) -> Reals:
    """Turn 1830 into 1110."""
    return clock // 100 * 60 + clock % 100


def _utc_offsets(dest: pa.ChunkedArray, hour: NDArray, zones: Mapping[str, str | None]) -> NDArray:
    """Return the minutes by which local time at the destination is ahead of UTC in the given hour."""
    names, place = np.unique(dest.to_numpy(zero_copy_only=False).astype(str), return_inverse=True)
    zone_names, zone_of = np.unique([zones[name] or "UTC" for name in names], return_inverse=True)
    known = [ZoneInfo(name) for name in zone_names]
    pairs, back = np.unique(zone_of[place] * 2**32 + hour, return_inverse=True)
    offsets = [datetime.fromtimestamp(int(p % 2**32) * 3600, known[int(p >> 32)]).utcoffset() for p in pairs]
    return np.array([offset / timedelta(minutes=1) for offset in offsets if offset is not None])[back]


def _versions_in_charge(predicted_hour: NDArray) -> NDArray[np.int64]:
    """Return which version scores at each hour; before the first training that version stands in."""
    starts = [_minutes(version.trained_at) // 60 for version in VERSIONS]
    return np.maximum(np.searchsorted(starts, predicted_hour, side="right") - 1, 0)


def _score(features: Mapping[str, NDArray], arr_delay: Reals, landed: Reals, versions: NDArray) -> dict[str, pa.Array]:
    delay, score = np.empty(len(landed)), np.empty(len(landed))
    is_late = np.empty(len(landed), dtype=bool)
    for number, version in enumerate(VERSIONS):
        known = landed < _minutes(version.trained_at)
        model = DelayModel.train(version.name, _rows(features, known), arr_delay[known])
        mine = versions == number
        found = model.predict(_rows(features, mine))
        delay[mine], score[mine], is_late[mine] = found.delay, found.score, found.is_late
    return {"predicted_delay": pa.array(delay), "delayed_score": pa.array(score), "predicted_label": _label(is_late)}


def _truth(ids: NDArray, arr_delay: Reals, landed: Reals) -> pa.Table:
    order = np.argsort(landed, kind="stable")[: np.count_nonzero(~np.isnan(landed))]
    return pa.table(
        {
            "prediction_id": pa.array(ids[order]),
            "landed_at": _instants(landed[order]),
            "arr_delay": pa.array(arr_delay[order].astype(np.int32)),
            "label": _label(arr_delay[order] >= LATE_MINUTES),
        }
    )


def _label(is_late: NDArray[np.bool_]) -> pa.Array:
    return pa.array(LABELS).take(pa.array(is_late.astype(np.int8)))


def _rows(features: Mapping[str, NDArray], chosen: NDArray[np.bool_]) -> dict[str, NDArray]:
    return {name: values[chosen] for name, values in features.items()}


def _column(values: NDArray) -> pa.Array:
    """Arrow column; NaN of an input means that nobody measured, so it becomes null."""
    if values.dtype.kind != "f":
        return pa.array(values)
    return pa.array(np.round(values, _DECIMALS) + 0.0, from_pandas=True)


def _text(table: pa.Table, name: str) -> NDArray:
    return table[name].to_numpy(zero_copy_only=False).astype(str)


def _reals(table: pa.Table, name: str) -> Reals:
    return table[name].to_numpy(zero_copy_only=False).astype(np.float64)


def _instants(minutes: NDArray) -> pa.Array:
    return pa.array(minutes.astype(np.int64) * 60_000_000, pa.int64()).cast(_INSTANT)


def _minutes(instant: datetime) -> int:
    return int(instant.timestamp()) // 60
