"""What a processor returns: points that a person can look at and a program can pass on."""

# Pyarrow makes its compute functions at run time, so its names say nothing to a type checker:
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import pyarrow.compute as pc

from lupus_provider.errors import BadPlanError, NoSuchPointError, UnknownMetricError, UnstampedError
from lupus_provider.metrics import parse_metric
from lupus_provider.naming import group_label, series_name
from lupus_provider.records import POINTS
from lupus_provider.records.cut import by_period

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    import pyarrow as pa

    from lupus_provider.processors.assemble import Stamp
    from lupus_provider.records import RecordKind

_SHOWN = ("column_name", "metric", "entity", "group_key", "period_start", "value", "n_rows", "error")


_NEVER = 9999
"""Year in which the period of a table without periods ends."""


class Stage(Protocol):
    """What takes points: a stage of `lupus_provider.stores`."""

    def write(
        self,
        kind: RecordKind,
        project: str,
        metric_set: str,
        period_start: datetime,
        table: pa.Table,
        written_at: datetime,
    ) -> bool:
        """Put one period's records there; False if a newer collection is there already."""
        ...


class Client(Protocol):
    """What sends points to a server: `lupus_provider.client.LupusClient`."""

    def push(
        self,
        project: str,
        metric_set: str,
        table: pa.Table,
        period_start: datetime,
        run_id: str,
        collected_at: datetime,
    ) -> bool:
        """Store one period's points; False if a newer collection is there already."""
        ...


class Metrics:
    """Points of one call, in Arrow; schema `records.POINTS`, sorted by period and series.

    Parameters
    ----------
    table
        The points.
    stamp
        Whose they are, and when they were measured; `stage` needs it.
    starts
        Starts of the measured periods, oldest first: a period without points is staged, too.
    """

    def __init__(self, table: pa.Table, stamp: Stamp | None = None, starts: Sequence[datetime] = ()) -> None:
        self._table, self._stamp, self._starts = table, stamp, starts

    def __len__(self) -> int:
        return self._table.num_rows

    def to_arrow(self) -> pa.Table:
        """Return the points as an Arrow table."""
        return self._table

    def to_pandas(self) -> Any:
        """Return the points as a pandas frame, `group_key` as dicts; needs pandas."""
        frame = self._table.to_pandas()
        frame["group_key"] = [dict(pairs) for pairs in frame["group_key"]]
        return frame

    @property
    def errors(self) -> pa.Table:
        """Points that carry an error instead of a value."""
        return self._table.filter(pc.is_valid(self._table["error"]))

    def stage(self, store: Stage) -> int:
        """Put the points where the loads of Lupus take them from: one file a period, whole or absent, replacing an older collection.

        Parameters
        ----------
        store
            A stage, such as `lupus_provider.stores.open_stage("file:///shared/stage")`.

        Returns
        -------
        int
            Periods that were written; those that a newer collection has staged already are left alone.

        Raises
        ------
        UnstampedError
            If the points do not say whose they are.
        """
        stamp, parts = self._parts()
        return sum(
            store.write(POINTS, stamp.project, stamp.metric_set, start, part, stamp.collected_at)
            for start, part in parts
        )

    def push(self, client: Client) -> int:
        """Send the points to a server of Lupus, a request a period; safe to repeat.

        Parameters
        ----------
        client
            Such as `lupus_provider.client.LupusClient.login("https://airflow.example.com", "ana", "…")`.

        Returns
        -------
        int
            Periods that were stored; those of which the server has a newer collection are left alone.

        Raises
        ------
        UnstampedError
            If the points do not say whose they are.
        BadPlanError
            If they are of no period.
        PushRefusedError, ServerAwayError
            If the server does not take them.
        """
        stamp, parts = self._parts()
        if pc.any(pc.equal(pc.year(self._table["period_end"]), _NEVER)).as_py():
            raise BadPlanError(
                "periods", "are not given, and a server keeps points by period", "Measure with 'periods'."
            )
        return sum(
            client.push(stamp.project, stamp.metric_set, part, start, stamp.run_id, stamp.collected_at)
            for start, part in parts
        )

    def _parts(self) -> tuple[Stamp, Iterator[tuple[datetime, pa.Table]]]:
        if self._stamp is None:
            raise UnstampedError
        starts = self._starts or sorted(set(self._table["period_start"].to_pylist()))
        return self._stamp, by_period(self._table, starts)

    def value(self, column: str, metric: str, /, entity: str | None = None, **group: object) -> float | None:
        """Return one value by name, for notebooks and tests.

        Parameters
        ----------
        column, metric
            As asked; the empty column for metrics of the rows themselves.
        entity
            Which distinct value, of a metric per entity.
        group
            Group column → value, such as `region="JP"`; None is the group of nulls.

        Raises
        ------
        NoSuchPointError
            If no or more than one point has that name; with several periods, filter `to_arrow()` instead.
        """
        name = _spelled(metric)
        wanted = {key: None if value is None else str(value) for key, value in group.items()}
        table = self._table.filter(
            pc.and_(pc.equal(self._table["column_name"], column), pc.equal(self._table["metric"], name))
        )
        rows = [r for r in table.to_pylist() if r["entity"] == entity and dict(r["group_key"]) == wanted]
        if len(rows) != 1:
            raise NoSuchPointError(series_name(column, name, entity, wanted), len(rows))
        return rows[0]["value"]

    def show(self, limit: int = 40) -> None:
        """Print the first points as a table."""
        print(self._text(limit))  # noqa: T201  (it is what was asked for)

    def _rows(self, limit: int) -> list[list[str]]:
        rows = []
        for row in self._table.slice(0, limit).select(list(_SHOWN)).to_pylist():
            row["group_key"] = group_label(dict(row["group_key"]))
            rows.append(
                [
                    "" if row[name] is None else f"{row[name]:g}" if isinstance(row[name], float) else str(row[name])
                    for name in _SHOWN
                ]
            )
        return rows

    def _text(self, limit: int) -> str:
        rows = [list(_SHOWN), *self._rows(limit)]
        widths = [max(len(row[i]) for row in rows) for i in range(len(_SHOWN))]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
        if len(self) > limit:
            lines.append(f"… {len(self) - limit} more points")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<Metrics: {len(self)} points>\n{self._text(20)}"

    def _repr_html_(self) -> str:
        from html import escape

        head = "".join(f"<th>{escape(name)}</th>" for name in _SHOWN)
        body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in self._rows(60))
        return f"<p>{len(self)} points</p><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _spelled(metric: str) -> str:
    """Return a metric's name as the grammar spells it; names that others gave, such as a training run's, stay as they are."""
    try:
        return parse_metric(metric).name
    except UnknownMetricError:
        return metric
