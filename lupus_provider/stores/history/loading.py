"""One load into the Parquet history: gather, write new versions of the days that changed, switch, sweep.

In a folder a lock makes loads wait for each other. In a bucket they run at once: the switch of the second fails, and it gathers again, so that
the stage's newest content wins whoever switches last. Versions that it wrote already are used again where they still fit.
"""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from lupus_provider import clock
from lupus_provider.naming import day_path, metric_set_path
from lupus_provider.stores import parquet
from lupus_provider.stores.history.base import Incoming, Switched
from lupus_provider.stores.history.manifest import Days, Entry, Manifest, file_of, new_version
from lupus_provider.stores.history.switching import SWEPT_AFTER, SWITCH_WITHIN, TRIES, is_too_old, switch
from lupus_provider.stores.objects.base import at_once, pause
from lupus_provider.stores.objects.errors import ConflictError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import timedelta

    from lupus_provider.records import RecordKind
    from lupus_provider.stores.objects.base import Objects

__all__ = ["SWEPT_AFTER", "SWITCH_WITHIN", "Loading"]

log = logging.getLogger(__name__)

_DAYS_AT_ONCE = 4


class Loading:
    """A load of one metric set; used once.

    Parameters
    ----------
    grace
        How long replaced versions are kept for readers.
    """

    def __init__(self, objects: Objects, kind: RecordKind, project: str, metric_set: str, grace: timedelta) -> None:
        self.objects, self.kind, self.grace = objects, kind, grace
        self.project, self.metric_set = project, metric_set
        self.folder = f"{kind.name}/{metric_set_path(project, metric_set)}"
        self._made: dict[tuple[Any, ...], Entry] = {}
        self._begun: datetime | None = None

    def run(self, gather: Callable[[], Sequence[Incoming]], *, force: bool = False) -> Switched:
        """Load what `gather` returns, with `force` also what is loaded already. The caller holds the lock, where there is one."""
        self.objects.sweep(self.folder)
        for attempt in range(TRIES):
            before = Manifest.read(self.objects, self.folder)
            incoming = sorted(gather(), key=lambda item: item.period_start)
            changed = [item for item in incoming if force or _loaded(before.days, item) != item.digest]
            written = self._written(before.days, changed)
            if is_too_old(self.objects, self._begun):
                log.warning("%s: the load took longer than %s, it starts again", self.folder, SWITCH_WITHIN)
                self._made, self._begun = {}, None
                continue
            try:
                switch(self.objects, self.folder, before, before.switched(written, clock.utc_now(), self.grace))
            except ConflictError:
                log.info("%s: somebody else loaded at the same time, the load looks again", self.folder)
                pause(attempt)
                continue
            rows = sum(entry["rows"] for entry in written.values())
            days = tuple(date.fromisoformat(day) for day in written)
            return Switched(days, len(changed), len(incoming) - len(changed), rows)
        raise ConflictError(f"{self.objects.url}/{self.folder}")

    # -- new versions ------------------------------------------------------------------------------------------------

    def _written(self, days: Days, changed: Sequence[Incoming]) -> Days:
        work = [(day, days.get(day.isoformat()), list(items)) for day, items in groupby(changed, key=_day)]
        entries = at_once(min(self.objects.parallel, _DAYS_AT_ONCE), lambda one: self._day_once(*one), work)
        return {day.isoformat(): entry for (day, _, _), entry in zip(work, entries)}

    def _day_once(self, day: date, old: Entry | None, items: list[Incoming]) -> Entry:
        """Write a day's new version, or take the one that an earlier try of this load wrote of the same."""
        made_of = (
            day,
            None if old is None else file_of(old),
            tuple((item.period_start, item.digest) for item in items),
        )
        if made_of not in self._made:
            self._begun = self._begun or clock.utc_now()
            self._made[made_of] = self._write_day(day, old, items)
        return self._made[made_of]

    def _write_day(self, day: date, old: Entry | None, items: list[Incoming]) -> Entry:
        """Write the day's new file: what the history has of its other periods, and the incoming ones."""
        tables, periods = [], {}
        for item in items:
            table, periods[_start(item)] = item.taken(self.kind)
            tables.append(table)
        others = {} if old is None else {start: d for start, d in old["periods"].items() if start not in periods}
        if old is not None and others:
            file = file_of(old)
            before = parquet.read(self.objects.path(file) or self.objects.get(file)[0], self.kind)
            starts = [datetime.fromisoformat(start) for start in others]
            instants = pa.array(starts, self.kind.schema.field("period_start").type)
            tables.append(before.filter(pc.field("period_start").isin(instants)))
        table = self.kind.sort(pa.concat_tables(tables))
        path = f"{self.kind.name}/{day_path(self.project, self.metric_set, day)}/{new_version()}/part.parquet"
        newest = max(item.written_at for item in items)
        data = parquet.encoded(table, self.kind, self.kind.digest(table), newest)
        self.objects.put(path, data)
        return {
            "path": path,
            "rows": table.num_rows,
            "bytes": len(data),
            "periods": dict(sorted({**others, **periods}.items())),
        }


def _loaded(days: Days, item: Incoming) -> str | None:
    return days.get(_day(item).isoformat(), {"periods": {}})["periods"].get(_start(item))


def _start(item: Incoming) -> str:
    return item.period_start.astimezone(UTC).isoformat()


def _day(item: Incoming) -> date:
    return item.period_start.astimezone(UTC).date()
