"""The index in SQL, through SQLAlchemy: SQLite by default, Postgres where several machines write."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import sqlalchemy as sa

from lupus_provider.stores.history.base import Incoming, Switched
from lupus_provider.stores.index import documents, searching, tables as t
from lupus_provider.stores.index.base import Band, CatalogQuery, MetricSetInfo, StoredPoints
from lupus_provider.stores.index.loading import clear_before, epoch, load_periods, quarter_of
from lupus_provider.stores.sql import chunks, lock_schema, open_engine, reading, upsert, writing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

    from sqlalchemy.engine import Connection

    from lupus_provider.records import RecordKind
    from lupus_provider.wire import AnomalyPage, CatalogPage, SeriesSummary

_FAR = 2**37
"""Epoch seconds that no period reaches: the year 6325."""


class SqlIndex:
    """Index in a SQL database; see `stores.index.base.IndexStore` for the laws.

    Parameters
    ----------
    url
        SQLAlchemy address, `sqlite:////var/lib/lupus/index.db`.
    """

    def __init__(self, url: str) -> None:
        self.engine, self._shelf = open_engine(url), searching.Shelf()
        with reading(self.engine) as connection:
            is_ready = _is_ready(connection)
        if not is_ready:  # asked first, so that opening the index for reading does not wait for writers
            with writing(self.engine) as connection:
                _create(connection)

    def load(
        self, kind: RecordKind, about: MetricSetInfo, gather: Callable[[], Sequence[Incoming]], *, force: bool = False
    ) -> Switched:
        """Make the periods that `gather` returns what the index says of them; see the protocol.

        A quarter of a year is one transaction, so that a long load leaves room for other writers and bounds its memory.
        """
        done: set[datetime] = set()
        days: dict[date, None] = {}
        rows, unchanged = 0, None
        while True:
            with writing(self.engine) as connection:
                self._take_metric_set(connection, about)
                incoming = gather()
                known = self._periods(connection, kind, about.project, about.metric_set)
                changed = [item for item in incoming if force or known.get(epoch(item.period_start)) != item.digest]
                unchanged = len(incoming) - len(changed) if unchanged is None else unchanged
                left = sorted((i for i in changed if i.period_start not in done), key=lambda item: item.period_start)
                part = [item for item in left if quarter_of(item.period_start) == quarter_of(left[0].period_start)]
                rows += load_periods(connection, kind, about, part) if part else 0
            done.update(item.period_start for item in part)
            days.update(dict.fromkeys(item.period_start.astimezone(UTC).date() for item in part))
            if len(part) == len(left):
                return Switched(tuple(days), len(done), unchanged, rows)

    @staticmethod
    def _take_metric_set(connection: Connection, about: MetricSetInfo) -> None:
        """Write the metric set's row: from here on this transaction is its only writer."""
        row = {
            "project": about.project,
            "metric_set": about.metric_set,
            "period": about.period,
            "timezone": about.timezone,
        }
        upsert(connection, t.metric_set, [row])

    def search(self, query: CatalogQuery) -> CatalogPage:
        """One page of the catalogue; see the protocol."""
        with reading(self.engine) as connection:
            return searching.search(self._shelf.columns(connection, query.projects), query)

    def series(self, series_ids: Sequence[str], projects: frozenset[str]) -> Mapping[str, SeriesSummary]:
        """Return the series that exist in those projects."""
        with reading(self.engine) as connection:
            return searching.summaries(self._shelf.columns(connection, projects), series_ids)

    def related(self, series_id: str, projects: frozenset[str], limit: int) -> Sequence[SeriesSummary]:
        """Return the same column and metric in the other groups and entities, strangest first."""
        with reading(self.engine) as connection:
            return searching.related(self._shelf.columns(connection, projects), series_id, limit)

    def anomalies(
        self, projects: frozenset[str], *, series_ids: Sequence[str] | None = None, start: int | None = None, end: int | None = None,
        sort: str = "score", cursor: str | None = None, limit: int = 100,
    ) -> AnomalyPage:  # fmt: skip
        """Return flagged points; see the protocol."""
        with reading(self.engine) as connection:
            columns = self._shelf.columns(connection, projects)
            return searching.anomalies(connection, columns, projects, series_ids, start, end, sort, cursor, limit)

    def points(self, series_ids: Sequence[str], start: int | None, end: int | None) -> Mapping[str, StoredPoints]:
        """Return points of series that the caller was let see."""
        found: dict[str, list[tuple[np.ndarray, list[np.ndarray], dict[int, str]]]] = {}
        with reading(self.engine) as connection:
            for part in chunks(series_ids):
                columns = (t.points.c.series_id, t.points.c.slots)
                statement = (
                    sa.select(*columns)
                    .where(t.points.c.series_id.in_(part), *_months(t.points, start, end))
                    .order_by(t.points.c.month)
                )
                for sid, slots in connection.execute(statement):
                    found.setdefault(sid, []).append(documents.decode(slots))
        return {sid: _points(docs, start, end) for sid, docs in found.items()}

    def bands(self, series_ids: Sequence[str], start: int | None, end: int | None) -> Mapping[str, Sequence[Band]]:
        """Return what detectors expected of the series, by detector."""
        found: dict[str, dict[str, list[tuple[np.ndarray, list[np.ndarray]]]]] = {}
        with reading(self.engine) as connection:
            for part in chunks(series_ids):
                columns = (t.bands.c.series_id, t.bands.c.detector, t.bands.c.slots)
                statement = (
                    sa.select(*columns)
                    .where(t.bands.c.series_id.in_(part), *_months(t.bands, start, end))
                    .order_by(t.bands.c.month)
                )
                for sid, detector, slots in connection.execute(statement):
                    found.setdefault(sid, {}).setdefault(detector, []).append(documents.decode(slots)[:2])
        return {sid: [_band(name, docs, start, end) for name, docs in sorted(by.items())] for sid, by in found.items()}

    def periods(self, kind: RecordKind, project: str, metric_set: str) -> Mapping[datetime, str]:
        """Return period start → digest of everything that is loaded."""
        with reading(self.engine) as connection:
            known = self._periods(connection, kind, project, metric_set)
        return {datetime.fromtimestamp(at, UTC): digest for at, digest in known.items()}

    def expire(self, project: str, metric_set: str, before: datetime) -> int:
        """Forget all periods that start before an instant; see the protocol."""
        about = MetricSetInfo(project, metric_set, "day", "UTC")  # only its name is asked for
        with writing(self.engine) as connection:
            return clear_before(connection, about, epoch(before))

    @staticmethod
    def _periods(connection: Connection, kind: RecordKind, project: str, metric_set: str) -> dict[int, str]:
        c = t.loaded.c
        statement = sa.select(c.period, c.digest).where(
            c.kind == kind.name, c.project == project, c.metric_set == metric_set
        )
        return {row.period: row.digest for row in connection.execute(statement)}


