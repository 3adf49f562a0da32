"""DuckDB: the embedded engine. One scan of the source, then every aggregate over the projected rows.

The source is read once into a temporary table of the needed columns, because a CSV or a remote file is dearer to read than to
keep; scalar aggregates of all columns share one query, lists and entities have one each. A query that fails is split until the
failing measure stands alone.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from lupus_provider.engines.base import ENTITY, GROUP_SET, PERIOD, ROWS, TOTAL, Answer, group_column
from lupus_provider.engines.duckdb_source import SOURCE, OpenTable, first_line, open_table
from lupus_provider.engines.duckdb_sql import is_float, moment_sql, primitive_sql, subject_value
from lupus_provider.engines.source import TableSource
from lupus_provider.errors import PlanFailedError, SourceUnreadableError, TimeColumnError
from lupus_provider.metrics.base import Kind, Over, Primitive
from lupus_provider.metrics.categorical import OTHER
from lupus_provider.metrics.plan import ColumnType, Measure, MetricPlan, Refused, Subject, Work, resolve

log = logging.getLogger(__name__)

BASE, BOUNDS, MASK = "lupus_base", "lupus_bounds", "lupus_mask"
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
        SourceUnreadableError
            If the table cannot be opened or read.
        TimeColumnError
            If the plan has several periods and no usable time column.
        PlanFailedError
            If the condition or a group column is wrong.
        """
        with open_table(self._data, self.name) as table:
            yield from _Scan(table, plan).run()


