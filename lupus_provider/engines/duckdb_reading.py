"""The rows of a plan: the needed columns, each row with the index of its period.

Kept in a temporary table where reading is dear, as of a CSV file, or possible only once, as of a stream; read again for every aggregation
where each touches other columns of a columnar file. Bounds are constants in the query, so row groups outside of the span are never opened.
"""

# ruff: noqa: S608  (identifiers are quoted, texts are literals, the rest is numbers and our own names)

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import duckdb

from lupus_provider.engines.base import PERIOD, SLICE, group_column
from lupus_provider.engines.duckdb_source import DIALECT, SOURCE, OpenTable, first_line, literal
from lupus_provider.engines.duckdb_types import stored
from lupus_provider.engines.sql.duckdb import moment_sql
from lupus_provider.engines.sql.grouping import group_sql
from lupus_provider.engines.sql.periods import index_sql
from lupus_provider.engines.sql.query import BASE
from lupus_provider.engines.sql.sampling import sample_sql
from lupus_provider.errors import EngineFailedError, PlanFailedError, SourceUnreadableError, TimeColumnError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lupus_provider.metrics.plan import ColumnType, MetricPlan

log = logging.getLogger(__name__)

TEXT = "lupus_text"
OUR_FAULT = (
    duckdb.OutOfMemoryException,
    duckdb.IOException,
    duckdb.InternalException,
    duckdb.FatalException,
    duckdb.InterruptException,
)
"""Failures that say nothing about the metric that was computed."""


def read(table: OpenTable, plan: MetricPlan, values: Mapping[str, str], types: Mapping[str, ColumnType]) -> None:
    """Fill the table `lupus_base`: columns `g0…` (text), the aliases of `values`, and the period's index.

    Parameters
    ----------
    values
        Measured column → its alias.

    Raises
    ------
    SourceUnreadableError, TimeColumnError, PlanFailedError, EngineFailedError
        If no metric at all can be computed.
    """
    groups = [f"CAST({_group(table, c)} AS VARCHAR) AS {group_column(i)}" for i, c in enumerate(plan.group_columns)]
    columns = [*groups, *(f"{stored(table.column_sql(c), types[c].name)} AS {alias}" for c, alias in values.items())]
    if plan.slices:
        columns.append(f"{_slices(plan)} AS {SLICE}")
    where = [f"({plan.where}\n)"] if plan.where else []  # the line break ends a comment
    if plan.sample is not None and plan.sample.ratio < 1:
        where.append(sample_sql(DIALECT, plan.sample, table))
    moment, text = _moment(table, plan)
    again = table.cheap and not (plan.where or plan.slices or plan.sample or text)
    if moment is None:
        _create(table, plan, _select([*columns, f"CAST(0 AS INTEGER) AS {PERIOD}"], where), again=again)
        return
    first, last = _span(plan)
    where.append(f"({moment} >= {first} AND {moment} < {last} OR {moment} IS NULL)")
    times = [f"epoch_us({moment}) AS lupus_moment", *([f"{text} AS {TEXT}"] if text else [])]
    rows = _select([*columns, *times], where)
    place = index_sql(DIALECT, "lupus_moment", plan.periods or ())
    placed = f"SELECT *, {place} AS {PERIOD} FROM ({rows}) AS timed"
    timeless = "" if again else "lupus_moment IS NULL OR "
    _create(table, plan, f"SELECT * FROM ({placed}) AS placed WHERE {timeless}{PERIOD} IS NOT NULL", again=again)
    if again:
        _tell_timeless(table, plan, f"{SOURCE} WHERE {moment} IS NULL")
    else:
        _drop_timeless(table, plan, has_text=bool(text))


def _slices(plan: MetricPlan) -> str:
    """Return the SQL that makes a row of each slice that holds the row, and one of no slice for all rows."""
    names = (f"CASE WHEN ({condition}\n) THEN {literal(name)} END" for name, condition in plan.slices)
    kept = DIALECT.kept(f"[{', '.join(names)}]", "x IS NOT NULL")
    return f"unnest(list_prepend(CAST(NULL AS VARCHAR), {kept}))"


