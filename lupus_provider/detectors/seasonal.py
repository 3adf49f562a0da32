"""Seasonal: compares a point with a robust level plus the usual deviation of its weekday; the default detector.

The scale keeps all past residuals, also those that were flagged, and looks at each tail apart: real series are skewed and
heavy-tailed, and a scale that leaves out what it flags ends in flagging every other day.
"""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from lupus_provider.detectors.base import DETECTORS, Bools, Detector, Floats, Judgement, Outcome, Panel
from lupus_provider.detectors.calendars import holiday_widening
from lupus_provider.detectors.order import tail_scales
from lupus_provider.detectors.profile import Forecasts, forecast_all
from lupus_provider.detectors.season import PERIODS_PER_YEAR, SEASON_LENGTH, phases

TAIL_DEGREES = 8
"""Degrees of freedom of the Student t that turns residuals into probabilities: real tails are heavier than normal."""
SURPRISE_MAX = 1e30
"""Residuals are told apart up to so many scales; beyond, the probability would be 0 for all."""
LEAST_EFFECT = 2e-4
"""Changes smaller than this part of the level are never strange."""
LEAST_OF_MAGNITUDE = 1e-9
"""Nor are those that are rounding errors of the recent values."""
DISPERSED_LEVEL = 6.0
"""Square-root scale: counts of 9 and more may be steadier than chance (fixed tables), so half of its noise is their floor."""


