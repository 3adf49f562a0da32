"""Exact sums of floating-point numbers in SQL: the same bits in any order of rows, on any number of threads.

Adding doubles rounds at every step, so that a parallel sum depends on its schedule. Integers do not round: a double is cut into three
integers of fixed weight, these are added exactly, and only the three totals are rounded. Any engine with 128-bit or decimal sums can do
it. What lies outside of the three weights is rare; it is added in the order of values.
"""

from __future__ import annotations

_WEIGHTS = (40, -22, -84)
"""Binary exponents of one unit of the three integers; each integer stays below 2**62."""
_LIMIT = 102
"""Binary exponent of the smallest number that is too large for the first integer."""


def exact_sum(value: str) -> str:
    """Return the aggregate that adds the DOUBLE expression `value`; null of no values.

    Infinite values give what IEEE 754 says: an infinity, or NaN where both signs meet.
    """
    fits = f"abs({value}) < {2.0**_LIMIT!r}"
    rest, totals = f"CASE WHEN {fits} THEN {value} END", []  # not FILTER: DuckDB casts before it filters
    for weight in _WEIGHTS:
        units = f"trunc({rest} * {2.0**-weight!r})"
        totals.append(f"coalesce(CAST(sum(CAST({units} AS BIGINT)) AS DOUBLE), 0.0) * {2.0**weight!r}")
        rest = f"({rest} - {units} * {2.0**weight!r})"
    totals += [_in_order(rest, f"{rest} <> 0"), _in_order(value, f"NOT {fits}")]
    return f"CASE WHEN count({value}) > 0 THEN {totals[3]} + {totals[2]} + {totals[1]} + {totals[0]} + {totals[4]} END"


def _in_order(value: str, condition: str) -> str:
    return f"coalesce(list_sum(list_sort(list({value}) FILTER (WHERE {condition}))), 0.0)"
