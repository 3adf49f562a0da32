"""The door to the `prophet` package: fits one series with it and takes the parameters out.

Only here is the package opened, and only where something must be fitted: forecasts are made from the parameters alone.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import numpy as np

from lupus_provider.detectors.base import Floats, Outcome
from lupus_provider.detectors.calendars import UnknownHolidaysError
from lupus_provider.detectors.prophet_forecast import BETAS, NEVER, PLACES, WAVES, Instants, ProphetFits
from lupus_provider.errors import MissingExtraError

Holidays = tuple[tuple[np.datetime64, str], ...]
DAY = np.timedelta64(1, "D")
FIT_SECONDS = 60
"""After that a fit is given up: the usual one takes a twentieth of a second, one that does not converge minutes."""


@dataclass(frozen=True, slots=True)
class FitOptions:
    """What the package is asked for; names and meaning are the package's."""

    yearly_seasonality: Literal["auto"] | bool
    weekly_seasonality: Literal["auto"] | bool
    daily_seasonality: Literal["auto"] | bool
    seasonality_mode: Literal["additive", "multiplicative"]
    n_changepoints: int
    changepoint_prior_scale: float
    seasonality_prior_scale: float
    holidays_prior_scale: float
    holiday_window: int
    holidays: Holidays = ()


def keep_chatter_down() -> None:
    """Silence the package and its optimiser below errors: they tell of every single fit."""
    from cmdstanpy.utils import get_logger

    logging.getLogger("prophet").setLevel(logging.ERROR)
    get_logger().setLevel(logging.ERROR)  # asked for by call, because the first call sets the level


def make_model(local_start: Instants, options: FitOptions) -> Any:
    """Return the package's model of the options, not fitted; holidays are those near the days to be fitted.

    Raises
    ------
    MissingExtraError
        If the package is not installed.
    """
    try:
        logging.getLogger("prophet.plot").setLevel(logging.CRITICAL)  # says that it has no plotly
        from prophet import Prophet
    except ImportError as err:
        raise MissingExtraError(feature="The prophet detector", extra="prophet") from err
    keep_chatter_down()
    near = _near(options.holidays, local_start, options.holiday_window)
    return Prophet(
        n_changepoints=options.n_changepoints, yearly_seasonality=options.yearly_seasonality,
        weekly_seasonality=options.weekly_seasonality, daily_seasonality=options.daily_seasonality,
        holidays=holiday_frame(near, options.holiday_window) if near else None, seasonality_mode=options.seasonality_mode,
        seasonality_prior_scale=options.seasonality_prior_scale, holidays_prior_scale=options.holidays_prior_scale,
        changepoint_prior_scale=options.changepoint_prior_scale, uncertainty_samples=0,
    )  # fmt: skip


def fit_series(local_start: Instants, value: Floats, options: FitOptions) -> ProphetFits:
    """Fit one series with the package.

    Parameters
    ----------
    local_start, value
        Shape (t,), at least two values, no gaps and no NaN.

    Returns
    -------
    ProphetFits
        One row, without identity: `series_id`, `fitted_before` and `fingerprint` are the caller's.
    """
    import pandas as pd

    model = make_model(local_start, options)
    model.stan_backend.model = _ThroughFiles(model.stan_backend.model)
    model.fit(pd.DataFrame({"ds": local_start, "y": value}), seed=1, timeout=FIT_SECONDS)
    model.stan_backend.cleanup()
    return _parameters(model, local_start, options)


class _ThroughFiles:
    """The package's compiled model, with its input written by a fast writer: the usual one takes a third of the whole fit."""

    def __init__(self, compiled: Any) -> None:
        self.compiled = compiled

    def optimize(self, *, data: Any, inits: Any, **options: Any) -> Any:
        import orjson

        with TemporaryDirectory(prefix="lupus_prophet_") as folder:
            paths = Path(folder) / "data.json", Path(folder) / "inits.json"
            for path, content in zip(paths, (data, inits), strict=True):
                path.write_bytes(orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY))
            return self.compiled.optimize(data=str(paths[0]), inits=str(paths[1]), **options)


def holiday_keys(day: np.datetime64, holidays: Holidays, window: int) -> Iterable[str]:
    """Yield the features that are on for a day: name and distance of each holiday within the window."""
    for date, name in holidays:
        offset = int((day - date) / DAY)
        if abs(offset) <= window:
            yield f"{name}_delim_{'+' if offset >= 0 else '-'}{abs(offset)}"


def named_holidays(code: str, years: range) -> Holidays:
    """Return the public holidays of a country (`US`) or region (`US-NY`), by date.

    Raises
    ------
    MissingExtraError, UnknownHolidaysError
        If there is no calendar library, or none for that code.
    """
    try:
        from holidays import country_holidays
    except ImportError as err:
        raise MissingExtraError(feature="A holiday calendar", extra="holidays") from err
    country, _, region = code.partition("-")
    try:
        days = country_holidays(country, subdiv=region or None, years=years, expand=False)
    except NotImplementedError as err:
        raise UnknownHolidaysError(code) from err
    return tuple((np.datetime64(date, "D"), name) for date in sorted(days) for name in sorted(set(days.get_list(date))))


def _near(holidays: Holidays, local_start: Instants, window: int) -> Holidays:
    """Holidays with an effect on the fitted days."""
    days = local_start.astype("datetime64[D]")
    first, last = days.min() - window * DAY, days.max() + window * DAY
    return tuple((date, name) for date, name in holidays if first <= date <= last)


def holiday_frame(holidays: Holidays, window: int) -> Any:
    """Return holidays as the package wants them."""
    import pandas as pd

    dates, names = [date.astype("datetime64[us]") for date, _ in holidays], [name for _, name in holidays]
    return pd.DataFrame({"ds": dates, "holiday": names, "lower_window": -window, "upper_window": window})


def _parameters(model: Any, local_start: Instants, options: FitOptions) -> ProphetFits:
    of = {name: np.asarray(array, np.float64).ravel() for name, array in model.params.items()}
    beta = np.zeros(BETAS)
    begin = 0
    for name, _, order in WAVES:
        if name in model.seasonalities:
            beta[PLACES[name]] = of["beta"][begin : begin + 2 * order]
            begin += 2 * order
    near = _near(options.holidays, local_start, options.holiday_window)
    offsets = range(-options.holiday_window, options.holiday_window + 1)
    keys = sorted({f"{name}_delim_{'+' if i >= 0 else '-'}{abs(i)}" for _, name in near for i in offsets})
    count = len(model.changepoints_t)
    width = max(options.n_changepoints, 1)
    changepoint, delta = np.full((1, width), NEVER), np.zeros((1, width))
    changepoint[0, :count], delta[0, :count] = model.changepoints_t, of["delta"]
    first, last = local_start.min(), local_start.max()
    return ProphetFits(
        np.array([""], object), np.array([last]), np.zeros(1, np.uint64), np.array([Outcome.NORMAL], np.int8), np.array([first]),
        np.array([(last - first) / np.timedelta64(1, "s")]), np.array([float(model.y_scale)]), of["k"], of["m"], of["sigma_obs"],
        np.array([count]), changepoint, delta, beta[None, :], of["beta"][begin : begin + len(keys)][None, :], tuple(keys),
    )  # fmt: skip
