"""The stage in a local folder: `<root>/points/project=P/metric_set=M/dt=YYYY-MM-DD/<period_start>.parquet`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa

from lupus_provider.naming import day_path, metric_set_path, period_file, period_of_file
from lupus_provider.periods import Span
from lupus_provider.records import RecordKind
from lupus_provider.stores import parquet
from lupus_provider.stores.files import locked, replacing, sweep_temporary
from lupus_provider.stores.stage.base import StagedFile


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

    def write(self, kind: RecordKind, project: str, metric_set: str, period_start: datetime, table: pa.Table, written_at: datetime) -> bool:
        """Put one period's records there, whole; False if a newer collection is there already."""
        table = kind.sort(table)
        path = self.root / kind.name / day_path(project, metric_set, period_start.date()) / period_file(period_start)
        with locked(self._lock(kind, project, metric_set)):
            if path.exists() and parquet.footer(str(path)).written_at > written_at:
                return False
            with replacing(self.root, path) as file:
                parquet.write(table, kind, file, kind.digest(table), written_at)
        return True

    def files(self, kind: RecordKind, project: str, metric_set: str, span: Span) -> Sequence[StagedFile]:
        """List the periods that start in the span, oldest first."""
        found = []
        day = span.start.date()
        while day <= span.end.date():
            folder = self.root / kind.name / day_path(project, metric_set, day)
            for file in sorted(folder.glob("*.parquet")):
                start = period_of_file(file.name)
                if span.start <= start < span.end:
                    says = parquet.footer(str(file))
                    found.append(StagedFile(str(file.relative_to(self.root)), start, says.digest, says.written_at, says.n_rows))
            day += timedelta(days=1)
        return found

    def read(self, kind: RecordKind, file: StagedFile) -> pa.Table:
        """Read one period's records."""
        return parquet.read(str(self.root / file.path), kind)

    def sweep(self) -> int:
        """Delete what killed writers left; return how many files."""
        return sweep_temporary(self.root)

    def _lock(self, kind: RecordKind, project: str, metric_set: str) -> Path:
        return self.root / kind.name / metric_set_path(project, metric_set) / ".lock"