@DETECTORS.register("seasonal")
class Seasonal(Detector):
    """Deviation from level and season, judged by the tail of the series' own past deviations.

    Counts are judged on a square-root scale with the noise of counting as floor, shares of rows with the noise of drawing that
    many rows as floor, everything else as it is. Bounds of the metric cut the band.

    Examples
    --------
    >>> Seasonal(alarms_per_year=4, holidays="US").tail_probability("day")
    0.010951403148528405
    """

    detector: Literal["seasonal"] = "seasonal"  # pyright: ignore[reportIncompatibleVariableOverride]
    season_length: Annotated[int | None, Field(ge=1, le=744)] = None
    """Periods in a season; empty = by period: day 7, hour 168 (24 = time of day only), week and month none (1)."""
    alarms_per_year: Annotated[float, Field(gt=0, le=365)] = 1.0
    """Sensitivity: false alarms that one series may raise a year; 0.25, 0.5, 1, 2, 4 are usual."""
    window: Annotated[int, Field(ge=28, le=5000)] = 180
    """Past periods whose deviations make the scale."""
    least_residuals: Annotated[int, Field(ge=7, le=500)] = 14
    """Past deviations needed before a point is judged; before, the outcome is `too_short`."""
    holidays: Annotated[str | None, Field(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")] = None
    """Country (`US`) or region (`US-NY`) whose public holidays, and the two days around them, get a wider band."""

    def tail_probability(self, period: Literal["hour", "day", "week", "month"]) -> float:
        """Two-sided probability below which a point is an anomaly."""
        return min(self.alarms_per_year / PERIODS_PER_YEAR[period], 0.2)

    def detect(self, panel: Panel, judged: slice) -> Judgement:
        """Judge each period by the forecast from the periods before it; see the base class."""
        length = self.season_length or SEASON_LENGTH[panel.period]
        place = phases(panel.local_start, panel.period, length)
        known = panel.before(judged.stop)
        counted = np.array([s.is_count for s in known.series], bool)[:, None]
        value = _forward(known.observed, counted)
        forecasts = forecast_all(value, place[: judged.stop], length)
        residual = (value - forecasts.expected) / forecasts.uncertainty
        above, below, enough = self._scales(residual, forecasts, judged)

        expected, value = forecasts.expected[:, judged], value[:, judged]
        width = holiday_widening(panel.local_start[judged], self.holidays) * forecasts.uncertainty[:, judged]
        floor = _noise_floor(known, counted, forecasts, judged)
        above, below = np.maximum(above, floor) * width, np.maximum(below, floor) * width
        return self._judge(known, judged, counted, value, expected, above, below, enough)

    def _scales(self, residual: Floats, forecasts: Forecasts, judged: slice) -> tuple[Floats, Floats, Bools]:
        shape = (len(residual), judged.stop - judged.start)
        above, below, enough = np.zeros(shape), np.zeros(shape), np.zeros(shape, bool)
        for column, t in enumerate(range(judged.start, judged.stop)):
            start = max(0, t - self.window)
            if start == t:
                continue
            since = np.arange(start, t)[None, :] >= forecasts.began[:, t][:, None]
            above[:, column], below[:, column], n = tail_scales(np.where(since, residual[:, start:t], np.nan))
            enough[:, column] = n >= self.least_residuals
        return above, below, enough

    def _judge(
        self, panel: Panel, judged: slice, counted: Bools, value: Floats, expected: Floats,
        above: Floats, below: Floats, enough: Bools,
    ) -> Judgement:  # fmt: skip
        from scipy.special import stdtrit  # here, not above: DAG files import this module

        reach = stdtrit(TAIL_DEGREES, 1 - self.tail_probability(panel.period) / 2)
        lowest = np.array([s.lower_bound for s in panel.series])[:, None]
        highest = np.array([s.upper_bound for s in panel.series])[:, None]
        with np.errstate(all="ignore"):
            centre, lower, upper = (
                np.clip(_backward(edge, counted), lowest, highest)
                for edge in (expected, expected - reach * below, expected + reach * above)
            )
            residual = value - expected
            scale = np.where(residual > 0, above, below)
            surprise = np.where(residual == 0, 0.0, np.minimum(np.abs(residual) / scale, SURPRISE_MAX))
        observed = panel.observed[:, judged]
        judgeable = enough & np.isfinite(expected)
        seen = judgeable & np.isfinite(observed)
        high, low = seen & (observed > upper), seen & (observed < lower)
        outcome = np.select(
            [~np.isfinite(observed), ~judgeable, high | low],
            [Outcome.NO_DATA, Outcome.TOO_SHORT, Outcome.ANOMALY], Outcome.NORMAL,
        ).astype(np.int8)  # fmt: skip
        kind = np.select([high, low], ["spike", "dip"], "").astype(object)
        blank = np.where(judgeable, 0.0, np.nan)
        from scipy.special import stdtr

        score = np.where(seen, np.clip(2 * stdtr(TAIL_DEGREES, -surprise), 0, 1), np.nan)
        return Judgement(outcome, centre + blank, lower + blank, upper + blank, score, kind)


def _forward(value: Floats, counted: Bools) -> Floats:
    """Bring counts to the scale on which the noise of counting is 1 (Anscombe); leave the rest."""
    return np.where(counted, 2 * np.sqrt(np.maximum(value, 0) + 0.375), value)


def _backward(value: Floats, counted: Bools) -> Floats:
    return np.where(counted, np.maximum((np.maximum(value, 0) / 2) ** 2 - 0.375, 0), value)


def _noise_floor(panel: Panel, counted: Bools, forecasts: Forecasts, judged: slice) -> Floats:
    """Return the smallest believable scale: what counting, drawing rows or rounding does if nothing else moves."""
    expected = forecasts.expected[:, judged]
    counting = np.where(expected > DISPERSED_LEVEL, 0.5, 1.0)
    rounding = LEAST_EFFECT * np.abs(expected) + LEAST_OF_MAGNITUDE * np.nan_to_num(forecasts.magnitude[:, judged])
    share = np.array([s.lower_bound == 0 and s.upper_bound == 1 for s in panel.series], bool)[:, None]
    rows = np.maximum(panel.n_rows[:, judged], 1)
    ratio = np.clip(expected, 0, 1)
    drawing = np.nan_to_num(np.sqrt(np.clip(ratio * (1 - ratio), 0, 1) / rows + (0.5 / rows) ** 2))
    return np.where(counted, counting, np.maximum(rounding, np.where(share, drawing, 0.0)))
