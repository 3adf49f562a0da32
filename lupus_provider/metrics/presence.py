"""Metrics of any column: how much of it is there, and how many different values."""

# ruff: noqa: D102  (`state` and `finish` are documented once, in `metrics.base`)

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lupus_provider.metrics.base import Floats, Kind, NumberMetric, Over, Primitive, Unit, Worse, ratio
from lupus_provider.metrics.registry import register

if TYPE_CHECKING:
    from collections.abc import Mapping


@register
class NullCount(NumberMetric):
    """Number of nulls; of a list column, lists that are null."""

    name = "null_count"
    worse = Worse.HIGHER
    accepts = Kind.ANY
    over = Over.LISTS
    unit = Unit.COUNT
    bounds = (0, np.inf)
    stands_on = Primitive("rows")

    @property
    def state(self) -> Mapping[str, Primitive]:
        return {"nulls": Primitive("nulls")}

    def finish(self, **state: Floats) -> Floats:
        return state["nulls"]


@register
class NullRatio(NumberMetric):
    """Share of rows that are null; of a list column, lists that are null."""

    name = "null_ratio"
    worse = Worse.HIGHER
    accepts = Kind.ANY
    over = Over.LISTS
    unit = Unit.RATIO
    bounds = (0, 1)
    stands_on = Primitive("rows")

    @property
    def state(self) -> Mapping[str, Primitive]:
        return {"nulls": Primitive("nulls"), "rows": Primitive("rows")}

    def finish(self, **state: Floats) -> Floats:
        return ratio(state["nulls"], state["rows"])


@register
class Unique(NumberMetric):
    """Number of distinct values, exact; null and NaN are none."""

    name = "unique"
    accepts = Kind.DISCRETE
    unit = Unit.COUNT
    bounds = (0, np.inf)
    combines = False

    @property
    def state(self) -> Mapping[str, Primitive]:
        return {"distinct": Primitive("distinct")}

    def finish(self, **state: Floats) -> Floats:
        return state["distinct"]


@register
class EmptyRatio(NumberMetric):
    """Share of lists without items among the lists that are not null."""

    name = "empty_ratio"
    worse = Worse.HIGHER
    accepts = Kind.ANY
    over = Over.LISTS
    unit = Unit.RATIO
    bounds = (0, 1)
    stands_on = Primitive("values")

    @property
    def state(self) -> Mapping[str, Primitive]:
        return {"empties": Primitive("empties"), "values": Primitive("values")}

    def finish(self, **state: Floats) -> Floats:
        return ratio(state["empties"], state["values"])
