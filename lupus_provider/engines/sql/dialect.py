"""What engines spell differently. A method returns SQL text; two dialects that return it for the same arguments mean the same bits.

Everything else of a query is written once, in this folder, so that engines cannot drift apart.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from lupus_provider.engines.sql.sums import USUAL, USUAL_SQUARED, Range
from lupus_provider.metrics.base import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lupus_provider.metrics.plan import ColumnType


HASH_UNITS, HASH_FAR = 1_048_576.0, 1e12
"""Units of a number that a hash tells apart, and the magnitude beyond which it tells only the sign."""


class Dialect(ABC):
    """Spelling of one engine's SQL."""

    sum_bits: int
    """Bits of the integers that are added exactly: sums of that many bits never overflow the engine's accumulator."""
    usual: Range = USUAL
    """Magnitudes that a sum covers at first; numbers outside of it cost a second query, a wide range costs every query."""
    usual_squared: Range = USUAL_SQUARED
    """The same of a sum of squares."""

    @abstractmethod
    def quote(self, identifier: str) -> str:
        """Quote one identifier."""

    @abstractmethod
    def literal(self, text: str) -> str:
        """Quote one text value."""

    @abstractmethod
    def number(self, value: float) -> str:
        """DOUBLE literal of exactly that value."""

    @abstractmethod
    def bigint(self, value: int) -> str:
        """BIGINT literal."""

    @abstractmethod
    def whole_quotient(self, value: str, divisor: str) -> str:
        """Quotient of two BIGINT above zero, without the rest."""

    def double(self, value: str) -> str:
        """Cast to DOUBLE."""
        return f"CAST({value} AS DOUBLE)"

    @abstractmethod
    def text(self, value: str, column_type: ColumnType) -> str:
        """Text of a value, the same in every engine for texts, integers, booleans, decimals and dates."""

    @abstractmethod
    def epoch(self, value: str, column_type: ColumnType) -> str:
        """Seconds since 1970-01-01 UTC of a date or timestamp, DOUBLE; timestamps without a zone are taken as UTC."""

    @abstractmethod
    def integer_sum(self, value: str) -> dict[str, str]:
        """Return the aggregates that add the units of a cut (integers of about `sum_bits` bits) exactly: suffix → aggregate.

        Suffix `_sN`: its total counts 2**N; the empty suffix: 1.
        """

    @abstractmethod
    def big_sum(self, value: str) -> dict[str, str]:
        """Return the aggregates that add integers of any type exactly, suffixes as in `integer_sum`."""

    @abstractmethod
    def repeated(self, value: str, times: str) -> str:
        """Return an integer times a BIGINT that says how often it counts; sums of it do not overflow."""

    @abstractmethod
    def whole(self, value: str) -> str:
        """Nearest integer in any direction, as a DOUBLE, of a DOUBLE of any size."""

    @abstractmethod
    def to_integer(self, value: str) -> str:
        """Cast a DOUBLE that holds an integer below 2**62 to an integer."""

    @abstractmethod
    def quantiles(self, value: str, fractions: Sequence[float]) -> str:
        """Aggregate of several exact quantiles of DOUBLE values at once: a list, in the order asked."""

    @abstractmethod
    def distinct_tuples(self, columns: Sequence[str]) -> str:
        """Aggregate that counts the distinct tuples of several columns, nulls being values."""

    # -- lists -------------------------------------------------------------------------------------------------------

    @abstractmethod
    def length(self, value: str) -> str:
        """Length of a list, null of null."""

    @abstractmethod
    def first(self, value: str, k: int) -> str:
        """First k items of a list."""

    @abstractmethod
    def items(self, source: str, columns: Sequence[str], value: str) -> str:
        """Query: one row an item of the list `value` as `item`, with `columns`, from the relation `source`."""

    @abstractmethod
    def kept(self, value: str, condition: str) -> str:
        """Items of a list that meet a condition on `x` (the item) and `i` (its place, from 1)."""

    @abstractmethod
    def mapped(self, value: str, expression: str) -> str:
        """List of an expression of `x` (the item) and `i` (its place, from 1)."""

    @abstractmethod
    def distinct_items(self, value: str) -> str:
        """Items of a list without nulls, each at the place where it comes first."""

    @abstractmethod
    def distinct_count(self, value: str, k: str) -> str:
        """Return how many different items the first `k` of a list are, nulls being none."""

    @abstractmethod
    def has_repeats(self, value: str, k: str) -> str:
        """Whether the first `k` items of a list hold a null, or an item twice; null where k is."""

    @abstractmethod
    def place(self, value: str, item: str) -> str:
        """Place, from 1, where an item that is not null comes first in a list; 0 or null where it does not."""

    @abstractmethod
    def rising(self, value: str) -> str:
        """List of integers in rising order."""

    @abstractmethod
    def item(self, value: str, place: str) -> str:
        """Item of a list by its place, from 1; null beyond the end."""

    @abstractmethod
    def list_sum(self, value: str) -> str:
        """Sum of a list of DOUBLE, added in order; 0 of none."""

    @abstractmethod
    def numbers(self, values: Sequence[float]) -> str:
        """List of DOUBLE literals."""

    # -- hashes ------------------------------------------------------------------------------------------------------

    @abstractmethod
    def hash48(self, text: str) -> str:
        """First 48 bits of the MD5 of a text, as BIGINT."""

    def hash_text(self, value: str, column_type: ColumnType) -> str:
        """Text to take a hash of, the same in every engine; null of null.

        Engines spell floats and times differently, so these are told by whole numbers: floats to a millionth, times to a microsecond.
        """
        if column_type.number != "float" and column_type.kind is not Kind.TIME:
            return self.text(value, column_type)
        number = self.double(value) if column_type.number else self.epoch(value, column_type)
        size = f"abs({number})"
        near = f"CAST(CAST(floor({number} * {self.number(HASH_UNITS)}) AS BIGINT) AS STRING)"
        far = f"CASE WHEN {number} > 0 THEN 'far' ELSE '-far' END"
        return f"CASE WHEN {size} < {self.number(HASH_FAR)} THEN {near} WHEN {number} IS NOT NULL THEN {far} END"

    def row_hash(self, values: Sequence[tuple[str, ColumnType]]) -> str:
        """Hash of a row, as `hash48`, out of its columns and their types."""
        texts = (f"coalesce({self.hash_text(value, kind)}, '-')" for value, kind in values)
        return self.hash48(f"concat_ws('|', {', '.join(texts)})")

    @abstractmethod
    def shifted(self, value: str, bits: int) -> str:
        """BIGINT shifted right."""

    @abstractmethod
    def bit_length(self, value: str) -> str:
        """Length of a BIGINT above zero in bits."""
