"""Answers of the SQL index: the catalogue with facets, series, anomalies. Every answer is bounded by the caller's projects."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import sqlalchemy as sa

from lupus_provider.errors import UnknownMetricError
from lupus_provider.metrics import Unit, parse_metric
from lupus_provider.stores.index import tables as t
from lupus_provider.stores.index.columns import FIELDS, HALF_LIFE, PERIOD_SECONDS, Columns, Flags, set_columns
from lupus_provider.stores.index.loading import folded
from lupus_provider.wire import AnomalyPage, AnomalyRow, CatalogPage, Day, Facet, FacetValue, Group, SeriesSummary

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray
    from sqlalchemy.engine import Connection

    from lupus_provider.stores.index.base import CatalogQuery
    from lupus_provider.stores.index.columns import Coded, SetColumns

    Mask = NDArray[np.bool_]
    Places = NDArray[np.int64]

NULL_VALUE, WHOLE = "(null)", "(whole)"
FACET_VALUES = 200
"""Most values of one facet that are sent, the most frequent first."""
WORDS, WORD = 12, 200
"""Words of a search that count, and characters of a word."""
KEPT = 8
"""Sets of projects whose columns are kept ready; callers with the same rights share one."""

_FIELDS = {"project": "project", "metric_set": "metric_set", "column": "column_name", "metric": "metric", "group_by": "group_by"}  # fmt: skip


def offset_of(cursor: str | None) -> int:
    """Place in a list; a cursor that is none of ours begins anew."""
    return int(cursor) if cursor and len(cursor) <= 12 and cursor.isascii() and cursor.isdigit() else 0


def attention(row: Any) -> float:
    """Strength of the strangest anomaly; what is recent counts up to four times as much as what is long gone."""
    if row.strength is None:
        return 0.0
    age = max(0, (row.newest_period or row.last) - row.last) / PERIOD_SECONDS[row.period]
    return float(row.strength) * (0.25 + 0.75 * 2.0 ** (-min(age, 1000) / HALF_LIFE))


def summary(row: Any) -> SeriesSummary:
    """Return the card of a series from its row."""
    return SeriesSummary(
        series_id=row.series_id, project=row.project, metric_set=row.metric_set, column_name=row.column_name, metric=row.metric,
        entity=row.entity, group_key=[Group(column=column, value=value) for column, value in json.loads(row.group_key)], name=row.name,
        unit=_unit(row.metric), period=row.period, timezone=row.timezone, first_period=row.first_period, last_period=row.last_period, last_value=row.last_value,
        last_expected=row.last_expected, n_points=row.n_points, n_anomalies=row.n or 0, last_anomaly=row.last, worst_score=row.worst,
        attention=round(attention(row), 6), is_stale=row.newest_period is not None and row.last_period < row.newest_period,
    )  # fmt: skip


def _unit(metric: str) -> str:
    try:
        return str(parse_metric(metric).unit)
    except UnknownMetricError:  # measured elsewhere: training metrics have names of their own
        return str(Unit.COLUMN)


# -- columns -------------------------------------------------------------------------------------------------------------


class Shelf:
    """Columns of metric sets, read again when their version says that a load changed them. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sets: dict[tuple[str, str], tuple[Any, SetColumns]] = {}
        self._ready: dict[frozenset[str], tuple[Any, Columns]] = {}

    def columns(self, connection: Connection, projects: Iterable[str]) -> Columns:
        """Return the series of projects as this transaction sees them."""
        wanted, c = frozenset(projects), t.metric_set.c
        sets = connection.execute(
            sa.select(t.metric_set).where(c.project.in_(wanted)).order_by(c.project, c.metric_set)
        ).all()
        stamp = [tuple(about) for about in sets]
        with self._lock:  # so that a changed set is read once, not once a thread
            ready = self._ready.pop(wanted, None)
            if ready is None or ready[0] != stamp:
                found = sorted(sets, key=lambda about: (about.project, about.metric_set))
                ready = stamp, Columns([self._set(connection, about) for about in found])
            self._ready[wanted] = ready  # the newest last
            if len(self._ready) > KEPT:
                del self._ready[next(iter(self._ready))]
            return ready[1]

    def _set(self, connection: Connection, about: Any) -> SetColumns:
        key, stamp = (about.project, about.metric_set), tuple(about)
        kept = self._sets.get(key)
        if kept is None or kept[0] != stamp:
            mine = [
                sa.and_(table.c.project == about.project, table.c.metric_set == about.metric_set)
                for table in (t.series, t.anomaly)
            ]
            rows = connection.execute(sa.select(*(t.series.c[name] for name in FIELDS)).where(mine[0])).all()
            a = t.anomaly.c
            flags = connection.execute(sa.select(a.series_id, a.period, a.score, a.strength).where(mine[1])).all()
            kept = self._sets[key] = stamp, set_columns(about, rows, flags)
        return kept[1]