def _group(table: OpenTable, column: str) -> str:
    column_type = table.type_of(column)
    if isinstance(column_type, str):
        raise PlanFailedError(table.name, f"group {column_type}".rstrip("."))
    return group_sql(table.column_sql(column), column_type)


def _select(columns: list[str], where: list[str]) -> str:
    condition = f" WHERE {' AND '.join(where)}" if where else ""
    return f"SELECT {', '.join(columns)} FROM {SOURCE}{condition}"


def _moment(table: OpenTable, plan: MetricPlan) -> tuple[str | None, str]:
    """Return the SQL of a row's instant, None where all rows are of one period; and of the text that it was read from."""
    column = plan.time_column
    if plan.periods is None or (column is None and len(plan.periods) == 1):
        return None, ""
    if column is None:
        raise TimeColumnError(table.name, None, "is not given, and the run has several periods")
    column_type = table.type_of(column)
    if isinstance(column_type, str):
        raise TimeColumnError(table.name, column, f"cannot be used: {column_type}".rstrip("."))
    moment = moment_sql(DIALECT, table.column_sql(column), column_type.name, plan.time_zone, plan.zone)
    if moment is None:
        raise TimeColumnError(table.name, column, f"is {column_type.name}")
    return moment, table.column_sql(column) if column_type.name == "VARCHAR" else ""


def _span(plan: MetricPlan) -> tuple[str, str]:
    """Return the SQL of the first start and the last end: constants, so that row groups outside are never opened."""
    periods = plan.periods
    if not periods:
        return "CAST(NULL AS TIMESTAMPTZ)", "CAST(NULL AS TIMESTAMPTZ)"
    first, last = (f"CAST({literal(m.isoformat())} AS TIMESTAMPTZ)" for m in (periods[0].start, periods[-1].end))
    return first, last


def _create(table: OpenTable, plan: MetricPlan, query: str, *, again: bool) -> None:
    """Keep the rows of a query, or read them `again` for each aggregation, where that is cheaper."""
    try:
        table.connection.execute(f"CREATE TEMP {'VIEW' if again else 'TABLE'} {BASE} AS {query}")
    except (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException) as err:
        raise PlanFailedError(table.name, first_line(err)) from err
    except duckdb.OutOfMemoryException as err:
        raise EngineFailedError(table.name, first_line(err)) from err
    except (duckdb.ConversionException, duckdb.OutOfRangeException) as err:
        if (plan.where or plan.slices) and "CSV" not in first_line(err):  # nothing else in the query converts values
            raise PlanFailedError(table.name, first_line(err)) from err
        raise SourceUnreadableError(table.name, first_line(err)) from err
    except duckdb.Error as err:
        raise SourceUnreadableError(table.name, first_line(err)) from err


def _drop_timeless(table: OpenTable, plan: MetricPlan, *, has_text: bool) -> None:
    """Leave out rows that happened at no time, and say how many; text that is no time is an error."""
    if has_text:
        found = table.connection.execute(f"SELECT min({TEXT}) FROM {BASE} WHERE {PERIOD} IS NULL").fetchall()[0][0]
        if found is not None:
            raise TimeColumnError(table.name, plan.time_column, f"holds the text {found[:80]!r}, which is no time")
    if _tell_timeless(table, plan, f"{BASE} WHERE {PERIOD} IS NULL"):
        table.connection.execute(f"DELETE FROM {BASE} WHERE {PERIOD} IS NULL")


def _tell_timeless(table: OpenTable, plan: MetricPlan, rows: str) -> int:
    count = table.connection.execute(f"SELECT count(*) FROM {rows}").fetchall()[0][0]
    if count:
        log.warning("%s: %d rows have no value in time_column %r and are left out", table.name, count, plan.time_column)
    return count
