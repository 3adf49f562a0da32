"""One scan of the source: the needed rows and columns, each row with the index of its period, kept in a temporary table.

Read once, because a CSV or a remote file is dearer to read than to keep, and a stream can be read only once. Bounds are constants in the
query, not a subquery: so Parquet row groups outside of the span are never opened.
"""

# ruff: noqa: S608  (identifiers are quoted, texts are literals, the rest is numbers and our own names)

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pyarrow as pa

from lupus_provider.engines.base import PERIOD, SLICE, group_column
from lupus_provider.engines.duckdb_source import DIALECT, SOURCE, OpenTable, first_line, literal
from lupus_provider.engines.duckdb_types import stored
from lupus_provider.engines.sql.duckdb import moment_sql
from lupus_provider.engines.sql.query import BASE
from lupus_provider.errors import EngineFailedError, PlanFailedError, SourceUnreadableError, TimeColumnError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lupus_provider.metrics.plan import ColumnType, MetricPlan

log = logging.getLogger(__name__)

BOUNDS = "lupus_bounds"
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
    source = _sampled(table, plan, where)
    moment, text = _moment(table, plan)
    if moment is None:
        _create(table, plan, _select([*columns, f"CAST(0 AS INTEGER) AS {PERIOD}"], where, source))
        return
    first, last = _register_bounds(table, plan)
    where.append(f"({moment} >= {first} AND {moment} < {last} OR {moment} IS NULL)")
    rows = _select([*columns, f"{moment} AS moment", f"{text} AS moment_text"], where, source)
    _create(
        table, plan,
        f"WITH rows AS ({rows}) SELECT rows.* EXCLUDE (moment), {BOUNDS}.{PERIOD} FROM rows "
        f"ASOF LEFT JOIN {BOUNDS} ON rows.moment >= {BOUNDS}.start WHERE rows.moment IS NULL OR rows.moment < {BOUNDS}.stop",
    )  # fmt: skip
    _drop_timeless(table, plan)


def _slices(plan: MetricPlan) -> str:
    """Return the SQL that makes a row of each slice that holds the row, and one of no slice for all rows."""
    names = (f"CASE WHEN ({condition}\n) THEN {literal(name)} END" for name, condition in plan.slices)
    kept = DIALECT.kept(f"[{', '.join(names)}]", "x IS NOT NULL")
    return f"unnest(list_prepend(CAST(NULL AS VARCHAR), {kept}))"


SAMPLE_BITS = 48


def _sampled(table: OpenTable, plan: MetricPlan, where: list[str]) -> str:
    """Add the condition of the sample; return the relation to read, with rows numbered where their place decides.

    The hash of a row's place, or of a column's value, decides: every run measures the same rows.
    """
    if plan.sample is None or plan.sample.ratio == 1:
        return SOURCE
    limit = int(plan.sample.ratio * 2**SAMPLE_BITS)
    if plan.sample.by is not None:
        kind = table.type_of(plan.sample.by)
        if isinstance(kind, str):
            raise PlanFailedError(table.name, f"sample: {kind}".rstrip("."))
        where.append(f"{DIALECT.hash48(DIALECT.text(table.column_sql(plan.sample.by), kind))} < {limit}")
        return SOURCE
    where.append(f"lupus_row % {2**16} < {int(plan.sample.ratio * 2**16)}")
    # hash() of a number is one fixed permutation of all 64-bit numbers
    return f"(SELECT *, hash(row_number() OVER ()) AS lupus_row FROM {SOURCE}) AS {SOURCE}"


def _group(table: OpenTable, column: str) -> str:
    column_type = table.type_of(column)
    if isinstance(column_type, str):
        raise PlanFailedError(table.name, f"group {column_type}".rstrip("."))
    return table.column_sql(column)


def _select(columns: list[str], where: list[str], source: str) -> str:
    condition = f" WHERE {' AND '.join(where)}" if where else ""
    return f"SELECT {', '.join(columns)} FROM {source}{condition}"


def _moment(table: OpenTable, plan: MetricPlan) -> tuple[str | None, str]:
    """Return the SQL of a row's instant, None where all rows are of one period; and of the text that it was read from."""
    column = plan.time_column
    if plan.periods is None or (column is None and len(plan.periods) == 1):
        return None, "NULL"
    if column is None:
        raise TimeColumnError(table.name, None, "is not given, and the run has several periods")
    column_type = table.type_of(column)
    if isinstance(column_type, str):
        raise TimeColumnError(table.name, column, f"cannot be used: {column_type}".rstrip("."))
    moment = moment_sql(DIALECT, table.column_sql(column), column_type.name, plan.time_zone, plan.zone)
    if moment is None:
        raise TimeColumnError(table.name, column, f"is {column_type.name}")
    return moment, table.column_sql(column) if column_type.name == "VARCHAR" else "CAST(NULL AS VARCHAR)"


def _register_bounds(table: OpenTable, plan: MetricPlan) -> tuple[str, str]:
    """Register the periods' bounds; return the SQL of the first start and the last end."""
    periods = plan.periods or ()
    instant = pa.timestamp("us", tz="UTC")
    bounds = pa.table({
        PERIOD: pa.array(np.arange(len(periods), dtype=np.int32)),
        "start": pa.array([p.start for p in periods], instant),
        "stop": pa.array([p.end for p in periods], instant),
    })  # fmt: skip
    table.connection.register(BOUNDS, bounds)
    if not periods:
        return "CAST(NULL AS TIMESTAMPTZ)", "CAST(NULL AS TIMESTAMPTZ)"
    return tuple(
        f"CAST({literal(moment.isoformat())} AS TIMESTAMPTZ)" for moment in (periods[0].start, periods[-1].end)
    )  # type: ignore[return-value]


def _create(table: OpenTable, plan: MetricPlan, query: str) -> None:
    try:
        table.connection.execute(f"CREATE TEMP TABLE {BASE} AS {query}")
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


def _drop_timeless(table: OpenTable, plan: MetricPlan) -> None:
    """Leave out rows that happened at no time, and say how many; text that is no time is an error."""
    found = table.connection.execute(f"SELECT count(*), min(moment_text) FROM {BASE} WHERE {PERIOD} IS NULL").fetchall()
    count, text = found[0]
    if text is not None:
        raise TimeColumnError(table.name, plan.time_column, f"holds the text {text[:80]!r}, which is no time")
    if count:
        log.warning("%s: %d rows have no value in time_column %r and are left out", table.name, count, plan.time_column)
        table.connection.execute(f"DELETE FROM {BASE} WHERE {PERIOD} IS NULL")