# -- catalogue -----------------------------------------------------------------------------------------------------------


def _masks(columns: Columns, query: CatalogQuery, flags: Flags) -> dict[str, Mask]:
    """Filter name → series that pass it, so that a facet can leave out its own."""
    masks: dict[str, Mask] = {}
    for i, word in enumerate(query.q.split()[:WORDS]):
        masks[f"q{i}"] = columns.contains(folded(word[:WORD]))
    for name, wanted in query.filters.items():
        if not wanted:
            continue
        if name in _FIELDS:
            values = frozenset("" if value == WHOLE else value for value in wanted) if name == "group_by" else wanted
            masks[name] = columns.coded(_FIELDS[name]).among(values)
        elif name.startswith("group."):
            column = columns.groups.get(name.removeprefix("group."))
            values = frozenset(None if value == NULL_VALUE else value for value in wanted)
            masks[name] = np.zeros(columns.size, bool) if column is None else column.among(values)
    if query.only is not None:
        masks["only"] = flags.n > 0 if query.only == "anomalous" else columns.stale
    return masks


def _all_but(columns: Columns, masks: Mapping[str, Mask], name: str | None = None) -> Mask:
    found = np.ones(columns.size, bool)
    for key, mask in masks.items():
        if key != name:
            found &= mask
    return found


def _order(columns: Columns, places: Places, flags: Flags, sort: str) -> Places:
    """Sort rows; rows in their own order are in that of project, metric set and name."""
    if sort == "name":
        return places
    if sort == "change":
        return places[np.lexsort((columns.name_rank[places], -columns.change[places]))]
    strangest = -columns.attention(flags)[places]
    if sort == "recent":
        return places[np.lexsort((columns.name_rank[places], strangest, -flags.last[places]))]
    return places[np.argsort(strangest, kind="stable")]


def search(columns: Columns, query: CatalogQuery) -> CatalogPage:
    """One page of the catalogue with facets, counts and the overview strip."""
    flags = columns.flags(query.span)
    masks = _masks(columns, query, flags)
    matched = _all_but(columns, masks)
    places = np.flatnonzero(matched)
    start = offset_of(query.cursor)
    stop = start + query.limit
    page = _order(columns, places, flags, query.sort)[start:stop]
    unfiltered = _all_but(columns, masks, "only")
    first, last = (columns.numbers(name)[places] for name in ("first_period", "last_period"))
    return CatalogPage(
        items=[summary(row) for row in columns.rows(page, flags)],
        total=len(places),
        first_period=int(np.nanmin(first)) if len(places) else None,
        last_period=int(np.nanmax(last)) if len(places) else None,
        total_all=columns.size,
        counts={"anomalous": int((unfiltered & (flags.n > 0)).sum()), "stale": int((unfiltered & columns.stale).sum())},
        facets=_facets(columns, masks, matched),
        days=_days(columns, matched),
        next_cursor=str(stop) if stop < len(places) else None,
    )


