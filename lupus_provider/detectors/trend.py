"""Trend: the slope of the recent periods is not the slope of those before.

Slopes are medians over pairs of periods at the same place of the season (seasonal Kendall slope), so that neither a spike nor
the rhythm of the week tilts them; how far two slopes differ by chance comes from the noise and from the series' own past.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from lupus_provider.detectors.base import DETECTORS, Detector, Floats, Judgement, Outcome, Panel
from lupus_provider.detectors.judging import LEAST_SCALE, bounds, spread_rows
from lupus_provider.detectors.order import median_rows
from lupus_provider.detectors.season import SEASON_LENGTH
from lupus_provider.errors import Terminal

PAST_CHANGES = 24
"""Past differences of slopes, a window apart, that say what is usual for the series."""
LEAST_PAST_CHANGES = 3
MOST_CORRELATION = 0.8
"""Correlation of neighbouring residuals beyond which noise and trend cannot be told apart."""
LEAST_PRESENT = 0.7
"""Part of a window that must have values."""


class TrendWindowError(Terminal, ValueError):
    """A trend rule whose windows hold too few seasons for a slope."""

    def __init__(self, window: int, season_length: int) -> None:
        self.window, self.season_length = window, season_length
        super().__init__(
            f"The trend rule compares {window} periods, which is less than three seasons of {season_length}. Raise window."
        )


@DETECTORS.register("trend")
class Trend(Detector):
    """Change of slope between the last `window` periods and the `previous` ones, told while it lasts (kind `trend`).

    The difference of the two slopes is divided by its standard error: that of straight lines through noise with the correlation of
    neighbours that the residuals show, or the spread of the series' own past differences where that is more. The score is the
    two-sided probability under Student's t with as many degrees of freedom as there are seasons in both windows, doubled.

    References
    ----------
    Theil 1950; Sen 1968; Hirsch, Slack and Smith 1982 (slopes within seasons).

    Examples
    --------
    >>> Trend(window=42).seasons_of("day")
    7
    """

    detector: Literal["trend"] = "trend"  # pyright: ignore[reportIncompatibleVariableOverride]
    season_length: Annotated[int | None, Field(ge=1, le=744)] = None
    """Periods in a season; empty = by period: day 7, hour 24, week and month none (1)."""
    window: Annotated[int, Field(ge=6, le=1000)] = 28
    """Recent periods whose slope is judged."""
    previous: Annotated[int, Field(ge=6, le=2000)] = 56
    """Periods before them whose slope is expected to go on."""
    alpha: Annotated[float, Field(gt=0, lt=0.5)] = 0.001
    """Probability below which a change of slope is an anomaly."""

    @model_validator(mode="after")
    def _holds_three_seasons(self) -> Self:
        shortest = min(self.window, self.previous)
        if self.season_length is not None and shortest < 3 * self.season_length:
            raise TrendWindowError(shortest, self.season_length)
        return self

    def seasons_of(self, period: Literal["hour", "day", "week", "month"]) -> int:
        """Return the season's length for slopes; a window shorter than three seasons has none."""
        length = self.season_length or {**SEASON_LENGTH, "hour": 24}[period]
        return length if min(self.window, self.previous) >= 3 * length else 1

    def detect(self, panel: Panel, judged: slice) -> Judgement:
        """Judge each period's recent slope by the one before; see the base class."""
        from scipy.special import stdtr  # here, not above: DAG files import this module

        value = panel.observed
        shape = (len(panel), judged.stop - judged.start)
        ratio, expected = np.full(shape, np.nan), np.full(shape, np.nan)
        length = self.seasons_of(panel.period)
        known: dict[int, tuple[Floats, Floats, Floats]] = {}
        for column, t in enumerate(range(judged.start, judged.stop)):
            for end in self._ends(t):
                if end not in known:
                    known[end] = self._change(
                        np.ascontiguousarray(value[:, end - self.window - self.previous + 1 : end + 1]), length
                    )
            if t in known:
                difference, error, expected[:, column] = known[t]
                past = np.column_stack([known[end][0] for end in self._ends(t)[1:]] or [np.full(len(panel), np.nan)])
                ratio[:, column] = difference / np.maximum(error, _usual_spread(past))
            for end in [end for end in known if end <= t - self.window * (PAST_CHANGES + 1)]:
                del known[end]
        degrees = 2 * (self.window + self.previous) / length
        score = np.where(np.isfinite(value[:, judged]), 2 * stdtr(degrees, -np.abs(ratio)), np.nan)
        return self._judge(panel, judged, score, expected)

    def _ends(self, t: int) -> list[int]:
        """Period t and those whole windows before it, as far as both windows fit into the series."""
        ends = range(t, t - self.window * (PAST_CHANGES + 1), -self.window)
        return [end for end in ends if end - self.window - self.previous + 1 >= 0]

    def _change(self, rows: Floats, length: int) -> tuple[Floats, Floats, Floats]:
        """Return the difference of the slopes, its standard error, and where the older line would be by now.

        Parameters
        ----------
        rows
            Shape (n, previous + window), the older part first.
        """
        top = np.where(np.isfinite(rows), np.abs(rows), 0.0).max(axis=1, initial=0.0)
        top = np.where(top > 0, top, 1.0)
        rows = rows / top[:, None]
        parts = rows[:, : self.previous], rows[:, self.previous :]
        slopes = [_slope(np.ascontiguousarray(part), length) for part in parts]
        rests = [_detrended(part, slope, length) for part, slope in zip(parts, slopes, strict=True)]
        rest = np.concatenate(rests, axis=1)
        sigma = np.maximum(spread_rows(rest, np.zeros(len(rest))), LEAST_SCALE)
        factor = sum(12.0 / (n * (n**2 - 1)) for n in (self.window, self.previous))
        error = sigma * np.sqrt(factor * _inflation(rest))
        middle = median_rows(np.ascontiguousarray(parts[0][:, -(self.previous // length) * length :]))
        expected = middle + slopes[0] * (self.window + (self.previous - 1) / 2)
        few = np.minimum.reduce([np.isfinite(part).mean(axis=1) for part in parts]) < LEAST_PRESENT
        blank = np.where(few, np.nan, 1.0) * top
        return (slopes[1] - slopes[0]) * blank, error * blank, expected * blank

    def _judge(self, panel: Panel, judged: slice, score: Floats, expected: Floats) -> Judgement:
        value = panel.observed[:, judged]
        judgement = Judgement.empty(*value.shape)
        strange = score < self.alpha
        outcome = np.select(
            [~np.isfinite(value), np.isnan(score), strange],
            [Outcome.NO_DATA, Outcome.TOO_SHORT, Outcome.ANOMALY], Outcome.NORMAL,
        ).astype(np.int8)  # fmt: skip
        kind = np.where(strange, "trend", "").astype(object)
        return Judgement(outcome, np.clip(expected, *bounds(panel)), judgement.lower, judgement.upper, score, kind)


def _slope(rows: Floats, length: int) -> Floats:
    """Median slope a period over all pairs at the same place of the season."""
    first, second = _pairs(rows.shape[1], length)
    return median_rows((rows[:, second] - rows[:, first]) / (second - first))


def _pairs(t: int, length: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    first, second = np.triu_indices(t, 1)
    same = (second - first) % length == 0
    return first[same], second[same]


def _detrended(rows: Floats, slope: Floats, length: int) -> Floats:
    """Take the line and the median of each place of the season out of a window."""
    rest = rows - slope[:, None] * np.arange(rows.shape[1])
    for place in range(length):
        rest[:, place::length] -= median_rows(np.ascontiguousarray(rest[:, place::length]))[:, None]
    return rest * np.sqrt(rows.shape[1] / (rows.shape[1] - length - 1))


def _inflation(rest: Floats) -> Floats:
    """Factor by which correlated neighbours raise the variance of a slope: (1 + r) / (1 - r)."""
    rest = np.nan_to_num(rest)
    both = (rest[:, 1:] * rest[:, :-1]).sum(axis=1)
    each = np.maximum((rest**2).sum(axis=1), 1e-300)
    r = np.clip(both / each, 0.0, MOST_CORRELATION)
    return (1 + r) / (1 - r)


def _usual_spread(past: Floats) -> Floats:
    """Spread of the past differences of slopes around 0; 0 where there are too few."""
    enough = np.isfinite(past).sum(axis=1) >= LEAST_PAST_CHANGES
    return np.where(enough, spread_rows(past, np.zeros(len(past))), 0.0)
