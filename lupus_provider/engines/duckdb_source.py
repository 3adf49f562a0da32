"""Opens a table in DuckDB under one name, and says of which type its columns are."""

# ruff: noqa: S608  (identifiers are quoted, texts are literals, the rest is numbers and our own names)

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import duckdb

from lupus_provider.engines.duckdb_sql import column_type, literal, quote
from lupus_provider.engines.source import TableSource
from lupus_provider.errors import SourceUnreadableError, UnknownDataError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lupus_provider.metrics.plan import ColumnType

SOURCE = "lupus_source"


def first_line(err: Exception) -> str:
    """First line of an engine's message, without its final full stop."""
    return str(err).strip().splitlines()[0].rstrip(".") if str(err).strip() else type(err).__name__


class OpenTable:
    """A table that is open in a connection as `lupus_source`; it may be readable only once."""

    def __init__(self, name: str, connection: duckdb.DuckDBPyConnection) -> None:
        self.name, self.connection = name, connection
        self.columns: list[str] = connection.sql(f"SELECT * FROM {SOURCE}").columns

    def column_sql(self, column: str) -> str:
        """Quoted column; `user.age` is a field of a struct where no column has that name."""
        # With the table's name in front: otherwise the name could mean another output column of the same query.
        if column in self.columns or "." not in column:
            return f"{SOURCE}.{quote(column)}"
        return ".".join([SOURCE, *(quote(part) for part in column.split("."))])

    def type_of(self, column: str) -> ColumnType | str:
        """Type of a column, or a sentence that says why it cannot be read. Names are compared with their case."""
        missing = f"column {column!r} is not in the table. {did_you_mean(column, self.columns)}It has: {', '.join(self.columns[:20])}."
        if column not in self.columns and column.split(".")[0] not in self.columns:
            return missing  # DuckDB would take `Age` for `age`
        try:
            relation = self.connection.sql(f"SELECT {self.column_sql(column)} FROM {SOURCE}")
        except (duckdb.BinderException, duckdb.ParserException):
            return missing
        return column_type(str(relation.types[0]))


@contextmanager
def open_table(data: Any, name: str) -> Iterator[OpenTable]:
    """Open a table-like object in a connection of its own.

    Raises
    ------
    SourceUnreadableError
        If a file or table is not there or cannot be read.
    UnknownDataError
        If the object is nothing that DuckDB reads.
    """
    with duckdb.connect(":memory:") as connection:
        connection.execute("SET TimeZone = 'UTC'")
        try:
            _bind(connection, data)
            table = OpenTable(name, connection)
        except duckdb.Error as err:
            raise SourceUnreadableError(name, first_line(err)) from err
        yield table


def _bind(connection: duckdb.DuckDBPyConnection, data: Any) -> None:
    if isinstance(data, TableSource) and data.table is not None:
        connection.execute(f"ATTACH {literal(data.database or '')} AS source_file (READ_ONLY)")
        table = ".".join(quote(part) for part in data.table.split("."))
        connection.execute(f"CREATE TEMP VIEW {SOURCE} AS FROM source_file.{table}")
    elif isinstance(data, (str, os.PathLike, TableSource)):
        path = (data.path or "") if isinstance(data, TableSource) else os.fspath(data)
        _open_file(connection, path).create_view(SOURCE)
    elif isinstance(data, duckdb.DuckDBPyRelation):
        connection.register(SOURCE, data.to_arrow_reader())  # it belongs to another connection: its rows stream over
    elif _is_table(data):
        connection.register(SOURCE, data)
    else:
        raise UnknownDataError(f"{type(data).__module__}.{type(data).__qualname__}")


def _is_table(data: Any) -> bool:
    """Whether it is a frame, a lazy frame, an Arrow table or a reader: things with rows and named columns."""
    named = any(hasattr(type(data), name) for name in ("columns", "schema", "collect_schema"))
    module = type(data).__module__
    return named and (hasattr(data, "__arrow_c_stream__") or module.startswith(("pandas.", "polars.", "pyarrow.")))


def _open_file(connection: duckdb.DuckDBPyConnection, path: str) -> duckdb.DuckDBPyRelation:
    bare = path.removesuffix(".gz").removesuffix(".zst")
    if bare.endswith((".csv", ".tsv")):
        return connection.read_csv(path, na_values=["", "NA"])
    if bare.endswith((".json", ".jsonl", ".ndjson")):
        return connection.read_json(path)
    return connection.read_parquet(path)
