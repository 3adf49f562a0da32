"""Metrics of regressions: how far predictions lie from targets.

For row i: p = prediction, t = target; n rows where both are known. Rows where either is null or NaN are left out of all but the coverage.
"""

# ruff: noqa: D102  (`state` and `finish` are documented once, in `metrics.base`)

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from lupus_provider.metrics.base import Family, Floats, Kind, NumberMetric, Over, Primitive, Role, Unit, Worse, ratio
from lupus_provider.metrics.registry import register

if TYPE_CHECKING:
    from collections.abc import Mapping

_ROWS = Primitive("count", of="error")


class _OfPairs(NumberMetric):
    """What metrics of a prediction and a target share."""

    family = Family.REGRESSION
    over = Over.PAIRS
    roles = (Role("prediction", Kind.NUMERIC), Role("target", Kind.NUMERIC))
    bounds = (0, np.inf)
    worse = Worse.HIGHER
    stands_on = _ROWS


class _MeanError(_OfPairs):
    """Mean of an error over the rows; undefined without rows."""

    error: ClassVar[str]

    @property
    def state(self) -> Mapping[str, Primitive]:
        return {"total": Primitive("sum", of=self.error), "count": _ROWS}

    def finish(self, **state: Floats) -> Floats:
        return ratio(state["total"], state["count"])


@register
class Mae(_MeanError):
    """Mean absolute error: (1/n) sum of |p - t|. Source: scikit-learn `mean_absolute_error`."""

    name = "mae"
    error = "absolute_error"


@register
class Rmse(_MeanError):
    """Root mean squared error: root of (1/n) sum of (p - t)². Source: scikit-learn `root_mean_squared_error`."""

    name = "rmse"
    error = "squared_error"

    def finish(self, **state: Floats) -> Floats:
        return np.sqrt(ratio(state["total"], state["count"]))


@register
class Mape(_MeanError):
    """Mean absolute percentage error, as a ratio: (1/n) sum of |p - t| / max(|t|, 2.2e-16).

    A target of 0 makes it huge: use `smape` or `mae` there. Source: scikit-learn `mean_absolute_percentage_error`.
    """

    name = "mape"
    unit = Unit.RATIO
    error = "absolute_percentage_error"


@register
class Smape(_MeanError):
    """Symmetric mean absolute percentage error, as a ratio 0…2: (1/n) sum of 2 |p - t| / (|p| + |t|), 0 where both are 0.

    Source: Makridakis 1993, in the form of the M3 and M4 competitions without the factor 100.
    """

    name = "smape"
    unit = Unit.RATIO
    bounds = (0, 2)
    error = "symmetric_percentage_error"


@register
class Bias(_MeanError):
    """Mean error: (1/n) sum of p - t; above 0 where predictions are too high."""

    name = "bias"
    bounds = (-np.inf, np.inf)
    worse = Worse.UNKNOWN
    error = "error"


@register
class R2(_OfPairs):
    """Coefficient of determination: 1 - sum of (p - t)² / sum of (t - mean t)²; 1 is perfect, 0 is no better than the mean.

    Undefined below two rows and where all targets are equal; there scikit-learn's `r2_score`, the source, gives 1 or 0 by convention.
    """

    name = "r2"
    unit = Unit.NONE
    bounds = (-np.inf, 1)
    worse = Worse.LOWER

    @property
    def state(self) -> Mapping[str, Primitive]:
        squares = Primitive("sum", of="squared_error")
        return {"squares": squares, "variance": Primitive("variance", of="target"), "count": _ROWS}

    def finish(self, **state: Floats) -> Floats:
        return 1 - ratio(state["squares"], state["variance"] * (state["count"] - 1))


@register
class LabelCoverage(_OfPairs):
    """Share of rows whose target is known: targets that come late are missing at first. Undefined without rows."""

    name = "label_coverage"
    unit = Unit.RATIO
    bounds = (0, 1)
    worse = Worse.LOWER
    stands_on = Primitive("rows")

    @property
    def state(self) -> Mapping[str, Primitive]:
        return {"known": Primitive("count", of="truth"), "rows": Primitive("rows")}

    def finish(self, **state: Floats) -> Floats:
        return ratio(state["known"], state["rows"])
