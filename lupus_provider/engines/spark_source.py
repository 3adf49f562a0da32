"""Opens a table in Spark, and says of which type its columns are, in DuckDB's words, so that one plan fits both engines.

Columns are renamed by position to `c0`, `c1`, …: names that differ by case only, hold dots or quotes, or occur twice are then no matter,
whatever the session's settings say about names.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from lupus_provider.engines.duckdb_types import column_type
from lupus_provider.engines.source import TableSource
from lupus_provider.engines.spark_errors import failures, one_line, quiet
from lupus_provider.errors import PlanFailedError, SourceUnreadableError, UnknownDataError, did_you_mean

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import DataType, StructField, StructType

    from lupus_provider.metrics.plan import ColumnType

_NAMES = {
    "boolean": "BOOLEAN", "tinyint": "TINYINT", "smallint": "SMALLINT", "int": "INTEGER", "bigint": "BIGINT", "float": "FLOAT",
    "double": "DOUBLE", "date": "DATE", "timestamp": "TIMESTAMP WITH TIME ZONE", "timestamp_ntz": "TIMESTAMP", "binary": "BLOB",
    "void": '"NULL"',
}  # fmt: skip
_PREFIXES = {
    "string": "VARCHAR",
    "char(": "VARCHAR",
    "varchar(": "VARCHAR",
    "decimal(": "DECIMAL",
    "time(": "TIME",
    "interval": "INTERVAL",
}
_STREAM = "streaming DataFrame"
_TIMESTAMP_TYPE = "spark.sql.timestampType"


def quote(identifier: str) -> str:
    """Quote one identifier."""
    return "`" + identifier.replace("`", "``") + "`"


def literal(text: str) -> str:
    """Quote one text value, whatever the session's settings say about backslashes, double quotes and `${…}`."""
    if text and all(letter.isalnum() or letter in " _-.,:/+" for letter in text) and text.isascii():
        return f"'{text}'"
    return f"CAST(X'{text.encode().hex()}' AS STRING)"


def type_name(data_type: DataType) -> str:
    """Name a Spark type in DuckDB's words.

    Examples
    --------
    >>> from pyspark.sql.types import ArrayType, DoubleType
    >>> type_name(ArrayType(DoubleType()))
    'DOUBLE[]'
    """
    from pyspark.sql.types import ArrayType, MapType, StructType, UserDefinedType

    if isinstance(data_type, UserDefinedType):
        return type_name(data_type.sqlType())
    if isinstance(data_type, ArrayType):
        return f"{type_name(data_type.elementType)}[]"
    if isinstance(data_type, MapType):
        return f"MAP({type_name(data_type.keyType)}, {type_name(data_type.valueType)})"
    if isinstance(data_type, StructType):
        return f"STRUCT({', '.join(f'{_field_name(field.name)} {type_name(field.dataType)}' for field in data_type.fields)})"
    word = data_type.simpleString()
    if word.startswith("decimal("):
        return word.upper()
    found = next((name for prefix, name in _PREFIXES.items() if word.startswith(prefix)), None)
    return _NAMES.get(word) or found or word.upper()


def _field_name(name: str) -> str:
    return name if name.isidentifier() else '"' + name.replace('"', '""') + '"'


