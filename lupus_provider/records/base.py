"""What a kind of record is: its columns, its key, and which of its columns only say who wrote it and when."""

# Pyarrow has no types, so its names say nothing to a type checker:
# pyright: reportAttributeAccessIssue=false, reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

INSTANT = pa.timestamp("us", tz="UTC")


@dataclass(frozen=True, slots=True)
class RecordKind:
    """A kind of record that travels as Parquet: points, anomalies, evaluations.

    Attributes
    ----------
    name
        Folder below a store's root.
    schema
        Columns of a file; project, metric_set and dt are in the path.
    key
        Columns that identify a record in its metric set; files are sorted by them.
    provenance
        Columns that say who wrote the record and when; two records that differ only there are the same.
    written_at
        The provenance column that says when; the newest collection wins.
    """

    name: str
    schema: pa.Schema
    key: tuple[str, ...]
    provenance: tuple[str, ...]
    written_at: str

    def __str__(self) -> str:
        return self.name

    def sort(self, table: pa.Table) -> pa.Table:
        """Return the table in the order of files: by key."""
        return (
            table.select(self.schema.names)
            .cast(self.schema)
            .sort_by([(name, "ascending") for name in self.key])
            .combine_chunks()
        )

    def empty(self) -> pa.Table:
        """Return a table of no records."""
        return self.schema.empty_table()

    def digest(self, table: pa.Table) -> str:
        """Hash of the records without their provenance: equal for equal content, whoever wrote it. `table` is sorted.

        Columns that the series id already covers are left out.
        """
        hasher = hashlib.blake2b(digest_size=16)
        for name in self.schema.names:
            if name in self.provenance or name in _COVERED_BY_SERIES_ID:
                continue
            column = table[name].combine_chunks()
            column = column.chunk(0) if isinstance(column, pa.ChunkedArray) and column.num_chunks == 1 else column
            hasher.update(name.encode())
            hasher.update(np.packbits(pc.is_null(column).to_numpy(zero_copy_only=False)).tobytes())
            hasher.update(_content(column))
        hasher.update(str(table.num_rows).encode())
        return hasher.hexdigest()


_COVERED_BY_SERIES_ID = frozenset({"column_name", "metric", "entity", "group_key"})


def _content(column: pa.Array | pa.ChunkedArray) -> bytes:
    if pa.types.is_string(column.type):
        filled = (
            pc.fill_null(column, "").combine_chunks()
            if isinstance(column, pa.ChunkedArray)
            else pc.fill_null(column, "")
        )
        lengths = pc.binary_length(filled).to_numpy(zero_copy_only=False)
        whole = pa.ListArray.from_arrays(pa.array([0, len(filled)], pa.int32()), filled)
        return lengths.astype(np.int64).tobytes() + (pc.binary_join(whole, "")[0].as_py() or "").encode(
            "utf-8", "surrogatepass"
        )
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.int64())
    values = pc.fill_null(column, 0).to_numpy(zero_copy_only=False)
    return (values + 0.0 if values.dtype.kind == "f" else values).tobytes()
