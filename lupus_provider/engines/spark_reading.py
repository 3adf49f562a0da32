"""The rows that a plan measures, as a temporary view: filtered, cut into slices, each with its groups and the index of its period.

A view computes nothing and keeps nothing, so every query reads only the columns that it needs; and no data is ever kept on the cluster.
"""

# ruff: noqa: S608  (identifiers are quoted, texts are literals, the rest is numbers and our own names)

from __future__ import annotations

import logging
import uuid
from typing import TYPE_CHECKING, Any

from lupus_provider.engines.base import GROUP_SET, PERIOD, SLICE, group_column
from lupus_provider.engines.spark_errors import failures, is_query_fault, one_line, quiet, sql_state
from lupus_provider.engines.spark_source import SparkTable, open_table
from lupus_provider.engines.spark_time import bounds_sql, moment_sql
from lupus_provider.engines.sql.grouping import SMALL, group_sql
from lupus_provider.engines.sql.periods import index_sql
from lupus_provider.engines.sql.sampling import sample_sql
from lupus_provider.engines.sql.spark import SparkDialect
from lupus_provider.errors import EngineFailedError, LupusError, PlanFailedError, SourceUnreadableError, TimeColumnError
from lupus_provider.metrics.plan import ColumnType
from lupus_provider.periods import Span

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

    from lupus_provider.engines.sql.grouping import Grouping
    from lupus_provider.metrics.plan import MetricPlan

log = logging.getLogger(__name__)

DIALECT = SparkDialect()
_MOMENT, _FLAG = "lupus_moment", "lupus_in_slice_"
_UNREADABLE = ("KD", "42K03")
"""SQLSTATE of files that are gone or broken."""


class Views:
    """Temporary views of a session under names of their own; `drop` takes them away again."""

    def __init__(self, session: SparkSession) -> None:
        self.session = session
        self._head = f"lupus_{uuid.uuid4().hex[:12]}"
        self._names: list[str] = []

    def add(self, frame: DataFrame | str) -> str:
        """Make a view of a frame or a query; return its name."""
        frame = self.session.sql(frame) if isinstance(frame, str) else frame
        name = f"{self._head}_{len(self._names)}"
        frame.createOrReplaceTempView(name)
        self._names.append(name)
        return name

    def drop(self) -> None:
        """Drop all views."""
        while self._names:
            self.session.catalog.dropTempView(self._names.pop())


class SparkDoor:
    """Queries of one session."""

    def __init__(self, name: str, session: SparkSession) -> None:
        self.name, self.session = name, session

    def arrow(self, query: str) -> pa.Table:
        """Return the rows of a query."""
        with quiet():
            return self.session.sql(query).toArrow()

    def reason(self, err: Exception) -> str | None:
        """First line of Spark's message where the query is to blame.

        Raises
        ------
        SourceUnreadableError, EngineFailedError
            If the source or the cluster is to blame.
        """
        if isinstance(err, LupusError) or not isinstance(err, failures()):
            return None
        if is_query_fault(err):
            return one_line(err)
        raise self.failure(err) from err

    def failure(self, err: Exception) -> LupusError:
        """Return what to raise where the table as a whole cannot be measured."""
        if (sql_state(err) or "").startswith(_UNREADABLE):
            return SourceUnreadableError(self.name, one_line(err))
        return EngineFailedError(self.name, one_line(err))


def opened(data: Any, name: str, plan: MetricPlan, session: SparkSession | None) -> SparkTable:
    """Open a table with the rows that meet the plan's condition; each slice becomes a column behind those of the table.

    Raises
    ------
    SourceUnreadableError, UnknownDataError
        As `spark_source.open_table`.
    PlanFailedError
        If the condition or that of a slice is wrong.
    """
    if not plan.slices:
        return open_table(data, name, plan.where, session)
    table = open_table(data, name, None, session)
    flags = [f"({condition}\n) AS {_FLAG}{i}" for i, (_, condition) in enumerate(plan.slices)]
    with quiet():
        try:
            flagged = table.frame.toDF(*table.columns).selectExpr("*", *flags)
            flagged.schema  # noqa: B018  (Spark Connect looks at the conditions only when asked for something)
        except failures() as err:
            raise PlanFailedError(name, one_line(err)) from err
    table = SparkTable(name, flagged, plan.where)
    del table.columns[-len(flags) :]
    return table


def read(
    table: SparkTable, plan: MetricPlan, aliases: Mapping[str, str], door: SparkDoor, views: Views
) -> str:  # fmt: skip
    """Make the view of the rows that are measured: period, slice, groups `g0…` (text) and the aliases of the measured columns.

    Parameters
    ----------
    aliases
        Measured column → its alias.

    Raises
    ------
    SourceUnreadableError, TimeColumnError, PlanFailedError, EngineFailedError
        If no metric at all can be computed.
    """
    columns = [f"{_group(table, c)} AS {group_column(i)}" for i, c in enumerate(plan.group_columns)]
    columns += [f"{table.column_sql(c)} AS {alias}" for c, alias in aliases.items()]
    where = []
    if plan.sample is not None and plan.sample.ratio < 1:
        where.append(sample_sql(DIALECT, plan.sample, table))
    slices = ""
    if plan.slices:
        columns.append(SLICE)
        slices = f" LATERAL VIEW explode({_slices(table, plan)}) slices AS {SLICE}"
    rows = views.add(table.frame)
    moment = _moment(table, plan)
    if moment is None:
        one_period = ", ".join([f"CAST(0 AS INT) AS {PERIOD}", *columns])
        return views.add(f"SELECT {one_period} FROM {rows}{slices}{_where(where)}")
    column, instant, bounds, is_text = moment
    _tell_timeless(rows, column, instant, where, plan, door, is_text=is_text)
    where += [bounds] if bounds else []
    timed = views.add(f"SELECT *, {instant} AS {_MOMENT} FROM {rows}{_where(where)}")
    period = index_sql(DIALECT, _MOMENT, plan.periods or ())
    inside = f"SELECT *, {period} AS {PERIOD} FROM {timed}"
    # The view is of aliases, so that a name of the table cannot mean another column.
    return views.add(
        f"SELECT {', '.join([PERIOD, *columns])} FROM ({inside}) AS timed{slices} WHERE {PERIOD} IS NOT NULL"
    )