class SparkTable:
    """A table that is open in a Spark session.

    Attributes
    ----------
    frame
        Its rows, with columns `c0`, `c1`, … in the order of `columns`; of a condition, only the rows that meet it.
    columns
        Their names.
    """

    def __init__(self, name: str, frame: DataFrame, where: str | None = None) -> None:
        self.name, self.session = name, frame.sparkSession
        with quiet():
            try:
                schema = frame.schema
            except failures() as err:
                raise SourceUnreadableError(name, one_line(err)) from err
            self.columns = schema.names
            self._fields = {field.name: (f"c{i}", field) for i, field in reversed([*enumerate(schema.fields)])}
            self.frame = self._renamed(frame, where)

    def _renamed(self, frame: DataFrame, where: str | None) -> DataFrame:
        names = [f"c{i}" for i in range(len(self.columns))]
        if not where:
            return frame.toDF(*names)
        try:
            renamed = frame.filter(where).toDF(*names)
            renamed.schema  # noqa: B018  (Spark Connect looks at the condition only when asked for what depends on it)
        except failures() as err:
            raise PlanFailedError(self.name, one_line(err)) from err
        return renamed

    def column_sql(self, column: str) -> str:
        """Return the SQL of a column; `user.age` is a field of a struct where no column has that name."""
        path, data_type = self._find(column) or ("", None)
        # A column may count 'a' and 'A' as one text; here texts are the same if their bytes are.
        return (
            f"{path} COLLATE UTF8_BINARY" if getattr(data_type, "collation", "UTF8_BINARY") != "UTF8_BINARY" else path
        )

    def type_of(self, column: str) -> ColumnType | str:
        """Type of a column, or a sentence that says why it cannot be read. Names are compared with their case."""
        found = self._find(column)
        if found is None:
            return f"column {column!r} is not in the table. {did_you_mean(column, self.columns)}It has: {', '.join(self.columns[:20])}."
        return column_type(type_name(found[1]))

    def _find(self, column: str) -> tuple[str, DataType] | None:
        """Return SQL and type of a column or field; None if there is none."""
        from pyspark.sql.types import StructType

        if column in self._fields:
            alias, field = self._fields[column]
            return alias, field.dataType
        first, *rest = column.split(".")
        if not rest or first not in self._fields:
            return None
        alias, field = self._fields[first]
        path, data_type = [alias], field.dataType
        for part in rest:
            inner = _field(data_type, part) if isinstance(data_type, StructType) else None
            if inner is None:
                return None
            path.append(quote(inner.name))
            data_type = inner.dataType
        return ".".join(path), data_type


def _field(struct: StructType, name: str) -> StructField | None:
    """Field of a struct; as in DuckDB, case does not matter there."""
    exact = [field for field in struct.fields if field.name == name]
    return next(iter([*exact, *(field for field in struct.fields if field.name.lower() == name.lower())]), None)


def open_table(data: Any, name: str, where: str | None = None, session: SparkSession | None = None) -> SparkTable:
    """Open a Spark frame, a table of the catalogue, or files.

    Parameters
    ----------
    where
        Condition in Spark's SQL, on the table's own names.
    session
        Where to open what is not a frame.

    Raises
    ------
    SourceUnreadableError
        If a file or table is not there or cannot be read.
    PlanFailedError
        If the condition is wrong.
    UnknownDataError
        If the object is nothing that Spark reads.
    """
    if type(data).__module__.startswith("pyspark.") and hasattr(data, "sparkSession"):
        if data.isStreaming:
            raise UnknownDataError(_STREAM)
        return SparkTable(name, data, where)
    if session is None or not isinstance(data, (str, os.PathLike, TableSource)):
        raise UnknownDataError(f"{type(data).__module__}.{type(data).__qualname__}")
    source = data if isinstance(data, TableSource) else TableSource(path=os.fspath(data))
    with quiet():
        try:
            frame = read_frame(session, source)
        except failures() as err:
            raise SourceUnreadableError(name, one_line(err)) from err
    return SparkTable(name, frame, where)


def read_frame(session: SparkSession, source: TableSource) -> DataFrame:
    """Return a table of the session's catalog, or the rows of a file by its ending."""
    if source.table is not None:
        return session.table(".".join(quote(part) for part in source.table.split(".")))
    path = source.path or ""
    bare = path.removesuffix(".gz").removesuffix(".zst")
    if bare.endswith((".csv", ".tsv")):
        options = {
            "header": True,
            "sep": "\t" if bare.endswith(".tsv") else ",",
            "nullValue": "NA",
            "escape": '"',
            "multiLine": True,
            "mode": "FAILFAST",
        }
        return _read_text(session, path, "csv", {**options, "inferSchema": True})
    if bare.endswith((".json", ".jsonl", ".ndjson")):
        return _read_text(session, path, "json", {"mode": "FAILFAST", "inferTimestamp": True})
    return session.read.parquet(path)


def _read_text(session: SparkSession, path: str, form: str, options: dict[str, Any]) -> DataFrame:
    """Read files whose types are guessed. Times without a zone stay so: as instants they would depend on the session's zone."""
    before = session.conf.get(_TIMESTAMP_TYPE)
    session.conf.set(_TIMESTAMP_TYPE, "TIMESTAMP_NTZ")
    try:
        schema = session.read.options(**options).format(form).load(path).schema
    finally:
        session.conf.set(_TIMESTAMP_TYPE, before or "TIMESTAMP_LTZ")
    return session.read.options(**options).schema(schema).format(form).load(path)
