"""What the stage holds of a span, in the form that history and index load."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from lupus_provider.stores.history.base import Incoming, Switched

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lupus_provider.records import RecordKind
    from lupus_provider.steps.target import Target
    from lupus_provider.stores.stage.base import StageStore


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load came to."""

    periods: int
    """Periods that were new or different."""
    unchanged: int
    """Periods that were loaded already."""
    days: int
    rows: int

    @classmethod
    def of(cls, switched: Sequence[Switched]) -> Loaded:
        """Add up the loads of several kinds."""
        return cls(
            sum(s.periods for s in switched),
            sum(s.unchanged for s in switched),
            sum(len(s.days) for s in switched),
            sum(s.rows for s in switched),
        )

    def as_xcom(self) -> dict[str, int | str]:
        """Return counts as plain JSON."""
        return {"periods": self.periods, "unchanged": self.unchanged, "days": self.days, "rows": self.rows}


def staged(target: Target, stage: StageStore, kind: RecordKind) -> Callable[[], Sequence[Incoming]]:
    """Return a function that lists what is staged now; the stores call it while they are the only writer."""

    def gather() -> Sequence[Incoming]:
        files = stage.files(kind, target.project.project, target.metric_set_name, target.span)
        return [
            Incoming(file.period_start, file.digest, file.written_at, partial(stage.read, kind, file)) for file in files
        ]

    return gather
