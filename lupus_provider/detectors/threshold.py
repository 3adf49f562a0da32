"""Threshold: a value below a minimum or above a maximum that somebody stated.

The plainest detector and the only one that needs no history: what must never happen is better stated than learnt.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from lupus_provider.detectors.base import DETECTORS, Detector, Floats, Judgement, Outcome, Panel, SeriesInfo
from lupus_provider.errors import Terminal


class ThresholdBoundsError(Terminal, ValueError):
    """A threshold that can flag nothing or everything."""

    def __init__(self, least: float | None, most: float | None) -> None:
        self.least, self.most = least, most
        super().__init__(
            "A threshold needs min, max or both. Add one."
            if least is None and most is None
            else f"The threshold's min {least!r} is above its max {most!r}. Exchange them."
        )


class GroupLimits(BaseModel):
    """Limits of some groups, instead of the general ones."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False)

    group_key: Annotated[Mapping[str, str | None], Field(min_length=1)]
    """Group column → value that a group must have: `{region: JP}` means all groups of JP, also `{region: JP, device: iOS}`."""
    min: float | None = None
    """Smallest value allowed in these groups."""
    max: float | None = None
    """Largest value allowed in these groups."""

    @model_validator(mode="after")
    def _can_flag_something_and_not_everything(self) -> Self:
        _check(self.min, self.max)
        return self

    def holds_for(self, series: SeriesInfo) -> bool:
        """Whether a series belongs to these groups."""
        missing = object()
        return all(series.group_key.get(column, missing) == value for column, value in self.group_key.items())


@DETECTORS.register("threshold")
class Threshold(Detector):
    """Values outside [min, max]; the bounds themselves are allowed.

    With `of`, the limits are parts of another metric: `{metrics: [null_count], of: row_count, max: 0.1}`. A value is then judged by
    `max` times the other value, so that nothing is divided by 0.

    Examples
    --------
    >>> Threshold(metrics=["null_ratio"], max=0.15).max
    0.15
    >>> Threshold(max=9, per_group=[{"group_key": {"region": "JP"}, "max": 5}]).per_group[0].max
    5.0
    """

    scope: ClassVar[Literal["series", "group"]] = "group"
    late_fields: ClassVar[frozenset[str]] = frozenset({"of", "per_group"})

    detector: Literal["threshold"] = "threshold"  # pyright: ignore[reportIncompatibleVariableOverride]
    min: float | None = None
    """Smallest value allowed, in the metric's unit; with `of`, as a part of that metric."""
    max: float | None = None
    """Largest value allowed, in the metric's unit; with `of`, as a part of that metric."""
    of: str | None = None
    """Metric of the same period and group that the limits are parts of: of the same column where that has it, else of the table."""
    per_group: tuple[GroupLimits, ...] = ()
    """Limits of single groups; the first entry that fits a series replaces both general limits."""

    @model_validator(mode="after")
    def _can_flag_something_and_not_everything(self) -> Self:
        if not self.per_group or self.min is not None or self.max is not None:
            _check(self.min, self.max)
        return self

    def selects(self, series: SeriesInfo) -> bool:
        """Whether this detector judges that series; a metric is not compared with itself."""
        return super().selects(series) and series.metric != self.of

    def detect(self, panel: Panel, judged: slice) -> Judgement:
        """Judge each value by the bounds; see the base class."""
        value = np.where(panel.present & ~panel.failed, panel.value, np.nan)[:, judged]
        limits = np.array([self._limits(series) for series in panel.series]).reshape(len(panel), 2)
        lower, upper = (np.broadcast_to(edge[:, None], value.shape) for edge in limits.T)
        blank = np.isnan(value)
        if self.of is not None:
            other = _other_metric(panel, self.of)[:, judged]
            lower, upper = _parts(lower, upper, other)
            blank |= np.isnan(other)
        outside = ~blank & ((value < lower) | (value > upper))
        outcome = np.select([blank, outside], [Outcome.NO_DATA, Outcome.ANOMALY], Outcome.NORMAL)
        nothing = np.full(value.shape, np.nan)
        return Judgement(
            outcome.astype(np.int8), nothing, lower.copy(), upper.copy(), nothing.copy(),
            np.where(outside, "threshold", "").astype(object),
        )  # fmt: skip

    def _limits(self, series: SeriesInfo) -> tuple[float, float]:
        stated = next((entry for entry in self.per_group if entry.holds_for(series)), self)
        return -np.inf if stated.min is None else stated.min, np.inf if stated.max is None else stated.max


def _check(least: float | None, most: float | None) -> None:
    if (least is None and most is None) or (least is not None and most is not None and least > most):
        raise ThresholdBoundsError(least, most)


def _parts(lower: Floats, upper: Floats, other: Floats) -> tuple[Floats, Floats]:
    """Edges as parts of the other value; a negative one turns them round, an infinite edge stays one."""
    with np.errstate(all="ignore"):
        first, second = (
            np.where(np.isinf(edge), edge * np.where(other < 0, -1, 1), edge * other) for edge in (lower, upper)
        )
    return np.where(other < 0, second, first), np.where(other < 0, first, second)


def _other_metric(panel: Panel, metric: str) -> Floats:
    """Values of that metric for the column and group of each series, else of the table's group, NaN where there is none; shape (n, t)."""
    everything = panel if panel.beside is None else panel.beside
    rows = {_place(s, s.column_name, s.entity): i for i, s in enumerate(everything.series) if s.metric == metric}
    other = np.full(panel.value.shape, np.nan)
    observed = everything.observed
    for row, series in enumerate(panel.series):
        places = [(column, entity) for entity in (series.entity, None) for column in (series.column_name, "")]
        found = [rows[place] for place in (_place(series, *p) for p in places) if place in rows]
        if found:
            other[row] = observed[found[0]]
    return other


def _place(series: SeriesInfo, column: str, entity: str | None) -> tuple[object, ...]:
    return column, entity, tuple(sorted(series.group_key.items()))
