"""What a metric is: which columns it accepts, what an engine must count for it, and how the counts become its value.

A metric never mentions an engine; an engine knows primitives and shapes and never a metric. So a metric is written once, for every engine.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from enum import Flag, StrEnum, auto
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from lupus_provider.metrics.bins import Bins

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Texts = NDArray[np.object_]


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
    SQUARED = "squared"
    """The square of the unit of the measured column."""
    COUNT = "count"
    RATIO = "ratio"
    SECONDS = "seconds"
    ITEMS = "items"
    """Length of lists."""
    BITS = "bits"
    NONE = "none"
    """A pure number, such as a distance between distributions."""


class Worse(StrEnum):
    """Which direction is bad news by definition."""

    HIGHER = "higher"
    LOWER = "lower"
    UNKNOWN = "unknown"


class Family(StrEnum):
    """Shelves of names: `recall` of a classifier and of a ranking are two metrics."""

    TABLE = "table"
    DISTRIBUTION = "distribution"
    CLASSIFICATION = "classification"
    REGRESSION = "regression"
    RANKING = "ranking"
    DRIFT = "drift"
    TRAINING = "training"
    EXPECTATIONS = "expectations"


class Over(StrEnum):
    """What of a table is measured."""

    ROWS = "rows"
    """The rows themselves: table-level metrics have no column."""
    KEY = "key"
    """Several columns together, as one value."""
    VALUES = "values"
    """One value a row."""
    ITEMS = "items"
    """Every item of a list column, or the first k of each list."""
    LENGTHS = "lengths"
    """The length of each list."""
    LISTS = "lists"
    """The lists as wholes: null, empty."""
    PAIRS = "pairs"
    """Prediction and target of each row, two numbers."""
    LABELS = "labels"
    """Predicted and true label of each row."""
    SCORES = "scores"
    """Score of the positive label and true label of each row."""
    RANKINGS = "rankings"
    """Predicted list and list of truths of each row."""


class Shape(StrEnum):
    """Form of what an engine answers for a metric, within a period and group."""

    NUMBERS = "numbers"
    """One number a primitive."""
    BINS = "bins"
    """One number a primitive and bin of the values."""
    ENTITIES = "entities"
    """Rows of each distinct value: `entity`, `count`; at most `max_entities`, the rest is one entity, made of `folded` values."""
    PAIRED = "paired"
    """Rows of each pair of labels: `predicted`, `label` (null where unknown), `count`."""
    SPECTRUM = "spectrum"
    """How many distinct values occur how often: `size`, `values`."""
    REGISTERS = "registers"
    """HyperLogLog registers by rank: `rank`, `registers`."""
    POPULARITY = "popularity"
    """Items by how many truths hold them: `truths`, `items`, `shown` (how often such items were predicted)."""


SHAPE_COLUMNS: Mapping[Shape, tuple[str, ...]] = {
    Shape.ENTITIES: ("entity", "count", "folded"),
    Shape.PAIRED: ("predicted", "label", "count"),
    Shape.SPECTRUM: ("size", "values"),
    Shape.REGISTERS: ("rank", "registers"),
    Shape.POPULARITY: ("truths", "items", "shown"),
}
"""Columns of the shapes that are tables, after the group."""
TEXT_COLUMNS = frozenset({"predicted", "label"})
"""Those that are texts, which may be null; entities are texts of their own kind, see `Counts.entity`."""


@dataclass(frozen=True, slots=True)
class Primitive:
    """One number that an engine can compute of a group of values.

    Names: `rows` (values with nulls), `values` (not null), `count` (neither null nor NaN), `nulls`, `nans`, `sum`, `min`, `max`, `distinct`,
    `variance` (of a sample), `zeros`, `negatives`, `empties` (lists without items), `quantile` with `argument` 0…1 (exact, linear), and over
    scores `auc_area` (twice the concordant pairs, ties count once), `precision_sum` (precision at each positive, summed), and over a key `distinct`.
    NaN takes part in none but `rows`, `values` and `nans`.

    `of` names a function of the row whose values are aggregated instead of the column's, such as `absolute_error` (`engines.sql.rows`).
    """

    name: str
    argument: float | None = None
    of: str = ""

    @property
    def alias(self) -> str:
        """Name of its column in an engine's answer."""
        head = f"{self.of}_{self.name}" if self.of else self.name
        return head if self.argument is None else f"{head}_{self.argument:.10f}".replace(".", "_")

    @property
    def counts(self) -> bool:
        """Whether it is 0, not undefined, of no rows."""
        return self.name in COUNTING


COUNTING = frozenset({"rows", "values", "count", "nulls", "nans", "distinct", "zeros", "negatives", "empties"})
"""Names of primitives that are 0, not undefined, of no rows."""


@dataclass(frozen=True, slots=True)
class Role:
    """One of the columns that a metric of several columns reads."""

    name: str
    kind: Kind
    is_list: bool = False


