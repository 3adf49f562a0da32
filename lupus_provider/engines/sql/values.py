"""What an aggregate is computed of: the SQL of a column's values, cleaned and typed, or of a function of several columns of the row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lupus_provider.metrics.base import Kind, Over

if TYPE_CHECKING:
    from lupus_provider.engines.sql.dialect import Dialect
    from lupus_provider.metrics.plan import ColumnType


@dataclass(frozen=True, slots=True)
class Value:
    """SQL expression of one value a row.

    Attributes
    ----------
    sql
        The expression.
    number
        `integer`, `decimal` or `float`: how it is added; `float` may be NaN, which is left out. Empty: it is no number.
    raw
        The column itself where `sql` is computed of it with a loss: two nanoseconds may be one number of seconds, and infinity is none.
    """

    sql: str
    number: str = ""
    raw: str | None = None

    @property
    def clean(self) -> str:
        """The value without NaN."""
        return f"CASE WHEN isnan({self.sql}) THEN NULL ELSE {self.sql} END" if self.number == "float" else self.sql

    @property
    def whole(self) -> str:
        """What tells two values apart: the raw column, or the clean value."""
        return self.raw or self.clean


def column_value(dialect: Dialect, over: Over, column: str, kind: ColumnType) -> Value:
    """Value of a column, or of the items of a list, from its SQL."""
    if over is Over.LENGTHS:
        return Value(dialect.length(column), "integer")
    if over is Over.LISTS:
        return Value(column)
    if kind.kind is Kind.TIME:
        return Value(dialect.epoch(column, kind), "float", raw=column)
    if kind.kind is Kind.BOOL:
        return Value(f"CAST({column} AS INTEGER)", "integer")
    return Value(column, kind.number)


def label_text(dialect: Dialect, column: str, kind: ColumnType) -> str:
    """Return the SQL of the text of a label: a whole number is the same label whether it is stored as an integer or as a float; NaN is none."""
    text = dialect.text(column, kind)
    if kind.number != "float":
        return text
    number, limit = dialect.double(column), dialect.number(9e15)
    whole = f"abs({number}) < {limit} AND floor({number}) = {number}"
    integer = f"CAST(CAST({number} AS BIGINT) AS STRING)"
    return f"CASE WHEN isnan({number}) THEN NULL WHEN {whole} THEN {integer} ELSE {text} END"
