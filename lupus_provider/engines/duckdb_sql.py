"""The primitives in DuckDB's SQL. Text only: nothing here opens a connection.

Sums of floats and variances are taken in the order of the values, because floating-point addition depends on its order and a
re-run must give the same bits.
"""

from __future__ import annotations

import re

from lupus_provider.metrics.base import Kind, Over, Primitive
from lupus_provider.metrics.plan import ColumnType, Subject

_INTEGER = re.compile(r"U?(?:TINY|SMALL|BIG|HUGE)?INT(?:EGER)?|BOOLEAN")
_NUMBER = re.compile(rf"(?:{_INTEGER.pattern}|FLOAT|DOUBLE|DECIMAL\(\d+,\s*\d+\))")
_TIME = re.compile(r"DATE|TIMESTAMP(?:_S|_MS|_NS)?|TIMESTAMP WITH TIME ZONE")
_LIST = re.compile(r"(?P<item>.+?)\[\d*\]$", re.DOTALL)


def quote(identifier: str) -> str:
    """Quote one identifier."""
    return '"' + identifier.replace('"', '""') + '"'


def column_type(type_name: str) -> ColumnType:
    """Sort a DuckDB type into the kinds of columns.

    Examples
    --------
    >>> column_type("DOUBLE[]")
    ColumnType(kind=<Kind.NUMBER: 1>, is_list=True, name='DOUBLE[]')
    """
    match = _LIST.fullmatch(type_name)
    item = match["item"] if match else type_name
    if item == "BOOLEAN":
        kind = Kind.BOOL
    elif _NUMBER.fullmatch(item):
        kind = Kind.NUMBER
    elif item in ("VARCHAR", "UUID") or item.startswith("ENUM("):
        kind = Kind.TEXT
    elif _TIME.fullmatch(item):
        kind = Kind.TIME
    else:
        kind = Kind.OTHER
    return ColumnType(kind, match is not None, type_name)


def subject_value(subject: Subject, column: str, kind: ColumnType) -> str:
    """Return the SQL of what the subject's primitives are computed of, from the quoted column."""
    if subject.over is Over.LENGTHS:
        return f"len({column})"
    if subject.over is Over.LISTS:
        return column
    if kind.kind is Kind.TIME:
        return f"epoch({column})"
    if kind.kind is Kind.BOOL:
        return f"CAST({column} AS TINYINT)"
    return column


def is_float(subject: Subject, kind: ColumnType) -> bool:
    """Whether values can be NaN, so that they must be cleaned."""
    item = kind.name.removesuffix("[]")
    return subject.over in (Over.VALUES, Over.ITEMS) and (item in ("FLOAT", "DOUBLE") or kind.kind is Kind.TIME)


def primitive_sql(primitive: Primitive, value: str, *, floating: bool, numeric: bool) -> str:
    """Return the aggregate of a primitive over the SQL expression `value`.

    Parameters
    ----------
    floating
        Whether values may be NaN; NaN is left out of all primitives but `rows` and `nans`.
    numeric
        Whether values can be computed with.
    """
    clean = f"CASE WHEN isnan({value}) THEN NULL ELSE {value} END" if floating else value
    number = f"CAST({clean} AS DOUBLE)"
    match primitive.name:
        case "rows":
            return "count(*)"
        case "nulls":
            return f"count(*) - count({value})"
        case "count":
            return f"count({clean})"
        case "nans":
            return f"count(*) FILTER (WHERE isnan({value}))" if floating else "0"
        case "sum":
            return f"sum({number} ORDER BY {number})" if floating or not numeric else f"CAST(sum({clean}) AS DOUBLE)"
        case "min" | "max":
            return f"CAST({primitive.name}({clean}) AS DOUBLE)"
        case "distinct":
            return f"count(DISTINCT {clean})"
        case "variance":
            return f"var_samp({number} ORDER BY {number})"
        case "zeros":
            return f"count(*) FILTER (WHERE {clean} = 0)"
        case "negatives":
            return f"count(*) FILTER (WHERE {clean} < 0)"
        case "empties":
            return f"count(*) FILTER (WHERE len({value}) = 0)"
        case "quantile":
            return f"quantile_cont({number}, {float(primitive.argument or 0.0)!r})"
    raise NotImplementedError(primitive.name)  # a metric asks for a primitive that this engine lacks: a programmer's error


def literal(text: str) -> str:
    """Quote one text value, where a statement takes no parameters."""
    return "'" + text.replace("'", "''") + "'"


def moment_sql(column: str, type_name: str, time_zone: str, zone: str) -> str | None:
    """Return the SQL of the instant of a row, TIMESTAMP WITH TIME ZONE; None if the type says no time.

    Parameters
    ----------
    column
        Quoted time column.
    time_zone
        Zone of timestamps without a zone.
    zone
        The project's zone: a date is a day of it.
    """
    as_day = f"timezone({literal(zone)}, CAST({column} AS TIMESTAMP))"
    if type_name == "TIMESTAMP WITH TIME ZONE":
        return column
    if type_name.startswith("TIMESTAMP"):
        return f"timezone({literal(time_zone)}, CAST({column} AS TIMESTAMP))"
    if type_name == "DATE":
        return as_day
    if type_name == "VARCHAR":
        return f"CASE WHEN length({column}) = 10 THEN {as_day} ELSE CAST({column} AS TIMESTAMPTZ) END"
    return None
