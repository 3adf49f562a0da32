"""Where a table lies, as a plain value: what a project file's `source` comes to on this machine."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import timedelta


@dataclass(frozen=True, slots=True)
class TableSource:
    """A file, a glob of files, or a table of a DuckDB file; paths are absolute."""

    path: str | None = None
    table: str | None = None
    database: str | None = None

    def __str__(self) -> str:
        return self.path if self.path is not None else f"{self.table} of {self.database}"


@dataclass(frozen=True, slots=True)
class Joined:
    """A table of predictions with the labels that have arrived for them.

    Every row of `data` stays once. Of several labels with one key the newest counts, without `label_time_column` the one that is
    smallest, column by column: the same in every run.

    Attributes
    ----------
    data, labels
        Tables as any processor takes them, both for the same engine.
    on
        Column of both tables that names a prediction.
    within
        Labels that came later after the prediction than this do not count; needs both time columns. None: any label counts.
    time_column, label_time_column
        When a prediction was made, and when its label arrived.
    """

    data: Any
    labels: Any
    on: str
    within: timedelta | None = None
    time_column: str | None = None
    label_time_column: str | None = None


def table_name(data: Any) -> str:
    """Return what messages call a table."""
    if isinstance(data, Joined):
        return f"{table_name(data.data)} with labels of {table_name(data.labels)}"
    return str(data) if isinstance(data, (str, TableSource, os.PathLike)) else f"({type(data).__name__})"
