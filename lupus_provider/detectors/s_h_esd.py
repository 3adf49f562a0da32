"""Seasonal hybrid ESD: what is strange once the season is taken off, by median and MAD.

Made for hindsight over whole series; judged day by day it keeps the parts (robust STL, hybrid ESD) but tests each value against
the periods before it only, so that a value is never in its own baseline.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator, model_validator

from lupus_provider.detectors.base import DETECTORS, Bools, Detector, Floats, Judgement, Outcome, Panel
from lupus_provider.detectors.esd import Outliers, find_outliers, new_value_limit, new_value_probability
from lupus_provider.detectors.hindsight import LEAST_SCORE, EsdTest, judge_rows, rounding_errors, usual_highs
from lupus_provider.detectors.judging import LEAST_SCALE, bounds, judge_by_band
from lupus_provider.detectors.season import PERIODS_PER_YEAR, SEASON_LENGTH, count_periods
from lupus_provider.detectors.stl import decompose
from lupus_provider.errors import Terminal

Ints = NDArray[np.int64]

LEAST_VALUES = 14
"""Values without which no scale can be told, whatever the season."""
SEASONLESS = 7
"""Periods that stand for a season where there is none."""


class OnlyDipsAboveThresholdError(Terminal, ValueError):
    """A rule that tells only dips, and of these only spikes."""

    def __init__(self, threshold: str) -> None:
        self.threshold = threshold
        super().__init__(
            f"The s_h_esd rule has direction down and threshold {threshold!r}, which tells spikes only. Remove one."
        )


@DETECTORS.register("s_h_esd")
class SeasonalHybridEsd(Detector):
    """Values whose distance from season and median fails the generalised ESD test.

    Examples
    --------
    >>> SeasonalHybridEsd(season_length=7, max_anomaly_ratio=0.1, direction="pos").direction
    'up'
    """

    detector: Literal["s_h_esd"] = "s_h_esd"  # pyright: ignore[reportIncompatibleVariableOverride]
    season_length: Annotated[int | None, Field(ge=1, le=20_000)] = None
    """Periods in a season; 1 = no season; empty = by period: day 7, hour 168, week and month none (1)."""
    max_anomaly_ratio: Annotated[float, Field(gt=0, lt=0.5)] = 0.1
    """Largest part of the values that may be anomalies (of the window's values, when judged day by day)."""
    alpha: Annotated[float, Field(gt=0, lt=0.5)] = 0.05
    """Significance level: chance that a series, or a window, of nothing but normal noise has an anomaly at all."""
    direction: Literal["up", "down", "both"] = "both"
    """Which deviations are anomalies; R's `pos` and `neg` are understood as well."""
    seasons: Annotated[int, Field(ge=2, le=500)] = 13
    """Past seasons that a value is compared with when judged day by day. Without a season: so many times 7 periods."""
    least_seasons: Annotated[int, Field(ge=2, le=500)] = 5
    """Past values needed at the same place of the season, day by day; with fewer the outcome is `too_short`."""
    piecewise_weeks: Annotated[int | None, Field(ge=1, le=520)] = None
    """Hindsight only: judge in blocks of so many weeks (at least two seasons), for long series whose level moves; empty = whole."""
    threshold: Literal["med_max", "p95", "p99"] | None = None
    """Tell only spikes that reach the median, or this percentile, of the largest values of the seasons or days."""
    threshold_by: Literal["season", "day"] = "season"
    """Largest values of what: of each season or of each calendar day."""
    only_last: Literal["season", "day", "hour"] | None = None
    """Hindsight only: tell anomalies of the last season, day or hour; what was before is normal, without a band."""
    compatible: Literal["exact", "r"] = "exact"
    """Hindsight only; `r`: as the R package under R, quirks included: its median in the robust fit, expected values cut to
    integers, nothing told where more than half of the remainders are equal."""

    @field_validator("direction", mode="before")
    @classmethod
    def _understand_r(cls, given: object) -> object:
        return {"pos": "up", "neg": "down"}.get(given, given) if isinstance(given, str) else given

    @model_validator(mode="after")
    def _can_tell_something(self) -> Self:
        if self.threshold is not None and self.direction == "down":
            raise OnlyDipsAboveThresholdError(self.threshold)
        return self

    def detect(self, panel: Panel, judged: slice) -> Judgement:
        """Judge each period by the seasons before it; see the base class.

        The season is fitted anew where a season of the wall clock begins, from the `seasons` before; median and scale anew for
        each period, from as many periods before it, without those that fail the test themselves.
        """
        length, number = self._length(panel), count_periods(panel.local_start, panel.period)
        value, shape = panel.observed, (len(panel), judged.stop - judged.start)
        centre, scale, edge = (np.full(shape, np.nan) for _ in range(3))
        left = np.zeros(shape, np.int64)
        cycle, window = number[judged] // length, self._window(length)
        for now in np.unique(cycle):
            profile, wider = self._profile(value, number, int(now) * length, length)
            for column in np.flatnonzero(cycle == now):
                t = judged.start + int(column)
                recent = slice(max(0, t - window), t)
                found = self._outliers(value[:, recent], profile[:, number[recent] % length])
                centre[:, column] = profile[:, number[t] % length] + found.centre
                scale[:, column], left[:, column] = found.scale * wider[:, number[t] % length], found.left
                edge[:, column] = self._edge(value[:, recent], panel.local_start[recent], number[recent] // length)
        return self._judge(panel, judged, centre, scale, left, edge)

    def detect_whole(self, panel: Panel) -> Judgement:
        """Judge every period of whole series in hindsight, as the R package does.

        Parameters
        ----------
        panel
            Series of at least two seasons; shorter ones are `too_short`. What is missing at the ends is cut off, a gap inside has
            no weight and is no value of the test (R refuses such series).

        Returns
        -------
        Judgement
            Of every period. `expected` is season + trend, and the band that of the test, around season + median: where the trend
            went away from the median, the one may lie outside the other, and that is what this detector flags.
        """
        value = panel.observed
        judgement = Judgement.empty(len(value), value.shape[1], Outcome.TOO_SHORT)
        judgement.outcome[~np.isfinite(value)] = Outcome.NO_DATA
        finite = np.isfinite(value)
        extents = np.stack([finite.argmax(axis=1), value.shape[1] - finite[:, ::-1].argmax(axis=1)], axis=1)
        # series of one extent at once
        for first, stop in np.unique(extents[finite.any(axis=1)], axis=0).tolist():
            if stop - first >= max(LEAST_VALUES, 2 * self._length(panel)):
                rows = np.flatnonzero(finite.any(axis=1) & (extents == (first, stop)).all(axis=1))
                self._look_back(panel, rows, slice(first, stop), judgement)
        return judgement

    def _length(self, panel: Panel) -> int:
        return self.season_length or SEASON_LENGTH[panel.period]

    def _window(self, length: int) -> int:
        return self.seasons * (length if length > 1 else SEASONLESS)

    def _profile(self, value: Floats, number: Ints, stop: int, length: int) -> tuple[Floats, Floats]:
        """Season by its places, and how much wider its errors are than the remainders it leaves, from before period number `stop`.

        Shape (n, length) each; NaN where too few seasons had a value.
        """
        if length == 1:
            return np.zeros((len(value), 1)), np.ones((len(value), 1))
        first, end = np.searchsorted(number, [stop - self._window(length), stop])
        profile, wider = np.full((2, len(value), length), np.nan)
        if first == end:
            return profile, wider
        begin = number[first] - number[first] % length
        # by the wall clock: an hour that the clock leaps over is a gap, of one that it repeats the later value counts
        grid = np.full((len(value), stop - begin), np.nan)
        grid[:, number[first:end] - begin] = value[:, first:end]
        count = np.isfinite(grid).reshape(len(grid), grid.shape[1] // length, length).sum(axis=1)
        known = count >= self.least_seasons
        rows = np.flatnonzero(known.any(axis=1))
        if rows.size:
            season = decompose(grid[rows], length).season[:, -length:]
            profile[rows] = np.where(known[rows], season, np.nan)
        # a mean of k values is off by 1/k of their variance, and takes as much off that of what it leaves of these k
        wider[known] = np.sqrt((count[known] + 1) / (count[known] - 1))
        return profile, wider

    def _outliers(self, recent: Floats, season: Floats) -> Outliers:
        with np.errstate(over="ignore"):
            remainder = recent - season
        return find_outliers(
            remainder, max_anomaly_ratio=self.max_anomaly_ratio, alpha=self.alpha, direction=self.direction,
            least_scale=rounding_errors(recent),
        )  # fmt: skip

    def _edge(self, rows: Floats, local_start: NDArray[np.datetime64], cycle: Ints) -> Floats:
        """Value that a spike must reach to be told, shape (n,); -inf without a threshold."""
        if self.threshold is None:
            return np.full(len(rows), -np.inf)
        day = local_start.astype("datetime64[D]").astype(np.int64)
        return usual_highs(rows, day if self.threshold_by == "day" else cycle, self.threshold)

    def _judge(self, panel: Panel, judged: slice, centre: Floats, scale: Floats, left: Ints, edge: Floats) -> Judgement:
        value = panel.observed[:, judged]
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            scale = np.maximum(scale, LEAST_SCALE * np.abs(centre))
            reach = new_value_limit(left, self.alpha, self.direction) * scale
            deviation = np.where(value == centre, 0.0, np.abs(value - centre) / scale)
            lower, upper = self._asked(centre - reach, centre + reach, edge)
        score = np.maximum(new_value_probability(deviation, left), LEAST_SCORE)
        return judge_by_band(panel, judged, centre, lower, upper, score, (left >= LEAST_VALUES) & np.isfinite(centre))

    def _asked(self, lower: Floats, upper: Floats, edge: Floats) -> tuple[Floats, Floats]:
        """Open the side that is not asked about, raise the upper edge to what must be reached."""
        if self.direction == "up" or self.threshold is not None:
            lower = np.full_like(lower, -np.inf)
        if self.direction == "down":
            upper = np.full_like(upper, np.inf)
        return lower, np.fmax(upper, np.nextafter(edge, -np.inf))

    def _look_back(self, panel: Panel, rows: NDArray[np.intp], where: slice, judgement: Judgement) -> None:
        """Judge series of one extent in hindsight; the answers are written into the judgement."""
        length, value = self._length(panel), panel.observed[rows, where]
        test = EsdTest(self.max_anomaly_ratio, self.alpha, self.direction, self.compatible)
        found = judge_rows(value, length, test, self._block(panel, length))
        edge = self._edge(value, panel.local_start[where], np.arange(value.shape[1]) // length)[:, None]
        lower, upper = self._asked(found.lower, found.upper, edge)
        expected, lower, upper = (np.clip(side, *bounds(panel.select(rows))) for side in (found.expected, lower, upper))
        last = self._is_last(panel.local_start[where], length)
        told = found.is_anomaly & last & ((value > upper) | (value < lower))
        kind = _kinds(told & (value > upper), told)
        outcome = np.select([~np.isfinite(value), told], [Outcome.NO_DATA, Outcome.ANOMALY], Outcome.NORMAL)
        blank = np.where(last, 0.0, np.nan)
        answers = (outcome, expected, lower + blank, upper + blank, found.score, kind)
        for field, answer in zip(fields(Judgement), answers, strict=True):
            getattr(judgement, field.name)[rows, where] = answer

    def _block(self, panel: Panel, length: int) -> int | None:
        if self.piecewise_weeks is None:
            return None
        per_week = PERIODS_PER_YEAR[panel.period] / PERIODS_PER_YEAR["week"]
        return max(2 * length, round(self.piecewise_weeks * per_week))

    def _is_last(self, local_start: NDArray[np.datetime64], length: int) -> Bools:
        """Which periods are asked about, shape (t,)."""
        if self.only_last is None:
            return np.ones(len(local_start), np.bool_)
        if self.only_last == "season":
            return np.arange(len(local_start)) >= len(local_start) - length
        clock = local_start.astype(f"datetime64[{'D' if self.only_last == 'day' else 'h'}]")
        return clock == clock[-1]


def _kinds(high: Bools, flagged: Bools) -> NDArray[np.object_]:
    return np.select([high, flagged], ["spike", "dip"], "").astype(object)
