"""An evaluation: that a detector judged a point, and the outcome, also when nothing was found. Silence is provable by it."""

# Pyarrow has no types, so its names say nothing to a type checker:
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import pyarrow as pa

from lupus_provider.records.base import INSTANT, RecordKind

EVALUATIONS = RecordKind(
    "evaluations",
    pa.schema([
        pa.field("series_id", pa.string(), nullable=False),
        pa.field("period_start", INSTANT, nullable=False),
        pa.field("detector", pa.string(), nullable=False),
        pa.field("outcome", pa.string(), nullable=False),  # normal, anomaly, too_short, no_data, excused
        pa.field("expected", pa.float64()),
        pa.field("lower", pa.float64()),
        pa.field("upper", pa.float64()),
        pa.field("score", pa.float64()),
        pa.field("run_id", pa.string(), nullable=False),
        pa.field("detected_at", INSTANT, nullable=False),
    ]),
    key=("series_id", "period_start", "detector"),
    provenance=("run_id", "detected_at"),
    written_at="detected_at",
)  # fmt: skip
