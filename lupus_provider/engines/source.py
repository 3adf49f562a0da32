"""Where a table lies, as a plain value: what a project file's `source` comes to on this machine."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TableSource:
    """A file, a glob of files, or a table of a DuckDB file; paths are absolute."""

    path: str | None = None
    table: str | None = None
    database: str | None = None

    def __str__(self) -> str:
        return self.path if self.path is not None else f"{self.table} of {self.database}"
