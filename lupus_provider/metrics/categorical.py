"""Metrics per entity, that is per distinct value of a column."""

# ruff: noqa: D102  (`state` and `finish` are documented once, in `metrics.base`)

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lupus_provider.metrics.base import Floats, Kind, Metric, Primitive, Unit, ratio
from lupus_provider.metrics.registry import METRICS

if TYPE_CHECKING:
    from collections.abc import Mapping

OTHER = "…other"
"""Entity that holds what `max_entities` cut off, so that totals still add up."""


@METRICS.register("count")
class Count(Metric):
    """Rows of each distinct value; null is no entity."""

    name = "count"
    accepts = Kind.BOOL | Kind.TEXT | Kind.NUMBER
    unit = Unit.COUNT
    bounds = (0, np.inf)
    per_entity = True

    @property
    def state(self) -> Mapping[str, Primitive]:
        return {"count": Primitive("count")}

    def finish(self, **state: Floats) -> Floats:
        return state["count"]


@METRICS.register("ratio")
class Ratio(Metric):
    """Share of each distinct value among the values that are not null."""

    name = "ratio"
    accepts = Kind.BOOL | Kind.TEXT | Kind.NUMBER
    unit = Unit.RATIO
    bounds = (0, 1)
    per_entity = True

    @property
    def state(self) -> Mapping[str, Primitive]:
        return {"count": Primitive("count"), "total": Primitive("total")}

    def finish(self, **state: Floats) -> Floats:
        return ratio(state["count"], state["total"])
