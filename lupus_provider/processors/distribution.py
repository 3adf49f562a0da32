"""Distributions of the columns of a table: the processor behind most metric sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

from lupus_provider.processors.base import ALWAYS, Processor, RowOptions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["ALWAYS", "DistributionProcessor"]


class DistributionProcessor(Processor):
    """Turn a table into points: counts, averages, percentiles, distinct values, by group and by period, in one scan.

    Parameters
    ----------
    df
        Spark DataFrame, DuckDB relation, pandas or polars frame, Arrow table, or path of a Parquet, CSV or JSON-lines file.
    column_metrics
        Column → metric names, such as `{"age": ["avg", "p95"], "device": ["count", "unique"]}`. Of a list column, metrics speak of
        its items; `avg@5` of the first five items of each list, `length_avg` of the lists' lengths.
    table_metrics
        Metrics of the rows themselves and of the schema.
    rows
        Which rows, groups and periods: see `processors.base.Processor`.

    Raises
    ------
    UnknownMetricError
        If a metric name is unknown.
    BadPlanError
        If arguments contradict themselves.

    Examples
    --------
    >>> import pyarrow as pa
    >>> table = pa.table({"region": ["JP", "JP", "TW"], "age": [20, 30, None]})
    >>> metrics = DistributionProcessor(
    ...     table, group_columns=["region"], column_metrics={"age": ["avg", "null_ratio"]}
    ... ).get_metrics()
    >>> metrics.value("age", "avg", region="JP"), metrics.value("age", "null_ratio", region="TW")
    (25.0, 1.0)
    """

    def __init__(
        self,
        df: Any,
        *,
        column_metrics: Mapping[str, Sequence[str]],
        table_metrics: Sequence[str] = ("row_count",),
        **rows: Unpack[RowOptions],
    ) -> None:
        super().__init__(df, column_metrics=column_metrics, table_metrics=table_metrics, **rows)
