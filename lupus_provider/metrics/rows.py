"""Metrics of the rows themselves: no column is read for them."""

# ruff: noqa: D102  (`state` and `finish` are documented once, in `metrics.base`)

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lupus_provider.metrics.base import Floats, Kind, Metric, Over, Primitive, Unit
from lupus_provider.metrics.registry import METRICS

if TYPE_CHECKING:
    from collections.abc import Mapping


@METRICS.register("row_count")
class RowCount(Metric):
    """Number of rows. Zero rows are 0, not undefined."""

    name = "row_count"
    accepts = Kind.ANY
    over = Over.ROWS
    unit = Unit.COUNT
    bounds = (0, np.inf)
    stands_on = Primitive("rows")

    @property
    def state(self) -> Mapping[str, Primitive]:
        return {"rows": Primitive("rows")}

    def finish(self, **state: Floats) -> Floats:
        return np.nan_to_num(state["rows"])