def _where(conditions: Sequence[str]) -> str:
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""


def _group(table: SparkTable, column: str) -> str:
    kind = table.type_of(column)
    if isinstance(kind, str):
        raise PlanFailedError(table.name, f"group {kind}".rstrip("."))
    return DIALECT.text(group_sql(table.column_sql(column), kind), kind)


def _slices(table: SparkTable, plan: MetricPlan) -> str:
    """Return the SQL of the names of the slices that hold a row, and null for all rows."""
    first = len(table.columns)
    names = (f"CASE WHEN c{first + i} THEN {DIALECT.literal(name)} END" for i, (name, _) in enumerate(plan.slices))
    return f"concat(array(CAST(NULL AS STRING)), filter(array({', '.join(names)}), x -> x IS NOT NULL))"


def _moment(table: SparkTable, plan: MetricPlan) -> tuple[str, str, str | None, bool] | None:
    """Return the SQL of the time column, of a row's instant, and of a condition that skips files, and whether it is text.

    None if all rows are of one period.
    """
    column = plan.time_column
    if plan.periods is None or (column is None and len(plan.periods) == 1):
        return None
    if column is None:
        raise TimeColumnError(table.name, None, "is not given, and the run has several periods")
    kind = table.type_of(column)
    if not isinstance(kind, ColumnType):
        raise TimeColumnError(table.name, column, f"cannot be used: {kind}".rstrip("."))
    sql = table.column_sql(column)
    if not plan.periods:
        return sql, "CAST(NULL AS BIGINT)", "1 = 0", False
    span = Span(plan.periods[0].start, plan.periods[-1].end)
    instant = moment_sql(sql, kind.name, plan.time_zone, plan.zone, span)
    if instant is None:
        raise TimeColumnError(table.name, column, f"is {kind.name}")
    return sql, instant, bounds_sql(sql, kind.name, span), kind.name == "VARCHAR"


def _tell_timeless(
    rows: str, column: str, instant: str, where: Sequence[str], plan: MetricPlan, door: SparkDoor, *, is_text: bool
) -> None:
    """Say how many rows happened at no time; they are left out. Text that is no time is an error."""
    if not plan.periods:
        return
    text = f"min({column})" if is_text else "CAST(NULL AS STRING)"
    missing = f"({instant}) IS NULL" if is_text else f"{column} IS NULL"
    query = f"SELECT count(*) AS n, {text} AS found FROM {rows}{_where([*where, missing])}"
    try:
        counted = door.arrow(query)
    except failures() as err:
        raise rows_error(str(door.reason(err)), plan, door.name) from err
    n, found = counted["n"][0].as_py(), counted["found"][0].as_py()
    if found is not None:
        raise TimeColumnError(door.name, plan.time_column, f"holds the text {found[:80]!r}, which is no time")
    if n:
        log.warning("%s: %d rows have no value in time_column %r and are left out", door.name, n, plan.time_column)


def rows_error(reason: str, plan: MetricPlan, name: str) -> LupusError:
    """Return what to raise where even the rows cannot be counted: only a condition or the source itself can be to blame."""
    return PlanFailedError(name, reason) if plan.where or plan.slices else SourceUnreadableError(name, reason)


def folded(grouping: Grouping, base: str, columns: Sequence[str], views: Views) -> str:
    """Make the view of the rows once a group set, groups of fewer than `min_group_rows` rows renamed to `…small`.

    By a join with the groups' sizes, which are few; a window would send every row through the network. The whole is never folded.
    """
    plan, parts = grouping.plan, []
    always = [PERIOD, *([SLICE] if grouping.sliced else [])]
    names = dict(zip(plan.group_columns, grouping.columns))
    for number, group_set in enumerate(grouping.sets):
        inside = [names[column] for column in group_set]
        groups = [
            f"CASE WHEN sizes.lupus_small THEN '{SMALL}' ELSE r.{c} END AS {c}"
            if c in inside
            else f"CAST(NULL AS STRING) AS {c}"
            for c in grouping.columns
        ]
        own = [*(f"r.{c}" for c in always), f"{number} AS {GROUP_SET}", *groups, *(f"r.{c}" for c in columns)]
        source = f"{base} AS r"
        if inside:
            by = ", ".join([*always, *inside])
            small = f"count(*) < {int(plan.min_group_rows)} AS lupus_small"
            same = " AND ".join(f"r.{c} <=> sizes.{c}" for c in [*always, *inside])
            source += f" JOIN (SELECT {by}, {small} FROM {base} GROUP BY {by}) AS sizes ON {same}"
        parts.append(f"SELECT {', '.join(own)} FROM {source}")
    return views.add(" UNION ALL ".join(parts))
