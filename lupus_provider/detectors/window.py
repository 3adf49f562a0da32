"""Window: a value that deviates from the median or mean of the recent periods.

The judged period is not in its own window, and the median is the default centre: one past spike must not hide the next.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from lupus_provider.detectors.base import DETECTORS, Bools, Detector, Floats, Judgement, Panel
from lupus_provider.detectors.judging import LEAST_SCALE, judge_by_band, mean_rows, spread_rows, tail_score
from lupus_provider.detectors.order import median_rows
from lupus_provider.detectors.season import phases
from lupus_provider.errors import Terminal

WEEK = {"hour": 168, "day": 7, "week": 1, "month": 1}
DISTANCES = ("deviations", "ratio", "difference")


class TwoDistancesError(Terminal, ValueError):
    """A window rule that states more than one way of measuring a deviation."""

    def __init__(self, given: dict[str, float]) -> None:
        self.given = given
        stated = " and ".join(f"{name} {value!r}" for name, value in given.items())
        super().__init__(f"The window rule has {stated}. Keep one.")


class WindowTooSmallError(Terminal, ValueError):
    """A window rule that needs more values than its window can have."""

    def __init__(self, least_values: int, window: int) -> None:
        self.least_values, self.window = least_values, window
        super().__init__(
            f"The window rule needs {least_values} values (least_values) of a window of {window}. Lower one or raise the other."
        )


@DETECTORS.register("window")
class Window(Detector):
    """Deviation from the recent periods: in robust scales (`deviations`), as a part of their centre (`ratio`) or plain (`difference`).

    Examples
    --------
    >>> Window(window=7, ratio=0.5).deviations is None
    True
    """

    late_fields: ClassVar[frozenset[str]] = frozenset({"difference"})

    detector: Literal["window"] = "window"  # pyright: ignore[reportIncompatibleVariableOverride]
    window: Annotated[int, Field(ge=2, le=2000)] = 28
    """Recent periods to compare with; with `same_weekday`, recent periods of that weekday (and hour)."""
    centre: Literal["median", "mean"] = "median"
    """What stands for the window."""
    deviations: Annotated[float | None, Field(gt=0)] = None
    """Allowed distance in standard deviations, estimated from the larger of median and mean absolute deviation; 5 if nothing else is stated."""
    ratio: Annotated[float | None, Field(gt=0)] = None
    """Allowed distance as a part of the centre: 0.5 = half as much or half as much again."""
    difference: Annotated[float | None, Field(gt=0)] = None
    """Allowed distance in the metric's own unit."""
    same_weekday: bool = False
    """Compare only with the same weekday, hours also with the same hour."""
    least_values: Annotated[int, Field(ge=2, le=2000)] = 5
    """Values needed in the window; with fewer the outcome is `too_short`."""

    @model_validator(mode="before")
    @classmethod
    def _default_distance(cls, given: object) -> object:
        if isinstance(given, dict) and all(given.get(name) is None for name in DISTANCES):
            return {**given, "deviations": 5.0}
        return given

    @model_validator(mode="after")
    def _is_answerable(self) -> Self:
        stated = {name: value for name in DISTANCES if (value := getattr(self, name)) is not None}
        if len(stated) > 1:
            raise TwoDistancesError(stated)
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
                centre[:, column], scale[:, column] = self._summary(rows)
                count[:, column] = np.isfinite(rows).sum(axis=1)
        return self._judge(panel, judged, centre, scale, count >= self.least_values)

    def _summary(self, rows: Floats) -> tuple[Floats, Floats]:
        centre = median_rows(rows) if self.centre == "median" else mean_rows(rows)
        return centre, np.maximum(spread_rows(rows, centre), LEAST_SCALE * np.abs(centre))

    def _judge(self, panel: Panel, judged: slice, centre: Floats, scale: Floats, enough: Bools) -> Judgement:
        value = panel.observed[:, judged]
        with np.errstate(all="ignore"):
            reach = np.full(centre.shape, self.difference or np.nan)
            if self.difference is None:
                reach = scale * self.deviations if self.deviations is not None else np.abs(centre) * (self.ratio or 0.0)
            distance = np.where(value == centre, 0.0, np.abs(value - centre) / scale)
            return judge_by_band(
                panel,
                judged,
                centre,
                centre - reach,
                centre + reach,
                tail_score(distance),
                enough & np.isfinite(centre),
            )
