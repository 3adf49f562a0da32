"""The text of Hive's statements: types, names, partitions and DDL, made from `records/`.

Only three things ever enter a statement: checked identifiers, checked names and dates, and checked locations. Nothing else of the data
does, so there is nothing to escape (tests/unit/stores/test_hive_sql.py).
"""

# Pyarrow has no types, so its names say nothing to a type checker:
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import pyarrow as pa

from lupus_provider.errors import StoreUrlError
from lupus_provider.naming import check_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

PARTITION_COLUMNS = ("project", "metric_set", "dt")
MODE_PROPERTY = "lupus.mode"
"""Table property that says which mode made a table: an overwrite in managed mode must never hit a partition of an external table."""

# What may stand in a location. No quote, backslash, `$` (Hive puts variables into statements) or control character; no space either and
# no `%`, `#`, `?`: ALTER TABLE … SET LOCATION reads the text as a URI, CREATE TABLE and ADD PARTITION as a path.
_LOCATION = re.compile(r"[a-z][a-z0-9+.-]*://[\w.:-]*/[\w/.:=@+,~-]*")
_TYPES = {
    pa.string(): "string", pa.float64(): "double", pa.int64(): "bigint", pa.int32(): "int", pa.bool_(): "boolean", pa.date32(): "date",
    pa.map_(pa.string(), pa.string()): "map<string,string>",
}  # fmt: skip


def identifier(name: str, what: str = "column") -> str:
    """Return a quoted identifier.

    Raises
    ------
    BadNameError
        If it is not lower-case letters, digits and underscores, starting with a letter, at most 63 characters.

    Examples
    --------
    >>> identifier("count")
    '`count`'
    """
    return f"`{check_name(name, what)}`"


def qualified(database: str, table: str) -> str:
    """Return the quoted name of a table in its database."""
    return f"{identifier(database, 'database')}.{identifier(table, 'table')}"


def hive_type(kind: pa.DataType) -> str:
    """Return the Hive type of an Arrow type; an instant is a `timestamp`, in UTC.

    Raises
    ------
    KeyError
        If no column of `records/` had that type until now.
    """
    return "timestamp" if pa.types.is_timestamp(kind) else _TYPES[kind]


def column_types(schema: pa.Schema) -> dict[str, str]:
    """Return column → Hive type, in the order of the file."""
    return {field.name: hive_type(field.type) for field in schema}


def columns_text(columns: Mapping[str, str]) -> str:
    """Return a list of columns with their types, for CREATE TABLE and ADD COLUMNS."""
    return ", ".join(f"{identifier(name)} {kind}" for name, kind in columns.items())


def select(columns: Iterable[str], table: str) -> str:
    """Return a SELECT of some columns of a quoted table."""
    return f"SELECT {', '.join(identifier(name) for name in columns)} FROM {table}"  # noqa: S608  (checked names)


def count_rows(table: str, where: str) -> str:
    """Return a SELECT of day and number of rows."""
    return f"SELECT `dt`, count(*) AS `n` FROM {table} WHERE {where} GROUP BY `dt`"  # noqa: S608  (checked names)


def location(url: str, schemes: Mapping[str, str]) -> str:
    """Return a folder's address as a literal of Hive, which wants it decoded and calls some schemes by other names.

    Parameters
    ----------
    url
        Percent-encoded folder, such as `s3://bucket/history/points`.
    schemes
        Scheme → the server's word for it, such as `s3` → `s3a`.

    Raises
    ------
    StoreUrlError
        If it holds anything but letters, digits and `/._-:=@+,~`.

    Examples
    --------
    >>> location("s3://lake/points/dt=2024-01-01/", {"s3": "s3a"})
    "'s3a://lake/points/dt=2024-01-01'"
    """
    parts = urlsplit(url)
    host = "" if parts.scheme == "file" and parts.netloc == "localhost" else parts.netloc
    path = unquote(parts.path).rstrip("/") or "/"
    text = f"{schemes.get(parts.scheme, parts.scheme)}://{host}{path}"
    if parts.query or parts.fragment or not _LOCATION.fullmatch(text):
        hint = "Hive's statements take folders of letters, digits and /._-:=@+,~ only: move the history to such a one."
        raise StoreUrlError("catalogue", url, hint)
    return f"'{text}'"


def table_folder(url: str) -> str:
    """Return the folder of all versions of a kind: what is above `project=`."""
    head, *rest = re.split("/project(?:=|%3D)", url, maxsplit=1)
    if not rest:
        raise StoreUrlError("catalogue", url, "A version's folder is …/<kind>/project=P/metric_set=M/dt=D/v=V.")
    return head


def partition(project: str, metric_set: str, dt: date | None = None) -> str:
    """Return a partition specification; without a day: all days of the metric set.

    Examples
    --------
    >>> partition("shop", "orders")
    "PARTITION (`project`='shop', `metric_set`='orders')"
    """
    values = {"project": check_name(project, "project"), "metric_set": check_name(metric_set, "metric_set")}
    values |= {} if dt is None else {"dt": dt.isoformat()}
    return f"PARTITION ({', '.join(f'{identifier(name)}={_quoted(value)}' for name, value in values.items())})"


def drop_partitions(table: str, project: str, metric_set: str, days: Iterable[date]) -> str:
    """Return the statement that drops partitions, there or not; of an external table it leaves the files."""
    return f"ALTER TABLE {table} DROP IF EXISTS {', '.join(partition(project, metric_set, day) for day in days)}"


def condition(project: str, metric_set: str, days: Sequence[date] = ()) -> str:
    """Return the condition that picks the partitions of a metric set; all days of it if none are given."""
    values = {"project": check_name(project, "project"), "metric_set": check_name(metric_set, "metric_set")}
    text = " AND ".join(f"{identifier(name)} = {_quoted(value)}" for name, value in values.items())
    listed = ", ".join(_quoted(day.isoformat()) for day in days)
    return f"{text} AND `dt` IN ({listed})" if days else text


def create_table(table: str, columns: Mapping[str, str], mode: str, literal: str | None) -> str:
    """Return the DDL of a table; `literal` is where an external one is, a managed one is where the warehouse wants it."""
    keys = columns_text(dict.fromkeys(PARTITION_COLUMNS, "string"))
    external, place = ("", "") if literal is None else ("EXTERNAL ", f" LOCATION {literal}")
    properties = {MODE_PROPERTY: mode, "parquet.compression": "SNAPPY"}
    listed = ", ".join(f"'{name}'='{value}'" for name, value in properties.items())
    return (
        f"CREATE {external}TABLE IF NOT EXISTS {table} ({columns_text(columns)}) PARTITIONED BY ({keys}) "
        f"STORED AS PARQUET{place} TBLPROPERTIES ({listed})"
    )


def create_upload(table: str, columns: Mapping[str, str], literal: str) -> str:
    """Return the DDL of the table over uploaded files; its last column is the day."""
    return f"CREATE EXTERNAL TABLE {table} ({columns_text({**columns, 'dt': 'string'})}) STORED AS PARQUET LOCATION {literal}"


def _quoted(value: str) -> str:
    return f"'{value}'"
