"""Prophet: the forecasting package's own model and band, made affordable.

A series is fitted anew once in `refit_every` periods, on a day that its id decides, so that every day fits the same small part of
all series; between fits its parameters are enough (see `prophet_forecast`). The fit that counts for a period depends on the data
alone, so that verdicts are the same with kept parameters and without.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import replace
from typing import Annotated, Literal, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from lupus_provider.detectors.base import DETECTORS, Detector, Floats, Judgement, Outcome, Panel
from lupus_provider.detectors.judging import judge_by_band
from lupus_provider.detectors.prophet_forecast import BETAS, Instants, ProphetFits, forecast
from lupus_provider.detectors.prophet_noise import half_widths, tails
from lupus_provider.detectors.prophet_package import FitOptions, Holidays, fit_series, holiday_keys, named_holidays
from lupus_provider.detectors.season import count_periods
from lupus_provider.errors import MissingExtraError

log = logging.getLogger(__name__)

Auto = Literal["auto"] | bool


@DETECTORS.register("prophet")
class Prophet(Detector):
    """Outside the band of the `prophet` package: trend with changepoints, yearly, weekly and daily waves, holidays.

    Needs the extra `prophet`. Parameters that are not explained here have the package's meaning and default.

    References
    ----------
    Taylor and Letham, Forecasting at scale, 2018.

    Examples
    --------
    >>> Prophet(interval_width=0.95, holidays="US").refit_every
    7
    """

    detector: Literal["prophet"] = "prophet"  # pyright: ignore[reportIncompatibleVariableOverride]
    interval_width: Annotated[float, Field(gt=0, lt=1)] = 0.99
    """Part of the values that the band should hold."""
    seasonality_mode: Literal["additive", "multiplicative"] = "additive"
    """Whether waves and holidays add to the trend or are parts of it."""
    yearly_seasonality: Auto = "auto"
    """Whether there is a yearly wave; `auto` = from two years of history on."""
    weekly_seasonality: Auto = "auto"
    """Whether there is a weekly wave; `auto` = from two weeks of history on, where periods are shorter than a week."""
    daily_seasonality: Auto = "auto"
    """Whether there is a wave of the day; `auto` = where periods are shorter than a day."""
    holidays: Annotated[str | None, Field(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")] = None
    """Country (`US`) or region (`US-NY`) whose public holidays have effects of their own."""
    holiday_window: Annotated[int, Field(ge=0, le=7)] = 0
    """Days before and after each holiday with an effect of their own."""
    n_changepoints: Annotated[int, Field(ge=0, le=200)] = 25
    """Places where the trend may bend."""
    changepoint_prior_scale: Annotated[float, Field(gt=0)] = 0.05
    """How easily the trend bends."""
    seasonality_prior_scale: Annotated[float, Field(gt=0)] = 10.0
    """How large waves may be."""
    holidays_prior_scale: Annotated[float, Field(gt=0)] = 10.0
    """How large holiday effects may be."""
    window: Annotated[int, Field(ge=14, le=20000)] = 780
    """Periods before a fit that it uses."""
    least_values: Annotated[int, Field(ge=3, le=20000)] = 28
    """Values that a fit needs; with fewer the outcome is `too_short`."""
    refit_every: Annotated[int, Field(ge=1, le=366)] = 7
    """Periods from one fit of a series to the next."""

    def detect(self, panel: Panel, judged: slice) -> Judgement:
        """Judge each period by the fit that counts for it; see the base class."""
        return self.judge(panel, judged, None)[0]

    def judge(self, panel: Panel, judged: slice, kept: ProphetFits | None) -> tuple[Judgement, ProphetFits]:
        """Judge as `detect` does, with the parameters of an earlier call.

        Parameters
        ----------
        kept
            What an earlier call returned; rows that are of other data, or too old, are left out, missing ones fitted.

        Returns
        -------
        judgement, fits
            The verdicts, the same whatever is kept, and the parameters that they come from.

        Raises
        ------
        MissingExtraError
            If something must be fitted and the package is not installed.
        """
        holidays = self.named_holidays(panel.local_start)
        fits, which = self._fits(panel, judged, kept, holidays)
        shape = (len(panel), judged.stop - judged.start)
        expected, half, score = (np.full(shape, np.nan) for _ in range(3))
        outcome = np.full(shape, Outcome.TOO_SHORT, np.int8)
        value = panel.observed[:, judged]
        for column in range(shape[1]) if len(fits) else ():
            mine = fits.take(which[:, column])
            outcome[:, column] = mine.outcome
            rows = np.flatnonzero(mine.outcome == Outcome.NORMAL)
            at = cast("np.datetime64", panel.local_start[judged.start + column].astype("datetime64[us]"))
            on = set(holiday_keys(at.astype("datetime64[D]"), holidays, self.holiday_window))
            flags = np.array([key in on for key in fits.holiday_keys], np.float64)
            multiplicative = self.seasonality_mode == "multiplicative"
            centre, noise = forecast(mine.take(rows), at, panel.period, flags, multiplicative=multiplicative)
            expected[rows, column], half[rows, column] = centre, half_widths(noise, self.interval_width)
            score[rows, column] = tails(noise, np.nan_to_num(value[rows, column] - centre))
        judgement = judge_by_band(
            panel, judged, expected, expected - half, expected + half, score, outcome == Outcome.NORMAL
        )
        judgement.outcome[(outcome == Outcome.FAILED) & np.isfinite(value)] = Outcome.FAILED
        return judgement, fits

    def named_holidays(self, local_start: Instants) -> Holidays:
        """Return the public holidays of the years around an axis."""
        if self.holidays is None or not len(local_start):
            return ()
        days = local_start.astype("datetime64[D]")
        return named_holidays(self.holidays, range(days.min().item().year - 1, days.max().item().year + 2))

    def _fits(
        self, panel: Panel, judged: slice, kept: ProphetFits | None, holidays: Holidays
    ) -> tuple[ProphetFits, NDArray[np.intp]]:
        """Return the fits that count, and for each series and judged period the row of its fit."""
        observed = panel.observed
        number = count_periods(panel.local_start[: judged.stop], panel.period)
        known = (
            {(kept.series_id[i], kept.fitted_before[i], kept.fingerprint[i]): i for i in range(len(kept))}
            if kept
            else {}
        )
        which = np.zeros((len(panel), judged.stop - judged.start), np.intp)
        parts, reused = [], []
        fitting = _Fitting(self, holidays)
        for row, series in enumerate(panel.series):
            rounds = (number - _offset(series.series_id, self.refit_every)) // self.refit_every
            for origin in np.unique(np.searchsorted(rounds, rounds[judged])):
                used = slice(max(0, origin - self.window), origin)
                local, value = panel.local_start[used], observed[row, used]
                before = cast("np.datetime64", panel.local_start[origin].astype("datetime64[us]"))
                identity = series.series_id, before, _fingerprint(local, value)
                mine = rounds[judged] == rounds[origin]
                if identity in known:
                    which[row, mine] = -1 - len(reused)
                    reused.append(known[identity])
                else:
                    which[row, mine] = len(parts)
                    parts.append(fitting.fit(identity, local, value))
        fitting.report()
        which = np.where(which < 0, len(parts) - 1 - which, which)
        if kept is not None and reused:
            parts.append(kept.take(np.array(reused)))
        return (ProphetFits.concat(parts) if parts else _no_fits(0, self.n_changepoints)), which

    def options(self, holidays: Holidays) -> FitOptions:
        """Return what the package is asked for."""
        return FitOptions(
            self.yearly_seasonality, self.weekly_seasonality, self.daily_seasonality, self.seasonality_mode, self.n_changepoints,
            self.changepoint_prior_scale, self.seasonality_prior_scale, self.holidays_prior_scale, self.holiday_window, holidays,
        )  # fmt: skip


class _Fitting:
    """Fits series by series; one that breaks costs its own verdicts only."""

    def __init__(self, detector: Prophet, holidays: Holidays) -> None:
        self.options, self.least_values = detector.options(holidays), detector.least_values
        self.broken: list[str] = []

    def fit(self, identity: tuple[str, np.datetime64, int], local: Instants, value: Floats) -> ProphetFits:
        series_id, before, fingerprint = identity
        has = np.isfinite(value)
        found = _no_fits(1, self.options.n_changepoints)
        if has.sum() >= self.least_values:
            try:
                found = fit_series(local[has], value[has], self.options)
            except MissingExtraError:
                raise
            except Exception:  # (whatever the optimiser raises, the others must go on)
                if not self.broken:
                    log.exception("prophet could not fit series %s before %s; the others go on", series_id, before)
                self.broken.append(series_id)
                found = replace(found, outcome=np.array([Outcome.FAILED], np.int8))
        return replace(
            found, series_id=np.array([series_id], object), fitted_before=np.array([before]),
            fingerprint=np.array([fingerprint], np.uint64),
        )  # fmt: skip

    def report(self) -> None:
        if len(self.broken) > 1:
            log.error("prophet could not fit %s times, series %s", len(self.broken), sorted(set(self.broken))[:20])


def _offset(series_id: str, refit_every: int) -> int:
    """Day of the round on which a series is fitted."""
    return int.from_bytes(hashlib.blake2b(series_id.encode(), digest_size=8).digest(), "big") % refit_every


def _fingerprint(local: Instants, value: Floats) -> int:
    digest = hashlib.blake2b(local.astype("datetime64[us]").tobytes(), digest_size=8)
    digest.update(np.where(np.isfinite(value), value, np.nan).tobytes())
    return int.from_bytes(digest.digest(), "big")


def _no_fits(n: int, changepoints: int) -> ProphetFits:
    """Rows that hold no fit."""
    zeros, never = np.zeros(n), np.zeros(n, "datetime64[us]")
    return ProphetFits(
        np.full(n, "", object), never, np.zeros(n, np.uint64), np.full(n, Outcome.TOO_SHORT, np.int8), never.copy(),
        zeros + 1, zeros + 1, zeros, zeros, zeros + 1, np.zeros(n, np.int64), np.zeros((n, max(changepoints, 1))),
        np.zeros((n, max(changepoints, 1))), np.zeros((n, BETAS)), np.zeros((n, 0)),
    )  # fmt: skip
