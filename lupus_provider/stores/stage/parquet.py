"""The stage as Parquet objects: `<url>/points/project=P/metric_set=M/dt=YYYY-MM-DD/<period_start>.parquet`.

In a bucket a write is a compare-and-swap: it replaces what it looked at, or looks again. What a file holds is said in its footer, and in a
bucket in the object's metadata too, so that listing reads no file.
"""

from __future__ import annotations

import logging
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lupus_provider.errors import CorruptStoreError
from lupus_provider.naming import day_path, metric_set_path, period_file, period_of_file
from lupus_provider.stores import parquet
from lupus_provider.stores.objects.base import at_once, pause
from lupus_provider.stores.objects.errors import ConflictError
from lupus_provider.stores.stage.base import StagedFile

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from lupus_provider.periods import Span
    from lupus_provider.records import RecordKind
    from lupus_provider.stores.objects.base import Objects, Stored

log = logging.getLogger(__name__)

TRIES = 20
SAYS = "lupus-says"
"""Digest, time and rows of a file in its object's metadata, as one value with an end, so that a broken-off answer is seen."""
_SAID = re.compile(r"([0-9a-f]{32}) (\S+) (\d+) \.")


class ParquetStage:
    """Stage over an object storage; see `stores.stage.base.StageStore` for the laws.

    Parameters
    ----------
    objects
        A folder or a bucket.
    """

    def __init__(self, objects: Objects) -> None:
        self.objects, self.url = objects, objects.url
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
        key = f"{kind.name}/{day_path(project, metric_set, start.date())}/{period_file(start)}"
        digest = kind.digest(table)
        says = {SAYS: f"{digest} {written_at.isoformat()} {table.num_rows} ."}
        if not self._is_swept:
            self.sweep()
            self._is_swept = True
        with self.objects.exclusive(f"{kind.name}/{metric_set_path(project, metric_set)}/.lock"):
            for attempt in range(TRIES):
                found = self.objects.head(key)
                newest = None if found is None else self._written_at(found)
                if newest is not None and newest > written_at:
                    return False
                data = parquet.encoded(table, kind, digest, written_at)
                etag = None if found is None else found.etag
                try:
                    self.objects.put(key, data, says, if_match=etag, if_absent=etag is None)
                except ConflictError:
                    pause(attempt)
                else:
                    return True
        raise ConflictError(f"{self.url}/{key}")

    def files(self, kind: RecordKind, project: str, metric_set: str, span: Span) -> Sequence[StagedFile]:
        """List the periods that start in the span, oldest first."""
        prefix = f"{kind.name}/{metric_set_path(project, metric_set)}/dt="
        first, last = (at.astimezone(UTC).date().isoformat() for at in (span.start, span.end))
        found: list[tuple[Stored, datetime]] = []
        for stored in self.objects.list(prefix, start_after=prefix + first):
            if stored.key[len(prefix) : len(prefix) + 10] > last:
                break
            if stored.key.endswith(".parquet") and span.start <= (start := self._start(stored.key)) < span.end:
                found.append((stored, start))
        staged = at_once(self.objects.parallel, lambda pair: self._staged(*pair), found)
        return [file for file in staged if file is not None]

    def read(self, kind: RecordKind, file: StagedFile) -> pa.Table:
        """Read one period's records."""
        return parquet.read(self.objects.path(file.path) or self.objects.get(file.path)[0], kind)

    def sweep(self) -> int:
        """Delete what killed writers left; return how many files."""
        return self.objects.sweep("")

    def _staged(self, stored: Stored, start: datetime) -> StagedFile | None:
        """Say what a listed file holds; None if it has gone since."""
        now = stored if self.objects.path(stored.key) else self.objects.head(stored.key)
        if now is None:
            return None
        return StagedFile(stored.key, start, *self._says(now))

    def _says(self, stored: Stored) -> tuple[str, datetime, int]:
        """Return digest, time and rows of a file: by its metadata, else (a folder, a copy by another tool) by its footer."""
        if said := _SAID.fullmatch(stored.metadata.get(SAYS, "")):
            return said[1], datetime.fromisoformat(said[2]), int(said[3])
        path = self.objects.path(stored.key)
        if path is None:
            footer = parquet.footer(f"{self.url}/{stored.key}", self.objects.get(stored.key)[0])
        else:
            footer = parquet.footer(path)
        return footer.digest, footer.written_at, footer.n_rows

    def _written_at(self, found: Stored) -> datetime | None:
        """When a file was collected; None if it cannot be read: collecting again mends it."""
        try:
            return self._says(found)[1]
        except FileNotFoundError:
            return None
        except CorruptStoreError as err:
            log.warning("%s It is replaced.", err)
            return None

    def _start(self, key: str) -> datetime:
        try:
            return period_of_file(key.rpartition("/")[2])
        except ValueError as err:
            raise CorruptStoreError(f"{self.url}/{key}", "is not named after a period") from err