class Metric(ABC):
    """A metric of a shelf file; subclasses are registered by name and hold no state."""

    name: ClassVar[str]
    family: ClassVar[Family] = Family.DISTRIBUTION
    accepts: ClassVar[Kind] = Kind.ANY
    over: ClassVar[Over] = Over.VALUES
    shape: ClassVar[Shape]
    roles: ClassVar[tuple[Role, ...]] = ()
    """Columns by name, where there is more than one; points are written under the first."""
    unit: ClassVar[Unit] = Unit.COLUMN
    bounds: ClassVar[tuple[float, float]] = (-np.inf, np.inf)
    """Smallest and largest value by definition; detectors and charts use them."""
    worse: ClassVar[Worse] = Worse.UNKNOWN
    """Which direction is bad news."""
    cuts: ClassVar[bool] = False
    """Whether `@k` may follow, where the metric is not over items."""
    per_entity: ClassVar[bool] = False
    """Many values a group, each about an entity."""
    combines: ClassVar[bool] = True
    """Whether the states of two halves combine to the state of the whole; False for exact percentiles and distinct counts."""

    @property
    def is_count(self) -> bool:
        """Whether the value counts things, so that its noise is at least Poisson's."""
        return self.unit is Unit.COUNT


class NumberMetric(Metric):
    """A metric whose state is a handful of numbers a group."""

    shape = Shape.NUMBERS
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
            Shape (groups,) each; NaN where a primitive is undefined, such as the sum of no values. A metric that names the
            parameter `period_end` in `state` as `Primitive("period_end")` gets the end of the group's period, seconds since 1970 UTC.

        Returns
        -------
        ndarray
            Shape (groups,); NaN = undefined, never zero for "no rows" unless zero is the answer.
        """


@dataclass(frozen=True, slots=True)
class Values:
    """What a metric of counts comes to.

    Attributes
    ----------
    value, n_rows
        Shape (values,); NaN = undefined.
    group
        Shape (values,): index of each value's group; None: one value a group, in order.
    entity
        Shape (values,): texts, in numpy where there are few, or as `Counts.entity` gave them; None: the values are about no entity.
    """

    value: Floats
    n_rows: Floats
    group: Indices | None = None
    entity: Texts | pa.DictionaryArray | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows of a table-shaped answer, sorted by group and then by the shape's key columns; those of `ENTITIES` in any order.

    Attributes
    ----------
    n_groups
        Number of groups; a group may have no row here.
    group
        Shape (rows,): index of each row's group.
    columns
        The columns of `SHAPE_COLUMNS[shape]` but `entity`, shape (rows,) each; texts are objects, null is None.
    rows
        Shape (groups,): rows of the table in each group.
    entity
        Shape (rows,): what each row of `ENTITIES` counts. There may be millions, so they stay in Arrow, each text once.
    """

    n_groups: int
    group: Indices
    columns: Mapping[str, NDArray]
    rows: Floats
    entity: pa.DictionaryArray | None = None

    def __getitem__(self, name: str) -> NDArray:
        """Return a column."""
        return self.columns[name]

    def total(self, weights: NDArray) -> Floats:
        """Sum of `weights` (rows,) in each group; 0 where a group has no row."""
        return np.bincount(self.group, weights=weights, minlength=self.n_groups).astype(float)


class CountsMetric(Metric):
    """A metric whose state is a table a group: distinct values, pairs of labels, counts of counts."""

    @abstractmethod
    def of_counts(self, counts: Counts, **parameters: float) -> Values:
        """Turn the rows of all groups into values.

        Parameters
        ----------
        parameters
            What the measure was asked with, such as `catalog_size`.
        """


@dataclass(frozen=True, slots=True)
class Binned:
    """Primitives by bin, of many groups.

    Attributes
    ----------
    bins
        The bins; `len(bins)` of them.
    state
        Argument name of the metric's `state` → shape (groups, bins); counts are 0 and the rest NaN where a bin has no value.
    reference
        The same of what is compared against, with the same groups; rows of NaN where the reference has no such group. None: there
        is no reference.
    """

    bins: Bins
    state: Mapping[str, Floats]
    reference: Mapping[str, Floats] | None = field(default=None)


class BinsMetric(Metric):
    """A metric whose state is a handful of numbers a group and bin of the values."""

    shape = Shape.BINS
    needs_reference: ClassVar[bool] = False
    """Whether it compares with a reference."""
    default_bins: ClassVar[Bins | None] = None
    """Bins where a measure names none."""

    @property
    @abstractmethod
    def state(self) -> Mapping[str, Primitive]:
        """Name in `Binned.state` → primitive, computed in each bin."""

    @abstractmethod
    def of_bins(self, binned: Binned) -> Values:
        """Turn the bins of all groups into values."""


def ratio(part: Floats, whole: Floats) -> Floats:
    """Return part / whole, NaN where the whole is zero."""
    return np.divide(part, whole, out=np.full(np.shape(part), np.nan), where=whole > 0)
