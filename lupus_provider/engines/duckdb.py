"""DuckDB: the embedded engine. One scan of the source, then every aggregate over the rows that were kept.

Scalar aggregates of all columns share one query, lists and entities have one each. A query that fails is split until the failing
measure stands alone, so that one bad column never costs the others.
"""

# ruff: noqa: S608  (identifiers are quoted, texts are literals, the rest is numbers and our own names)

# Pyarrow makes its compute functions at run time, so its names say nothing to a type checker:
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lupus_provider.engines.base import ENTITY, GROUP_SET, PERIOD, ROWS, TOTAL, Answer, group_column
from lupus_provider.engines.duckdb_reading import BASE, OUR_FAULT, read
from lupus_provider.engines.duckdb_source import OpenTable, first_line, open_table
from lupus_provider.engines.duckdb_sql import is_entity, is_float, primitive_sql, quantiles_sql, subject_value
from lupus_provider.engines.source import TableSource
from lupus_provider.errors import EngineFailedError
from lupus_provider.metrics.base import Over, Primitive
from lupus_provider.metrics.categorical import OTHER
from lupus_provider.metrics.plan import ColumnType, Measure, MetricPlan, Refused, Subject, Work, resolve

log = logging.getLogger(__name__)

MASK, FOLDED = "lupus_mask", "folded"
Subjects = Mapping[Subject, Sequence[Measure]]


class DuckDBEngine:
    """Computes primitives with DuckDB.

    Parameters
    ----------
    data
        DuckDB relation, pandas or polars frame, Arrow table or reader, path, or TableSource.
    """

    def __init__(self, data: Any) -> None:
        self.name = str(data) if isinstance(data, (str, TableSource, os.PathLike)) else f"({type(data).__name__})"
        self._data = data

    def answers(self, plan: MetricPlan) -> Iterator[Answer | Refused]:
        """Yield answers and refusals; see `engines.base.Engine`.

        Raises
        ------
        UnknownDataError
            If the object is nothing that DuckDB reads.
        SourceUnreadableError
            If the table cannot be opened or read.
        TimeColumnError
            If the plan has several periods and no usable time column.
        PlanFailedError
            If the condition or a group column is wrong.
        EngineFailedError
            If memory or disk ran out.
        """
        with open_table(self._data, self.name) as table:
            yield from _Scan(table, plan).run()


