"""Arrays whose last axis is the series: how memory is cut into blocks, reset, and put back together.

Blocks are always padded to whole multiples of `LANES` series, because numpy may add up in another order when there are few of
them, and a series must be judged alike alone and in a panel.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Columns = NDArray[np.intp]

LANES = 64
"""Series are computed in multiples of this many."""


@dataclass(slots=True)
class Lanes:
    """Base of classes whose fields are arrays of shape (…, series)."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the fields by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def __len__(self) -> int:
        return next(iter(self.arrays().values())).shape[-1]

    def take(self, columns: Columns | slice) -> Self:
        """Return a copy with only these series, each array contiguous."""
        return type(self)(**{k: np.ascontiguousarray(v[..., columns]).copy() for k, v in self.arrays().items()})

    def put(self, columns: Columns | slice | Bools, part: Self) -> None:
        """Overwrite these series by another memory's."""
        for name, array in self.arrays().items():
            array[..., columns] = getattr(part, name)


def in_lanes(columns: Columns) -> Columns:
    """Return the columns padded by repetition to a whole number of lanes.

    Examples
    --------
    >>> len(in_lanes(np.array([3, 5])))
    64
    """
    missing = -len(columns) % LANES
    return np.concatenate([columns, np.full(missing, columns[0], columns.dtype)]) if missing else columns


def weighted_rows(weight: NDArray[Any], rows: NDArray[Any]) -> NDArray[Any]:
    """Return `weight` (k, w) times `rows` (w, n), added up row by row, whatever n is (unlike a matrix product)."""
    return np.einsum("kw,wn->kn", weight, rows, optimize=False)
