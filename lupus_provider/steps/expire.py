"""expire: drops the records that are older than the project file lets them be kept, from the history, its catalogue and the index.

Without an age in the project file nothing ever goes. What is measured again, or compared with, stays
(tests/unit/steps/test_expire.py).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Literal

from lupus_provider.config.processors import DriftMetricSet
from lupus_provider.config.source import VersionReference, WindowReference
from lupus_provider.periods import last_complete, period_at
from lupus_provider.records import HISTOGRAMS, KINDS
from lupus_provider.steps.references import LOOKBACK
from lupus_provider.stores.history.base import Expired

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime, timedelta

    from lupus_provider.config import Project
    from lupus_provider.records import RecordKind
    from lupus_provider.stores.history.base import HistoryStore
    from lupus_provider.stores.index.base import IndexStore

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ExpiredRecords:
    """What an expiry of a project came to."""

    history: Expired
    index_periods: int
    """Periods that the index forgot, over all kinds."""


def expire(
    project: Project,
    history: HistoryStore,
    index: IndexStore,
    now: datetime,
    metric_sets: Collection[str] | None = None,
) -> ExpiredRecords:
    """Drop what is too old of a project's metric sets; safe to repeat and to interrupt.

    Parameters
    ----------
    now
        Aware; ages are counted back from it.
    metric_sets
        Only these; None: all of the project file.
    """
    dropped, forgotten = Expired(), 0
    for name in project.metric_sets if metric_sets is None else metric_sets:
        for kind in KINDS.values():
            first = first_kept(project, name, "history", now, kind)
            if first is not None:
                dropped += history.expire(kind, project.project, name, first.astimezone(UTC).date())
        first = first_kept(project, name, "index", now)
        if first is not None:
            forgotten += index.expire(project.project, name, first)
    done = ExpiredRecords(dropped, forgotten)
    log.info("expired of %s: %s", project.project, done)
    return done


def first_kept(
    project: Project, metric_set: str, store: Literal["history", "index"], now: datetime, kind: RecordKind | None = None
) -> datetime | None:
    """Return the start of the first period that a store keeps: not older than the age as a whole, or still compared with by drift.

    None: it keeps all.
    """
    age: timedelta | None = getattr(project.retention_of(metric_set), store)
    if age is None:
        return None
    about = project.metric_sets[metric_set]
    first = period_at(now - age, about.period, project.zone).start
    moving = isinstance(about, DriftMetricSet) and isinstance(about.reference, WindowReference | VersionReference)
    if kind is HISTOGRAMS and moving:
        first = min(first, last_complete(now, about.period, project.zone, 1 + about.revisit + LOOKBACK).start)
    return first
