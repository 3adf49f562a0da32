"""Rows that travel and are stored: one file each, with Arrow schema, key and law."""

# Pyarrow has no types, so its names say nothing to a type checker:
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from lupus_provider.records.anomaly import ANOMALIES
from lupus_provider.records.base import INSTANT, RecordKind
from lupus_provider.records.evaluation import EVALUATIONS
from lupus_provider.records.histogram import HISTOGRAMS
from lupus_provider.records.point import GROUP_KEY, POINTS

KINDS = {kind.name: kind for kind in (POINTS, ANOMALIES, EVALUATIONS, HISTOGRAMS)}
"""Every kind that lies on the stage and in the history, by name."""

__all__ = ["ANOMALIES", "EVALUATIONS", "GROUP_KEY", "HISTOGRAMS", "INSTANT", "KINDS", "POINTS", "RecordKind"]
