"""Where the tables of a metric set lie on this machine or on Spark's cluster, opened for the engine that the metric set names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from lupus_provider.config.metric_set import ScannedMetricSet
from lupus_provider.engines.source import Joined, TableSource

if TYPE_CHECKING:
    from pathlib import Path

    from lupus_provider.config.metric_set import TableMetricSet
    from lupus_provider.config.source import Table
    from lupus_provider.steps.connections import Connections

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|file:/")


def data_of(metric_set: TableMetricSet, data_folder: Path, connections: Connections) -> Any:
    """Return the metric set's rows, with the labels that have arrived, as processors take them.

    Raises
    ------
    SourceUnreadableError
        If Spark does not find a table; DuckDB says so when it reads.
    """
    data = table_of(metric_set.source, metric_set.engine, data_folder, connections)
    join = metric_set.join if isinstance(metric_set, ScannedMetricSet) else None
    if join is None:
        return data
    labels = table_of(join.labels, metric_set.engine, data_folder, connections)
    return Joined(data, labels, join.on, join.within, metric_set.source.time_column, join.label_time_column)


def table_of(table: Table, engine: str, data_folder: Path, connections: Connections) -> Any:
    """Return one table: a TableSource for DuckDB, a DataFrame for Spark.

    Raises
    ------
    SourceUnreadableError
        If Spark does not find it.
    """
    if engine == "spark":
        return _frame(table_source(table, data_folder, scheme="file://"), connections)
    return table_source(table, data_folder)


def table_source(table: Table, data_folder: Path, scheme: str = "") -> TableSource:
    """Return where a table lies. A relative path starts at the data folder; an address such as `s3a://…` stays as it is.

    Parameters
    ----------
    scheme
        Put before a path that was relative: without one, Spark would look on its cluster's own file system.
    """
    if table.path is None:
        return TableSource(table=table.table, database=str(data_folder / (table.database or "data.duckdb")))
    if _SCHEME.match(table.path) or table.path.startswith("/"):
        return TableSource(path=table.path)
    return TableSource(path=f"{scheme}{data_folder / table.path}")


def _frame(source: TableSource, connections: Connections) -> Any:
    from lupus_provider.engines.spark_errors import failures, one_line, quiet
    from lupus_provider.engines.spark_source import read_frame
    from lupus_provider.errors import SourceUnreadableError

    session = connections.spark()
    try:
        with quiet():
            return read_frame(session, source)
    except failures() as err:
        raise SourceUnreadableError(source.path or str(source.table), one_line(err)) from err
