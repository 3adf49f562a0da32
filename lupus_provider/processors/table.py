"""The table as a whole: its rows, how fresh they are, repeated keys, and whether its columns are still the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

from lupus_provider.processors.base import Processor, RowOptions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class TableProcessor(Processor):
    """Turn a table as a whole into points.

    Parameters
    ----------
    df
        See `processors.base.Processor`.
    key_columns
        Columns that together should name a row once, for `duplicate_ratio`; its points are written under the first.
    reference_schema
        What the columns should be, for `columns_added`, `columns_removed` and `columns_retyped`: a mapping of column to type in the
        words of Arrow (`{"id": "int64", "name": "string"}`, as `processors.schema.read_schema` returns it), an Arrow schema, or a table.
        A change has two kinds of points: the number of columns, and one point a column, with the column as entity.
    table_metrics
        Names of the table family; None: `row_count`, `column_count`, `schema_hash`, and what the other arguments make possible.
        Metrics of the schema have points of the whole table only.
    column_metrics
        Column → metric names of the distribution family: one scan serves both.
    rows
        Which rows, groups and periods: see `processors.base.Processor`. `freshness_seconds` needs `time_column` and `periods`; its points
        are written under the time column.

    Raises
    ------
    UnknownMetricError
        If a metric name is unknown.
    BadPlanError
        If arguments are missing or contradict themselves.

    Examples
    --------
    >>> import pyarrow as pa
    >>> table = pa.table({"id": [1, 2, 2, 3], "name": ["a", "b", "b", None]})
    >>> metrics = TableProcessor(table, key_columns=["id"], reference_schema={"id": "int64"}).get_metrics()
    >>> metrics.value("id", "duplicate_ratio"), metrics.value("", "columns_added", entity="name")
    (0.25, 1.0)
    """

    def __init__(
        self,
        df: Any,
        *,
        key_columns: Sequence[str] = (),
        reference_schema: Any = None,
        table_metrics: Sequence[str] | None = None,
        column_metrics: Mapping[str, Sequence[str]] | None = None,
        **rows: Unpack[RowOptions],
    ) -> None:
        if table_metrics is None:
            has_freshness = rows.get("time_column") is not None and rows.get("periods") is not None
            table_metrics = (
                "row_count", "column_count", "schema_hash",
                *(("freshness_seconds",) if has_freshness else ()),
                *(("duplicate_ratio",) if key_columns else ()),
                *(("columns_added", "columns_removed", "columns_retyped") if reference_schema is not None else ()),
            )  # fmt: skip
        super().__init__(
            df, key_columns=key_columns, reference_schema=reference_schema, table_metrics=table_metrics,
            column_metrics=column_metrics, **rows,
        )  # fmt: skip