def _is_ready(connection: Connection) -> bool:
    if not sa.inspect(connection).has_table(t.meta.name):
        return False
    return connection.execute(sa.select(t.meta.c.format)).scalar() == t.FORMAT


def _create(connection: Connection) -> None:
    """Make the tables; drop those of another format, because the index can always be rebuilt."""
    lock_schema(connection)
    if not _is_ready(connection):
        t.metadata.drop_all(connection)
        t.metadata.create_all(connection)
        connection.execute(sa.insert(t.meta).values(format=t.FORMAT))


def _months(table: sa.Table, start: int | None, end: int | None) -> list[sa.ColumnElement[bool]]:
    conditions = []
    if start is not None:
        conditions.append(table.c.month >= _month(start))
    if end is not None:
        conditions.append(table.c.month <= _month(end))
    return conditions


def _month(at: int) -> int:
    return documents.month_of(max(-_FAR, min(_FAR, at)))


def _within(at: np.ndarray, start: int | None, end: int | None) -> np.ndarray:
    low, high = -_FAR if start is None else start, _FAR if end is None else end
    return (at >= max(-_FAR, low)) & (at < min(_FAR, high))


def _points(
    docs: list[tuple[np.ndarray, list[np.ndarray], dict[int, str]]], start: int | None, end: int | None
) -> StoredPoints:
    at = np.concatenate([doc[0] for doc in docs])
    value, n_rows = (np.concatenate([doc[1][i] for doc in docs]) for i in (0, 1))
    keep = _within(at, start, end)
    kept = set(at[keep].tolist())
    errors = {k: v for doc in docs for k, v in doc[2].items() if k in kept}
    return StoredPoints(at[keep], value[keep], n_rows[keep].astype(np.int64), errors)


def _band(name: str, docs: list[tuple[np.ndarray, list[np.ndarray]]], start: int | None, end: int | None) -> Band:
    at = np.concatenate([doc[0] for doc in docs])
    keep = _within(at, start, end)
    expected, lower, upper = (np.concatenate([doc[1][i] for doc in docs])[keep] for i in range(3))
    return Band(name, at[keep], expected, lower, upper)
