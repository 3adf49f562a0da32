"""Opens a table in DuckDB under one name, and says of which type its columns are."""

# ruff: noqa: S608  (identifiers are quoted, texts are literals, the rest is numbers and our own names)

from __future__ import annotations

import hashlib
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import duckdb

from lupus_provider.engines.duckdb_types import column_type
from lupus_provider.engines.source import Joined, TableSource
from lupus_provider.engines.sql.duckdb import DuckDBDialect
from lupus_provider.errors import PlanFailedError, SourceUnreadableError, UnknownDataError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lupus_provider.metrics.plan import ColumnType

SOURCE, LABELS = "lupus_source", "lupus_labels"
DIALECT = DuckDBDialect()
quote, literal = DIALECT.quote, DIALECT.literal


def first_line(err: Exception) -> str:
    """First line of an engine's message, without its final full stop."""
    return str(err).strip().splitlines()[0].rstrip(".") if str(err).strip() else type(err).__name__


class OpenTable:
    """A table that is open in a connection as `lupus_source`; it may be readable only once."""

    def __init__(self, name: str, connection: duckdb.DuckDBPyConnection, *, cheap: bool = False) -> None:
        self.name, self.connection = name, connection
        self.cheap = cheap
        """Whether its columns can be read again and again for less than keeping them costs."""
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

    def schema(self) -> dict[str, str]:
        """Return column → Arrow type as text."""
        schema = self.connection.sql(f"SELECT * FROM {SOURCE} LIMIT 0").to_arrow_table().schema
        return {field.name: str(field.type) for field in schema}


@contextmanager
def open_table(data: Any, name: str) -> Iterator[OpenTable]:
    """Open a table-like object in a connection of its own.

    Raises
    ------
    SourceUnreadableError
        If a file or table is not there or cannot be read.
    UnknownDataError
        If the object is nothing that DuckDB reads.
    PlanFailedError
        If labels cannot be joined to it.
    """
    with duckdb.connect(":memory:") as connection:
        connection.execute("SET TimeZone = 'UTC'")
        try:
            if isinstance(data, Joined):
                _bind_joined(connection, data, name)
            else:
                _bind(connection, data, SOURCE)
            table = OpenTable(name, connection, cheap=_is_cheap(data))
        except duckdb.Error as err:
            raise SourceUnreadableError(name, first_line(err)) from err
        yield table


def _bind_joined(connection: duckdb.DuckDBPyConnection, joined: Joined, name: str) -> None:
    """Make `lupus_source` of predictions and the one label that counts for each."""
    predictions = "lupus_predictions"
    _bind(connection, joined.data, predictions)
    _bind(connection, joined.labels, LABELS)
    left = connection.sql(f"FROM {predictions}").columns
    right = connection.sql(f"FROM {LABELS}").columns
    for column, columns, what in (
        (joined.on, left, "predictions"), (joined.on, right, "labels"),
        (joined.time_column if joined.within else None, left, "predictions"),
        (joined.label_time_column, right, "labels"),
    ):  # fmt: skip
        if column is not None and column not in columns:
            raise PlanFailedError(
                name, f"join: column {column!r} is not in the {what}. {did_you_mean(column, columns)}".rstrip()
            )
    if joined.within is not None and (joined.time_column is None or joined.label_time_column is None):
        raise PlanFailedError(name, "join: 'within' needs the time column of the predictions and of the labels")
    added = [column for column in right if column not in left]
    on = quote(joined.on)
    condition = f"p.{on} = l.{on}"
    if joined.within is not None:
        late = f"INTERVAL {int(joined.within.total_seconds())} SECOND"
        made, came = quote(str(joined.time_column)), quote(str(joined.label_time_column))
        condition += f" AND CAST(l.{came} AS TIMESTAMPTZ) <= CAST(p.{made} AS TIMESTAMPTZ) + {late}"
    order = ", ".join([
        *([f"l.{quote(joined.label_time_column)} DESC NULLS LAST"] if joined.label_time_column else []),
        *(f"l.{quote(column)}" for column in added),
    ]) or "1"  # fmt: skip
    labels = "".join(f", l.{quote(column)}" for column in added)
    connection.execute(
        f"CREATE TEMP TABLE {SOURCE} AS SELECT * EXCLUDE (lupus_row) FROM (SELECT p.*{labels} FROM "
        f"(SELECT *, row_number() OVER () AS lupus_row FROM {predictions}) AS p LEFT JOIN {LABELS} AS l ON {condition} "
        f"QUALIFY row_number() OVER (PARTITION BY p.lupus_row ORDER BY {order}) = 1)"
    )


def _bind(connection: duckdb.DuckDBPyConnection, data: Any, name: str) -> None:
    if isinstance(data, TableSource) and data.table is not None:
        # Named after the file: two tables of one file are read through one attachment.
        file = f"file_{hashlib.blake2b((data.database or '').encode(), digest_size=8).hexdigest()}"
        connection.execute(f"ATTACH IF NOT EXISTS {literal(data.database or '')} AS {file} (READ_ONLY)")
        table = ".".join(quote(part) for part in data.table.split("."))
        connection.execute(f"CREATE TEMP VIEW {name} AS FROM {file}.{table}")
    elif isinstance(data, (str, os.PathLike, TableSource)):
        path = (data.path or "") if isinstance(data, TableSource) else os.fspath(data)
        _open_file(connection, path).create_view(name)
    elif isinstance(data, duckdb.DuckDBPyRelation):
        connection.register(name, data.to_arrow_reader())  # it belongs to another connection: its rows stream over
    elif _is_table(data):
        connection.register(name, data)
    else:
        raise UnknownDataError(f"{type(data).__module__}.{type(data).__qualname__}")


def _is_cheap(data: Any) -> bool:
    if isinstance(data, TableSource) and data.table is not None:
        return True
    if isinstance(data, (str, os.PathLike, TableSource)):
        path = (data.path or "") if isinstance(data, TableSource) else os.fspath(data)
        return path.endswith(".parquet")
    return type(data).__module__.startswith("pyarrow.") and type(data).__name__ == "Table"


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
