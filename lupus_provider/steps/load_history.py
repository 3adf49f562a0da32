"""load_history: stage → history. Makes the history's days say what the stage says of the span."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from lupus_provider.records import KINDS
from lupus_provider.steps.gather import Loaded, staged

if TYPE_CHECKING:
    from lupus_provider.steps.target import Target
    from lupus_provider.stores.history.base import HistoryStore
    from lupus_provider.stores.stage.base import StageStore

log = logging.getLogger(__name__)


def load_history(target: Target, stage: StageStore, history: HistoryStore, kind: str = "points") -> Loaded:
    """Load staged periods of one kind into the history.

    Safe to repeat, at any time and beside another try: a reader sees the load whole or not at all, the stage's newest content wins,
    and what is loaded already is left alone.

    Parameters
    ----------
    kind
        `points`, `anomalies` or `evaluations`.
    """
    records = KINDS[kind]
    switched = history.load(records, target.project.project, target.metric_set_name, staged(target, stage, records))
    done = Loaded.of([switched])
    log.info("loaded %s of %s into the history: %s", kind, target, done)
    return done
