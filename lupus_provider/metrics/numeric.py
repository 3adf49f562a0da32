"""Metrics of numbers: moments, extremes, percentiles, shares of special values.

Booleans count as 0 and 1, times as seconds since 1970-01-01 UTC. Null and NaN are left out, except where a metric counts them.
"""

# ruff: noqa: D102  (`state` and `finish` are documented once, in `metrics.base`)

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from lupus_provider.metrics.base import Floats, Kind, NumberMetric, Primitive, Unit, Worse, ratio
from lupus_provider.metrics.registry import register

if TYPE_CHECKING:
    from collections.abc import Mapping


@register
class Avg(NumberMetric):
    """Arithmetic mean of the values; undefined without values."""

    name = "avg"
    accepts = Kind.NUMERIC

    @property
    def state(self) -> Mapping[str, Primitive]:
        return {"total": Primitive("sum"), "count": Primitive("count")}

    def finish(self, **state: Floats) -> Floats:
        return ratio(state["total"], state["count"])


@register
class Sum(NumberMetric):
    """Sum of the values; undefined, not zero, without values."""

    name = "sum"
    accepts = Kind.NUMERIC

    @property
    def state(self) -> Mapping[str, Primitive]:
        return {"total": Primitive("sum")}

    def finish(self, **state: Floats) -> Floats:
        return state["total"]


@register
class Min(NumberMetric):
    """Smallest value."""

    name = "min"
    accepts = Kind.NUMERIC | Kind.TIME

    @property
    def state(self) -> Mapping[str, Primitive]:
        return {"min": Primitive("min")}

    def finish(self, **state: Floats) -> Floats:
        return state["min"]


@register
class Max(NumberMetric):
    """Largest value."""

    name = "max"
    accepts = Kind.NUMERIC | Kind.TIME

    @property
    def state(self) -> Mapping[str, Primitive]:
        return {"max": Primitive("max")}

    def finish(self, **state: Floats) -> Floats:
        return state["max"]


@register
class Variance(NumberMetric):
    """Variance of a sample (divided by n - 1); undefined below two values."""

    name = "variance"
    accepts = Kind.NUMERIC
    unit = Unit.SQUARED
    bounds = (0, np.inf)

    @property
    def state(self) -> Mapping[str, Primitive]:
        return {"variance": Primitive("variance")}

    def finish(self, **state: Floats) -> Floats:
        return state["variance"]


@register
class Stddev(Variance):
    """Standard deviation of a sample, the root of `variance`."""

    name = "stddev"
    unit = Unit.COLUMN

    def finish(self, **state: Floats) -> Floats:
        return np.sqrt(state["variance"])


class _Share(NumberMetric):
    """Share of the values that have a property, among the values that are not null."""

    accepts = Kind.NUMERIC
    unit = Unit.RATIO
    bounds = (0, 1)
    part: ClassVar[str] = "zeros"

    @property
    def state(self) -> Mapping[str, Primitive]:
        return {"part": Primitive(self.part), "count": Primitive("count")}

    def finish(self, **state: Floats) -> Floats:
        return ratio(state["part"], state["count"])


@register
class ZeroRatio(_Share):
    """Share of zeros among the values that are neither null nor NaN."""

    name = "zero_ratio"
    part = "zeros"


@register
class NegativeRatio(_Share):
    """Share of values below zero among the values that are neither null nor NaN."""

    name = "negative_ratio"
    part = "negatives"


@register
class NanRatio(_Share):
    """Share of NaN among the values that are not null."""

    name = "nan_ratio"
    worse = Worse.HIGHER
    stands_on = Primitive("values")

    @property
    def state(self) -> Mapping[str, Primitive]:
        return {"part": Primitive("nans"), "count": Primitive("values")}


class Percentile(NumberMetric):
    """Exact percentile with linear interpolation between the two nearest values (NumPy's `linear`, Hyndman and Fan's type 7)."""

    accepts = Kind.NUMERIC | Kind.TIME
    combines = False
    pattern = re.compile(r"p([0-9]{1,3}(?:\.[0-9]{1,8})?)")

    def __init__(self, name: str, percent: float) -> None:
        self.name = name  # type: ignore[misc]
        self.percent = percent

    @classmethod
    def parse(cls, name: str) -> Percentile | None:
        """Return the percentile of a name, `p50` or `p99.9`; None if the name is none of 0…100."""
        if name == "median":
            return cls("median", 50.0)
        match = cls.pattern.fullmatch(name)
        if match is None or float(match[1]) > 100:
            return None
        return cls(f"p{Decimal(match[1]).normalize():f}", float(match[1]))

    @property
    def state(self) -> Mapping[str, Primitive]:
        return {"quantile": Primitive("quantile", self.percent / 100)}

    def finish(self, **state: Floats) -> Floats:
        return state["quantile"]
