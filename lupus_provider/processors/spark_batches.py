"""Batches of a Spark frame: rows stay on the cluster, kept there while they are looked at; only counts come to this process.

Kept, because each library that looks at a batch runs several jobs over it, and the table itself shall be read once.
"""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lupus_provider.engines.spark_errors import failures, one_line, quiet, sql_state
from lupus_provider.engines.spark_reading import DIALECT
from lupus_provider.engines.spark_source import SparkTable, literal, open_table, quote
from lupus_provider.engines.spark_time import bounds_sql, moment_sql
from lupus_provider.engines.sql.grouping import Grouping, group_sql
from lupus_provider.engines.sql.periods import index_sql
from lupus_provider.errors import EngineFailedError, PlanFailedError, TimeColumnError
from lupus_provider.periods import Span
from lupus_provider.processors.batches import Batch, Batches, check_number, completed, spelled

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lupus_provider.metrics.plan import MetricPlan

_NAME = "(Spark DataFrame)"
_PERIOD, _MOMENT, _TEXT, _GROUP, _COUNT = "lupus_period", "lupus_moment", "lupus_text", "lupus_g", "count"
_QUERY_STATES = ("21", "22", "42", "0A")
"""Classes of SQLSTATE for which the query is to blame."""


@contextmanager
def open_spark_batches(
    data: Any, plan: MetricPlan, columns: frozenset[str] | None, max_batches: int
) -> Iterator[Batches]:
    """Read a Spark frame; give its batches. See `batches.open_batches`."""
    table = open_table(data, _NAME, plan.where)
    names = [name for name in table.columns if columns is None or name in columns]
    groups = [f"{_GROUP}{i}" for i in range(len(plan.group_columns))]
    kept: Any = None
    try:
        with _told():
            kept = _keyed(table, plan, names).persist()
            found = kept.groupBy(_PERIOD, *groups).count().limit(max_batches + 1).collect()
        if any(row[_PERIOD] is None for row in found):
            raise TimeColumnError(_NAME, plan.time_column, "holds text which is no time")
        check_number(len(found), max_batches)
        floats = Grouping.of(plan, table.type_of).floats
        batches = [spelled(batch, plan, floats) for batch in _rolled_up(found, plan, kept, names)]
        yield Batches(table.columns, completed(batches, plan, lambda: _picked(kept.filter("false"), names)))
    finally:
        if kept is not None:
            kept.unpersist()


def _keyed(table: SparkTable, plan: MetricPlan, names: Sequence[str]) -> Any:
    """Rows of the periods under their own names, with period and groups. The period of a row whose time is no time is null."""
    groups = []
    for i, column in enumerate(plan.group_columns):
        groups.append(f"CAST({_group(table, column)} AS STRING) AS {_GROUP}{i}")
    picked = [*(f"{table.column_sql(name)} AS {quote(name)}" for name in names), *groups]
    if plan.periods is None or (plan.time_column is None and len(plan.periods) == 1):
        return table.frame.selectExpr(*picked, f"0 AS {_PERIOD}")
    moment, is_text, bounds = _moment(table, plan)
    rows = table.frame.filter(bounds) if bounds else table.frame
    text = table.column_sql(plan.time_column or "") if is_text else "CAST(NULL AS STRING)"
    rows = rows.selectExpr(*picked, f"{moment} AS {_MOMENT}", f"{text} AS {_TEXT}")
    own = [*map(quote, names), *(f"{_GROUP}{i}" for i in range(len(groups)))]
    rows = rows.selectExpr(*own, f"{index_sql(DIALECT, _MOMENT, plan.periods)} AS {_PERIOD}", _MOMENT, _TEXT)
    return rows.filter(f"{_PERIOD} IS NOT NULL OR ({_MOMENT} IS NULL AND {_TEXT} IS NOT NULL)").selectExpr(
        *own, _PERIOD
    )


def _group(table: SparkTable, column: str) -> str:
    column_type = table.type_of(column)
    if isinstance(column_type, str):
        raise PlanFailedError(table.name, f"group {column_type}".rstrip("."))
    return group_sql(table.column_sql(column), column_type)


def _moment(table: SparkTable, plan: MetricPlan) -> tuple[str, bool, str | None]:
    """Return the SQL of a row's instant, whether it is read from text, and a condition that spares files."""
    column, periods = plan.time_column, plan.periods or ()
    if column is None:
        raise TimeColumnError(table.name, None, "is not given, and the run has several periods")
    column_type = table.type_of(column)
    if isinstance(column_type, str):
        raise TimeColumnError(table.name, column, f"cannot be used: {column_type}".rstrip("."))
    if not periods:
        return "CAST(NULL AS BIGINT)", False, "false"
    span, sql = Span(periods[0].start, periods[-1].end), table.column_sql(column)
    moment = moment_sql(sql, column_type.name, plan.time_zone, plan.zone, span)
    if moment is None:
        raise TimeColumnError(table.name, column, f"is {column_type.name}")
    return moment, column_type.name == "VARCHAR", bounds_sql(sql, column_type.name, span)


def _rolled_up(found: Sequence[Any], plan: MetricPlan, kept: Any, names: Sequence[str]) -> list[Batch]:
    """Batches of each group set, from the counts of the finest groups."""
    batches = []
    for group_set in plan.group_sets:
        places = [plan.group_columns.index(column) for column in group_set]
        counts: Counter[tuple[int, tuple[str | None, ...]]] = Counter()
        for row in found:
            counts[row[0], tuple(row[1 + place] for place in places)] += row[_COUNT]
        for (period, values), count in counts.items():
            same = [f"{_GROUP}{place} <=> {_value(value)}" for place, value in zip(places, values)]
            condition = " AND ".join([f"{_PERIOD} = {period}", *same])
            key = tuple(zip(group_set, values, strict=True))
            batches.append(Batch(period, key, count, lambda c=condition: _picked(kept.filter(c), names)))
    return batches


def _value(value: str | None) -> str:
    return "CAST(NULL AS STRING)" if value is None else literal(value)


def _picked(kept: Any, names: Sequence[str]) -> Any:
    return kept.select(*(map(quote, names) if names else [_PERIOD]))


@contextmanager
def _told() -> Iterator[None]:
    """Tell what Spark raises as our errors."""
    with quiet():
        try:
            yield
        except failures() as err:
            error = PlanFailedError if (sql_state(err) or "")[:2] in _QUERY_STATES else EngineFailedError
            raise error(_NAME, one_line(err)) from err
