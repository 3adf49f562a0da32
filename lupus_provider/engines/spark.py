"""Spark: the engine of clusters, embedded, remote or by Spark Connect. Only SQL and temporary views; the driver takes only aggregates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from lupus_provider.engines.source import Joined, table_name
from lupus_provider.engines.spark_join import joined
from lupus_provider.engines.spark_reading import DIALECT, SparkDoor, Views, folded, opened, read
from lupus_provider.engines.spark_run import SparkRelation, SparkRun
from lupus_provider.engines.spark_session import spark_session
from lupus_provider.engines.spark_source import open_table
from lupus_provider.engines.sql.grouping import Grouping
from lupus_provider.metrics.plan import ColumnType, resolve

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pyspark.sql import SparkSession

    from lupus_provider.engines.base import Answer
    from lupus_provider.metrics.plan import MetricPlan, Refused


class SparkEngine:
    """Computes primitives with Spark.

    Parameters
    ----------
    data
        DataFrame of Spark or Spark Connect, path, TableSource, or Joined of these.
    session
        Where to open what is no DataFrame; by default the one that runs, else a new one.
    """

    def __init__(self, data: Any, session: SparkSession | None = None) -> None:
        self.name = table_name(data)
        self._data, self._given = data, session

    def answers(self, plan: MetricPlan) -> Iterator[Answer | Refused]:
        """Yield answers and refusals; see `engines.base.Engine`.

        Raises
        ------
        UnknownDataError
            If the object is nothing that Spark reads.
        SourceUnreadableError
            If the table cannot be opened or read.
        TimeColumnError
            If the plan has several periods and no usable time column.
        PlanFailedError
            If the condition, a slice, a group column or the join is wrong.
        EngineFailedError
            If the cluster broke off.
        """
        session = self._session()
        views = Views(session)
        try:
            door = SparkDoor(self.name, session)
            table = opened(self._source(session, views), self.name, plan, session)
            types = {column: table.type_of(column) for column in plan.value_columns}
            readable = {column: kind for column, kind in types.items() if isinstance(kind, ColumnType)}
            aliases = {column: f"v{i}" for i, column in enumerate(readable)}
            base = read(table, plan, aliases, door, views)
            grouping = Grouping.of(plan, table.type_of)
            if grouping.folded:
                base = folded(grouping, base, list(aliases.values()), views)
            relation = SparkRelation(DIALECT, grouping, aliases, readable, base)
            yield from SparkRun(door, relation, plan).answers(resolve(plan, types))
        finally:
            views.drop()

    def schema(self) -> Mapping[str, str]:
        """Return column → Arrow type as text, in the table's order."""
        session = self._session()
        views = Views(session)
        try:
            table = open_table(self._source(session, views), self.name, None, session)
            types = table.frame.limit(0).toArrow().schema.types
            return {column: str(_as_in_duckdb(kind)) for column, kind in zip(table.columns, types)}
        finally:
            views.drop()

    def _session(self) -> SparkSession:
        first = self._data.data if isinstance(self._data, Joined) else self._data
        return getattr(first, "sparkSession", None) or self._given or spark_session()

    def _source(self, session: SparkSession, views: Views) -> Any:
        return joined(self._data, self.name, session, views) if isinstance(self._data, Joined) else self._data


def _as_in_duckdb(kind: pa.DataType) -> pa.DataType:
    """Return a type with the names of items, the zone and the nullability that DuckDB gives it."""
    if pa.types.is_map(kind):
        return pa.map_(_as_in_duckdb(kind.key_type), _as_in_duckdb(kind.item_type))
    if pa.types.is_list(kind):
        return pa.list_(pa.field("l", _as_in_duckdb(kind.value_type)))
    if pa.types.is_struct(kind):
        return pa.struct([pa.field(field.name, _as_in_duckdb(field.type)) for field in kind])
    return pa.timestamp(kind.unit, "UTC") if pa.types.is_timestamp(kind) and kind.tz else kind
