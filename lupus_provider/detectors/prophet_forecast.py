"""Forecast and band of Prophet from fitted parameters alone, for many series at once, in numpy.

The package predicts one series at a time through frames and a thousand simulated futures (15 to 25 ms); the same numbers are a
sum of lines and waves, and the futures have a distribution that can be computed. Whoever keeps the parameters needs no refit.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Literal, Self

import numpy as np
from numpy.typing import NDArray

from lupus_provider.detectors.base import Floats, Strings
from lupus_provider.detectors.season import count_periods

if TYPE_CHECKING:
    import pyarrow as pa

Instants = NDArray[np.datetime64]
Ints = NDArray[np.int64]

WAVES = (("yearly", 365.25, 10), ("weekly", 7.0, 3), ("daily", 1.0, 4))
"""Name, days and number of waves of the package's own seasonalities; each wave has a sine and a cosine."""
PLACES = {
    name: slice(2 * sum(w[2] for w in WAVES[:i]), 2 * sum(w[2] for w in WAVES[: i + 1]))
    for i, (name, _, _) in enumerate(WAVES)
}
BETAS = 2 * sum(order for _, _, order in WAVES)
SECONDS = {"hour": 3600.0, "day": 86400.0, "week": 604800.0, "month": 2629746.0}
NEVER = 1e9
"""Time of a changepoint that pads a row."""


@dataclass(frozen=True, slots=True)
class ProphetFits:
    """Fitted parameters of n fits, one row each; all that is kept from one day to the next (about 1 KB a series)."""

    series_id: Strings
    fitted_before: Instants
    """Wall clock of the first period that was not used."""
    fingerprint: NDArray[np.uint64]
    """Of the values used: other values, another fit."""
    outcome: NDArray[np.int8]
    """`Outcome.NORMAL` where there is a fit, else why there is none (`TOO_SHORT`, `FAILED`)."""
    start: Instants
    t_scale: Floats
    """Seconds from the first to the last value."""
    y_scale: Floats
    k: Floats
    m: Floats
    sigma: Floats
    changepoints: Ints
    """How many of the columns of `changepoint` and `delta` count."""
    changepoint: Floats
    """Shape (n, most changepoints), in parts of `t_scale` since `start`."""
    delta: Floats
    beta: Floats
    """Shape (n, 34): yearly, weekly and daily waves, 0 where a seasonality is off."""
    holiday_beta: Floats
    """Shape (n, len(holiday_keys))."""
    holiday_keys: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.series_id)

    def take(self, rows: NDArray[np.intp]) -> Self:
        """Return these rows."""
        arrays = {f.name: getattr(self, f.name)[rows] for f in fields(self) if f.name != "holiday_keys"}
        return replace(self, **arrays)

    @classmethod
    def concat(cls, parts: Sequence[ProphetFits]) -> ProphetFits:
        """Return all rows of the parts; columns are padded, holidays joined by name."""
        keys = tuple(sorted({key for part in parts for key in part.holiday_keys}))
        widest = max(part.delta.shape[1] for part in parts)
        padded = [part._padded(widest, keys) for part in parts]
        arrays = {
            f.name: np.concatenate([getattr(p, f.name) for p in padded])
            for f in fields(cls)
            if f.name != "holiday_keys"
        }
        return cls(**arrays, holiday_keys=keys)

    def _padded(self, widest: int, keys: tuple[str, ...]) -> ProphetFits:
        more = ((0, 0), (0, widest - self.delta.shape[1]))
        holiday_beta = np.zeros((len(self), len(keys)))
        place = {key: column for column, key in enumerate(keys)}
        holiday_beta[:, [place[key] for key in self.holiday_keys]] = self.holiday_beta
        return replace(
            self, delta=np.pad(self.delta, more), changepoint=np.pad(self.changepoint, more, constant_values=NEVER),
            holiday_beta=holiday_beta, holiday_keys=keys,
        )  # fmt: skip

    def to_table(self) -> pa.Table:
        """Return an Arrow table of these rows, for keeping."""
        import pyarrow as pa

        columns = {}
        for f in fields(self):
            if f.name != "holiday_keys":
                array = getattr(self, f.name)
                columns[f.name] = pa.array(array) if array.ndim == 1 else pa.array(list(array), pa.list_(pa.float64()))
        table = pa.table(columns)
        return table.replace_schema_metadata({"holiday_keys": json.dumps(self.holiday_keys)})

    @classmethod
    def from_table(cls, table: pa.Table) -> ProphetFits:
        """Return the rows of a table that `to_table` made."""
        arrays = {}
        for f in fields(cls):
            if f.name != "holiday_keys":
                column = table[f.name].combine_chunks()
                nested = hasattr(column, "flatten") and str(column.type).startswith("list")
                arrays[f.name] = (
                    column.flatten().to_numpy().reshape(len(table), -1)
                    if nested
                    else column.to_numpy(zero_copy_only=False)
                )
        return cls(**arrays, holiday_keys=tuple(json.loads(table.schema.metadata[b"holiday_keys"])))


