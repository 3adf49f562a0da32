"""The grammar of metric names: `avg`, `p99.9`, `unique@5`, `length_p50`.

A name is parsed once, here; every room downstream sees the expression.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from lupus_provider.errors import UnknownMetricError
from lupus_provider.metrics.base import Kind, Metric, Over, Unit
from lupus_provider.metrics.numeric import Percentile
from lupus_provider.metrics.registry import METRICS

if TYPE_CHECKING:
    from collections.abc import Sequence

_AT_K = re.compile(r"(?P<head>.+)@(?P<k>[1-9][0-9]{0,5})")
_LENGTH = "length_"


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
        if self.metric.over is Over.ROWS:
            return Over.ROWS
        if self.of_lengths:
            return Over.LENGTHS
        if not is_list:
            return Over.VALUES
        return Over.LISTS if self.metric.over is Over.LISTS else Over.ITEMS

    def refusal(self, kind: Kind, *, is_list: bool, type_name: str) -> str | None:
        """Return why the metric cannot measure a column of that type; None if it can."""
        if not is_list and (self.k is not None or self.of_lengths or self.metric.name == "empty_ratio"):
            return f"{self.name!r} measures lists, and the column is {type_name}. Leave out '@k' and 'length_', or name a list column."
        if not self.of_lengths and not kind & self.metric.accepts:
            return f"{self.name!r} does not measure columns of type {type_name}. Cast the column, or ask for another metric."
        return None


@lru_cache(maxsize=4096)
def parse_metric(name: str) -> MetricExpression:
    """Parse a metric name.

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
    match = _AT_K.fullmatch(text)
    head, k = (match["head"], int(match["k"])) if match else (text, None)
    of_lengths = head.startswith(_LENGTH)
    metric = _find(head.removeprefix(_LENGTH))
    if metric is None or (of_lengths and (metric.per_entity or metric.over is not Over.VALUES)):
        raise UnknownMetricError(text, known_metrics())
    if k is not None and (of_lengths or metric.over is not Over.VALUES):
        raise UnknownMetricError(text, known_metrics())
    spelled = f"{_LENGTH if of_lengths else ''}{metric.name}{f'@{k}' if k else ''}"
    return MetricExpression(spelled, metric, k, of_lengths)


def _find(head: str) -> Metric | None:
    if head in METRICS:
        return METRICS[head]()
    return Percentile.parse(head)


def known_metrics() -> Sequence[str]:
    """Names that the grammar takes, with examples where there are endlessly many."""
    return [
        *METRICS,
        "p25",
        "p50",
        "p75",
        "p95",
        "p99",
        "p99.9",
        "median",
        "length_avg",
        "length_p50",
        "unique@5",
        "avg@5",
        "count@5",
    ]
