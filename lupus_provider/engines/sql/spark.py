"""Spark's spelling. Text only; it means the same whatever the session's settings say about ANSI, time zones and the case of names."""

# ruff: noqa: D102, S608  (methods are documented once, in `dialect`; identifiers are quoted, texts are literals)

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from lupus_provider.engines.sql.dialect import Dialect
from lupus_provider.engines.sql.sums import Range

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lupus_provider.metrics.plan import ColumnType

_PLAIN_SCALE = 6
"""Decimals of more places may be written with an exponent."""
_SCALE = re.compile(r"DECIMAL\((?P<precision>\d+), ?(?P<scale>\d+)\)")
LOW_BITS = 31


class SparkDialect(Dialect):
    """SQL of Spark: sums are of 64-bit integers, because those of decimals are several times slower."""

    sum_bits = LOW_BITS
    usual = Range(-30, 72)
    usual_squared = Range(-20, 35)

    def quote(self, identifier: str) -> str:
        return "`" + identifier.replace("`", "``") + "`"

    def literal(self, text: str) -> str:
        # Settings of the session can change what backslashes and `${` mean inside of quotes.
        if text.isascii() and all(letter.isalnum() or letter in " _-.,:/+" for letter in text):
            return f"'{text}'"
        return f"CAST(X'{text.encode().hex()}' AS STRING)"

    def number(self, value: float) -> str:
        if not math.isfinite(value):
            raise ValueError(value)  # Spark has no literal for it
        return f"{value!r}D" if value >= 0 else f"({value!r}D)"

    def bigint(self, value: int) -> str:
        return f"{int(value)}L"

    def whole_quotient(self, value: str, divisor: str) -> str:
        return f"({value} div {divisor})"

    def text(self, value: str, column_type: ColumnType) -> str:
        name = column_type.name.removesuffix("[]")
        if name == "TIMESTAMP WITH TIME ZONE":
            return f"concat(CAST({_utc(value)} AS STRING), '+00')"
        decimal = _SCALE.fullmatch(name)
        if decimal is None or int(decimal["scale"]) <= _PLAIN_SCALE:
            return f"CAST({value} AS STRING)"
        return _plain_decimal(value, int(decimal["scale"]))

    def epoch(self, value: str, column_type: ColumnType) -> str:
        return self.epoch_of_ticks(self.ticks(value, column_type), column_type)

    def epoch_of_ticks(self, ticks: str, column_type: ColumnType) -> str:
        """Seconds of what `ticks` made."""
        if column_type.name.removesuffix("[]") == "DATE":
            return f"({self.double(ticks)} * 86400.0D)"
        return f"({self.double(ticks)} / 1000000.0D)"

    def ticks(self, value: str, column_type: ColumnType) -> str:
        """BIGINT that tells two times apart and sorts as they do: days of dates, microseconds of timestamps."""
        name = column_type.name.removesuffix("[]")
        if name == "DATE":
            return f"CAST(unix_date({value}) AS BIGINT)"
        if name == "TIMESTAMP WITH TIME ZONE":
            return f"unix_micros({value})"
        # Parts of a local time do not depend on the session's zone; Spark's own conversions do.
        return (
            f"(unix_date(CAST({value} AS DATE)) * 86400000000L + hour({value}) * 3600000000L + minute({value}) * 60000000L "
            f"+ CAST(extract(SECOND FROM {value}) * 1000000 AS BIGINT))"
        )

    def integer_sum(self, value: str) -> dict[str, str]:
        return {"": f"sum({value})"}

    def big_sum(self, value: str) -> dict[str, str]:
        high, low = self.halves(f"CAST({value} AS BIGINT)")
        return {f"_s{LOW_BITS}": f"sum({high})", "": f"sum({low})"}

    def halves(self, whole: str) -> tuple[str, str]:
        """Cut a BIGINT into units of 2**LOW_BITS and the rest, so that sums of either do not overflow."""
        return f"shiftright({whole}, {LOW_BITS})", f"({whole} & {(1 << LOW_BITS) - 1}L)"

    def repeated(self, value: str, times: str) -> str:
        raise NotImplementedError("Spark counts each row once: sums of its BIGINT have no room for more")

    def whole(self, value: str) -> str:
        return f"rint({value})"  # floor and its kin make a BIGINT, which large numbers do not fit in

    def to_integer(self, value: str) -> str:
        return f"CAST({value} AS BIGINT)"

    def quantiles(self, value: str, fractions: Sequence[float]) -> str:
        raise NotImplementedError("Spark's quantiles come from counted values (engines.spark_counts)")

    def distinct_tuples(self, columns: Sequence[str]) -> str:
        return f"count(DISTINCT struct({', '.join(columns)}))"

    def length(self, value: str) -> str:
        return f"array_size({value})"

    def first(self, value: str, k: int) -> str:
        return f"slice({value}, 1, {int(k)})"

    def items(self, source: str, columns: Sequence[str], value: str) -> str:
        return f"SELECT {', '.join(columns)}, item FROM {source} LATERAL VIEW explode({value}) exploded AS item"

    def kept(self, value: str, condition: str) -> str:
        return f"filter({value}, (x, j) -> {_from_one(condition)})"

    def mapped(self, value: str, expression: str) -> str:
        return f"transform({value}, (x, j) -> {_from_one(expression)})"

    def distinct_items(self, value: str) -> str:
        return f"array_compact(array_distinct({value}))"

    def distinct_count(self, value: str, k: str) -> str:
        return f"CAST(array_size({self.distinct_items(f'slice({value}, 1, CAST({k} AS INT))')}) AS BIGINT)"

    def has_repeats(self, value: str, k: str) -> str:
        return f"{self.distinct_count(value, k)} < {k}"

    def place(self, value: str, item: str) -> str:
        return f"array_position({value}, {item})"

    def rising(self, value: str) -> str:
        return f"sort_array({value})"

    def item(self, value: str, place: str) -> str:
        return f"get({value}, CAST({place} AS INT) - 1)"

    def list_sum(self, value: str) -> str:
        return f"aggregate({value}, 0.0D, (total, y) -> total + y)"

    def numbers(self, values: Sequence[float]) -> str:
        return f"array({', '.join(self.number(value) for value in values)})"

    def hash48(self, text: str) -> str:
        return f"CAST(conv(substr(md5({text}), 1, 12), 16, 10) AS BIGINT)"

    def shifted(self, value: str, bits: int) -> str:
        return f"shiftright({value}, {int(bits)})"

    def bit_length(self, value: str) -> str:
        return f"length(bin({value}))"


def _utc(value: str) -> str:
    """Local time of an instant in UTC."""
    micros = f"unix_micros({value})"
    seconds = f"make_dt_interval(0, 0, 0, CAST({micros} AS DECIMAL(20, 0)) / 1000000)"
    return f"(TIMESTAMP_NTZ'1970-01-01 00:00:00' + {seconds})"


def _plain_decimal(value: str, scale: int) -> str:
    sign = f"CASE WHEN {value} < 0 THEN '-' ELSE '' END"
    return (
        f"concat({sign}, CAST(CAST(abs({value}) - abs({value}) % 1 AS DECIMAL(38, 0)) AS STRING), '.', "
        f"rpad(substr(CAST(abs({value}) % 1 + 1 AS STRING), 3), {scale}, '0'))"
    )


def _from_one(expression: str) -> str:
    """Lambdas count places from 0 in Spark; the expressions of `Dialect` from 1, as `i`."""
    return re.sub(r"\bi\b", "(j + 1)", expression)
