"""What an engine answers: wide Arrow tables of primitives, one row a period and group.

Points are made of them in `processors.assemble`, the same way for every engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

    from lupus_provider.metrics.plan import Measure, MetricPlan, Refused, Subject

PERIOD, GROUP_SET, ROWS, ENTITY, TOTAL = "period", "group_set", "rows", "entity", "total"


def group_column(index: int) -> str:
    """Name of the answer's column for the plan's group column of that index."""
    return f"g{index}"


@dataclass(frozen=True, slots=True)
class Answer:
    """Primitives of some subjects.

    Attributes
    ----------
    table
        Columns `period` (int32, index into the plan's periods), `group_set` (int32, index into the plan's group sets; -1: the whole
        where no group set is), `g0…` (string, null where null or not in the group set), `rows` (int64), and one double a primitive.
        With `entity` (string) where the answer is per entity, and `total` (values of the group).
    columns
        Subject → primitive alias → column of `table`.
    measures
        What the answer serves.
    """

    table: pa.Table
    columns: dict[Subject, dict[str, str]]
    measures: dict[Subject, Sequence[Measure]]
    per_entity: bool = False


class Engine(Protocol):
    """Computes the primitives of a plan over one table."""

    def answers(self, plan: MetricPlan) -> Iterator[Answer | Refused]:
        """Yield answers; what cannot be computed is refused with a reason and never stops the rest."""
        ...