def _facets(columns: Columns, masks: Mapping[str, Mask], matched: Mask) -> list[Facet]:
    every = {name: columns.coded(field) for name, field in _FIELDS.items()}
    every |= {f"group.{column}": values for column, values in columns.groups.items()}
    found = [
        _facet(name, values, _all_but(columns, masks, name) if name in masks else matched)
        for name, values in every.items()
    ]
    return [facet for facet in found if facet.values]


def _facet(name: str, column: Coded, mask: Mask) -> Facet:
    whole = WHOLE if name == "group_by" else ""
    values = [
        FacetValue(value=NULL_VALUE if value is None else value or whole, count=n)
        for value, n in column.counted(mask)[:FACET_VALUES]
    ]
    return Facet(name=name, values=values)


def _days(columns: Columns, matched: Mask) -> list[Day]:
    """Return the overview strip: over all history, so that a window is chosen with its surroundings in sight."""
    rows, periods = columns.flagged_periods
    at, counts = np.unique(periods[matched[rows]], return_counts=True)
    return [Day(t=when, n_anomalies=n) for when, n in zip(at.tolist(), counts.tolist())]


# -- series and anomalies --------------------------------------------------------------------------------------------------


def summaries(columns: Columns, series_ids: Sequence[str]) -> dict[str, SeriesSummary]:
    """Summaries of the series that exist, in the order asked."""
    known = {sid: columns.place[sid] for sid in series_ids if sid in columns.place}
    return {row.series_id: summary(row) for row in columns.rows(list(known.values()), columns.flags(None))}


def related(columns: Columns, series_id: str, limit: int) -> list[SeriesSummary]:
    """Return the same column and metric in the other groups and entities, strangest first."""
    mine = columns.place.get(series_id)
    if mine is None:
        return []
    same = np.ones(columns.size, bool)
    for name in ("project", "metric_set", "column_name", "metric"):
        codes = columns.coded(name).codes
        same &= codes == codes[mine]
    same[mine] = False
    flags = columns.flags(None)
    places = _order(columns, np.flatnonzero(same), flags, "attention")[:limit]
    return [summary(row) for row in columns.rows(places, flags)]


def anomalies(
    connection: Connection, columns: Columns, projects: frozenset[str], series_ids: Sequence[str] | None, start: int | None, end: int | None,
    sort: str, cursor: str | None, limit: int,
) -> AnomalyPage:  # fmt: skip
    """Return flagged points of series that the index knows."""
    c = t.anomaly.c
    where: list[sa.ColumnElement[bool]] = [c.project.in_(projects)]
    if series_ids is not None:
        where.append(c.series_id.in_(list(series_ids)))
    if start is not None:
        where.append(c.period >= start)
    if end is not None:
        where.append(c.period < end)
    known = t.anomaly.join(t.series, t.series.c.series_id == c.series_id)
    order = (
        (c.strength.desc(), c.period.desc(), c.series_id)
        if sort == "score"
        else (c.period.desc(), c.strength.desc(), c.series_id)
    )
    offset = offset_of(cursor)
    total = connection.execute(sa.select(sa.func.count()).select_from(known).where(*where)).scalar_one()
    rows = connection.execute(
        sa.select(t.anomaly).select_from(known).where(*where).order_by(*order, c.detector).offset(offset).limit(limit)
    ).all()
    of = summaries(columns, [row.series_id for row in rows])
    items = [AnomalyRow(**point_fields(row), series=of[row.series_id]) for row in rows]
    return AnomalyPage(items=items, total=total, next_cursor=str(offset + limit) if offset + limit < total else None)


def point_fields(row: Any) -> dict[str, Any]:
    """Fields of a wire.AnomalyPoint from a row of the anomaly table."""
    names = ("series_id", "detector", "kind", "severity", "direction", "value", "expected", "lower", "upper", "score")
    return {"t": row.period, **{name: getattr(row, name) for name in names}}
