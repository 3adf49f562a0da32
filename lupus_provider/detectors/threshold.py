"""Threshold: a value below a minimum or above a maximum that somebody stated.

The plainest detector and the only one that needs no history: what must never happen is better stated than learnt.
"""

from __future__ import annotations

from typing import Literal, Self

import numpy as np
from pydantic import model_validator

from lupus_provider.detectors.base import DETECTORS, Detector, Judgement, Outcome, Panel
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


@DETECTORS.register("threshold")
class Threshold(Detector):
    """Values outside [min, max]; the bounds themselves are allowed.

    Examples
    --------
    >>> Threshold(metrics=["null_ratio"], max=0.15).max
    0.15
    """

    detector: Literal["threshold"] = "threshold"  # pyright: ignore[reportIncompatibleVariableOverride]
    min: float | None = None
    """Smallest value allowed, in the metric's unit."""
    max: float | None = None
    """Largest value allowed, in the metric's unit."""

    @model_validator(mode="after")
    def _can_flag_something_and_not_everything(self) -> Self:
        if (self.min is None and self.max is None) or (
            self.min is not None and self.max is not None and self.min > self.max
        ):
            raise ThresholdBoundsError(self.min, self.max)
        return self

    def detect(self, panel: Panel, judged: slice) -> Judgement:
        """Judge each value by the bounds; see the base class."""
        value = np.where(panel.present & ~panel.failed, panel.value, np.nan)[:, judged]
        lower = -np.inf if self.min is None else self.min
        upper = np.inf if self.max is None else self.max
        outside = (value < lower) | (value > upper)
        outcome = np.select([np.isnan(value), outside], [Outcome.NO_DATA, Outcome.ANOMALY], Outcome.NORMAL)
        nothing = np.full(value.shape, np.nan)
        return Judgement(
            outcome.astype(np.int8), nothing, np.full(value.shape, lower), np.full(value.shape, upper), nothing.copy(),
            np.where(outside, "threshold", "").astype(object),
        )  # fmt: skip
