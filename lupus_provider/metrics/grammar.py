"""The grammar of metric names: `avg`, `p99.9`, `unique@5`, `length_p50`.

A name is parsed once, here; every room downstream sees the expression.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from lupus_provider.errors import UnknownMetricError
from lupus_provider.metrics.base import Family, Kind, Metric, Over, Shape, Unit
from lupus_provider.metrics.numeric import Percentile
from lupus_provider.metrics.registry import SHELVES

if TYPE_CHECKING:
    from collections.abc import Sequence

_AT_K = re.compile(r"(?P<head>.+)@(?P<k>[1-9][0-9]{0,5})")
_LENGTH = "length_"
_OF_LENGTHS = (Shape.NUMBERS, Shape.SPECTRUM)


@dataclass(frozen=True)
class MetricExpression:
    """A parsed metric name."""

    name: str
    """As the grammar spells it: `p50.0` is `p50`."""
    metric: Metric = field(compare=False)
    k: int | None = None
    """Only the first k items of each list."""
    of_lengths: bool = False
    """Measures the lengths of lists, not their items."""

    @property
    def unit(self) -> Unit:
        """Unit of the value."""
        return Unit.ITEMS if self.of_lengths and self.metric.unit is Unit.COLUMN else self.metric.unit

    @property
    def bounds(self) -> tuple[float, float]:
        """Smallest and largest value by definition."""
        low, high = self.metric.bounds
        return (max(low, 0.0), high) if self.of_lengths else (low, high)

    def over(self, *, is_list: bool) -> Over:
        """Return what of a column the metric measures."""
        if self.of_lengths:
            return Over.LENGTHS
        if self.metric.over in (Over.VALUES, Over.LISTS) and not is_list:
            return Over.VALUES
        return Over.ITEMS if self.metric.over is Over.VALUES else self.metric.over

    def refusal(self, kind: Kind, *, is_list: bool, type_name: str) -> str | None:
        """Return why the metric cannot measure a column of that type; None if it can."""
        if not is_list and (self.k is not None or self.of_lengths or self.metric.name == "empty_ratio"):
            return f"{self.name!r} measures lists, and the column is {type_name}. Leave out '@k' and 'length_', or name a list column."
        if not self.of_lengths and not kind & self.metric.accepts:
            return f"{self.name!r} does not measure columns of type {type_name}. Cast the column, or ask for another metric."
        return None


@lru_cache(maxsize=4096)
def parse_metric(name: str, family: Family | None = None) -> MetricExpression:
    """Parse a metric name.

    Parameters
    ----------
    family
        Shelf to look on; None: the first of all shelves that has the name, which is right for units and bounds of stored points.

    Raises
    ------
    UnknownMetricError
        If no metric has the name.

    Examples
    --------
    >>> parse_metric("avg@5").k
    5
    >>> parse_metric("p99.90").name
    'p99.9'
    """
    text = str(name).strip()
    for shelf in Family if family is None else (family,):
        expression = _parse(text, shelf)
        if expression is not None:
            return expression
    raise UnknownMetricError(text, known_metrics(family))


def _parse(text: str, family: Family) -> MetricExpression | None:
    match = _AT_K.fullmatch(text)
    head, k = (match["head"], int(match["k"])) if match else (text, None)
    of_lengths = family is Family.DISTRIBUTION and head.startswith(_LENGTH)
    metric = _find(head.removeprefix(_LENGTH) if of_lengths else head, family)
    if metric is None or (of_lengths and (metric.over is not Over.VALUES or metric.shape not in _OF_LENGTHS)):
        return None
    if k is not None and (of_lengths or not (metric.over is Over.VALUES or metric.cuts)):
        return None
    spelled = f"{_LENGTH if of_lengths else ''}{metric.name}{f'@{k}' if k else ''}"
    return MetricExpression(spelled, metric, k, of_lengths)


def _find(head: str, family: Family) -> Metric | None:
    if head in SHELVES[family]:
        return SHELVES[family][head]()
    return Percentile.parse(head) if family is Family.DISTRIBUTION else None


def known_metrics(family: Family | None = None) -> Sequence[str]:
    """Names that the grammar takes, with examples where there are endlessly many."""
    names = [
        f"{name}@10" if metric.cuts else name
        for shelf in (Family if family is None else (family,))
        for name, metric in SHELVES[shelf].items()
    ]
    return list(dict.fromkeys([*names, *_EXAMPLES])) if family in (None, Family.DISTRIBUTION) else names


_EXAMPLES = (
    "p25", "p50", "p75", "p95", "p99", "p99.9", "median", "length_avg", "length_p50", "unique@5", "avg@5", "count@5",
)  # fmt: skip
