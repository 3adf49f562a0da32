"""What an engine answers: wide Arrow tables of primitives, one row a period and group (and bin, or distinct value).

Points are made of them in `processors.assemble`, the same way for every engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pyarrow as pa

    from lupus_provider.metrics.base import Shape
    from lupus_provider.metrics.plan import Measure, MetricPlan, Refused, Subject

PERIOD, GROUP_SET, ROWS, ENTITY = "period", "group_set", "rows", "entity"
SLICE = "lupus_slice"


def group_column(index: int) -> str:
    """Name of the answer's column for the plan's group column of that index."""
    return f"g{index}"


@dataclass(frozen=True, slots=True)
class Answer:
    """Primitives of some subjects, all of one shape.

    Attributes
    ----------
    shape
        `NUMBERS`: one row a group; `BINS`: one row a group and bin, in column `bin`; else one row a row of `SHAPE_COLUMNS[shape]`.
    table
        Columns `period` (int32, index into the plan's periods), `lupus_slice` (string; only where the plan has slices, null: all rows),
        `group_set` (int32, index into the plan's group sets; -1: the whole where no group set is), `g0…` (string, null where null or
        not in the group set), and what the shape holds. `NUMBERS` has `rows` (int64) too.
    columns
        Subject → primitive alias or column of the shape → column of `table`. One subject where the shape is not `NUMBERS`.
    measures
        What the answer serves.
    """

    shape: Shape
    table: pa.Table
    columns: Mapping[Subject, Mapping[str, str]]
    measures: Mapping[Subject, Sequence[Measure]]


class Engine(Protocol):
    """Computes the primitives of a plan over one table."""

    def answers(self, plan: MetricPlan) -> Iterator[Answer | Refused]:
        """Yield answers; what cannot be computed is refused with a reason and never stops the rest.

        The first answer of the rows themselves comes before all others: it says which groups there are.
        """
        ...

    def schema(self) -> Mapping[str, str]:
        """Return column → type as Arrow spells it, in the table's order; the same in every engine."""
        ...
