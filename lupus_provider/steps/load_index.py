"""load_index: stage → index. Fills the span's slots in the index and clears those that are no longer there."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from lupus_provider.records import KINDS
from lupus_provider.steps.gather import Loaded, staged
from lupus_provider.stores.index.base import IndexStore, MetricSetInfo

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lupus_provider.steps.target import Target
    from lupus_provider.stores.stage.base import StageStore

log = logging.getLogger(__name__)


def load_index(target: Target, stage: StageStore, index: IndexStore, kinds: Sequence[str] = ("points",)) -> Loaded:
    """Load staged periods of the span into the index; safe to repeat, as `load_history` is."""
    about = about_metric_set(target)
    done = Loaded.of([index.load(KINDS[kind], about, staged(target, stage, KINDS[kind])) for kind in kinds])
    log.info("loaded %s of %s into the index: %s", ", ".join(kinds), target, done)
    return done


def about_metric_set(target: Target) -> MetricSetInfo:
    """Return what the page must know of the metric set."""
    return MetricSetInfo(
        target.project.project, target.metric_set_name, target.metric_set.period, target.project.timezone
    )
