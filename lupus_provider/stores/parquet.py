"""The Parquet form of records: encodings, and what a file's footer says of its content.

Sorted by series, some 21 bytes a point, and a reader regroups by series for next to nothing. Byte-stream-split values would save three bytes
of these, but Spark cannot read them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from lupus_provider.errors import CorruptStoreError

if TYPE_CHECKING:
    from lupus_provider.records import RecordKind

DIGEST, WRITTEN_AT = b"lupus.digest", b"lupus.written_at"
_PLAIN = {"series_id", "value", "expected", "lower", "upper", "score"}
_MERGED_GROUP_ROWS = 122_880
"""Rows of a row group where a series has many rows: readers of a few series skip the others, and threads share the rest."""


@dataclass(frozen=True, slots=True)
class Footer:
    """What a file says of itself."""

    digest: str
    """Hash of the records without provenance."""
    written_at: datetime
    """When the collection or detection began; the newest wins."""
    n_rows: int


def write(
    table: pa.Table, kind: RecordKind, file: BinaryIO | pa.BufferOutputStream, digest: str, written_at: datetime, *, is_merged: bool = False
) -> None:  # fmt: skip
    """Write sorted records with their footer; `is_merged`: of many days, so that a series has many rows."""
    names = table.schema.names
    plain = _PLAIN - {"series_id"} if is_merged else _PLAIN
    metadata = {**(table.schema.metadata or {}), DIGEST: digest.encode(), WRITTEN_AT: written_at.isoformat().encode()}
    encodings: dict[str, Any] = {
        "use_dictionary": [path for name in names if name not in plain for path in _leaves(name)],
        "sorting_columns": pq.SortingColumn.from_ordering(kind.schema, [(name, "ascending") for name in kind.key]),
        "row_group_size": _MERGED_GROUP_ROWS if is_merged else None,
    }
    pq.write_table(table.replace_schema_metadata(metadata), file, compression="zstd", **encodings)


def encoded(
    table: pa.Table, kind: RecordKind, digest: str, written_at: datetime, *, is_merged: bool = False
) -> memoryview:
    """Return the bytes of a file of sorted records with their footer; see `write`."""
    file = pa.BufferOutputStream()
    write(table, kind, file, digest, written_at, is_merged=is_merged)
    return memoryview(file.getvalue())


def _leaves(name: str) -> list[str]:
    return ["group_key.key_value.key", "group_key.key_value.value"] if name == "group_key" else [name]


def footer(file: str, content: bytes | None = None) -> Footer:
    """Read what a file says of itself.

    Parameters
    ----------
    file
        Its path, or its name where `content` is given.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    CorruptStoreError
        If the file is not one that `write` made.
    """
    try:
        meta = pq.read_metadata(file if content is None else pa.BufferReader(content))
        pairs = meta.metadata or {}
        return Footer(pairs[DIGEST].decode(), datetime.fromisoformat(pairs[WRITTEN_AT].decode()), meta.num_rows)
    except OSError as err:
        if err.errno is not None:  # the disk's error; Arrow's own for a broken footer has no number
            raise
        raise CorruptStoreError(file, "is not a file of records") from err
    except (KeyError, ValueError) as err:
        raise CorruptStoreError(file, "is not a file of records") from err


def read(file: str | bytes | memoryview, kind: RecordKind) -> pa.Table:
    """Read all records of a file, given by its path or its content."""
    # One file is opened once, so a replacement in the same moment is seen whole or not at all.
    with pq.ParquetFile(file if isinstance(file, str) else pa.BufferReader(file)) as opened:
        return opened.read(columns=kind.schema.names).cast(kind.schema).replace_schema_metadata(None)
