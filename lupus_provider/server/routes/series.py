"""Series: points for charts, everything else about one series, and its data as CSV."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, HTTPException, Query, Response

from lupus_provider.config import MetricSet
from lupus_provider.detectors import SeriesInfo
from lupus_provider.errors import UnknownMetricError
from lupus_provider.metrics import parse_metric
from lupus_provider.server.access import Projects, SameOrigin
from lupus_provider.server.columns import series_points
from lupus_provider.server.state import Index, find_project
from lupus_provider.stores.index.base import IndexStore
from lupus_provider.wire import AnomalyPoint, BatchRequest, BatchResponse, DetectorInfo, SeriesDetail, SeriesPoints, SeriesSummary

router = APIRouter()

ANOMALIES = 5_000
"""Most flagged points that one answer carries."""
RELATED = 24


@router.post("/series/batch", dependencies=[SameOrigin])
def batch(body: BatchRequest, index: Index, projects: Projects) -> BatchResponse:
    """Return points of several series; ids that do not exist or may not be seen are left out, without telling which."""
    known = list(index.series(body.ids, projects))
    return BatchResponse(items=read_points(index, projects, known, body.start, body.end, body.max_points, with_band=body.band))


def read_points(
    index: IndexStore, projects: frozenset[str], ids: list[str], start: int | None, end: int | None, max_points: int, *, with_band: bool
) -> list[SeriesPoints]:
    """Read points, bands and anomalies of series that the caller may see."""
    if not ids:
        return []
    points = index.points(ids, start, end)
    bands = index.bands(ids, start, end) if with_band else {}
    flagged: dict[str, list[AnomalyPoint]] = {}
    for row in index.anomalies(projects, series_ids=ids, start=start, end=end, sort="recent", limit=ANOMALIES).items:
        flagged.setdefault(row.series_id, []).append(AnomalyPoint(**row.model_dump(exclude={"series"})))
    return [
        series_points(sid, points.get(sid), bands.get(sid, ()), sorted(flagged.get(sid, []), key=lambda a: a.t), max_points, with_band=with_band)
        for sid in ids
    ]


def _summary(index: IndexStore, series_id: str, projects: frozenset[str]) -> SeriesSummary:
    found = index.series([series_id], projects).get(series_id)
    if found is None:  # one answer for both, so that names do not leak
        raise HTTPException(404, f"series {series_id!r} does not exist, or you may not read its project")
    return found


@router.get("/series/{series_id}")
def detail(series_id: str, index: Index, projects: Projects) -> SeriesDetail:
    """Return everything beside the points that the chart's page shows."""
    summary = _summary(index, series_id, projects)
    project = find_project(summary.project)
    metric_set = project.metric_sets.get(summary.metric_set) if project else None
    return SeriesDetail(
        summary=summary, unit=summary.unit, description=describe(summary.metric, summary.column_name),
        schedule=metric_set.schedule if metric_set else None, timezone=summary.timezone, owner=project.owner if project else None,
        detectors=_detectors(metric_set, summary), related=list(index.related(series_id, projects, RELATED)),
    )  # fmt: skip


def describe(metric: str, column: str) -> str:
    """One sentence that says what a metric is."""
    try:
        text = (type(parse_metric(metric).metric).__doc__ or "").strip().split("\n")[0]
    except UnknownMetricError:
        return f"{metric} of {column}" if column else metric
    return f"{text} Column: {column}." if column else text


def _detectors(metric_set: MetricSet | None, summary: SeriesSummary) -> list[DetectorInfo]:
    if metric_set is None:
        return []
    group = {item.column: item.value for item in summary.group_key}
    info = SeriesInfo(summary.series_id, summary.column_name, summary.metric, summary.entity, group)
    return [
        DetectorInfo(
            key=detector.key, name=detector.detector, severity=str(detector.severity),
            parameters=detector.model_dump(mode="json", exclude={*detector.selection_fields, "detector"}),
        )
        for detector in metric_set.detect if detector.selects(info)
    ]  # fmt: skip


@router.get("/series/{series_id}/data.csv")
def data(
    series_id: str, index: Index, projects: Projects, start: Annotated[int | None, Query()] = None, end: Annotated[int | None, Query()] = None
) -> Response:
    """Return the series as CSV: one row a period, with band and verdict."""
    summary = _summary(index, series_id, projects)
    points = read_points(index, projects, [series_id], start, end, 1_000_000, with_band=True)[0]
    zone = ZoneInfo(summary.timezone)
    flags = {a.t: a for a in points.anomalies}
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["period_start", "local_start", "value", "n_rows", "expected", "lower", "upper", "kind", "detector", "score", "error"])
    nothing = [None] * len(points.t)
    columns = zip(points.t, points.value, points.n_rows or nothing, points.expected or nothing, points.lower or nothing, points.upper or nothing,
                  points.error or nothing)  # fmt: skip
    for t, value, n_rows, expected, lower, upper, error in columns:
        moment, flag = datetime.fromtimestamp(t, UTC), flags.get(t)
        verdict = [flag.kind, flag.detector, flag.score] if flag else [None, None, None]
        writer.writerow([moment.isoformat(), moment.astimezone(zone).isoformat(), value, n_rows, expected, lower, upper, *verdict, error])
    headers = {"Content-Disposition": f'attachment; filename="{summary.project}-{summary.metric_set}-{series_id}.csv"'}
    return Response(file.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


