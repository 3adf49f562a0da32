"""The demo's delay model: a linear model of the delay and a logistic one of being late, over the inputs of delay_inputs.

Plain NumPy, because the demo shall watch a model that a reader can hold in his head, without another library to install.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Reals = NDArray[np.float64]

LATE_MINUTES = 15
"""A flight is late from here on: the definition of the U.S. Bureau of Transportation Statistics."""
CATEGORIES = ("origin", "carrier", "weekday")
_PENALTY = 10.0
_STEPS = 6
_SCALE = 20.0
"""Minutes from which on delays count by their logarithm."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """Predictions, one entry a flight."""

    delay: Reals
    """Minutes, one decimal: about the median, because the long tail is bent down before the fit."""
    score: Reals
    """Probability of a delay of 15 minutes or more, four decimals: what differs between processors is rounded away."""
    is_late: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class DelayModel:
    """A trained model."""

    version: str
    terms: Terms
    delay_weights: Reals
    late_weights: Reals
    threshold: float
    """Score from which on a flight is called late: as many are called late as were late in training."""

    @classmethod
    def train(cls, version: str, inputs: Mapping[str, NDArray], arr_delay: Reals) -> DelayModel:
        """Fit both parts to flights that have landed.

        Parameters
        ----------
        version
            Name of the model.
        inputs
            Inputs of the training flights, with `origin` and `carrier`.
        arr_delay
            Their arrival delays in minutes, no NaN.
        """
        terms = Terms.of(inputs)
        design = terms.design(inputs)
        late = arr_delay >= LATE_MINUTES
        weights = _least_squares(design, np.arcsinh(arr_delay / _SCALE))
        late_weights = _logistic(design, late.astype(np.float64))
        threshold = np.quantile(_sigmoid(design @ late_weights), 1 - late.mean())
        return cls(version, terms, weights, late_weights, round(float(threshold), 4))

    def predict(self, inputs: Mapping[str, NDArray]) -> Prediction:
        """Score flights."""
        design = self.terms.design(inputs)
        delay = np.round(_SCALE * np.sinh(design @ self.delay_weights), 1)
        score = np.round(_sigmoid(design @ self.late_weights), 4)
        return Prediction(delay + 0.0, score, score >= self.threshold)


@dataclass(frozen=True, slots=True)
class Terms:
    """How inputs become columns of the design matrix, as learnt from the training flights."""

    means: Reals
    deviations: Reals
    lowest: Reals
    highest: Reals
    levels: dict[str, NDArray]

    @classmethod
    def of(cls, inputs: Mapping[str, NDArray]) -> Terms:
        """Learn ranges, averages and categories."""
        numbers = _numeric_terms(inputs)
        deviations = np.nanstd(numbers, axis=0)
        return cls(
            np.nanmean(numbers, axis=0),
            np.where(deviations > 0, deviations, 1.0),
            np.nanmin(numbers, axis=0),
            np.nanmax(numbers, axis=0),
            {name: np.unique(inputs[name]) for name in CATEGORIES},
        )

    def design(self, inputs: Mapping[str, NDArray]) -> Reals:
        """Return the design matrix.

        Numbers are cut to the range of training, so that no broken reading throws the model (the weather of 12 February has a wind of
        1,048 miles an hour); what is missing is average, and an unknown category is none.
        """
        numbers = np.clip(_numeric_terms(inputs), self.lowest, self.highest)
        scaled = np.nan_to_num((numbers - self.means) / self.deviations)
        flags = [inputs[name][:, None] == levels for name, levels in self.levels.items()]
        return np.column_stack([np.ones(len(scaled)), scaled, *flags])


def _numeric_terms(inputs: Mapping[str, NDArray]) -> Reals:
    """Return the terms of the model: shapes that a straight line has not, and two interactions."""
    hour, waiting, busy = inputs["hour"] / 10 - 1, inputs["waiting"], inputs["scheduled_departures"]
    distance = np.log(inputs["distance"])
    gust = np.where(np.isnan(inputs["wind_gust"]), inputs["wind_speed"], inputs["wind_gust"])
    rain, murk = inputs["precip"], 10 - inputs["visib"]
    delays = [inputs[name] for name in ("origin_delay", "origin_delay_6h", "carrier_delay", "network_delay")]
    terms = [hour, hour**2, hour**3, distance, (distance - 6.8) ** 2, inputs["wind_speed"], gust, np.minimum(rain, 0.3)]
    terms += [np.where(np.isnan(rain), np.nan, rain > 0), murk, np.where(np.isnan(murk), np.nan, murk > 8)]
    terms += [inputs["humid"], *delays, np.sqrt(waiting), waiting, busy]
    terms += [inputs["origin_delay"] * hour, busy * np.log1p(waiting)]
    return np.column_stack(terms).astype(np.float64)


def _penalty(design: Reals) -> Reals:
    """Ridge penalty of every weight but the constant's."""
    return np.diag([0.0] + [_PENALTY] * (design.shape[1] - 1)).astype(np.float64)


def _least_squares(design: Reals, target: Reals) -> Reals:
    return np.linalg.solve(design.T @ design + _penalty(design), design.T @ target).astype(np.float64)


def _sigmoid(values: Reals) -> Reals:
    return 1 / (1 + np.exp(-values))


def _logistic(design: Reals, target: Reals) -> Reals:
    """Logistic regression by Newton's method (iteratively reweighted least squares)."""
    weights, penalty = np.zeros(design.shape[1]), _penalty(design)
    for _ in range(_STEPS):
        expected = _sigmoid(design @ weights)
        gradient = design.T @ (target - expected) - penalty @ weights
        # The square form of the product lets the library compute half of a symmetric matrix.
        rooted = design * np.sqrt(expected * (1 - expected))[:, None]
        curvature = rooted.T @ rooted + penalty
        weights = weights + np.linalg.solve(curvature, gradient)
    return weights
