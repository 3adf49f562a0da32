"""Merging of closed months: the small files of a month's days become one, sorted by series, and readers are switched to it.

A month's file is written once, whole, checked against the digests that the manifest holds of its periods, and then named by the manifest for
the days that nobody has loaded again in the meantime: a load always wins over a merge. Where a catalogue reads the days' folders they stay
beside it; elsewhere they go after the grace of their readers (tests/unit/stores/history/test_merging.py).
"""

# Pyarrow has no types, so its names say nothing to a type checker:
# pyright: reportAttributeAccessIssue=false, reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from lupus_provider import clock
from lupus_provider.errors import CorruptStoreError
from lupus_provider.naming import day_path, metric_set_path
from lupus_provider.stores import parquet
from lupus_provider.stores.history.base import Compacted, HistoryQuery
from lupus_provider.stores.history.manifest import Entry, Manifest, file_of, new_version
from lupus_provider.stores.history.reading import readers, sources
from lupus_provider.stores.history.switching import TRIES, is_too_old, switch
from lupus_provider.stores.objects.base import pause
from lupus_provider.stores.objects.errors import ConflictError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lupus_provider.records import RecordKind
    from lupus_provider.stores.objects.base import Objects

log = logging.getLogger(__name__)

MOST_ROWS = 16_000_000
"""A month of more rows is not merged: its days' files are large enough, and a merge holds the month in memory."""


@dataclass(frozen=True, slots=True)
class _Month:
    """A month's new file, written and not yet named."""

    path: str
    size: dict[str, int]
    of: dict[str, str]
    """ISO date → the file that the day was taken from."""
    begun: datetime


