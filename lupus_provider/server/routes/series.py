"""Series: points for charts, everything else about one series, and its data as CSV."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from fastapi import APIRouter, HTTPException, Response

from lupus_provider.config import MetricSet
from lupus_provider.detectors import SeriesInfo
from lupus_provider.errors import UnknownMetricError
from lupus_provider.metrics import parse_metric
from lupus_provider.server.access import Projects
from lupus_provider.server.export import to_csv
from lupus_provider.server.parameters import Asked, TimeRange, is_series_id
from lupus_provider.server.reading import read_points
from lupus_provider.server.state import Index, find_project
from lupus_provider.stores.index.base import IndexStore
from lupus_provider.wire import BatchRequest, BatchResponse, DetectorInfo, SeriesDetail, SeriesSummary

router = APIRouter()

RELATED = 24


@router.post("/series/batch")
def batch(body: BatchRequest, index: Index, projects: Projects) -> BatchResponse:
    """Return points of several series; ids that do not exist or may not be seen are left out, without telling which."""
    known = list(index.series([sid for sid in body.ids if is_series_id(sid)], projects))
    asked = TimeRange(body.start, body.end)
    items = read_points(index, projects, known, asked, max_points=body.max_points, with_band=body.band)
    return BatchResponse(items=items)


def _summary(index: IndexStore, series_id: str, projects: frozenset[str]) -> SeriesSummary:
    found = index.series([series_id], projects).get(series_id) if is_series_id(series_id) else None
    if found is None:  # one answer for both, so that names do not leak
        raise HTTPException(404, f"series {series_id[:40]!r} does not exist, or you may not read its project")
    return found


@router.get("/series/{series_id}")
def detail(series_id: str, index: Index, projects: Projects) -> SeriesDetail:
    """Return everything beside the points that the chart's page shows."""
    summary = _summary(index, series_id, projects)
    project = find_project(summary.project)
    metric_set = project.metric_sets.get(summary.metric_set) if project else None
    return SeriesDetail(
        summary=summary,
        unit=summary.unit,
        description=describe(summary.metric, summary.column_name),
        schedule=metric_set.schedule if metric_set else None,
        timezone=summary.timezone,
        owner=project.owner if project else None,
        detectors=_detectors(metric_set, summary),
        related=list(index.related(series_id, projects, RELATED)),
    )


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
            key=detector.key,
            name=detector.detector,
            severity=str(detector.severity),
            parameters=detector.model_dump(mode="json", exclude={*detector.selection_fields, "detector"}),
        )
        for detector in metric_set.detect
        if detector.selects(info)
    ]


@router.get("/series/{series_id}/data.csv")
def data(series_id: str, index: Index, projects: Projects, asked: Asked) -> Response:
    """Return the series as CSV: one row a period, with band and verdict."""
    summary = _summary(index, series_id, projects)
    points = read_points(index, projects, [series_id], asked, max_points=None, with_band=True)[0]
    headers = {"Content-Disposition": f'attachment; filename="{summary.project}-{summary.metric_set}-{series_id}.csv"'}
    text = to_csv(points, ZoneInfo(summary.timezone))
    return Response(text, media_type="text/csv; charset=utf-8", headers=headers)
