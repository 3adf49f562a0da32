"""The shelf of metrics: what can be measured, apart from how it is computed.

A newcomer adds one class in one file of this folder; engines, YAML and charts get it from here.
"""

from __future__ import annotations

from lupus_provider.metrics import (
    categorical,
    classification,
    drift,
    histogram,
    numeric,
    presence,
    ranking,
    regression,
    scores,
    table,
)
from lupus_provider.metrics.base import Family, Kind, Metric, Over, Primitive, Shape, Unit
from lupus_provider.metrics.grammar import MetricExpression, known_metrics, parse_metric
from lupus_provider.metrics.registry import METRICS, SHELVES

__all__ = [
    "METRICS", "SHELVES", "Family", "Kind", "Metric", "MetricExpression", "Over", "Primitive", "Shape", "Unit",
    "categorical", "classification", "drift", "histogram", "known_metrics", "numeric", "parse_metric", "presence", "ranking", "regression", "scores", "table",
]  # fmt: skip
