"""Periodic: a change against the same place of the last seasons that is unlike the changes seen so far.

Week over week is what people compare by hand; the past changes say how much of it is usual, and their median is growth.
"""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from lupus_provider.detectors.base import DETECTORS, Bools, Detector, Floats, Judgement, Panel
from lupus_provider.detectors.judging import LEAST_SCALE, judge_by_band, spread_rows, tail_score
from lupus_provider.detectors.order import median_rows
from lupus_provider.detectors.season import SEASON_LENGTH, count_periods


@DETECTORS.register("periodic")
class Periodic(Detector):
    """Deviation from the periodic change: the value against the same place of past seasons, as difference or ratio.

    The reference is the median of the last `seasons` values at that place; three of them, so that last week's spike does not echo
    as a dip. A change is strange when it is more than `deviations` robust scales from the median of the past changes.

    Examples
    --------
    >>> Periodic(change="ratio", seasons=1).season_length is None
    True
    """

    detector: Literal["periodic"] = "periodic"  # pyright: ignore[reportIncompatibleVariableOverride]
    season_length: Annotated[int | None, Field(ge=1, le=744)] = None
    """Periods in a season; empty = by period: day 7, hour 168, week and month none (1)."""
    seasons: Annotated[int, Field(ge=1, le=52)] = 3
    """Past seasons whose median is the reference; 1 = the last season only."""
    change: Literal["difference", "ratio"] = "difference"
    """How a change is measured: value minus reference, or value over reference."""
    deviations: Annotated[float, Field(gt=0)] = 5.0
    """Allowed distance from the median past change, in standard deviations of the past changes (estimated as in `window`)."""
    window: Annotated[int, Field(ge=5, le=2000)] = 56
    """Past changes that say what is usual."""
    least_changes: Annotated[int, Field(ge=3, le=2000)] = 14
    """Past changes needed; with fewer the outcome is `too_short`."""

    def detect(self, panel: Panel, judged: slice) -> Judgement:
        """Judge each period by its change against the same place of past seasons; see the base class."""
        value = panel.observed[:, : judged.stop]
        begin = max(0, judged.start - self.window)
        reference = self._references(panel, value, begin)
        unit = np.ones_like(reference) if self.change == "difference" else np.abs(reference)
        with np.errstate(all="ignore"):
            change = np.where(unit > 0, value[:, begin:] / unit - reference / unit, np.nan)
        shape = (len(panel), judged.stop - judged.start)
        usual, scale, count = np.full(shape, np.nan), np.full(shape, np.nan), np.zeros(shape, np.int64)
        for column, t in enumerate(range(judged.start - begin, judged.stop - begin)):
            rows = np.ascontiguousarray(change[:, max(0, t - self.window) : t])
            count[:, column] = np.isfinite(rows).sum(axis=1)
            if rows.shape[1]:
                usual[:, column] = median_rows(rows)
                scale[:, column] = spread_rows(rows, usual[:, column])
        now = slice(judged.start - begin, judged.stop - begin)
        return self._judge(panel, judged, reference[:, now], unit[:, now], usual, scale, count >= self.least_changes)

    def _references(self, panel: Panel, value: Floats, begin: int) -> Floats:
        """Median of the same place in the last seasons, for each period from `begin` on."""
        length = self.season_length or SEASON_LENGTH[panel.period]
        number = count_periods(panel.local_start[: value.shape[1]], panel.period)
        reference = np.full((len(value), value.shape[1] - begin), np.nan)
        for column, t in enumerate(range(begin, value.shape[1])):
            wanted = number[t] - length * np.arange(self.seasons, 0, -1)
            past = np.searchsorted(number[:t], wanted)
            past = past[(past < t) & (number[np.minimum(past, t)] == wanted)]
            if len(past):
                reference[:, column] = median_rows(np.ascontiguousarray(value[:, past]))
        return reference

    def _judge(
        self, panel: Panel, judged: slice, reference: Floats, unit: Floats, usual: Floats, scale: Floats, enough: Bools
    ) -> Judgement:
        value = panel.observed[:, judged]
        with np.errstate(all="ignore"):
            expected = reference + usual * unit
            scale = np.maximum(scale * unit, LEAST_SCALE * np.abs(reference))
            distance = np.where(value == expected, 0.0, np.abs(value - expected) / scale)
            reach = self.deviations * scale
            judgeable = enough & np.isfinite(expected) & (unit > 0)
            return judge_by_band(
                panel, judged, expected, expected - reach, expected + reach, tail_score(distance), judgeable
            )
