"""The stage: storage where records lie as Parquet on their way, one file a period. Only ever storage, never a step.

Laws (tests/contract/test_stage.py): a staged file is whole or absent · writing twice equals writing once · the newest collection
wins, not the last writer · periods do not touch each other · an empty period is a file, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import pyarrow as pa

    from lupus_provider.periods import Span
    from lupus_provider.records import RecordKind
    from lupus_provider.stores.objects.base import Objects


@dataclass(frozen=True, slots=True)
class StagedFile:
    """One period of one kind on the stage."""

    path: str
    """Relative to the stage."""
    period_start: datetime
    digest: str
    written_at: datetime
    n_rows: int


class StageStore(Protocol):
    """Where records lie on their way."""

    url: str
    objects: Objects
    """The storage itself, for small files that belong to a metric set and to no period, such as references of drift."""

    def write(
        self,
        kind: RecordKind,
        project: str,
        metric_set: str,
        period_start: datetime,
        table: pa.Table,
        written_at: datetime,
    ) -> bool:
        """Put one period's records there, whole; False if a newer collection is there already."""
        ...

    def files(self, kind: RecordKind, project: str, metric_set: str, span: Span) -> Sequence[StagedFile]:
        """List the periods that start in the span, oldest first."""
        ...

    def read(self, kind: RecordKind, file: StagedFile) -> pa.Table:
        """Read one period's records, sorted by the kind's key."""
        ...
