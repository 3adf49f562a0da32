"""Draws the log of the demo's recommender day by day: who came when, what the serving version showed, what was clicked.

Traffic has a week, a day and noise but no trend, so that the update shows in what is predicted and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from lupus_provider.cli.recommender import CANARY_DATE, END_DATE, RELEASE_DATE, START_DATE, ZONE
from lupus_provider.cli.recommender_world import (
    BELIEFS,
    DEVICES,
    N_ITEMS,
    N_USERS,
    REGIONS,
    World,
    draw,
    ranked,
    wished,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Integers = NDArray[np.int64]

LENGTH = 20
"""Items in a predicted list."""
MAX_CLICKS = 10
CANARY_SHARE = 0.1
_A_DAY = 1_500
_WEEK = (0.96, 0.95, 0.97, 0.99, 1.04, 1.20, 1.16)
"""Traffic of Monday to Sunday."""
_HOURS = (9, 5, 3, 2, 2, 3, 8, 18, 26, 24, 22, 24, 36, 30, 24, 23, 25, 30, 36, 42, 48, 50, 40, 22)
"""Traffic of the hours of a day."""
_TRAFFIC_NOISE, _TASTE_NOISE = 0.03, 0.02
"""Standard deviations of a day's traffic and of how well visitors' tastes are known that day."""
_NO_CLICK, _LOST = 0.10, 0.02
"""Shares of the requests after which nothing was clicked, and of those whose clicks were never recorded."""
_MEAN_CLICKS, _MEAN_CLICK_HOURS = 3.0, 5.0
_SECOND = 1_000_000
_INSTANT = pa.timestamp("us", tz="UTC")


@dataclass(frozen=True, slots=True)
class Day:
    """Columns of one day, one entry a request, in order of time."""

    day: date
    requested: Integers
    """Microseconds from 1970 in UTC."""
    user: Integers
    version: Integers
    """0 for v1, 1 for v2."""
    predicted: Integers
    """Items, one row a request, best first."""
    scores: NDArray[np.float64]
    clicked: Integers
    """Items, one row a request; the first `n_clicks` of a row were clicked."""
    n_clicks: Integers
    clicked_at: Integers
    is_recorded: NDArray[np.bool_]


def make_log(seed: int) -> dict[str, pa.Table]:
    """Draw the log.

    Returns
    -------
    dict
        `impressions`: one row a request, in order of time, with the predicted list (best first) and its scores. `clicks`: one row a request
        whose clicks were recorded, in order of recording; `clicked_items` is what the visitor chose in the shop afterwards, recommended
        or not, and may be empty.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    world = World.make(rng)
    n_days = (END_DATE - START_DATE).days + 1
    days = [_make_day(rng, world, START_DATE + timedelta(days=number)) for number in range(n_days)]
    ids = pa.array([f"{day.day:%Y%m%d}-{number:04d}" for day in days for number in range(len(day.user))])
    return {"impressions": _impressions(world, days, ids), "clicks": _clicks(days, ids)}


def _make_day(rng: np.random.Generator, world: World, day: date) -> Day:
    """Draw the requests of one day."""
    n = round(_A_DAY * _WEEK[day.weekday()] * float(np.exp(_TRAFFIC_NOISE * rng.standard_normal())))
    requested = _times(rng, day, n)
    user = np.searchsorted(world.activity[:-1], rng.random(n), side="right")
    version = (rng.random(n) < _share_of_new(day)).astype(np.int64)
    items, fondness = world.candidates(user)
    popularity = world.log_popularity[items]
    chosen = wished(rng, popularity, fondness, MAX_CLICKS)
    known = 1 + _TASTE_NOISE * float(rng.standard_normal())
    places, scores = np.empty((n, LENGTH), np.int64), np.empty((n, LENGTH))
    for number, belief in enumerate(BELIEFS.values()):
        mine = version == number
        taste = known * np.array([belief.taste[region] for region in REGIONS])[world.region[user[mine]]]
        places[mine], scores[mine] = ranked(rng, belief, taste, popularity[mine], fondness[mine], LENGTH)
    delay = rng.exponential(_MEAN_CLICK_HOURS * 3600, n).astype(np.int64) * _SECOND
    return Day(
        day,
        requested,
        user,
        version,
        np.take_along_axis(items, places, axis=1),
        scores,
        np.take_along_axis(items, chosen, axis=1),
        np.where(rng.random(n) < _NO_CLICK, 0, np.clip(rng.poisson(_MEAN_CLICKS, n), 1, MAX_CLICKS)),
        requested + _SECOND + delay,
        rng.random(n) >= _LOST,
    )


def _times(rng: np.random.Generator, day: date, n: int) -> Integers:
    """Draw the instants of a day's requests, in order, as microseconds from 1970 in UTC."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(ZONE))
    shares = np.array(_HOURS) / sum(_HOURS)
    seconds = draw(rng, shares.tolist(), n) * 3600 + rng.integers(0, 3600, n)
    return (int(midnight.timestamp()) + np.sort(seconds)) * _SECOND


def _share_of_new(day: date) -> float:
    if day >= RELEASE_DATE:
        return 1.0
    return CANARY_SHARE if day >= CANARY_DATE else 0.0


def _impressions(world: World, days: list[Day], ids: pa.Array) -> pa.Table:
    user = _joined(days, "user")
    scores = _joined(days, "scores")
    return pa.table(
        {
            "request_id": ids,
            "user_id": pa.array([f"u{number:04d}" for number in range(N_USERS)]).take(pa.array(user)),
            "region": pa.array(list(REGIONS)).take(pa.array(world.region[user])),
            "device": pa.array(list(DEVICES)).take(pa.array(world.device[user])),
            "requested_at": _instants(_joined(days, "requested")),
            "model_version": pa.array(list(BELIEFS)).take(pa.array(_joined(days, "version"))),
            "predicted_items": _lists(_item_ids(_joined(days, "predicted").ravel()), np.full(len(user), LENGTH)),
            "scores": _lists(pa.array(scores.ravel()), np.full(len(user), LENGTH)),
            "top_score": pa.array(scores[:, 0]),
        }
    )


def _clicks(days: list[Day], ids: pa.Array) -> pa.Table:
    recorded = np.flatnonzero(_joined(days, "is_recorded"))
    at = _joined(days, "clicked_at")
    order = recorded[np.argsort(at[recorded], kind="stable")]
    n_clicks = _joined(days, "n_clicks")[order]
    is_clicked = np.arange(MAX_CLICKS) < n_clicks[:, None]
    return pa.table(
        {
            "request_id": ids.take(pa.array(order)),
            "clicked_items": _lists(_item_ids(_joined(days, "clicked")[order][is_clicked]), n_clicks),
            "clicked_at": _instants(at[order]),
        }
    )


def _joined(days: list[Day], name: str) -> NDArray:
    return np.concatenate([getattr(day, name) for day in days])


def _item_ids(items: Integers) -> pa.Array:
    return pa.array([f"i{number:04d}" for number in range(N_ITEMS)]).take(pa.array(items))


def _lists(values: pa.Array, lengths: Integers) -> pa.Array:
    ends = np.concatenate([[0], lengths.cumsum()]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(ends), values)


def _instants(microseconds: Integers) -> pa.Array:
    return pa.array(microseconds, pa.int64()).cast(_INSTANT)