@dataclass(frozen=True, slots=True)
class Noise:
    """Distribution of a value around its forecast, shape (n,) each: normal noise, and slope changes that may come until then."""

    sigma: Floats
    """Standard deviation of the normal part, in the metric's unit."""
    shift: Floats
    """Mean size (Laplace) of what one slope change moves the forecast in one period, in parts of `sigma`."""
    chance: Floats
    """Probability of a slope change in one period."""
    steps: Ints
    """Periods since the last value of the fit."""


def forecast(
    fits: ProphetFits,
    at: np.datetime64,
    period: Literal["hour", "day", "week", "month"],
    holidays: Floats,
    *,
    multiplicative: bool,
) -> tuple[Floats, Noise]:
    """Return what each fit expects of the period that begins at `at`, and how values scatter around it.

    Parameters
    ----------
    at
        Wall clock.
    holidays
        Shape (len(fits.holiday_keys),); 1 where `at` is that holiday.

    Returns
    -------
    expected, noise
        Shape (n,), equal to the package's `yhat` within rounding, and the distribution that its simulation draws from.
    """
    days = (at - np.datetime64(0, "us")) / np.timedelta64(1, "D")
    x = np.concatenate([_waves(days, length, order) for _, length, order in WAVES])
    season = (fits.beta * x).sum(axis=1) + (fits.holiday_beta * holidays).sum(axis=1)
    t = (at - fits.start) / np.timedelta64(1, "s") / fits.t_scale
    bent = (fits.delta * np.maximum(t[:, None] - fits.changepoint, 0.0)).sum(axis=1)
    trend = (fits.k * t + fits.m + bent) * fits.y_scale
    factor = 1 + season if multiplicative else np.ones_like(season)
    expected = trend * factor + (0.0 if multiplicative else season * fits.y_scale)
    last = fits.start + (fits.t_scale * 1e6).astype("timedelta64[us]")
    steps = count_periods(np.array([at]), period) - count_periods(last, period)
    step = SECONDS[period] / fits.t_scale
    mean_delta = np.abs(fits.delta).sum(axis=1) / np.maximum(fits.changepoints, 1) + 1e-8
    shift = mean_delta * step / fits.sigma * np.abs(factor)
    chance = np.minimum(fits.changepoints * step, 1.0)
    return expected, Noise(fits.sigma * fits.y_scale, shift, chance, np.maximum(steps, 0))


def _waves(days: float, length: float, order: int) -> Floats:
    """Sines and cosines of the orders 1 … `order`, one after the other, at a moment in days since 1970."""
    angle = np.arange(1, order + 1) / length * (2 * np.pi * days)
    return np.column_stack([np.sin(angle), np.cos(angle)]).ravel()
