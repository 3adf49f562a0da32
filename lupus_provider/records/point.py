"""A point: one value of a series for one period. The measured truth; everything else is judgement about it."""

# Pyarrow has no types, so its names say nothing to a type checker:
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import pyarrow as pa

from lupus_provider.records.base import INSTANT, RecordKind

GROUP_KEY = pa.map_(pa.string(), pa.string())

POINTS = RecordKind(
    "points",
    pa.schema([
        pa.field("series_id", pa.string(), nullable=False),
        pa.field("column_name", pa.string(), nullable=False),  # empty for table-level metrics
        pa.field("metric", pa.string(), nullable=False),
        pa.field("entity", pa.string()),
        pa.field("group_key", GROUP_KEY, nullable=False),  # empty map: the whole
        pa.field("period_start", INSTANT, nullable=False),  # inclusive
        pa.field("period_end", INSTANT, nullable=False),  # exclusive
        pa.field("value", pa.float64()),  # null: measured but undefined; never NaN or infinite
        pa.field("n_rows", pa.int64()),  # rows behind the value
        pa.field("error", pa.string()),  # why a metric failed: a failed metric is a point, never a gap
        pa.field("model_version", pa.string()),  # of the group, where the metric set is split by version
        pa.field("sample_ratio", pa.float64()),  # share of the rows that were measured; null: all of them
        pa.field("run_id", pa.string(), nullable=False),
        pa.field("collected_at", INSTANT, nullable=False),
    ]),
    key=("series_id", "period_start"),
    provenance=("run_id", "collected_at"),
    written_at="collected_at",
)  # fmt: skip
