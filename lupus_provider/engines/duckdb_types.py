"""DuckDB's types as metrics see them."""

from __future__ import annotations

import re

from lupus_provider.metrics.base import Kind
from lupus_provider.metrics.plan import ColumnType

_INTEGER = re.compile(r"U?(?:TINY|SMALL|BIG|HUGE)?INT(?:EGER)?")
_DECIMAL = re.compile(r"DECIMAL\(\d+,\s*\d+\)")
_TIME = re.compile(r"DATE|TIMESTAMP(?:_S|_MS|_NS)?|TIMESTAMP WITH TIME ZONE")
_LIST = re.compile(r"(?P<item>.+?)\[\d*\]$", re.DOTALL)
_FLOATING = ("FLOAT", "DOUBLE", "UHUGEINT")  # DuckDB adds UHUGEINT as doubles


def column_type(type_name: str) -> ColumnType:
    """Sort a DuckDB type into the kinds of columns.

    Examples
    --------
    >>> column_type("DOUBLE[]")
    ColumnType(kind=<Kind.NUMBER: 1>, is_list=True, name='DOUBLE[]', number='float')
    """
    item = item_type(type_name)
    number = _number(item)
    if item == "BOOLEAN":
        kind = Kind.BOOL
    elif number:
        kind = Kind.NUMBER
    elif item in ("VARCHAR", "UUID") or item.startswith("ENUM("):
        kind = Kind.TEXT
    elif _TIME.fullmatch(item):
        kind = Kind.TIME
    elif item == '"NULL"':
        kind, number = (
            Kind.ANY,
            "integer",
        )  # a column that never held a value refuses nothing; everything of it is undefined
    else:
        kind = Kind.OTHER
    return ColumnType(kind, item != type_name, type_name, number)


def _number(item: str) -> str:
    if item in _FLOATING:
        return "float"
    if _INTEGER.fullmatch(item):
        return "integer"
    return "decimal" if _DECIMAL.fullmatch(item) else ""


def item_type(type_name: str) -> str:
    """Return the type of a list's items, or the type itself; one level: the items of `INTEGER[][]` are `INTEGER[]`."""
    match = _LIST.fullmatch(type_name)
    return match["item"] if match else type_name


def stored(column: str, type_name: str) -> str:
    """Return the SQL that reads a column in the form in which it is kept: arrays of fixed length become lists."""
    fixed = not type_name.endswith("[]") and _LIST.fullmatch(type_name)
    return f"CAST({column} AS {item_type(type_name)}[])" if fixed else column
