"""The history: the complete record of points, anomalies and evaluations.

The key of an overwrite is (project, metric_set, dt), one writer at a time a metric set. A load writes new immutable files in a
folder of their own version and then switches readers to all of them in one atomic act.

Laws (tests/contract/test_history.py): a reader sees a load whole or not at all · loading twice equals loading once · the stage's
newest content wins whoever loads last · days and metric sets do not touch each other · a scan sees nothing outside its query.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date, datetime

    import pyarrow as pa

    from lupus_provider.periods import Span
    from lupus_provider.records import RecordKind


@dataclass(frozen=True, slots=True)
class Incoming:
    """One period that a load brings."""

    period_start: datetime
    digest: str
    written_at: datetime
    read: Callable[[], pa.Table]
    """Records as they are now, sorted by the kind's key."""

    def taken(self, kind: RecordKind) -> tuple[pa.Table, str]:
        """Read the records, and the digest of what was read: a newer collection may have replaced what was listed."""
        table = self.read()
        return table, kind.digest(table)


@dataclass(frozen=True, slots=True)
class Switched:
    """What a load came to."""

    days: tuple[date, ...] = ()
    """Days whose version changed."""
    periods: int = 0
    """Periods that were new or different."""
    unchanged: int = 0
    """Periods that the history held already."""
    rows: int = 0
    """Rows written, those of the days' other periods included."""


@dataclass(frozen=True, slots=True)
class HistoryQuery:
    """What a scan reads."""

    kind: RecordKind
    project: str
    metric_set: str
    span: Span | None = None
    """Periods that start in it; None: all."""
    columns: Sequence[str] | None = None
    """Only these columns; None: all."""
    series_ids: Sequence[str] = field(default=())
    """Only these series; empty: all."""


class HistoryStore(Protocol):
    """The complete record."""

    url: str

    def load(
        self,
        kind: RecordKind,
        project: str,
        metric_set: str,
        gather: Callable[[], Sequence[Incoming]],
        *,
        force: bool = False,
    ) -> Switched:
        """Make the periods that `gather` returns what the history says of them.

        `gather` is called while no other load of the metric set runs (or again, if one won), so the newest content wins.
        Periods that it does not return stay as they are. With `force` a period is written again also where it is loaded already.
        """
        ...

    def scan(self, query: HistoryQuery) -> pa.RecordBatchReader:
        """Stream records, sorted by the kind's key (series first), in Arrow batches; one consistent version of the metric set."""
        ...

    def periods(self, kind: RecordKind, project: str, metric_set: str) -> Mapping[datetime, str]:
        """Return period start → digest of everything that is loaded."""
        ...