class _Scan:
    """One plan over one open table."""

    def __init__(self, table: OpenTable, plan: MetricPlan) -> None:
        self.table, self.plan = table, plan
        self.types = {column: table.type_of(column) for column in plan.value_columns}
        self.readable = {column: kind for column, kind in self.types.items() if isinstance(kind, ColumnType)}
        self.values = {column: f"v{i}" for i, column in enumerate(self.readable)}
        # The whole is always counted: its row count proves that the table was looked at.
        self.group_sets = plan.group_sets if () in plan.group_sets else (*plan.group_sets, ())
        self.groups = [group_column(i) for i in range(len(plan.group_columns))]

    def run(self) -> Iterator[Answer | Refused]:
        work = resolve(self.plan, self.types)
        yield from work.refused
        read(self.table, self.plan, self.values, self.readable)
        yield from self._scalars({s: m for s, m in work.subjects.items() if s.over is not Over.ITEMS})
        for subject, measures in work.subjects.items():
            if subject.over is Over.ITEMS:
                yield from self._scalars({subject: measures})
        for subject, measures in work.entity_subjects.items():
            yield from self._entities(subject, measures)

    # -- one number a group ------------------------------------------------------------------------------------------

    def _scalars(self, subjects: Subjects) -> Iterator[Answer | Refused]:
        if not subjects:
            return
        try:
            answer = self._scalar_answer(subjects)
        except duckdb.Error as err:
            self._raise_if_ours(err)
            yield from self._split(subjects, err)
        else:
            yield answer

    def _raise_if_ours(self, err: duckdb.Error) -> None:
        if isinstance(err, OUR_FAULT):
            raise EngineFailedError(self.table.name, first_line(err)) from err

    def _split(self, subjects: Subjects, err: duckdb.Error) -> Iterator[Answer | Refused]:
        """Halve what failed until the failing measure stands alone; the rest still comes, row counts first."""
        rows = {s: m for s, m in subjects.items() if s.over is Over.ROWS}
        pairs = [
            (subject, measure) for subject, measures in subjects.items() if subject not in rows for measure in measures
        ]
        if not pairs:
            raise EngineFailedError(self.table.name, first_line(err)) from err
        if len(pairs) == 1 and not rows:
            log.warning(
                "%s: %s of %r failed: %s",
                self.table.name,
                pairs[0][1].expression.name,
                pairs[0][1].column,
                first_line(err),
            )
            yield Refused(pairs[0][1], first_line(err))
            return
        yield from self._scalars(rows)
        middle = (len(pairs) + 1) // 2
        for half in (pairs[:middle], pairs[middle:]):
            part: dict[Subject, list[Measure]] = {}
            for subject, measure in half:
                part.setdefault(subject, []).append(measure)
            yield from self._scalars(part)

    def _scalar_answer(self, subjects: Subjects) -> Answer:
        work = Work(subjects={subject: list(measures) for subject, measures in subjects.items()})
        aggregates, outputs, columns = [f"count(*) AS {ROWS}"], [ROWS], {}
        for i, subject in enumerate(subjects):
            primitives = work.primitives(subject)
            columns[subject] = {p.alias: f"s{i}_{p.alias}" for p in primitives}
            plain = [p for p in primitives if p.name != "quantile"]
            quantiles = [p for p in primitives if p.name == "quantile"]
            aggregates += [f"{self._aggregate(subject, p)} AS s{i}_{p.alias}" for p in plain]
            outputs += [f"s{i}_{p.alias}" for p in plain]
            if quantiles:  # of one sorting
                aggregates.append(f"{self._quantiles(subject, quantiles)} AS s{i}_quantiles")
                outputs += [f"s{i}_quantiles[{j}] AS s{i}_{p.alias}" for j, p in enumerate(quantiles, 1)]
        selected, group_by = self._grouping()
        source = self._items_from(next(iter(subjects)))
        keys = ", ".join([PERIOD, *self.groups, MASK])
        table = self._arrow(
            f"SELECT {keys}, {', '.join(outputs)} FROM (SELECT {selected}, {', '.join(aggregates)} FROM {source} {group_by}) AS answer"
        )
        return Answer(self._with_group_set(table), columns, dict(subjects))

    def _grouping(self, extra: Sequence[str] = ()) -> tuple[str, str]:
        """Return the SQL of the grouping columns with their mask, and of the GROUP BY clause."""
        names = dict(zip(self.plan.group_columns, self.groups))
        mask = f"GROUPING({', '.join(self.groups)})" if names else "0"
        selected = ", ".join([PERIOD, *extra, *self.groups, f"CAST({mask} AS BIGINT) AS {MASK}"])
        sets = ", ".join(
            f"({', '.join([PERIOD, *extra, *(names[c] for c in group_set)])})" for group_set in self.group_sets
        )
        return selected, f"GROUP BY GROUPING SETS ({sets})"

    def _value(self, subject: Subject) -> tuple[str, str, ColumnType]:
        """Return the SQL of what is computed of, of the column itself, and its type."""
        kind = self.readable[subject.column]
        column = "item" if subject.over is Over.ITEMS else self.values[subject.column]
        return subject_value(subject, column, kind), column, kind

    def _aggregate(self, subject: Subject, primitive: Primitive) -> str:
        if subject.over is Over.ROWS:
            return "count(*)"
        value, column, kind = self._value(subject)
        floating = is_float(subject, kind)
        raw = column if subject.over in (Over.VALUES, Over.ITEMS) and value.startswith("epoch(") else None
        return primitive_sql(primitive, value, floating=floating, raw=raw)

    def _quantiles(self, subject: Subject, quantiles: Sequence[Primitive]) -> str:
        value, _, kind = self._value(subject)
        return quantiles_sql(value, [float(q.argument or 0.0) for q in quantiles], floating=is_float(subject, kind))

    def _items_from(self, subject: Subject) -> str:
        """Return the rows to aggregate: one an item for items, else the rows themselves."""
        if subject.over is not Over.ITEMS:
            return BASE
        alias = self.values[subject.column]
        items = f"list_slice({alias}, 1, {int(subject.k)})" if subject.k is not None else alias
        return f"(SELECT {', '.join([PERIOD, *self.groups])}, unnest({items}) AS item FROM {BASE})"

    # -- one number an entity ----------------------------------------------------------------------------------------

    def _entities(self, subject: Subject, measures: Sequence[Measure]) -> Iterator[Answer | Refused]:
        _, column, kind = self._value(subject)
        if not is_entity(kind):
            reason = f"column {subject.column!r} is {kind.name}: every value would be an entity. Round it to an integer or a text first."
            yield from (Refused(measure, reason) for measure in measures)
            return
        try:
            answer = self._entity_answer(subject, measures, column)
        except duckdb.Error as err:
            self._raise_if_ours(err)
            yield from (Refused(measure, first_line(err)) for measure in measures)
        else:
            yield answer

    def _entity_answer(self, subject: Subject, measures: Sequence[Measure], value: str) -> Answer:
        """Count entities; the largest are kept, ties by name, the rest is one entity."""
        selected, group_by = self._grouping([ENTITY])
        keys = ", ".join([PERIOD, MASK, *self.groups])
        rows = f"SELECT * EXCLUDE ({value}), CAST({value} AS VARCHAR) AS {ENTITY} FROM {self._items_from(subject)} WHERE {value} IS NOT NULL"
        table = self._arrow(
            f"WITH counted AS (SELECT {selected}, count(*) AS n FROM ({rows}) {group_by}), "
            f"ranked AS (SELECT *, row_number() OVER (PARTITION BY {keys} ORDER BY n DESC, {ENTITY}) > {int(self.plan.max_entities)} AS cut "
            f"FROM counted), "
            f"kept AS (SELECT {keys}, CASE WHEN cut THEN '{OTHER}' ELSE {ENTITY} END AS {ENTITY}, n, cut FROM ranked) "
            f"SELECT {keys}, {ENTITY}, CAST(sum(n) AS BIGINT) AS count, count(*) FILTER (WHERE cut) AS {FOLDED}, "
            f"CAST(sum(sum(n)) OVER (PARTITION BY {keys}) AS BIGINT) AS {TOTAL} FROM kept GROUP BY {keys}, {ENTITY}"
        )
        most = pc.max(table[FOLDED]).as_py()
        if most:
            log.warning(
                "%s: %r has up to %d entities a group beyond max_entities; they are one entity",
                self.table.name,
                subject.column,
                most,
            )
        table = table.drop_columns([FOLDED]).append_column(ROWS, table["count"])
        return Answer(
            self._with_group_set(table),
            {subject: {"count": "count", "total": TOTAL}},
            {subject: measures},
            per_entity=True,
        )

    # -- shape -------------------------------------------------------------------------------------------------------

    def _arrow(self, query: str) -> pa.Table:
        return self.table.connection.sql(query).to_arrow_table()

    def _with_group_set(self, table: pa.Table) -> pa.Table:
        """Replace the grouping mask by the index of the group set in the plan, -1 for a whole that the plan does not ask for."""
        columns = self.plan.group_columns
        index = {}
        for group_set in self.group_sets:
            mask = sum(1 << (len(columns) - 1 - i) for i, column in enumerate(columns) if column not in group_set)
            index[mask] = self.plan.group_sets.index(group_set) if group_set in self.plan.group_sets else -1
        masks = table[MASK].to_numpy()
        known = np.array(sorted(index), np.int64)
        places = np.array([index[mask] for mask in sorted(index)], np.int32)[np.searchsorted(known, masks)]
        return table.drop_columns([MASK]).append_column(GROUP_SET, pa.array(places, pa.int32()))
