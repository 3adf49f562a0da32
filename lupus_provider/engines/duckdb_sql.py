"""The primitives in DuckDB's SQL. Text only: nothing here opens a connection.

Every aggregate gives the same bits whatever the order of rows, because a re-run must give the same points: sums of floats are exact
(`engines.duckdb_sums`), variances are taken in the order of the values.
"""

from __future__ import annotations

import re

from lupus_provider.engines.duckdb_sums import exact_sum
from lupus_provider.metrics.base import Kind, Over, Primitive
from lupus_provider.metrics.plan import ColumnType, Subject

_INTEGER = re.compile(r"U?(?:TINY|SMALL|BIG|HUGE)?INT(?:EGER)?")
_NUMBER = re.compile(rf"(?:{_INTEGER.pattern}|FLOAT|DOUBLE|DECIMAL\(\d+,\s*\d+\))")
_TIME = re.compile(r"DATE|TIMESTAMP(?:_S|_MS|_NS)?|TIMESTAMP WITH TIME ZONE")
_LIST = re.compile(r"(?P<item>.+?)\[\d*\]$", re.DOTALL)
_FLOATING = ("FLOAT", "DOUBLE", "UHUGEINT")  # DuckDB adds UHUGEINT as doubles
_AWARE = r"([+-][0-9]{2}(:?[0-9]{2})?|[A-Za-z_/]+)$"


def quote(identifier: str) -> str:
    """Quote one identifier."""
    return '"' + identifier.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Quote one text value, where a statement takes no parameters."""
    return "'" + text.replace("'", "''") + "'"


def column_type(type_name: str) -> ColumnType:
    """Sort a DuckDB type into the kinds of columns.

    Examples
    --------
    >>> column_type("DOUBLE[]")
    ColumnType(kind=<Kind.NUMBER: 1>, is_list=True, name='DOUBLE[]')
    """
    item = item_type(type_name)
    if item == "BOOLEAN":
        kind = Kind.BOOL
    elif _NUMBER.fullmatch(item):
        kind = Kind.NUMBER
    elif item in ("VARCHAR", "UUID") or item.startswith("ENUM("):
        kind = Kind.TEXT
    elif _TIME.fullmatch(item):
        kind = Kind.TIME
    elif item == '"NULL"':
        kind = Kind.ANY  # a column that never held a value refuses nothing; everything of it is undefined
    else:
        kind = Kind.OTHER
    return ColumnType(kind, item != type_name, type_name)


def item_type(type_name: str) -> str:
    """Return the type of a list's items, or the type itself; one level: the items of `INTEGER[][]` are `INTEGER[]`."""
    match = _LIST.fullmatch(type_name)
    return match["item"] if match else type_name


def stored(column: str, type_name: str) -> str:
    """Return the SQL that reads a column in the form in which it is kept: arrays of fixed length become lists."""
    return (
        column
        if type_name.endswith("[]") or not _LIST.fullmatch(type_name)
        else f"CAST({column} AS {item_type(type_name)}[])"
    )


def is_entity(kind: ColumnType) -> bool:
    """Whether values name things that can be counted one by one; fractions do not."""
    return kind.kind is not Kind.NUMBER or _INTEGER.fullmatch(item_type(kind.name)) is not None


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
    """Whether values can be NaN, so that they must be cleaned, and whether their sums round."""
    return subject.over in (Over.VALUES, Over.ITEMS) and (item_type(kind.name) in _FLOATING or kind.kind is Kind.TIME)


def primitive_sql(primitive: Primitive, value: str, *, floating: bool, raw: str | None = None) -> str:
    """Return the aggregate of a primitive over the SQL expression `value`.

    Parameters
    ----------
    floating
        Whether values may be NaN; NaN is left out of all primitives but `rows`, `values` and `nans`.
    raw
        The column itself where `value` is computed of it with a loss: two nanoseconds may be one number of seconds, and infinity
        is none.
    """
    clean = f"CASE WHEN isnan({value}) THEN NULL ELSE {value} END" if floating else value
    number = f"CAST({clean} AS DOUBLE)"
    counts = {
        "rows": "count(*)",
        "values": f"count({raw or value})",
        "nulls": f"count(*) - count({raw or value})",
        "count": f"count({clean})",
        "nans": f"count(*) FILTER (WHERE isnan({value}))" if floating else "0",
        "distinct": f"count(DISTINCT {raw or clean})",
        "zeros": f"count(*) FILTER (WHERE {clean} = 0)",
        "negatives": f"count(*) FILTER (WHERE {clean} < 0)",
        "empties": f"count(*) FILTER (WHERE len({value}) = 0)",
    }
    if primitive.name in counts:
        return counts[primitive.name]
    if primitive.name == "sum":
        return exact_sum(number) if floating else f"CAST(sum({clean}) AS DOUBLE)"
    if primitive.name in ("min", "max"):
        return f"CAST({primitive.name}({clean}) AS DOUBLE)"
    if primitive.name == "variance":
        return f"list_var_samp(list_sort(list({number}) FILTER (WHERE {number} IS NOT NULL)))"
    raise NotImplementedError(
        primitive.name
    )  # a metric asks for a primitive that this engine lacks: a programmer's error


def quantiles_sql(value: str, fractions: list[float], *, floating: bool) -> str:
    """Return the aggregate of several exact quantiles at once: a list, in the order asked."""
    clean = f"CASE WHEN isnan({value}) THEN NULL ELSE {value} END" if floating else value
    return f"quantile_cont(CAST({clean} AS DOUBLE), [{', '.join(repr(f) for f in fractions)}])"


def moment_sql(column: str, type_name: str, time_zone: str, zone: str) -> str | None:
    """Return the SQL of the instant of a row, TIMESTAMP WITH TIME ZONE; None if the type says no time.

    Parameters
    ----------
    column
        Quoted time column.
    time_zone
        Zone of timestamps and texts without a zone.
    zone
        The project's zone: a date is a day of it.
    """
    if type_name == "TIMESTAMP WITH TIME ZONE":
        return column
    if type_name.startswith("TIMESTAMP"):
        return f"timezone({literal(time_zone)}, CAST({column} AS TIMESTAMP))"
    if type_name == "DATE":
        return f"timezone({literal(zone)}, CAST({column} AS TIMESTAMP))"
    if type_name == "VARCHAR":  # text that is no time becomes null here, and is told apart from null when rows are read
        naive = f"TRY_CAST({column} AS TIMESTAMP)"
        return (
            f"CASE WHEN length({column}) = 10 THEN timezone({literal(zone)}, {naive}) "
            f"WHEN regexp_matches(substr({column}, 11), {literal(_AWARE)}) THEN TRY_CAST({column} AS TIMESTAMPTZ) "
            f"ELSE timezone({literal(time_zone)}, {naive}) END"
        )
    return None
