"""A histogram: how many values of a column fell into each bin in one period and group, kept so that no reference table is scanned again."""

# Pyarrow has no types, so its names say nothing to a type checker:
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import pyarrow as pa

from lupus_provider.records.base import INSTANT, RecordKind
from lupus_provider.records.point import GROUP_KEY

HISTOGRAMS = RecordKind(
    "histograms",
    pa.schema([
        pa.field("series_id", pa.string(), nullable=False),  # of the column, its first k items, and the group
        pa.field("column_name", pa.string(), nullable=False),
        pa.field("k", pa.int32()),  # of a list column: only the first k items of each list
        pa.field("group_key", GROUP_KEY, nullable=False),
        pa.field("model_version", pa.string()),
        pa.field("period_start", INSTANT, nullable=False),
        pa.field("period_end", INSTANT, nullable=False),
        pa.field("bin", pa.int32(), nullable=False),  # every bin of a column stands at least once in a period, others only where values are
        pa.field("low", pa.float64()),  # inclusive; the first bin's is -inf
        pa.field("high", pa.float64()),  # exclusive; the last bin's is inf
        pa.field("category", pa.string()),  # null: the bins are numeric
        pa.field("share", pa.float64()),  # about which share of the values that the bins were made from
        pa.field("count", pa.int64(), nullable=False),
        pa.field("min", pa.float64()),  # null, as the next three: no values, or not measured
        pa.field("max", pa.float64()),
        pa.field("sum", pa.float64()),
        pa.field("variance", pa.float64()),  # of a sample
        pa.field("run_id", pa.string(), nullable=False),
        pa.field("collected_at", INSTANT, nullable=False),
    ]),
    key=("series_id", "period_start", "bin"),
    provenance=("run_id", "collected_at"),
    written_at="collected_at",
)  # fmt: skip
