"""DuckDB's spelling. Text only: nothing here opens a connection."""

# ruff: noqa: ARG002, D102, S608  (methods are documented once, in `dialect`; identifiers are quoted, texts are literals)

from __future__ import annotations

from typing import TYPE_CHECKING

from lupus_provider.engines.sql.dialect import Dialect

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lupus_provider.metrics.plan import ColumnType

_SHORT = 100
"""Items that are compared one with another faster than they are hashed."""


class DuckDBDialect(Dialect):
    """SQL of DuckDB: sums of 64-bit integers are 128-bit integers, so a cut may be wide."""

    sum_bits = 61

    def quote(self, identifier: str) -> str:
        return '"' + identifier.replace('"', '""') + '"'

    def literal(self, text: str) -> str:
        return "'" + text.replace("'", "''") + "'"

    def number(self, value: float) -> str:
        return f"CAST('{value!r}' AS DOUBLE)" if abs(value) >= 1e15 or 0 < abs(value) < 1e-4 else f"({value!r}::DOUBLE)"

    def bigint(self, value: int) -> str:
        return f"({int(value)}::BIGINT)"

    def whole_quotient(self, value: str, divisor: str) -> str:
        return f"({value} // {divisor})"

    def text(self, value: str, column_type: ColumnType) -> str:
        return f"CAST({value} AS VARCHAR)"

    def epoch(self, value: str, column_type: ColumnType) -> str:
        # Of times with a zone DuckDB rounds seconds twice; they are UTC's, so those of UTC's clock are the same.
        utc = column_type.name.removesuffix("[]") == "TIMESTAMP WITH TIME ZONE"
        return f"epoch(timezone('UTC', {value}))" if utc else f"epoch({value})"

    def integer_sum(self, value: str) -> dict[str, str]:
        return {"": f"sum({value})"}

    def big_sum(self, value: str) -> dict[str, str]:
        return {"": f"sum({value})"}

    def repeated(self, value: str, times: str) -> str:
        return f"({value}) * CAST({times} AS HUGEINT)"

    def whole(self, value: str) -> str:
        return f"trunc({value})"

    def to_integer(self, value: str) -> str:
        return f"CAST({value} AS BIGINT)"

    def quantiles(self, value: str, fractions: Sequence[float]) -> str:
        return f"quantile_cont({value}, [{', '.join(repr(f) for f in fractions)}])"

    def distinct_tuples(self, columns: Sequence[str]) -> str:
        return f"count(DISTINCT row({', '.join(columns)}))"

    def length(self, value: str) -> str:
        return f"len({value})"

    def first(self, value: str, k: int) -> str:
        return f"list_slice({value}, 1, {int(k)})"

    def items(self, source: str, columns: Sequence[str], value: str) -> str:
        return f"SELECT {', '.join(columns)}, unnest({value}) AS item FROM {source}"

    def kept(self, value: str, condition: str) -> str:
        return f"list_filter({value}, lambda x, i: {condition})"

    def mapped(self, value: str, expression: str) -> str:
        return f"list_transform({value}, lambda x, i: {expression})"

    def distinct_items(self, value: str) -> str:
        firsts = f"list_filter({value}, lambda y, j: y IS NOT NULL AND list_position({value}, y) = j)"
        all_differ = f"CASE WHEN len({value}) > {_SHORT} THEN list_unique({value}) = len({value}) ELSE FALSE END"
        return f"CASE WHEN {all_differ} THEN {value} ELSE {firsts} END"

    def distinct_count(self, value: str, k: str) -> str:
        return f"CAST(list_unique(list_slice({value}, 1, {k})) AS INTEGER)"

    def has_repeats(self, value: str, k: str) -> str:
        first = f"list_slice({value}, 1, {k})"
        repeats = f"list_filter({first}, lambda y, j: y IS NULL OR list_position({value}, y) < j)"
        return f"CASE WHEN {k} > {_SHORT} THEN list_unique({first}) < {k} ELSE len({repeats}) > 0 END"

    def place(self, value: str, item: str) -> str:
        return f"list_position({value}, {item})"

    def rising(self, value: str) -> str:
        return f"list_sort({value})"

    def item(self, value: str, place: str) -> str:
        return f"{value}[{place}]"

    def list_sum(self, value: str) -> str:
        return f"coalesce(list_sum({value}), 0.0::DOUBLE)"

    def numbers(self, values: Sequence[float]) -> str:
        return f"CAST([{', '.join(repr(v) for v in values)}] AS DOUBLE[])"

    def hash48(self, text: str) -> str:
        return f"CAST('0x' || substr(md5({text}), 1, 12) AS BIGINT)"

    def shifted(self, value: str, bits: int) -> str:
        return f"({value} >> {int(bits)})"

    def bit_length(self, value: str) -> str:
        return f"length(bin({value}))"


def moment_sql(dialect: DuckDBDialect, column: str, type_name: str, time_zone: str, zone: str) -> str | None:
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
        return f"timezone({dialect.literal(time_zone)}, CAST({column} AS TIMESTAMP))"
    if type_name == "DATE":
        return f"timezone({dialect.literal(zone)}, CAST({column} AS TIMESTAMP))"
    if type_name == "VARCHAR":  # text that is no time becomes null here, and is told apart from null when rows are read
        naive = f"TRY_CAST({column} AS TIMESTAMP)"
        return (
            f"CASE WHEN length({column}) = 10 THEN timezone({dialect.literal(zone)}, {naive}) "
            f"WHEN regexp_matches(substr({column}, 11), {dialect.literal(AWARE)}) THEN TRY_CAST({column} AS TIMESTAMPTZ) "
            f"ELSE timezone({dialect.literal(time_zone)}, {naive}) END"
        )
    return None


AWARE = r"([+-][0-9]{2}(:?[0-9]{2})?|[A-Za-z_/]+)$"
"""End of a text that says its zone."""
