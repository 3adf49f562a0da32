"""collect: table → stage. Measures all periods of the span in one scan and stages one file a period."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from lupus_provider.engines.source import TableSource
from lupus_provider.errors import BadSpanError
from lupus_provider.processors import DistributionProcessor
from lupus_provider.records import POINTS
from lupus_provider.steps.cut import by_period

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from lupus_provider.config import Source
    from lupus_provider.steps.target import Target
    from lupus_provider.stores.stage.base import StageStore

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Collected:
    """What a collection came to."""

    first: str
    """Start of the first period, UTC."""
    last: str
    """Start of the last period, UTC."""
    periods: int
    points: int
    failed: int
    """Points that carry an error instead of a value."""
    superseded: int
    """Periods that a newer collection had staged already."""

    def as_xcom(self) -> dict[str, int | str]:
        """Return counts as plain JSON."""
        return asdict(self)


def collect(target: Target, stage: StageStore, data_folder: Path, run_id: str, now: datetime) -> Collected:
    """Measure the span's periods and stage their points.

    Parameters
    ----------
    data_folder
        Where relative source paths start.
    run_id
        Who measured, for the record.
    now
        Aware; when the reading begins: the newest collection of a period wins.

    Raises
    ------
    BadSpanError
        If no period lies in the span.
    SourceUnreadableError, TimeColumnError, PlanFailedError
        If the table as a whole cannot be measured; a single metric that fails is a point with `error`.
    """
    periods = target.periods
    if not periods:
        raise BadSpanError(str(target), f"no {target.metric_set.period} starts in the span", "Give a longer span.")
    metric_set = target.metric_set
    processor = DistributionProcessor(
        table_source(metric_set.source, data_folder),
        column_metrics=metric_set.column_metrics, table_metrics=metric_set.table_metrics, group_sets=metric_set.groupings,
        periods=periods, time_column=metric_set.source.time_column, time_zone=metric_set.source.time_zone or "UTC",
        zone=target.project.timezone, where=metric_set.source.where, max_entities=metric_set.max_entities,
    )  # fmt: skip
    metrics = processor.get_metrics(
        project=target.project.project, metric_set=target.metric_set_name, run_id=run_id, collected_at=now
    )
    points = metrics.to_arrow()
    superseded = 0
    for start, part in by_period(points, [p.start for p in periods]):
        if not stage.write(POINTS, target.project.project, target.metric_set_name, start, part, now):
            superseded += 1
    reasons = Counter(points["error"].drop_null().to_pylist())
    failed = reasons.total()
    first, last = periods[0].start.isoformat(), periods[-1].start.isoformat()
    done = Collected(first, last, len(periods), points.num_rows, failed, superseded)
    log.info("collected %s: %s", target, done)
    if failed:
        text = "; ".join(f"{n} times {reason}" for reason, n in reasons.most_common(10))
        log.warning("%d points of %s failed: %s", failed, target, text)
    return done


def table_source(source: Source, data_folder: Path) -> TableSource:
    """Return where a project's source lies on this machine."""
    if source.path is not None:
        return TableSource(path=str(data_folder / source.path))
    return TableSource(table=source.table, database=str(data_folder / (source.database or "data.duckdb")))
