"""rebuild_index: history → index. Writes everything anew from the history, while the index serves what it has.

The index holds nothing that the history does not: what a disk, a bug or a wrong hand did to it is mended by writing it again. Each period
is replaced whole, so a reader sees the old content or the new (tests/unit/steps/test_rebuild_index.py).
"""

# Pyarrow makes its compute functions at run time, so its names say nothing to a type checker:
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from lupus_provider.periods import Span
from lupus_provider.records import ANOMALIES, EVALUATIONS, POINTS
from lupus_provider.steps.expire import first_kept
from lupus_provider.steps.gather import Loaded
from lupus_provider.stores.history.base import HistoryQuery, Incoming
from lupus_provider.stores.index.base import MetricSetInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from lupus_provider.config import Project
    from lupus_provider.records import RecordKind
    from lupus_provider.stores.history.base import HistoryStore, Switched
    from lupus_provider.stores.index.base import IndexStore

log = logging.getLogger(__name__)

INDEXED = (POINTS, ANOMALIES, EVALUATIONS)
"""Kinds that the index holds."""
_SHORTEST = timedelta(microseconds=1)


def rebuild_index(
    project: Project,
    history: HistoryStore,
    index: IndexStore,
    now: datetime,
    metric_sets: Collection[str] | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Loaded:
    """Write a project's metric sets into the index anew; what the history does not hold is cleared, and what is too old for the index.

    Parameters
    ----------
    now
        Aware; the index's age is counted back from it.
    metric_sets
        Only these; None: all of the project file.
    progress
        Called after each month with the metric set's name, periods done, and periods in all.
    """
    loads: list[Switched] = []
    for name, metric_set in project.metric_sets.items():
        if metric_sets is not None and name not in metric_sets:
            continue
        about = MetricSetInfo(project.project, name, metric_set.period, project.timezone)
        first = first_kept(project, name, "index", now)
        switched = _rebuilt(about, history, index, first, progress or (lambda *_: None))
        log.info("rebuilt %s.%s in the index: %s", project.project, name, Loaded.of(switched))
        loads += switched
    return Loaded.of(loads)


def _rebuilt(
    about: MetricSetInfo,
    history: HistoryStore,
    index: IndexStore,
    first: datetime | None,
    progress: Callable[[str, int, int], None],
) -> list[Switched]:
    project, name = about.project, about.metric_set
    held = {
        kind.name: {
            at: digest for at, digest in history.periods(kind, project, name).items() if first is None or at >= first
        }
        for kind in INDEXED
    }
    total, done = sum(map(len, held.values())), 0
    switched: list[Switched] = []
    for kind in INDEXED:
        gone = sorted(set(index.periods(kind, project, name)) - set(held[kind.name]))
        if gone:
            switched.append(index.load(kind, about, partial(_cleared, kind, gone), force=True))
        for starts in months(held[kind.name]):
            gather = partial(kept, history, kind, project, name, starts)
            switched.append(index.load(kind, about, gather, force=True))
            done += len(starts)
            progress(name, done, total)
    return switched


def months(periods: Mapping[datetime, str]) -> Iterator[list[datetime]]:
    """Yield period starts, a month in UTC at a time, oldest first."""
    for _, starts in groupby(sorted(periods), key=lambda start: start.astimezone(UTC).strftime("%Y%m")):
        yield list(starts)


def kept(
    history: HistoryStore, kind: RecordKind, project: str, metric_set: str, starts: Sequence[datetime]
) -> list[Incoming]:
    """Return periods as the history has them now, out of one scan; those that it does not have any more are left out."""
    digests = history.periods(kind, project, metric_set)
    span = Span(starts[0], starts[-1] + _SHORTEST)
    table = history.scan(HistoryQuery(kind, project, metric_set, span)).read_all()
    found = []
    for start in starts:
        if start in digests:
            rows = table.filter(
                pc.equal(table["period_start"], pa.scalar(start, table.schema.field("period_start").type))
            )
            newest = pc.max(rows[kind.written_at]).as_py() if rows.num_rows else start
            found.append(Incoming(start, digests[start], newest, partial(kind.sort, rows)))
    return found


def _cleared(kind: RecordKind, starts: Sequence[datetime]) -> list[Incoming]:
    empty = kind.empty()
    return [Incoming(start, kind.digest(empty), start, kind.empty) for start in starts]
