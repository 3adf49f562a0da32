"""collect: table → stage. Measures all periods of the span in one scan and stages one file a period.

What a run needs beside its own table, earlier histograms and kept references, it reads from the stage, so that any number of tries
end in the same files.
"""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from lupus_provider.config.building import make_processor
from lupus_provider.config.metric_set import TableMetricSet
from lupus_provider.config.processors import DriftMetricSet, ExpectationsMetricSet, TrainingMetricSet
from lupus_provider.config.source import FixedReference
from lupus_provider.errors import BadSpanError
from lupus_provider.records import HISTOGRAMS, POINTS
from lupus_provider.records.cut import by_period
from lupus_provider.steps.connections import Connections, NoConnections, Submission
from lupus_provider.steps.references import reference_of
from lupus_provider.steps.sources import data_of

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    import pyarrow as pa

    from lupus_provider.config.building import AnyProcessor
    from lupus_provider.records import RecordKind
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


def collect(
    target: Target,
    stage: StageStore,
    data_folder: Path,
    run_id: str,
    now: datetime,
    connections: Connections | None = None,
) -> Collected:
    """Measure the span's periods and stage their points.

    Parameters
    ----------
    data_folder
        Where relative source paths start.
    run_id
        Who measured, for the record.
    now
        Aware; when the reading begins: the newest collection of a period wins.
    connections
        Who opens Spark and tracking stores; None: Spark inside this process.

    Raises
    ------
    BadSpanError
        If no period lies in the span.
    SourceUnreadableError, TimeColumnError, PlanFailedError, EngineFailedError
        If the table as a whole cannot be measured; a single metric that fails is a point with `error`.
    ExpectationsFailedError
        If the metric set's gate stays shut; the points are staged before.
    """
    if not target.periods:
        raise BadSpanError(str(target), f"no {target.metric_set.period} starts in the span", "Give a longer span.")
    doors = connections if connections is not None else NoConnections()
    if _on_spark(target) and doors.submits_spark:
        doors.submit_spark(Submission(target, stage.url, str(data_folder), run_id, now))
        return _told(target, *_staged(target, stage))
    processor = _processor(target, stage, data_folder, doors)
    metrics = processor.get_metrics(
        project=target.project.project, metric_set=target.metric_set_name, run_id=run_id, collected_at=now
    )
    points = metrics.to_arrow()
    superseded = _stage(target, stage, POINTS, points, now)
    if isinstance(target.metric_set, DriftMetricSet) and not isinstance(target.metric_set.reference, FixedReference):
        _stage(target, stage, HISTOGRAMS, processor.histograms(), now)  # pyright: ignore[reportAttributeAccessIssue]
    done = _told(target, points, superseded)
    _check_gate(target, processor)
    return done


def _on_spark(target: Target) -> bool:
    return isinstance(target.metric_set, TableMetricSet) and target.metric_set.engine == "spark"


def _processor(target: Target, stage: StageStore, data_folder: Path, connections: Connections) -> AnyProcessor:
    metric_set = target.metric_set
    data = tracking_uri = None
    if isinstance(metric_set, TableMetricSet):
        data = data_of(metric_set, data_folder, connections)
    elif isinstance(metric_set, TrainingMetricSet) and metric_set.tracking_conn_id is not None:
        tracking_uri = connections.tracking_uri(metric_set.tracking_conn_id)
    reference = reference_of(target, stage, data_folder, connections)
    zone = target.project.timezone
    return make_processor(
        metric_set, data, periods=target.periods, zone=zone, reference=reference, tracking_uri=tracking_uri
    )


def _stage(target: Target, stage: StageStore, kind: RecordKind, table: pa.Table, now: datetime) -> int:
    """Write one file a period; return how many periods a newer collection had staged already."""
    starts = [period.start for period in target.periods]
    return sum(
        not stage.write(kind, target.project.project, target.metric_set_name, start, part, now)
        for start, part in by_period(table, starts)
    )


def _staged(target: Target, stage: StageStore) -> tuple[pa.Table, int]:
    """Read what another process staged for the run."""
    import pyarrow as pa

    files = stage.files(POINTS, target.project.project, target.metric_set_name, target.span)
    return pa.concat_tables([POINTS.empty(), *(stage.read(POINTS, file) for file in files)]), 0


def _told(target: Target, points: pa.Table, superseded: int) -> Collected:
    reasons = Counter(points["error"].drop_null().to_pylist())
    periods = target.periods
    first, last = periods[0].start.isoformat(), periods[-1].start.isoformat()
    done = Collected(first, last, len(periods), points.num_rows, reasons.total(), superseded)
    log.info("collected %s: %s", target, done)
    if done.failed:
        text = "; ".join(f"{n} times {reason}" for reason, n in reasons.most_common(10))
        log.warning("%d points of %s failed: %s", done.failed, target, text)
    return done


def _check_gate(target: Target, processor: AnyProcessor) -> None:
    gate = target.metric_set.gate if isinstance(target.metric_set, ExpectationsMetricSet) else None
    if gate is not None:
        processor.check(gate.min_success_ratio, gate.severity, gate.show_values)  # pyright: ignore[reportAttributeAccessIssue]
