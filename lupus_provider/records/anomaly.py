"""An anomaly: one point that a detector flagged, with what it expected."""

# Pyarrow has no types, so its names say nothing to a type checker:
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import pyarrow as pa

from lupus_provider.records.base import INSTANT, RecordKind

ANOMALIES = RecordKind(
    "anomalies",
    pa.schema([
        pa.field("series_id", pa.string(), nullable=False),
        pa.field("period_start", INSTANT, nullable=False),
        pa.field("detector", pa.string(), nullable=False),  # name and hash of its parameters
        pa.field("kind", pa.string(), nullable=False),
        pa.field("value", pa.float64()),  # null: the point or its value is missing
        pa.field("expected", pa.float64()),
        pa.field("lower", pa.float64()),
        pa.field("upper", pa.float64()),
        pa.field("score", pa.float64()),  # probability of a value this strange if nothing is wrong
        pa.field("severity", pa.string(), nullable=False),
        pa.field("direction", pa.string(), nullable=False),  # up, down, none
        pa.field("run_id", pa.string(), nullable=False),
        pa.field("detected_at", INSTANT, nullable=False),
    ]),
    key=("series_id", "period_start", "detector"),
    provenance=("run_id", "detected_at"),
    written_at="detected_at",
)  # fmt: skip
