"""Predictions with the one label that counts for each, on Spark."""

# ruff: noqa: S608  (identifiers are quoted, the rest is numbers and our own names)

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lupus_provider.engines.spark_source import SparkTable, open_table
from lupus_provider.engines.spark_time import moment_sql
from lupus_provider.errors import PlanFailedError, did_you_mean
from lupus_provider.metrics.plan import ColumnType
from lupus_provider.periods import Span

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from lupus_provider.engines.source import Joined
    from lupus_provider.engines.spark_reading import Views

_ANY_TIME = Span(datetime(1970, 1, 1, 0, 0, 0, 1, tzinfo=UTC), datetime(1970, 1, 2, tzinfo=UTC))
"""In UTC no clock changes, so instants are right outside of the span as well; its microsecond keeps those of the rows."""


def joined(tables: Joined, name: str, session: SparkSession, views: Views) -> DataFrame:
    """Return the predictions, every row once, with the columns of the labels that they do not have themselves.

    Raises
    ------
    PlanFailedError
        If a column of the join is missing, or `within` has no times to compare.
    """
    predictions = open_table(tables.data, name, None, session)
    labels = open_table(tables.labels, name, None, session)
    _check(tables, predictions, labels, name)
    added = [column for column in labels.columns if column not in predictions.columns]
    order = ", ".join([
        *([f"{labels.column_sql(tables.label_time_column)} DESC NULLS LAST"] if tables.label_time_column else []),
        *(f"{labels.column_sql(c)} ASC NULLS LAST" for c in added if "MAP(" not in _name(labels, c)),
    ]) or "1"  # fmt: skip
    key = labels.column_sql(tables.on)
    came = _instant(labels, tables.label_time_column, name) if tables.within is not None else "NULL"
    values = "".join(f", {labels.column_sql(column)} AS l{i}" for i, column in enumerate(added))
    ranked = (
        f"SELECT {key} AS label_key, {came} AS came, row_number() OVER (PARTITION BY {key} ORDER BY {order}) AS place{values} "
        f"FROM {views.add(labels.frame)} WHERE {key} IS NOT NULL"
    )
    shown = "".join(f", l{i}" for i in range(len(added)))
    rows, same = views.add(predictions.frame), f"{predictions.column_sql(tables.on)} = label_key"
    if tables.within is None:
        query = f"SELECT p.*{shown} FROM {rows} AS p LEFT JOIN (SELECT * FROM ({ranked}) AS r WHERE place = 1) AS l ON {same}"
    else:
        made = _instant(predictions, tables.time_column, name)
        late = int(tables.within.total_seconds()) * 1_000_000
        lists = f"SELECT label_key, collect_list(struct(place, came{shown})) AS labels FROM ({ranked}) AS r GROUP BY label_key"
        known = f"filter(labels, x -> x.came <= {made} + {late}L)"
        first = f"get(filter({known}, x -> x.place = array_min(transform({known}, y -> y.place))), 0)"
        chosen = f"SELECT p.*, {first} AS label FROM {rows} AS p LEFT JOIN ({lists}) AS l ON {same}"
        columns = [f"c{i}" for i in range(len(predictions.columns))] + [
            f"label.l{i} AS l{i}" for i in range(len(added))
        ]
        query = f"SELECT {', '.join(columns)} FROM ({chosen}) AS chosen"
    return session.sql(query).toDF(*predictions.columns, *added)


def _check(tables: Joined, predictions: SparkTable, labels: SparkTable, name: str) -> None:
    for column, table, what in (
        (tables.on, predictions, "predictions"), (tables.on, labels, "labels"),
        (tables.time_column if tables.within else None, predictions, "predictions"),
        (tables.label_time_column, labels, "labels"),
    ):  # fmt: skip
        if column is not None and column not in table.columns:
            raise PlanFailedError(
                name, f"join: column {column!r} is not in the {what}. {did_you_mean(column, table.columns)}".rstrip()
            )
    if tables.within is not None and (tables.time_column is None or tables.label_time_column is None):
        raise PlanFailedError(name, "join: 'within' needs the time column of the predictions and of the labels")


def _name(table: SparkTable, column: str) -> str:
    kind = table.type_of(column)
    return kind.name if isinstance(kind, ColumnType) else ""


def _instant(table: SparkTable, column: str | None, name: str) -> str:
    """Return the SQL of microseconds since 1970; of times without a zone, UTC's."""
    instant = moment_sql(table.column_sql(str(column)), _name(table, str(column)), "UTC", "UTC", _ANY_TIME)
    if instant is None:
        raise PlanFailedError(name, f"join: column {column!r} is no time")
    return instant