class _Scan:
    """One plan over one open table."""

    def __init__(self, table: OpenTable, plan: MetricPlan) -> None:
        self.table, self.plan = table, plan
        self.types = {column: table.type_of(column) for column in plan.value_columns}
        readable = [column for column in plan.value_columns if isinstance(self.types[column], ColumnType)]
        self.values = {column: f"v{i}" for i, column in enumerate(readable)}
        # The whole is always counted: its row count proves that the table was looked at.
        self.group_sets = plan.group_sets if () in plan.group_sets else (*plan.group_sets, ())

    def run(self) -> Iterator[Answer | Refused]:
        work = resolve(self.plan, self.types)
        yield from work.refused
        self._load()
        yield from self._scalars(work, {s: m for s, m in work.subjects.items() if s.over is not Over.ITEMS})
        for subject, measures in work.subjects.items():
            if subject.over is Over.ITEMS:
                yield from self._scalars(work, {subject: measures})
        for subject, measures in work.entity_subjects.items():
            yield from self._entities(subject, measures)

    # -- reading -----------------------------------------------------------------------------------------------------

    def _load(self) -> None:
        """Read the needed rows and columns once."""
        plan, column_sql = self.plan, self.table.column_sql
        groups = [f"CAST({column_sql(c)} AS VARCHAR) AS {group_column(i)}" for i, c in enumerate(plan.group_columns)]
        values = [f"{column_sql(column)} AS {alias}" for column, alias in self.values.items()]
        moment = self._moment()
        where = [f"({plan.where})"] if plan.where else []
        if moment is None:
            rows = _select([*groups, *values, f"CAST(0 AS INTEGER) AS {PERIOD}"], where)
            self._create(rows)
            return
        first, last = self._register_bounds()
        where += [f"{moment} >= {first}", f"{moment} < {last}"]
        rows = _select([*groups, *values, f"{moment} AS moment"], where)
        self._create(
            f"WITH rows AS ({rows}) SELECT rows.* EXCLUDE (moment), {BOUNDS}.{PERIOD} "
            f"FROM rows ASOF JOIN {BOUNDS} ON rows.moment >= {BOUNDS}.start"
        )

    def _create(self, query: str) -> None:
        try:
            self.table.connection.execute(f"CREATE TEMP TABLE {BASE} AS {query}")
        except (duckdb.ParserException, duckdb.BinderException) as err:
            raise PlanFailedError(self.table.name, first_line(err)) from err
        except duckdb.ConversionException as err:
            raise TimeColumnError(self.table.name, self.plan.time_column, f"cannot be read: {first_line(err)}") from err
        except duckdb.Error as err:
            raise SourceUnreadableError(self.table.name, first_line(err)) from err

    def _moment(self) -> str | None:
        plan, column = self.plan, self.plan.time_column
        if plan.periods is None or (column is None and len(plan.periods) == 1):
            return None
        if column is None:
            raise TimeColumnError(self.table.name, None, "is not given, and the run has several periods. Name it in 'source'")
        column_type = self.table.type_of(column)
        if isinstance(column_type, str):
            raise TimeColumnError(self.table.name, column, f"cannot be used: {column_type}")
        moment = moment_sql(self.table.column_sql(column), column_type.name, plan.time_zone, plan.zone)
        if moment is None:
            raise TimeColumnError(self.table.name, column, f"is {column_type.name}; use a timestamp, a date, or ISO text")
        return moment

    def _register_bounds(self) -> tuple[str, str]:
        """Register the periods' starts; return the SQL of the first start and the last end."""
        periods = self.plan.periods or ()
        instant = pa.timestamp("us", tz="UTC")
        bounds = pa.table({
            PERIOD: pa.array(range(len(periods)), pa.int32()),
            "start": pa.array([p.start for p in periods], instant),
            "stop": pa.array([p.end for p in periods], instant),
        })  # fmt: skip
        self.table.connection.register(BOUNDS, bounds)
        return f"(SELECT min(start) FROM {BOUNDS})", f"(SELECT max(stop) FROM {BOUNDS})"

    # -- aggregates --------------------------------------------------------------------------------------------------

    def _grouping(self, extra: Sequence[str] = ()) -> tuple[str, str]:
        """SQL of the grouping columns with their mask, and of the GROUP BY clause."""
        names = {column: group_column(i) for i, column in enumerate(self.plan.group_columns)}
        mask = f"GROUPING({', '.join(names.values())})" if names else "0"
        selected = ", ".join([PERIOD, *extra, *names.values(), f"CAST({mask} AS BIGINT) AS {MASK}"])
        sets = ", ".join(f"({', '.join([PERIOD, *extra, *(names[c] for c in group_set)])})" for group_set in self.group_sets)
        return selected, f"GROUP BY GROUPING SETS ({sets})"

    def _scalars(self, work: Work, subjects: Subjects) -> Iterator[Answer | Refused]:
        if not subjects:
            return
        try:
            yield self._scalar_answer(work, subjects)
        except duckdb.Error as err:
            yield from self._split(work, subjects, err)

    def _split(self, work: Work, subjects: Subjects, err: duckdb.Error) -> Iterator[Answer | Refused]:
        """Halve what failed until the failing measure stands alone; the rest still comes."""
        pairs = [(subject, measure) for subject, measures in subjects.items() for measure in measures]
        log.warning("%s: a query of %d metrics failed and is split: %s", self.table.name, len(pairs), first_line(err))
        if len(pairs) == 1:
            yield Refused(pairs[0][1], first_line(err))
            return
        for half in (pairs[: len(pairs) // 2], pairs[len(pairs) // 2 :]):
            part: dict[Subject, list[Measure]] = {}
            for subject, measure in half:
                part.setdefault(subject, []).append(measure)
            yield from self._scalars(Work(subjects=part), part)

    def _scalar_answer(self, work: Work, subjects: Subjects) -> Answer:
        aggregates, columns = [f"count(*) AS {ROWS}"], {}
        for i, subject in enumerate(subjects):
            columns[subject] = {p.alias: f"s{i}_{p.alias}" for p in work.primitives(subject)}
            aggregates += [f"{self._aggregate(subject, p)} AS {columns[subject][p.alias]}" for p in work.primitives(subject)]
        selected, group_by = self._grouping()
        source = self._items_from(next(iter(subjects)))
        table = self._arrow(f"SELECT {selected}, {', '.join(aggregates)} FROM {source} {group_by}")
        return Answer(self._with_group_set(table), columns, dict(subjects))

    def _value(self, subject: Subject) -> tuple[str, ColumnType]:
        kind = self.types[subject.column]
        assert isinstance(kind, ColumnType)
        column = "item" if subject.over is Over.ITEMS else self.values[subject.column]
        return subject_value(subject, column, kind), kind

    def _aggregate(self, subject: Subject, primitive: Primitive) -> str:
        if subject.over is Over.ROWS:
            return "count(*)"
        value, kind = self._value(subject)
        numeric = bool(kind.kind & Kind.NUMERIC) or subject.over is Over.LENGTHS
        return primitive_sql(primitive, value, floating=is_float(subject, kind), numeric=numeric)

    def _items_from(self, subject: Subject) -> str:
        """Return the rows to aggregate: one an item for items, else the rows themselves."""
        if subject.over is not Over.ITEMS:
            return BASE
        alias = self.values[subject.column]
        items = f"list_slice({alias}, 1, {int(subject.k)})" if subject.k is not None else alias
        groups = [group_column(i) for i in range(len(self.plan.group_columns))]
        return f"(SELECT {', '.join([PERIOD, *groups])}, unnest({items}) AS item FROM {BASE})"

    def _entities(self, subject: Subject, measures: Sequence[Measure]) -> Iterator[Answer | Refused]:
        value, kind = self._value(subject)
        if "FLOAT" in kind.name or "DOUBLE" in kind.name or "DECIMAL" in kind.name:
            reason = f"column {subject.column!r} is {kind.name}: every value would be an entity. Round it to an integer or a text first."
            yield from (Refused(measure, reason) for measure in measures)
            return
        try:
            yield self._entity_answer(subject, measures, "item" if subject.over is Over.ITEMS else self.values[subject.column])
        except duckdb.Error as err:
            yield from (Refused(measure, first_line(err)) for measure in measures)

    def _entity_answer(self, subject: Subject, measures: Sequence[Measure], value: str) -> Answer:
        """Count entities; the largest are kept, ties by name, the rest is one entity."""
        selected, group_by = self._grouping([ENTITY])
        groups = [group_column(i) for i in range(len(self.plan.group_columns))]
        keys = ", ".join([PERIOD, MASK, *groups])
        rows = f"SELECT * EXCLUDE ({value}), CAST({value} AS VARCHAR) AS {ENTITY} FROM {self._items_from(subject)} WHERE {value} IS NOT NULL"
        table = self._arrow(
            f"WITH counted AS (SELECT {selected}, count(*) AS n FROM ({rows}) {group_by}), "
            f"ranked AS (SELECT *, row_number() OVER (PARTITION BY {keys} ORDER BY n DESC, {ENTITY}) AS place FROM counted), "
            f"kept AS (SELECT {keys}, CASE WHEN place <= {int(self.plan.max_entities)} THEN {ENTITY} ELSE '{OTHER}' END AS {ENTITY}, n FROM ranked) "
            f"SELECT {keys}, {ENTITY}, CAST(sum(n) AS BIGINT) AS count, "
            f"CAST(sum(sum(n)) OVER (PARTITION BY {keys}) AS BIGINT) AS {TOTAL} FROM kept GROUP BY {keys}, {ENTITY}"
        )
        table = table.append_column(ROWS, table["count"])
        return Answer(self._with_group_set(table), {subject: {"count": "count", "total": TOTAL}}, {subject: measures}, per_entity=True)

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


def _select(columns: Sequence[str], where: Sequence[str]) -> str:
    condition = f" WHERE {' AND '.join(where)}" if where else ""
    return f"SELECT {', '.join(columns)} FROM {SOURCE}{condition}"
