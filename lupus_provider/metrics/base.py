"""What a metric is: which columns it accepts, the primitives that it needs, and how they become its value.

A metric never mentions an engine; an engine knows primitives and never a metric. So a metric is written once, for every engine.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import Flag, StrEnum, auto
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Mapping

Floats = NDArray[np.float64]


class Kind(Flag):
    """Kinds of columns, as far as metrics care."""

    NUMBER = auto()
    BOOL = auto()
    TEXT = auto()
    TIME = auto()
    """Dates and timestamps; measured in seconds since 1970-01-01 UTC."""
    OTHER = auto()
    """Anything else that is not a list: structs, maps, blobs."""
    NUMERIC = NUMBER | BOOL
    DISCRETE = NUMBER | BOOL | TEXT | TIME
    ANY = NUMBER | BOOL | TEXT | TIME | OTHER


class Unit(StrEnum):
    """Unit of a metric's value."""

    COLUMN = "column"
    """The unit of the measured column."""
    COUNT = "count"
    RATIO = "ratio"
    SECONDS = "seconds"
    ITEMS = "items"
    """Length of lists."""


class Over(StrEnum):
    """What of a column is measured."""

    ROWS = "rows"
    """The rows themselves: table-level metrics have no column."""
    VALUES = "values"
    """One value a row."""
    ITEMS = "items"
    """Every item of a list column, or the first k of each list."""
    LENGTHS = "lengths"
    """The length of each list."""
    LISTS = "lists"
    """The lists as wholes: null, empty."""


@dataclass(frozen=True, slots=True)
class Primitive:
    """One number that an engine can compute of a group of values.

    Names: `rows` (values with nulls), `values` (not null), `count` (neither null nor NaN), `nulls`, `nans`, `sum`, `min`, `max`, `distinct`,
    `variance` (of a sample), `zeros`, `negatives`, `empties` (lists without items), `quantile` with `argument` 0…1 (exact, linear).
    NaN takes part in none but `rows`, `values` and `nans`.
    """

    name: str
    argument: float | None = None

    @property
    def alias(self) -> str:
        """Name of its column in an engine's answer."""
        return self.name if self.argument is None else f"{self.name}_{self.argument:.10f}".replace(".", "_")


COUNTING = frozenset({"rows", "values", "count", "nulls", "nans", "distinct", "zeros", "negatives", "empties"})
"""Primitives that are 0, not undefined, of no rows."""


class Metric(ABC):
    """A metric of a shelf file; subclasses are registered by name and hold no state."""

    name: ClassVar[str]
    accepts: ClassVar[Kind]
    over: ClassVar[Over] = Over.VALUES
    unit: ClassVar[Unit] = Unit.COLUMN
    bounds: ClassVar[tuple[float, float]] = (-np.inf, np.inf)
    """Smallest and largest value by definition; detectors and charts use them."""
    per_entity: ClassVar[bool] = False
    """One value for every distinct value of the column."""
    combines: ClassVar[bool] = True
    """Whether the states of two halves combine to the state of the whole; False for exact percentiles and distinct counts."""
    stands_on: ClassVar[Primitive] = Primitive("count")
    """How many rows, items or lists the value is made of: `n_rows` of its points."""

    @property
    @abstractmethod
    def state(self) -> Mapping[str, Primitive]:
        """Argument name of `finish` → primitive."""

    @abstractmethod
    def finish(self, **state: Floats) -> Floats:
        """Turn primitives into values, for many groups at once.

        Parameters
        ----------
        state
            Shape (groups,) each; NaN where a primitive is undefined, such as the sum of no values.

        Returns
        -------
        ndarray
            Shape (groups,); NaN = undefined, never zero for "no rows" unless zero is the answer.
        """

    @property
    def is_count(self) -> bool:
        """Whether the value counts things, so that its noise is at least Poisson's."""
        return self.unit is Unit.COUNT


def ratio(part: Floats, whole: Floats) -> Floats:
    """Return part / whole, NaN where the whole is zero."""
    return np.divide(part, whole, out=np.full(np.shape(part), np.nan), where=whole > 0)
