"""DuckDB: the embedded engine. One scan of the source, then every aggregate over the rows that were kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb

from lupus_provider.engines.duckdb_counts import CountingRun
from lupus_provider.engines.duckdb_reading import OUR_FAULT, read
from lupus_provider.engines.duckdb_source import DIALECT, OpenTable, first_line, open_table
from lupus_provider.engines.source import table_name
from lupus_provider.engines.sql.grouping import Grouping
from lupus_provider.engines.sql.query import BASE, Relation
from lupus_provider.errors import EngineFailedError
from lupus_provider.metrics.plan import ColumnType, MetricPlan, Refused, resolve

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pyarrow as pa

    from lupus_provider.engines.base import Answer

FOLDED_BASE = "lupus_folded"


class DuckDBEngine:
    """Computes primitives with DuckDB.

    Parameters
    ----------
    data
        DuckDB relation, pandas or polars frame, Arrow table or reader, path, TableSource, or Joined of these.
    """

    def __init__(self, data: Any) -> None:
        self.name = table_name(data)
        self._data = data

    def answers(self, plan: MetricPlan) -> Iterator[Answer | Refused]:
        """Yield answers and refusals; see `engines.base.Engine`.

        Raises
        ------
        UnknownDataError
            If the object is nothing that DuckDB reads.
        SourceUnreadableError
            If the table cannot be opened or read.
        TimeColumnError
            If the plan has several periods and no usable time column.
        PlanFailedError
            If the condition, a slice, a group column or the join is wrong.
        EngineFailedError
            If memory or disk ran out.
        """
        with open_table(self._data, self.name) as table:
            types = {column: table.type_of(column) for column in plan.value_columns}
            readable = {column: kind for column, kind in types.items() if isinstance(kind, ColumnType)}
            aliases = {column: f"v{i}" for i, column in enumerate(readable)}
            read(table, plan, aliases, readable)
            grouping = Grouping.of(plan, table.type_of)
            relation = Relation(DIALECT, grouping, aliases, readable, _folded(table, grouping, list(aliases.values())))
            yield from CountingRun(_Door(table), relation, plan).answers(resolve(plan, types))

    def schema(self) -> Mapping[str, str]:
        """Return column → Arrow type as text, in the table's order."""
        with open_table(self._data, self.name) as table:
            return table.schema()


def _folded(table: OpenTable, grouping: Grouping, columns: list[str]) -> str:
    """Return the relation of rows; where small groups are folded, a table of its own."""
    if not grouping.folded:
        return BASE
    table.connection.execute(f"CREATE TEMP TABLE {FOLDED_BASE} AS {grouping.folded_rows(BASE, columns)}")
    return FOLDED_BASE


class _Door:
    """Queries of one connection."""

    def __init__(self, table: OpenTable) -> None:
        self.name, self._connection = table.name, table.connection

    def arrow(self, query: str) -> pa.Table:
        return self._connection.sql(query).to_arrow_table()

    def execute(self, statement: str) -> None:
        self._connection.execute(statement)

    def reason(self, err: Exception) -> str | None:
        if isinstance(err, OUR_FAULT):
            raise EngineFailedError(self.name, first_line(err)) from err
        return first_line(err) if isinstance(err, duckdb.Error) else None
