"""Which bin a number falls into, in SQL: by arithmetic wherever that tells bins apart, by comparisons elsewhere.

Arithmetic costs a third of a search by halves. Differences and products of doubles are the same in every engine (IEEE 754), so placement is too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lupus_provider.engines.sql.dialect import Dialect
    from lupus_provider.metrics.base import Floats, Indices
    from lupus_provider.metrics.bins import NumericBins

CELL = "lupus_cell"
_FEW = 8
"""Edges that comparisons find as fast as arithmetic does."""
_MOST_CELLS = 4096


@dataclass(frozen=True, slots=True)
class Cells:
    """Cells of equal width, at most two edges in each: a value's cell says all edges below it but those two, which are compared.

    Two, because a value of many rows has a bin of its own, whose ends are next to each other.

    Attributes
    ----------
    low, scale
        A value x is in cell floor((x - low) * scale), or the first or last one.
    below
        Shape (cells,): edges below the cell.
    compared
        Indices of the edges that a cell compares with, in it or behind it; one or two arrays of shape (cells,).
    """

    low: float
    scale: float
    below: Indices
    compared: tuple[Indices, ...]

    @classmethod
    def of(cls, edges: Sequence[float]) -> Cells | None:
        """Return cells for edges; None where too many edges lie close together."""
        values = np.array(edges, float)
        number = 2 << len(edges).bit_length()
        while len(edges) > 1 and number <= _MOST_CELLS:
            with np.errstate(all="ignore"):
                scale = float(number / (values[-1] - values[0]))
                if not 0 < scale < np.inf:
                    return None
                at = np.clip(np.floor((values - values[0]) * scale), 0, number - 1)
            if not len(at) > 2 or (at[2:] > at[:-2]).all():
                below = np.searchsorted(at, np.arange(number))
                return cls(float(values[0]), scale, *_compared(below, at))
            number *= 2
        return None

    def edges(self, values: Sequence[float]) -> list[Floats]:
        """Return the edges that each cell compares with."""
        return [np.array(values, float)[places] for places in self.compared]


def _compared(below: Indices, at: Floats) -> tuple[Indices, tuple[Indices, ...]]:
    """Return the edges below each cell, and those to compare with: the next ones, of which all from the last are counted already."""
    if (np.diff(at) > 0).all():
        below = np.minimum(below, len(at) - 1)
        return below, (below,)
    below = np.minimum(below, len(at) - 2)
    return below, (below, below + 1)


def cell_sql(dialect: Dialect, number: str, low: str, scale: str, last: str) -> str:
    """Return the SQL of the cell of a DOUBLE expression, 0 … last; `low`, `scale` and `last` are SQL of DOUBLE."""
    inside = f"greatest({dialect.number(0.0)}, least({last}, ({number} - {low}) * {scale}))"
    return f"CAST(floor({inside}) AS INTEGER)"


def placed(dialect: Dialect, bins: NumericBins, number: str, rows: str, name: str) -> str:
    """Return the query of `rows` (a query's FROM and WHERE) with the bin of a DOUBLE expression as the column `name`."""
    if bins.even is not None:
        low, scale = (dialect.number(value) for value in bins.even)
        place = cell_sql(dialect, number, low, scale, dialect.number(float(len(bins.edges))))
        return f"SELECT *, {place} AS {name} {rows}"
    cells = Cells.of(bins.edges) if len(bins.edges) > _FEW else None
    if cells is None:
        place = searched(number, [dialect.number(edge) for edge in bins.edges], 0, len(bins.edges))
        return f"SELECT *, {place} AS {name} {rows}"
    last = dialect.number(float(len(cells.below) - 1))
    cell = cell_sql(dialect, number, dialect.number(cells.low), dialect.number(cells.scale), last)
    below, *edges = (
        dialect.item(dialect.numbers(values.tolist()), f"({CELL} + 1)")
        for values in (cells.below.astype(float), *cells.edges(bins.edges))
    )
    place = " + ".join([f"CAST({below} AS INTEGER)", *(reached(number, edge) for edge in edges)])
    return f"SELECT *, {place} AS {name} FROM (SELECT *, {cell} AS {CELL} {rows}) AS celled"  # noqa: S608  (numbers, and our names)


def reached(number: str, edge: str) -> str:
    """Return the SQL of 1 where a value is not below an edge, else 0."""
    return f"CASE WHEN {number} >= {edge} THEN 1 ELSE 0 END"


def searched(number: str, edges: Sequence[str], low: int, high: int) -> str:
    """Search by halves as nested conditions: the number of edges that are not above the value."""
    if low == high:
        return str(low)
    middle = (low + high) // 2
    left, right = searched(number, edges, low, middle), searched(number, edges, middle + 1, high)
    return f"CASE WHEN {number} < {edges[middle]} THEN {left} ELSE {right} END"
