"""Keeps a demo's prepared folder: says whether its tables are those that are wanted, and writes them all or nothing.

The stamp is written last, so a folder that a crash left half made is made again.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class PreparedFolder:
    """Parquet files of one source, and a stamp that names their state."""

    path: Path
    tables: tuple[str, ...]

    def is_current(self, wanted: str) -> bool:
        """Whether every table is there and was made from the state `wanted`."""
        stamp = self.path / "source"
        if not stamp.exists() or stamp.read_text() != wanted:
            return False
        return all(self._target(table).exists() for table in self.tables)

    def write(self, tables: Mapping[str, pa.Table], state: str) -> None:
        """Write the tables, each in one atomic act, then the stamp."""
        self.path.mkdir(parents=True, exist_ok=True)
        for name in self.tables:
            _write(tables[name], self._target(name))
        (self.path / "source").write_text(state)

    def _target(self, table: str) -> Path:
        return self.path / f"{table}.parquet"


def _write(table: pa.Table, target: Path) -> None:
    from pyarrow import parquet

    partial = target.with_name(f".{target.name}.{os.getpid()}")
    parquet.write_table(table, partial, compression="zstd")
    partial.replace(target)
