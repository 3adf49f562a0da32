"""compact: merges the history's day files of closed months, so that reading years opens a file a month.

A month is closed when no run measures its periods again by itself; a load that comes later all the same wins over the merge
(tests/unit/steps/test_compact.py).
"""

from __future__ import annotations

import logging
from datetime import UTC
from typing import TYPE_CHECKING

from lupus_provider.periods import last_complete
from lupus_provider.records import KINDS
from lupus_provider.stores.history.base import Compacted

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date, datetime

    from lupus_provider.config import Project
    from lupus_provider.stores.history.base import HistoryStore

log = logging.getLogger(__name__)


def compact(
    project: Project, history: HistoryStore, now: datetime, metric_sets: Collection[str] | None = None
) -> Compacted:
    """Merge the closed months of a project's metric sets, of all kinds of records.

    Safe to repeat, to interrupt and to run beside loads and readers: what is merged already is left alone, and no scan changes.

    Parameters
    ----------
    now
        Aware.
    metric_sets
        Only these; None: all of the project file.
    """
    done = Compacted()
    for name in project.metric_sets if metric_sets is None else metric_sets:
        closed = closed_before(project, name, now)
        for kind in KINDS.values():
            done += history.compact(kind, project.project, name, closed)
    log.info("compacted %s: %s", project.project, done)
    return done


def closed_before(project: Project, metric_set: str, now: datetime) -> date:
    """Return the UTC date of the first period that a run of now would measure: what ended by then is closed."""
    about = project.metric_sets[metric_set]
    first = last_complete(now, about.period, project.zone, 1 + about.revisit).start
    return first.astimezone(UTC).date()
