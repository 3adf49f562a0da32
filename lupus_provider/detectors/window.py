"""Window: a value that deviates from the median or mean of the recent periods.

The judged period is not in its own window, and the median is the default centre: one past spike must not hide the next.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from lupus_provider.detectors.base import DETECTORS, Bools, Detector, Floats, Judgement, Outcome, Panel
from lupus_provider.detectors.order import MAD_TO_SIGMA, median_rows
from lupus_provider.detectors.season import phases
from lupus_provider.errors import Terminal

WEEK = {"hour": 168, "day": 7, "week": 1, "month": 1}
MEAN_DEVIATION_TO_SIGMA = 1.2533
"""sqrt(pi / 2): mean absolute to standard deviation of normal noise."""
TAIL_DEGREES = 3
"""Degrees of freedom of the t distribution behind the score: real daily series have tails of index 2 to 3, normal ones flatter."""
LEAST_SCALE = 1e-9
"""Part of the centre below which a deviation is a rounding error."""


class TwoDistancesError(Terminal, ValueError):
    """A window rule that states both ways of measuring a deviation."""

    def __init__(self, deviations: float, ratio: float) -> None:
        self.deviations, self.ratio = deviations, ratio
        super().__init__(f"The window rule has deviations {deviations!r} and ratio {ratio!r}. Keep one.")


class WindowTooSmallError(Terminal, ValueError):
    """A window rule that needs more values than its window can have."""

    def __init__(self, least_values: int, window: int) -> None:
        self.least_values, self.window = least_values, window
        super().__init__(
            f"The window rule needs {least_values} values (least_values) of a window of {window}. Lower one or raise the other."
        )


@DETECTORS.register("window")
class Window(Detector):
    """Deviation from the recent periods, in robust scales (`deviations`) or as a part of their centre (`ratio`).

    Examples
    --------
    >>> Window(window=7, ratio=0.5).deviations is None
    True
    """

    detector: Literal["window"] = "window"  # pyright: ignore[reportIncompatibleVariableOverride]
    window: Annotated[int, Field(ge=2, le=2000)] = 28
    """Recent periods to compare with; with `same_weekday`, recent periods of that weekday (and hour)."""
    centre: Literal["median", "mean"] = "median"
    """What stands for the window."""
    deviations: Annotated[float | None, Field(gt=0)] = None
    """Allowed distance in standard deviations, estimated from the larger of median and mean absolute deviation; 5 if there is no `ratio`."""
    ratio: Annotated[float | None, Field(gt=0)] = None
    """Allowed distance as a part of the centre: 0.5 = half as much or half as much again."""
    same_weekday: bool = False
    """Compare only with the same weekday, hours also with the same hour."""
    least_values: Annotated[int, Field(ge=2, le=2000)] = 5
    """Values needed in the window; with fewer the outcome is `too_short`."""

    @model_validator(mode="before")
    @classmethod
    def _default_distance(cls, given: object) -> object:
        if isinstance(given, dict) and given.get("deviations") is None and given.get("ratio") is None:
            return {**given, "deviations": 5.0}
        return given

    @model_validator(mode="after")
    def _is_answerable(self) -> Self:
        if self.deviations is not None and self.ratio is not None:
            raise TwoDistancesError(self.deviations, self.ratio)
        if self.least_values > self.window:
            raise WindowTooSmallError(self.least_values, self.window)
        return self

    def detect(self, panel: Panel, judged: slice) -> Judgement:
        """Judge each period by the window before it; see the base class."""
        value = panel.observed
        length = WEEK[panel.period] if self.same_weekday else 1
        place = phases(panel.local_start, panel.period, length)
        shape = (len(panel), judged.stop - judged.start)
        centre, scale, count = np.full(shape, np.nan), np.full(shape, np.nan), np.zeros(shape, np.int64)
        for column, t in enumerate(range(judged.start, judged.stop)):
            recent = np.flatnonzero(place[:t] == place[t])[-self.window :]
            if len(recent):
                # contiguous rows: else sums run in an order that depends on how many series there are
                rows = np.ascontiguousarray(value[:, recent])
                centre[:, column], scale[:, column], count[:, column] = self._summary(rows)
        return self._judge(panel, value[:, judged], centre, scale, count >= self.least_values)

    def _summary(self, rows: Floats) -> tuple[Floats, Floats, Floats]:
        observed = np.isfinite(rows)
        count = observed.sum(axis=1)
        part = np.maximum(count, 1)[:, None]
        # divided before they are summed: sums of 1e308 overflow
        centre = median_rows(rows) if self.centre == "median" else np.where(observed, rows / part, 0).sum(axis=1)
        distance = np.abs(rows - centre[:, None])
        # the median distance alone is 0 where more than half of the values are equal, and then all others are flagged
        spread = np.maximum(
            MEAN_DEVIATION_TO_SIGMA * np.where(observed, distance / part, 0).sum(axis=1),
            MAD_TO_SIGMA * np.nan_to_num(median_rows(distance)),
        )
        return centre, np.maximum(spread, LEAST_SCALE * np.abs(centre)), count

    def _judge(self, panel: Panel, value: Floats, centre: Floats, scale: Floats, enough: Bools) -> Judgement:
        from scipy.special import stdtr  # here, not above: DAG files import this module

        lowest = np.array([s.lower_bound for s in panel.series])[:, None]
        highest = np.array([s.upper_bound for s in panel.series])[:, None]
        with np.errstate(all="ignore"):
            reach = scale * self.deviations if self.deviations is not None else np.abs(centre) * (self.ratio or 0.0)
            edges = (centre, centre - reach, centre + reach)
            expected, lower, upper = (np.clip(edge, lowest, highest) for edge in edges)
            distance = np.where(value == centre, 0.0, np.minimum(np.abs(value - centre) / scale, 1e90))
        judgeable = enough & np.isfinite(centre)
        seen = judgeable & np.isfinite(value)
        high, low = seen & (value > upper), seen & (value < lower)
        outcome = np.select(
            [~np.isfinite(value), ~judgeable, high | low],
            [Outcome.NO_DATA, Outcome.TOO_SHORT, Outcome.ANOMALY], Outcome.NORMAL,
        )  # fmt: skip
        blank = np.where(judgeable, 0.0, np.nan)
        return Judgement(
            outcome.astype(np.int8), expected + blank, lower + blank, upper + blank, np.where(seen, 2 * stdtr(TAIL_DEGREES, -distance), np.nan),
            np.select([high, low], ["spike", "dip"], "").astype(object),
        )  # fmt: skip
