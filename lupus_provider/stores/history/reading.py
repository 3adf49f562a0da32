"""Which files hold the days that a scan wants, and what in them still counts.

A day is read from its month's file where it was merged, else from its own. A day that was loaded again after it was merged, or dropped, left
its rows behind in the month's file; readers leave them out, so that a merge never delays a load (tests/unit/stores/history/test_reading.py).
"""

# Pyarrow has no types, so its names say nothing to a type checker:
# pyright: reportAttributeAccessIssue=false, reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from lupus_provider.periods import Span
from lupus_provider.stores.objects.base import at_once

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lupus_provider.records import RecordKind
    from lupus_provider.stores.history.base import HistoryQuery
    from lupus_provider.stores.history.manifest import Manifest
    from lupus_provider.stores.objects.base import Objects

FILES_AHEAD = 16
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Source:
    """A file that a scan reads."""

    path: str
    bytes: int | None
    only: tuple[Span, ...] = ()
    """Only periods that start in these count; empty: all."""


def overlaps(day: str, span: Span | None) -> bool:
    """Say whether periods of a UTC day may start in the span; None: in any."""
    if span is None:
        return True
    return span.start.astimezone(UTC).date() <= date.fromisoformat(day) <= span.end.astimezone(UTC).date()


def sources(manifest: Manifest, days: Iterable[str]) -> list[Source]:
    """Return the files that hold these days, each once, in the order of the days."""
    found: dict[str, Source] = {}
    holds: dict[str, list[str]] = {}
    for day, entry in manifest.days.items():
        if "merged" in entry:
            holds.setdefault(entry["merged"], []).append(day)
    for day in sorted(days):
        entry = manifest.days[day]
        if "merged" not in entry:
            found[entry["path"]] = Source(entry["path"], entry.get("bytes"))
        elif entry["merged"] not in found:
            path, size = entry["merged"], manifest.merged[entry["merged"]]
            is_whole = sum(manifest.days[mine]["rows"] for mine in holds[path]) == size["rows"]
            found[path] = Source(path, size["bytes"], () if is_whole else _spans(sorted(holds[path])))
    return list(found.values())


def _spans(days: Sequence[str]) -> tuple[Span, ...]:
    """Return spans of UTC that these days are, neighbours in one."""
    spans: list[Span] = []
    for day in days:
        start = datetime.combine(date.fromisoformat(day), time(), UTC)
        if spans and spans[-1].end == start:
            spans[-1] = Span(spans[-1].start, start + _DAY)
        else:
            spans.append(Span(start, start + _DAY))
    return tuple(spans)


# -- through Arrow -------------------------------------------------------------------------------------------------------


def readers(
    objects: Objects, query: HistoryQuery, chosen: Sequence[Source], columns: Sequence[str]
) -> list[pa.RecordBatchReader]:
    """Return streams that together are what the query asks of these files, in no order; pruned to row groups and columns."""
    groups = [[source for source in chosen if not source.only], *([source] for source in chosen if source.only)]
    found = []
    for group in filter(None, groups):
        kept = _condition(query, group[0].only)
        options = {"columns": list(columns), "filter": kept, "fragment_readahead": FILES_AHEAD}
        found.append(_dataset(objects, query.kind, group).scanner(**options).to_reader())
    return found


def _condition(query: HistoryQuery, only: Sequence[Span]) -> Any:
    unit = query.kind.schema.field("period_start").type
    start, found = pc.field("period_start"), None

    def within(span: Span) -> Any:
        return (start >= pa.scalar(span.start, unit)) & (start < pa.scalar(span.end, unit))

    for span in only:
        found = within(span) if found is None else found | within(span)
    if query.span is not None:
        found = within(query.span) if found is None else found & within(query.span)
    if query.series_ids:
        mine = pc.field("series_id").isin(pa.array(query.series_ids, pa.string()))
        found = mine if found is None else found & mine
    return found


def _dataset(objects: Objects, kind: RecordKind, chosen: Sequence[Source]) -> Any:
    import pyarrow.dataset as ds

    form, door = ds.ParquetFileFormat(), objects.arrow()
    if door is None:
        contents = at_once(objects.parallel, lambda source: objects.get(source.path)[0], chosen)
        fragments = [form.make_fragment(pa.BufferReader(content)) for content in contents]
    else:
        fs, root = door  # with its size known, a file is not asked for before it is read
        fragments = [form.make_fragment(f"{root}/{source.path}", fs, file_size=source.bytes) for source in chosen]
    return ds.FileSystemDataset(fragments, kind.schema, form)
