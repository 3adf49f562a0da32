"""The index: what the page reads. It can be dropped and rebuilt from the history at any time.

A document holds a series and a month; a point is a slot in its document. Loading a period fills its slots and clears those that are
no longer there.

Laws (tests/contract/test_index.py): loads are idempotent in any order and any number of times · a reader sees a period whole or not
at all · the stage's newest content wins whoever loads last · the index holds the same points as the history.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from lupus_provider.periods import PeriodName, Span
    from lupus_provider.records import RecordKind
    from lupus_provider.stores.history.base import Incoming, Switched
    from lupus_provider.wire import AnomalyPage, CatalogPage, Only, SeriesSummary, Sort

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MetricSetInfo:
    """What the page must know of a metric set to draw it."""

    project: str
    metric_set: str
    period: PeriodName
    timezone: str
    """IANA zone of the project."""


@dataclass(frozen=True, slots=True)
class CatalogQuery:
    """Which series a wall of charts shows. Within a filter OR, between filters AND; an empty filter lets all pass."""

    projects: frozenset[str]
    """Projects that the caller may see; nothing else is counted or named."""
    q: str = ""
    """Words that must all be in the series' name or project or metric set."""
    filters: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """`project`, `metric_set`, `column`, `metric`, `group.<column>` → wanted values."""
    only: Only | None = None
    sort: Sort = "attention"
    span: Span | None = None
    """Anomalies count in it; None: all."""
    cursor: str | None = None
    limit: int = 24


@dataclass(frozen=True, slots=True)
class Band:
    """What a detector expected; arrays of one length."""

    detector: str
    t: NDArray[np.int64]
    expected: Floats
    lower: Floats
    upper: Floats


@dataclass(frozen=True, slots=True)
class StoredPoints:
    """Points of one series, oldest first; arrays of one length."""

    t: NDArray[np.int64]
    """Period starts, epoch seconds."""
    value: Floats
    """NaN: a point without a value."""
    n_rows: NDArray[np.int64]
    """-1: unknown."""
    errors: Mapping[int, str]
    """Period start → why the metric failed."""


class IndexStore(Protocol):
    """What the page reads."""

    def load(
        self, kind: RecordKind, about: MetricSetInfo, gather: Callable[[], Sequence[Incoming]], *, force: bool = False
    ) -> Switched:
        """Make the periods that `gather` returns what the index says of them; see `HistoryStore.load`.

        Parameters
        ----------
        force
            Write also what is recorded as loaded already: for a rebuild. Readers see the old content of a period, then the new.
        """
        ...

    def search(self, query: CatalogQuery) -> CatalogPage:
        """One page of the catalogue with facets, counts and the overview strip."""
        ...

    def series(self, series_ids: Sequence[str], projects: frozenset[str]) -> Mapping[str, SeriesSummary]:
        """Return the series that exist in those projects."""
        ...

    def related(self, series_id: str, projects: frozenset[str], limit: int) -> Sequence[SeriesSummary]:
        """Return the same column and metric in the other groups and entities, strangest first."""
        ...

    def points(self, series_ids: Sequence[str], start: int | None, end: int | None) -> Mapping[str, StoredPoints]:
        """Return points of series that the caller was let see; epoch seconds, `end` exclusive."""
        ...

    def bands(self, series_ids: Sequence[str], start: int | None, end: int | None) -> Mapping[str, Sequence[Band]]:
        """Return what detectors expected of the series."""
        ...

    def anomalies(
        self, projects: frozenset[str], *, series_ids: Sequence[str] | None = None, start: int | None = None, end: int | None = None,
        sort: str = "score", cursor: str | None = None, limit: int = 100,
    ) -> AnomalyPage:  # fmt: skip
        """Return flagged points: `sort` is `score` (strangest first) or `recent`."""
        ...

    def periods(self, kind: RecordKind, project: str, metric_set: str) -> Mapping[datetime, str]:
        """Return period start → digest of everything that is loaded."""
        ...

    def expire(self, project: str, metric_set: str, before: datetime) -> int:
        """Forget all records of periods that start before an instant (aware), in `periods` too; return how many periods, over all kinds.

        Series that have no point left go, too. Safe to repeat and to interrupt; a period that is loaded again later is there again.
        """
        ...
