"""The stage in a local folder: `<root>/points/project=P/metric_set=M/dt=YYYY-MM-DD/<period_start>.parquet`."""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from lupus_provider.errors import CorruptStoreError
from lupus_provider.naming import day_path, metric_set_path, period_file, period_of_file
from lupus_provider.stores import parquet
from lupus_provider.stores.files import locked, replacing, sweep_temporary
from lupus_provider.stores.stage.base import StagedFile

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pyarrow as pa

    from lupus_provider.periods import Span
    from lupus_provider.records import RecordKind

log = logging.getLogger(__name__)


class LocalStage:
    """Stage in a folder; see `stores.stage.base.StageStore` for the laws.

    Parameters
    ----------
    root
        Absolute folder; made at the first write.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.url = root.as_uri()
        self._is_swept = False

    def write(
        self,
        kind: RecordKind,
        project: str,
        metric_set: str,
        period_start: datetime,
        table: pa.Table,
        written_at: datetime,
    ) -> bool:
        """Put one period's records there, whole; False if a newer collection is there already."""
        table = kind.sort(table)
        start = period_start.astimezone(UTC)
        path = self.root / kind.name / day_path(project, metric_set, start.date()) / period_file(start)
        if not self._is_swept:
            self.sweep()
            self._is_swept = True
        with locked(self._lock(kind, project, metric_set)):
            newest = _written_at(path)
            if newest is not None and newest > written_at:
                return False
            with replacing(self.root, path) as file:
                parquet.write(table, kind, file, kind.digest(table), written_at)
        return True

    def files(self, kind: RecordKind, project: str, metric_set: str, span: Span) -> Sequence[StagedFile]:
        """List the periods that start in the span, oldest first."""
        return [
            self._staged(file, start)
            for day in _days(span)
            for file in sorted((self.root / kind.name / day_path(project, metric_set, day)).glob("*.parquet"))
            if span.start <= (start := _start(file)) < span.end
        ]

    def read(self, kind: RecordKind, file: StagedFile) -> pa.Table:
        """Read one period's records."""
        return parquet.read(str(self.root / file.path), kind)

    def sweep(self) -> int:
        """Delete what killed writers left; return how many files."""
        return sweep_temporary(self.root)

    def _staged(self, file: Path, start: datetime) -> StagedFile:
        says = parquet.footer(str(file))
        return StagedFile(str(file.relative_to(self.root)), start, says.digest, says.written_at, says.n_rows)

    def _lock(self, kind: RecordKind, project: str, metric_set: str) -> Path:
        return self.root / kind.name / metric_set_path(project, metric_set) / ".lock"


def _days(span: Span) -> list[date]:
    """UTC days that the span touches."""
    first, last = span.start.astimezone(UTC).date(), span.end.astimezone(UTC).date()
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _start(file: Path) -> datetime:
    try:
        return period_of_file(file.name)
    except ValueError as err:
        raise CorruptStoreError(str(file), "is not named after a period") from err


def _written_at(path: Path) -> datetime | None:
    """When the file was collected; None if there is none, or none that can be read: collecting again mends it."""
    try:
        return parquet.footer(str(path)).written_at
    except FileNotFoundError:
        return None
    except CorruptStoreError as err:
        log.warning("%s It is replaced.", err)
        return None
