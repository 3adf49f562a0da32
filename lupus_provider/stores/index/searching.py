"""Answers of the SQL index: the catalogue with facets, series, anomalies. Every query is bounded by the caller's projects."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from lupus_provider.errors import UnknownMetricError
from lupus_provider.metrics import Unit, parse_metric
from lupus_provider.stores.index import tables as t
from lupus_provider.stores.index.loading import folded
from lupus_provider.stores.sql import chunks
from lupus_provider.wire import AnomalyPage, AnomalyRow, CatalogPage, Day, Facet, FacetValue, Group, SeriesSummary

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy.engine import Connection, Row

    from lupus_provider.periods import Span
    from lupus_provider.stores.index.base import CatalogQuery

NULL_VALUE, WHOLE = "(null)", "(whole)"
FACET_VALUES = 200
"""Most values of one facet that are sent, the most frequent first."""
WORDS, WORD = 12, 200
"""Words of a search that count, and characters of a word."""
HALF_LIFE = 14
"""Periods after which an anomaly asks for half as much of the attention that recency adds."""
PERIOD_SECONDS = {"hour": 3_600, "day": 86_400, "week": 604_800, "month": 2_629_746}

_COLUMNS = {
    "project": t.series.c.project,
    "metric_set": t.series.c.metric_set,
    "column": t.series.c.column_name,
    "metric": t.series.c.metric,
}


# -- conditions ----------------------------------------------------------------------------------------------------------


def _like(word: str) -> str:
    escaped = folded(word[:WORD]).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def offset_of(cursor: str | None) -> int:
    """Place in a list; a cursor that is none of ours begins anew."""
    return int(cursor) if cursor and len(cursor) <= 12 and cursor.isascii() and cursor.isdigit() else 0


def _in_span(span: Span | None, c: Any = None) -> list[sa.ColumnElement[bool]]:
    if span is None:
        return []
    period = (t.anomaly.c if c is None else c).period
    return [period >= int(span.start.timestamp()), period < int(span.end.timestamp())]


def _flagged(span: Span | None) -> sa.ColumnElement[bool]:
    c = t.anomaly.alias().c  # an alias of its own: the query around it may read the table, too
    return t.series.c.series_id.in_(sa.select(c.series_id).where(*_in_span(span, c)))


def _stale() -> sa.ColumnElement[bool]:
    c = t.metric_set.alias().c
    newest = sa.select(c.newest_period).where(c.project == t.series.c.project, c.metric_set == t.series.c.metric_set)
    return t.series.c.last_period < newest.correlate(t.series).scalar_subquery()


def _group_filter(column: str, wanted: frozenset[str]) -> sa.ColumnElement[bool]:
    c = t.series_group.alias().c
    value = sa.or_(c.value.in_(wanted - {NULL_VALUE}), c.value.is_(None) if NULL_VALUE in wanted else sa.false())
    return t.series.c.series_id.in_(sa.select(c.series_id).where(c.column == column, value))


def _conditions(query: CatalogQuery) -> dict[str, sa.ColumnElement[bool]]:
    """Filter name → condition, so that a facet can leave out its own."""
    conditions: dict[str, sa.ColumnElement[bool]] = {"may": t.series.c.project.in_(query.projects)}
    for i, word in enumerate(query.q.split()[:WORDS]):
        conditions[f"q{i}"] = t.series.c.search_text.like(_like(word), escape="\\")
    for name, wanted in query.filters.items():
        if not wanted:
            continue
        if name in _COLUMNS:
            conditions[name] = _COLUMNS[name].in_(wanted)
        elif name == "group_by":
            conditions[name] = t.series.c.group_by.in_(frozenset("" if value == WHOLE else value for value in wanted))
        elif name.startswith("group."):
            conditions[name] = _group_filter(name.removeprefix("group."), wanted)
    if query.only is not None:
        conditions["only"] = _flagged(query.span) if query.only == "anomalous" else _stale()
    return conditions


def _all_but(conditions: Mapping[str, sa.ColumnElement[bool]], name: str | None = None) -> sa.ColumnElement[bool]:
    return sa.and_(*(condition for key, condition in conditions.items() if key != name))


# -- catalogue -----------------------------------------------------------------------------------------------------------


def _flags(projects: Iterable[str], span: Span | None, ids: Sequence[str] | None) -> sa.Subquery:
    """Anomalies of each series in the span, in numbers."""
    c = t.anomaly.c
    return (
        sa.select(
            c.series_id, sa.func.count(sa.distinct(c.period)).label("n"), sa.func.max(c.period).label("last"),
            sa.func.min(c.score).label("worst"), sa.func.max(c.strength).label("strength"),
        )
        .where(c.project.in_(list(projects)), *_in_span(span), *([] if ids is None else [c.series_id.in_(ids)])).group_by(c.series_id).subquery("flags")
    )  # fmt: skip


def attention(row: Any) -> float:
    """Strength of the strangest anomaly; what is recent counts up to four times as much as what is long gone."""
    if row.strength is None:
        return 0.0
    age = max(0, (row.newest_period or row.last) - row.last) / PERIOD_SECONDS[row.period]
    return float(row.strength) * (0.25 + 0.75 * 2.0 ** (-min(age, 1000) / HALF_LIFE))


def _rows(
    connection: Connection, condition: sa.ColumnElement[bool], projects: Iterable[str], span: Span | None, ids: Sequence[str] | None = None
) -> Sequence[Row[Any]]:  # fmt: skip
    s, m, flags = t.series, t.metric_set, _flags(projects, span, ids)
    columns = (s, m.c.period, m.c.timezone, m.c.newest_period, flags.c.n, flags.c.last, flags.c.worst, flags.c.strength)
    joined = s.join(m, sa.and_(s.c.project == m.c.project, s.c.metric_set == m.c.metric_set)).outerjoin(
        flags, flags.c.series_id == s.c.series_id
    )
    return connection.execute(sa.select(*columns).select_from(joined).where(condition)).all()


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


def _change(row: Any) -> float:
    """How far the newest value is from what was expected, relative to it."""
    if row.last_value is None or row.last_expected is None:
        return 0.0
    return abs(row.last_value - row.last_expected) / (abs(row.last_expected) or 1.0)


_SORTS = {
    "attention": lambda row: (-attention(row), row.project, row.metric_set, row.name, row.series_id),
    "name": lambda row: (row.project, row.metric_set, row.name, row.series_id),
    "recent": lambda row: (-(row.last or 0), -attention(row), row.name, row.series_id),
    "change": lambda row: (-_change(row), row.name, row.series_id),
}


def search(connection: Connection, query: CatalogQuery) -> CatalogPage:
    """One page of the catalogue with facets, counts and the overview strip."""
    conditions = _conditions(query)
    rows = sorted(_rows(connection, _all_but(conditions), query.projects, query.span), key=_SORTS[query.sort])
    start = offset_of(query.cursor)
    stop = start + query.limit
    count = sa.select(sa.func.count()).select_from(t.series)
    unfiltered = _all_but(conditions, "only")
    return CatalogPage(
        items=[summary(row) for row in rows[start:stop]],
        total=len(rows),
        first_period=min((row.first_period for row in rows if row.first_period is not None), default=None),
        last_period=max((row.last_period for row in rows if row.last_period is not None), default=None),
        total_all=connection.execute(count.where(conditions["may"])).scalar_one(),
        counts={
            "anomalous": connection.execute(count.where(unfiltered, _flagged(query.span))).scalar_one(),
            "stale": connection.execute(count.where(unfiltered, _stale())).scalar_one(),
        },
        facets=_facets(connection, conditions),
        days=_days(connection, _all_but(conditions)),
        next_cursor=str(stop) if stop < len(rows) else None,
    )


def _facets(connection: Connection, conditions: Mapping[str, sa.ColumnElement[bool]]) -> list[Facet]:
    facets = [_facet(connection, name, column, _all_but(conditions, name)) for name, column in _COLUMNS.items()]
    facets.append(_facet(connection, "group_by", t.series.c.group_by, _all_but(conditions, "group_by"), empty=WHOLE))
    g = t.series_group
    joined = g.join(t.series, t.series.c.series_id == g.c.series_id)
    columns = connection.execute(
        sa.select(g.c.column).select_from(joined).where(conditions["may"]).distinct().order_by(g.c.column)
    ).scalars()
    for column in columns.all():
        name = f"group.{column}"
        statement = (
            sa.select(g.c.value, sa.func.count().label("n"))
            .select_from(joined)
            .where(g.c.column == column, _all_but(conditions, name))
        )
        facets.append(_values(connection, name, statement.group_by(g.c.value), NULL_VALUE))
    return [facet for facet in facets if facet.values]


def _facet(
    connection: Connection,
    name: str,
    column: sa.ColumnElement[str],
    condition: sa.ColumnElement[bool],
    empty: str | None = None,
) -> Facet:
    statement = sa.select(column.label("value"), sa.func.count().label("n")).where(condition).group_by(column)
    return _values(connection, name, statement, None, empty)


def _values(connection: Connection, name: str, statement: Any, null: str | None, empty: str | None = None) -> Facet:
    rows = connection.execute(statement.order_by(sa.desc("n"), "value").limit(FACET_VALUES)).all()
    shown = [(null if row.value is None else empty if row.value == "" and empty else row.value, row.n) for row in rows]
    return Facet(name=name, values=[FacetValue(value=value, count=n) for value, n in shown if value is not None])


def _days(connection: Connection, condition: sa.ColumnElement[bool]) -> list[Day]:
    """Return the overview strip: over all history, so that a window is chosen with its surroundings in sight."""
    c = t.anomaly.c
    joined = t.anomaly.join(t.series, t.series.c.series_id == c.series_id)
    statement = sa.select(c.period, sa.func.count(sa.distinct(c.series_id)).label("n")).select_from(joined)
    rows = connection.execute(statement.where(condition).group_by(c.period).order_by(c.period))
    return [Day(t=row.period, n_anomalies=row.n) for row in rows]


# -- series and anomalies --------------------------------------------------------------------------------------------------


def summaries(
    connection: Connection, series_ids: Sequence[str], projects: frozenset[str], span: Span | None
) -> dict[str, SeriesSummary]:
    """Summaries of the series that exist in those projects, in the order asked."""
    found: dict[str, SeriesSummary] = {}
    for part in chunks(series_ids):
        condition = sa.and_(t.series.c.series_id.in_(part), t.series.c.project.in_(projects))
        found.update({row.series_id: summary(row) for row in _rows(connection, condition, projects, span, part)})
    return {sid: found[sid] for sid in series_ids if sid in found}


def related(connection: Connection, series_id: str, projects: frozenset[str], limit: int) -> list[SeriesSummary]:
    """Return the same column and metric in the other groups and entities, strangest first."""
    s = t.series.c
    mine = connection.execute(sa.select(t.series).where(s.series_id == series_id, s.project.in_(projects))).first()
    if mine is None:
        return []
    condition = sa.and_(
        s.project == mine.project, s.metric_set == mine.metric_set, s.column_name == mine.column_name, s.metric == mine.metric,
        s.series_id != series_id,
    )  # fmt: skip
    rows = sorted(_rows(connection, condition, projects, None), key=_SORTS["attention"])
    return [summary(row) for row in rows[:limit]]


def anomalies(
    connection: Connection, projects: frozenset[str], series_ids: Sequence[str] | None, start: int | None, end: int | None,
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
    of = summaries(connection, list(dict.fromkeys(row.series_id for row in rows)), projects, None)
    items = [AnomalyRow(**point_fields(row), series=of[row.series_id]) for row in rows]
    return AnomalyPage(items=items, total=total, next_cursor=str(offset + limit) if offset + limit < total else None)


def point_fields(row: Any) -> dict[str, Any]:
    """Fields of a wire.AnomalyPoint from a row of the anomaly table."""
    names = ("series_id", "detector", "kind", "severity", "direction", "value", "expected", "lower", "upper", "score")
    return {"t": row.period, **{name: getattr(row, name) for name in names}}
