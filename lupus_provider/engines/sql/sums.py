"""Exact sums of numbers in SQL: the same bits in any order of rows, on any number of threads, in any engine.

Adding doubles rounds at every step, so that a parallel sum depends on its schedule. Integers do not round: a double is cut into integers
of fixed weight, these are added exactly, and only their total is rounded, here, once. Squares are added with the error of their rounding
(Dekker 1971), so a variance is exact too, however far the values lie from zero.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lupus_provider.engines.sql.dialect import Dialect
    from lupus_provider.metrics.base import Floats

MANTISSA = 53
_SPLIT = 134217729.0
"""2**27 + 1: cuts a double into two halves of 26 bits (Veltkamp)."""


@dataclass(frozen=True, slots=True)
class Range:
    """Magnitudes that a sum covers: values v with 2**low <= |v| < 2**high, and zero."""

    low: int
    high: int

    @classmethod
    def of(cls, smallest: float, largest: float) -> Range:
        """Range that covers magnitudes from `smallest` (above 0) to `largest`, both finite."""
        return cls(math.frexp(smallest)[1] - 1, math.frexp(largest)[1])

    @property
    def squared(self) -> Range:
        """Range of the squares; its last bits hold the errors of rounding, too."""
        return Range(2 * self.low - MANTISSA, 2 * self.high)

    def weights(self, bits: int) -> list[int]:
        """Binary exponents of one unit of each integer of `bits` bits, largest first."""
        count = -(-(self.high - self.low + MANTISSA) // bits)
        return [self.high - bits * (number + 1) for number in range(count)]


USUAL = Range(-70, 60)
"""Covers nearly all columns, in three cuts of 61 bits; what lies outside is added again, with the range that it has."""
USUAL_SQUARED = Range(-29, 40)
"""The same for squares, in four cuts."""
LARGEST, LARGEST_SQUARED = 2.0**1000, 2.0**500
"""Numbers beyond are as good as infinite: they are not added, or not squared."""


def unit(value: str, weight: int, above: int | None, reach: int, dialect: Dialect) -> str:
    """Return the integer of one weight out of a DOUBLE expression, without the part that the weight above holds.

    Parameters
    ----------
    reach
        Binary exponent that all values lie below. What lies so far above the weight that scaling would overflow has no such bits.
    """
    whole = dialect.whole(f"{value} * {dialect.number(2.0**-weight)}")
    if above is None:
        return dialect.to_integer(whole)
    upper = f"{dialect.whole(f'{value} * {dialect.number(2.0**-above)}')} * {dialect.number(2.0 ** (above - weight))}"
    integer = dialect.to_integer(f"({whole} - {upper})")
    if reach - weight <= _SCALED:
        return integer
    return f"CASE WHEN abs({value}) < {dialect.number(2.0 ** (weight + _SCALED - 100))} THEN {integer} WHEN {value} IS NOT NULL THEN 0 END"


_SCALED = 1000
"""Bits that a double can be scaled by without overflowing."""


def sum_aggregates(value: str, span: Range, dialect: Dialect, times: str = "") -> dict[str, str]:
    """Return the aggregates that add a DOUBLE expression exactly: suffix → SQL. Null where there is no value.

    Parameters
    ----------
    times
        Column that says how often each value counts; empty: once.
    """
    weights = span.weights(dialect.sum_bits)
    return _aggregates(weights, lambda weight, above: unit(value, weight, above, span.high, dialect), dialect, times)


def rounding_error(value: str, dialect: Dialect) -> str:
    """Return the error of rounding in the square of a DOUBLE column, exactly."""
    split = f"{dialect.number(_SPLIT)} * {value}"
    high = f"({split} - ({split} - {value}))"
    low = f"({value} - {high})"
    return f"(({high} * {high} - {value} * {value}) + {dialect.number(2.0)} * {high} * {low}) + {low} * {low}"


def square_aggregates(value: str, error: str, span: Range, dialect: Dialect, times: str = "") -> dict[str, str]:
    """Return the aggregates that add the squares of a DOUBLE column exactly.

    Parameters
    ----------
    error
        Column of the error of rounding in each square.
    """
    weights = span.squared.weights(dialect.sum_bits)

    def both(weight: int, above: int | None) -> str:
        reach = span.squared.high
        return f"{unit(f'({value} * {value})', weight, above, reach, dialect)} + {unit(error, weight, above, reach, dialect)}"

    return _aggregates(weights, both, dialect, times)


def _aggregates(
    weights: Sequence[int], integer: Callable[[int, int | None], str], dialect: Dialect, times: str
) -> dict[str, str]:
    found = {}
    for number, weight in enumerate(weights):
        whole = integer(weight, weights[number - 1] if number else None)
        for suffix, sql in dialect.integer_sum(dialect.repeated(whole, times) if times else whole).items():
            found[f"w{number}{suffix}"] = sql
    return found


Total = tuple[list[int | None], int]
"""Exact totals of all groups as integers, None where there is none, and the binary exponent of their unit."""


def totals(parts: Sequence[tuple[Sequence[int | None], int]]) -> Total:
    """Add integer columns of several weights.

    Parameters
    ----------
    parts
        Column of integers (None: no value) and the binary exponent of its unit.
    """
    lowest = min(weight for _, weight in parts)
    added: list[int | None] = [
        None if any(value is None for value in values)
        else sum(int(value) << (weight - lowest) for value, (_, weight) in zip(values, parts))
        for values in zip(*(column for column, _ in parts))
    ]  # fmt: skip
    return added, lowest


def rounded(total: Total) -> Floats:
    """Round totals to doubles, once; NaN where there is none."""
    values, weight = total
    return np.array([np.nan if value is None else _scaled(value, 1, weight) for value in values], float)


def variances(total: Total, squares: Total, count: Floats) -> Floats:
    """Return the sample variance from exact totals, rounded once; NaN below two values."""
    (sums, sum_weight), (square_sums, square_weight) = total, squares
    result = np.full(len(count), np.nan)
    shift = square_weight - 2 * sum_weight
    for row, n in enumerate(count):
        linear, square = sums[row], square_sums[row]
        if linear is None or square is None or not n >= 2:
            continue
        n = int(n)
        numerator = (n * square << max(shift, 0)) - (linear * linear << max(-shift, 0))
        result[row] = _scaled(numerator, n * (n - 1), min(square_weight, 2 * sum_weight))
    return result


def _scaled(numerator: int, denominator: int, exponent: int) -> float:
    """Numerator / denominator * 2**exponent, correctly rounded; infinite where a double cannot hold it."""
    try:
        if exponent >= 0:
            return (numerator << exponent) / denominator
        return numerator / (denominator << -exponent)
    except OverflowError:
        return math.inf if numerator > 0 else -math.inf
