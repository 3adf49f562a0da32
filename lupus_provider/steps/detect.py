"""detect: history → stage. Judges all series of a metric set at once and stages anomalies and evaluations.

One pruned scan a metric set, never a query a series. Judging a period again replaces its verdicts.
"""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from lupus_provider.detectors import Detector, Judgement, Outcome, Panel
from lupus_provider.periods import Span, last_complete, period_at, periods_in
from lupus_provider.records import ANOMALIES, EVALUATIONS, POINTS, RecordKind
from lupus_provider.records.cut import by_period
from lupus_provider.steps.panel import COLUMNS, alive, make_panel
from lupus_provider.stores.history.base import HistoryQuery, HistoryStore

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from lupus_provider.steps.target import Target
    from lupus_provider.stores.stage.base import StageStore

log = logging.getLogger(__name__)

LOOKBACK = 800
"""Periods of history before the span that detectors are given: two years of days."""
_OUTCOMES = np.array([outcome.word for outcome in Outcome], dtype=object)


@dataclass(frozen=True, slots=True)
class Detected:
    """What a detection came to."""

    periods: int
    series: int
    evaluations: int
    anomalies: int
    failed_detectors: int
    """Detectors that broke: their evaluations say `failed`, the log has the tracebacks, the others' verdicts still came."""
    superseded: int
    """Periods that a newer detection had staged already."""

    def as_xcom(self) -> dict[str, int | str]:
        """Return counts as plain JSON."""
        return asdict(self)


def detect(target: Target, history: HistoryStore, stage: StageStore, now: datetime, run_id: str) -> Detected:
    """Judge the span's periods by the metric set's detectors and stage the verdicts.

    Parameters
    ----------
    now
        Aware; when the detection begins: the newest verdicts of a period win.
    """
    periods = target.periods
    tables: dict[RecordKind, list[pa.Table]] = {ANOMALIES: [ANOMALIES.empty()], EVALUATIONS: [EVALUATIONS.empty()]}
    panel = read_panel(target, history) if periods and target.metric_set.detect else None
    failed = 0
    if panel is not None and len(panel):
        judged = slice(len(panel.period_start) - len(periods), len(panel.period_start))
        for detector, mine in _shares(panel, target.metric_set.detect):
            try:
                judgement = detector.detect(mine, judged)
            except Exception:  # (anybody's detector: whatever it raises, the others must go on)
                log.exception("detector %s of %s broke; the others go on", detector.key, target)
                judgement = Judgement.empty(len(mine), len(periods), Outcome.FAILED)
                failed += 1
            for kind, table in verdicts(mine, detector, judgement, judged, run_id, now).items():
                tables[kind].append(table)
    superseded = 0
    counts = {}
    for kind, parts in tables.items():
        table = pa.concat_tables(parts)
        counts[kind] = table.num_rows
        for start, part in by_period(table, [p.start for p in periods]):
            superseded += not stage.write(kind, target.project.project, target.metric_set_name, start, part, now)
    done = Detected(
        len(periods), 0 if panel is None else len(panel), counts[EVALUATIONS], counts[ANOMALIES], failed, superseded
    )
    log.info("detected %s: %s", target, done)
    return done


def read_panel(target: Target, history: HistoryStore) -> Panel | None:
    """Return the metric set's series up to the end of the span, with so much of the past as detectors get; None: no points.

    The periods of the span are the last ones of the axis.
    """
    period, zone = target.metric_set.period, target.zone
    begin = last_complete(target.span.start, period, zone, LOOKBACK).start
    span = Span(begin, target.span.end)
    query = HistoryQuery(POINTS, target.project.project, target.metric_set_name, span, COLUMNS)
    points = history.scan(query).read_all()
    if not points.num_rows:
        return None
    first = min(points["period_start"].unique().to_pylist())
    axis = periods_in(
        Span(period_at(min(first, target.periods[0].start), period, zone).start, target.span.end), period, zone
    )
    return make_panel(points, axis, period, zone)


def _shares(panel: Panel, detectors: Sequence[Detector]) -> Iterator[tuple[Detector, Panel]]:
    """Yield every detector with the series that it judges.

    Two rules with the same parameters are one detector: a series that both select is judged once, by the louder rule.
    """
    louder_first = sorted(detectors, key=lambda detector: detector.severity.rank, reverse=True)
    taken: dict[str, set[int]] = {}
    for detector in louder_first:
        judged = taken.setdefault(detector.key, set())
        rows = [i for i, series in enumerate(panel.series) if i not in judged and detector.selects(series)]
        judged.update(rows)
        if rows:
            yield detector, panel.select(np.array(rows, np.intp))


def verdicts(
    mine: Panel, detector: Detector, judgement: Judgement, judged: slice, run_id: str, now: datetime
) -> dict[RecordKind, pa.Table]:
    """Return what a detector said of the judged periods as anomalies and evaluations."""
    i, j = np.nonzero(alive(mine)[:, judged])
    common = _common(mine, detector, judgement, judged, i, j, run_id, now)
    outcome = judgement.outcome[i, j]
    evaluations = pa.table({**common, "outcome": pa.array(_OUTCOMES[outcome], pa.string())})
    strange = outcome == Outcome.ANOMALY
    value = mine.value[:, judged][i, j]
    anomalies = pa.table({
        **common,
        "kind": pa.array(judgement.kind[i, j], pa.string()),
        "value": pa.array(value, pa.float64(), from_pandas=True),
        "severity": pa.repeat(pa.scalar(str(detector.severity)), len(i)),
        "direction": pa.array(_direction(value, judgement, i, j), pa.string()),
    }).filter(pa.array(strange))  # fmt: skip
    return {
        kind: table.select(kind.schema.names).cast(kind.schema)
        for kind, table in ((ANOMALIES, anomalies), (EVALUATIONS, evaluations))
    }


def _common(
    panel: Panel,
    detector: Detector,
    judgement: Judgement,
    judged: slice,
    i: np.ndarray,
    j: np.ndarray,
    run_id: str,
    now: datetime,
) -> dict[str, pa.Array]:
    ids = np.array([series.series_id for series in panel.series], dtype=object)
    instant = ANOMALIES.schema.field("period_start").type
    n = len(i)

    def floats(values: np.ndarray) -> pa.Array:
        picked = values[i, j]
        return pa.array(np.where(np.isfinite(picked), picked, np.nan), pa.float64(), from_pandas=True)

    return {
        "series_id": pa.array(ids[i], pa.string()),
        "period_start": pa.array(panel.period_start[judged][j], pa.timestamp("us")).cast(instant),
        "detector": pa.repeat(pa.scalar(detector.key), n),
        "expected": floats(judgement.expected),
        "lower": floats(judgement.lower),
        "upper": floats(judgement.upper),
        "score": floats(judgement.score),
        "run_id": pa.repeat(pa.scalar(run_id), n),
        "detected_at": pa.repeat(pa.scalar(now, instant), n),
    }


def _direction(value: np.ndarray, judgement: Judgement, i: np.ndarray, j: np.ndarray) -> np.ndarray:
    middle, lower, upper = judgement.expected[i, j], judgement.lower[i, j], judgement.upper[i, j]
    with np.errstate(invalid="ignore"):
        up = (value > upper) | ((value > middle) & ~(value < lower))
        down = (value < lower) | (value < middle)
    return np.where(up, "up", np.where(down, "down", "none")).astype(object)
