"""The shelf of metrics: what can be measured, apart from how it is computed.

A newcomer adds one class in one file of this folder; engines, YAML and charts get it from here.
"""

from __future__ import annotations

from lupus_provider.metrics import categorical, numeric, presence, rows
from lupus_provider.metrics.base import Kind, Metric, Over, Primitive, Unit
from lupus_provider.metrics.grammar import MetricExpression, known_metrics, parse_metric
from lupus_provider.metrics.registry import METRICS

__all__ = [
    "METRICS", "Kind", "Metric", "MetricExpression", "Over", "Primitive", "Unit",
    "categorical", "known_metrics", "numeric", "parse_metric", "presence", "rows",
]  # fmt: skip
