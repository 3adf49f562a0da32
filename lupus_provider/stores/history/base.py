"""The history: the complete record of points, anomalies and evaluations.

The key of an overwrite is (project, metric_set, dt), one writer at a time a metric set. A load writes new immutable files in a
folder of their own version and then switches readers to all of them in one atomic act.

Laws (tests/contract/test_history.py): a reader sees a load whole or not at all · loading twice equals loading once · the stage's
newest content wins whoever loads last · days and metric sets do not touch each other · a scan sees nothing outside its query · a compaction
changes no scan, whatever loads run beside it · an expiry drops what is older, nothing else, and a day that is loaded again is there again.
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
class Compacted:
    """What a compaction came to."""

    months: int = 0
    """Months that were merged."""
    files: int = 0
    """Files that readers opened for them before; now it is one a month."""
    rows: int = 0

    def __add__(self, other: Compacted) -> Compacted:
        """Add up two compactions."""
        return Compacted(self.months + other.months, self.files + other.files, self.rows + other.rows)


@dataclass(frozen=True, slots=True)
class Expired:
    """What an expiry came to."""

    days: int = 0
    """Days that were dropped."""
    periods: int = 0
    rows: int = 0

    def __add__(self, other: Expired) -> Expired:
        """Add up two expiries."""
        return Expired(self.days + other.days, self.periods + other.periods, self.rows + other.rows)


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

    def compact(self, kind: RecordKind, project: str, metric_set: str, closed_before: date) -> Compacted:
        """Merge the day files of every month (UTC) that ended by `closed_before`: the same rows in fewer files, while readers read.

        A day that is loaded again later is read from its own file, until its month is merged again. Safe to repeat and to interrupt.
        """
        ...

    def expire(self, kind: RecordKind, project: str, metric_set: str, before: date) -> Expired:
        """Drop the periods that start before a UTC date, in one act; in the catalogue, too. Safe to repeat and to interrupt."""
        ...