class Merging:
    """The merges of one metric set; used once.

    Parameters
    ----------
    grace
        How long replaced files are kept for readers.
    """

    def __init__(self, objects: Objects, kind: RecordKind, project: str, metric_set: str, grace: timedelta) -> None:
        self.objects, self.kind, self.grace = objects, kind, grace
        self.project, self.metric_set = project, metric_set
        self.folder = f"{kind.name}/{metric_set_path(project, metric_set)}"

    def run(self, closed_before: date, *, keep_days: bool) -> Compacted:
        """Merge each month that ended by that date, oldest first, letting loads in between; see `HistoryStore.compact`."""
        done, first = Compacted(), None
        for month in sorted(self._split_up(Manifest.read(self.objects, self.folder))):
            if _end(month) > closed_before:
                continue
            try:
                with self.objects.exclusive(f"{self.folder}/.lock"):
                    done += self._merge(month, keep_days=keep_days)
            except CorruptStoreError as err:
                log.error("%s of %s is not merged: %s", month, self.folder, err)  # noqa: TRY400  (raised below)
                first = first or err
        if first is not None:
            raise first
        return done

    def _split_up(self, manifest: Manifest) -> dict[str, list[str]]:
        """Return month → its days, of the months that are in several files, or in one that holds more than still counts."""
        months: defaultdict[str, list[str]] = defaultdict(list)
        for day in sorted(manifest.days):
            months[day[:7]].append(day)
        found = {month: (days, sources(manifest, days)) for month, days in months.items()}
        return {
            month: days
            for month, (days, files) in found.items()
            if (len(files) > 1 or files[0].only) and sum(manifest.days[day]["rows"] for day in days) <= MOST_ROWS
        }

    def _merge(self, month: str, *, keep_days: bool) -> Compacted:
        self.objects.sweep(self.folder)
        made, files = None, 0
        for attempt in range(TRIES):
            before = Manifest.read(self.objects, self.folder)
            if made is None or is_too_old(self.objects, made.begun):
                days = self._split_up(before).get(month)
                if days is None:  # somebody else has merged it
                    return Compacted()
                made, files = self._write(month, days, before), len(sources(before, days))
            shown = any(before.days[day].get("published") for day in made.of if day in before.days)
            after = before.with_month(
                made.path, made.size, made.of, clock.utc_now(), self.grace, keep_days=keep_days or shown
            )
            try:
                switch(self.objects, self.folder, before, after)
            except ConflictError:
                pause(attempt)
                continue
            log.info("merged %s of %s: %d files into one", month, self.folder, files)
            return Compacted(1, files, made.size["rows"])
        raise ConflictError(f"{self.objects.url}/{self.folder}")

    def _write(self, month: str, days: Sequence[str], manifest: Manifest) -> _Month:
        begun = clock.utc_now()
        table = self._read(manifest, days)
        content = parquet.encoded(table, self.kind, self.kind.digest(table), begun, is_merged=True)
        self._check(month, parquet.read(content, self.kind), [manifest.days[day] for day in days])
        path = f"{self.folder}/month={month}/{new_version()}/part.parquet"
        self.objects.put(path, content)
        of = {day: file_of(manifest.days[day]) for day in days}
        return _Month(path, {"rows": table.num_rows, "bytes": len(content)}, of, begun)

    def _read(self, manifest: Manifest, days: Iterable[str]) -> pa.Table:
        query = HistoryQuery(self.kind, self.project, self.metric_set)
        names = self.kind.schema.names
        try:
            found = [reader.read_all() for reader in readers(self.objects, query, sources(manifest, days), names)]
        except OSError as err:
            told = self.objects.explained(err)
            if told is err:
                raise
            raise told from err
        return self.kind.sort(pa.concat_tables([self.kind.empty(), *found])).replace_schema_metadata(None)

    def _check(self, month: str, table: pa.Table, entries: Iterable[Entry]) -> None:
        """Compare what readers will find with what the loads said; the days' own files may be deleted after this."""
        wanted = {datetime.fromisoformat(start): d for entry in entries for start, d in entry["periods"].items()}
        found = dict.fromkeys(wanted, self.kind.digest(self.kind.empty()))
        found |= {start: self.kind.digest(part) for start, part in _by_period(table)}
        wrong = sorted(start for start in wanted | found if wanted.get(start) != found.get(start))
        if wrong:
            problem = (
                f"of {month} holds other records for {wrong[0]:%Y-%m-%dT%H:%MZ} than were loaded ({len(wrong)} periods)"
            )
            raise CorruptStoreError(f"{self.objects.url}/{self.folder}", problem)

    # -- the way back ------------------------------------------------------------------------------------------------

    def split(self, days: Sequence[str]) -> None:
        """Give merged days files of their own again, for a catalogue that came later; the caller holds the lock."""
        for attempt in range(TRIES):
            before = Manifest.read(self.objects, self.folder)
            lacking = [day for day in days if day in before.days and "path" not in before.days[day]]
            if not lacking:
                return
            entries = before.days | {day: before.days[day] | self._own_file(before, day) for day in lacking}
            try:
                switch(self.objects, self.folder, before, replace(before, days=entries))
            except ConflictError:
                pause(attempt)
                continue
            return
        raise ConflictError(f"{self.objects.url}/{self.folder}")

    def _own_file(self, manifest: Manifest, day: str) -> Entry:
        dt = date.fromisoformat(day)
        path = f"{self.kind.name}/{day_path(self.project, self.metric_set, dt)}/{new_version()}/part.parquet"
        table = self._read(_of_one_day(manifest, day), [day])
        content = parquet.encoded(table, self.kind, self.kind.digest(table), clock.utc_now())
        self.objects.put(path, content)
        return {"path": path, "bytes": len(content)}


def _of_one_day(manifest: Manifest, day: str) -> Manifest:
    """Return a manifest by which a month's file holds nothing but this day."""
    path = manifest.days[day]["merged"]
    more = manifest.merged[path] | {"rows": -1}  # other rows than the day has: so it is read in part
    return replace(manifest, days={day: manifest.days[day]}, merged={path: more})


def _end(month: str) -> date:
    """Return the first day of the next month."""
    return (date.fromisoformat(f"{month}-01") + timedelta(days=31)).replace(day=1)


def _by_period(table: pa.Table) -> Iterable[tuple[datetime, pa.Table]]:
    """Yield a sorted table's periods, each sorted as the table is."""
    starts = table["period_start"].cast(pa.int64()).to_numpy()
    order = np.argsort(starts, kind="stable")
    table, starts = table.take(pa.array(order)), starts[order]
    bounds = [0, *(np.flatnonzero(np.diff(starts)) + 1).tolist(), len(starts)]
    for first, last in pairwise(bounds):
        if last > first:
            epoch = datetime(1970, 1, 1, tzinfo=UTC)
            yield epoch + timedelta(microseconds=int(starts[first])), table.slice(first, last - first)
