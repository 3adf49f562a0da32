"""The histogram of a column as points: one value a bin, so that a chart shows how a whole distribution moves.

Its bins are fixed, by default the same for all columns: bins taken from the data would move from period to period.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lupus_provider.metrics.base import Binned, BinsMetric, Kind, Primitive, Unit, Values
from lupus_provider.metrics.bins import NICE, labels
from lupus_provider.metrics.registry import register

if TYPE_CHECKING:
    from collections.abc import Mapping


@register
class Histogram(BinsMetric):
    """Values in each bin; the entity is the bin, such as `[10, 20)`, and bins without values are left out.

    Bins are half-open at 1, 2 and 5 times the powers of ten from 1e-6 to 1e12, both signs, unless the measure names its own edges. Null
    and NaN fall into none; booleans count as 0 and 1, times as seconds since 1970-01-01 UTC. `n_rows` is the number of values in all bins.
    """

    name = "histogram"
    accepts = Kind.NUMERIC | Kind.TIME
    unit = Unit.COUNT
    bounds = (0, np.inf)
    per_entity = True
    default_bins = NICE

    @property
    def state(self) -> Mapping[str, Primitive]:
        """Count each bin."""
        return {"count": Primitive("count")}

    def of_bins(self, binned: Binned) -> Values:
        """Keep the bins that hold values."""
        count = np.nan_to_num(binned.state["count"])
        group, at = np.nonzero(count)
        texts = np.array(labels(binned.bins), dtype=object)
        return Values(count[group, at], count.sum(axis=1)[group], group.astype(np.int64), texts[at])
