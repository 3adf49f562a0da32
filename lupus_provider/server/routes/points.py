"""Points that were measured elsewhere: into the stage, where the loads of their metric set take them from."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails
from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from lupus_provider import clock
from lupus_provider.naming import dag_id
from lupus_provider.periods import Period, PeriodName, period_at
from lupus_provider.processors.assemble import Stamp
from lupus_provider.processors.pushed import BadPointsError, collected_at, table_of
from lupus_provider.records import POINTS
from lupus_provider.server.access import Projects
from lupus_provider.server.state import Stage, find_project
from lupus_provider.wire import PushRequest, PushResponse

router = APIRouter()
_SCHEMA = {"$ref": f"#/components/schemas/{PushRequest.__name__}"}
_DESCRIBED = {"requestBody": {"required": True, "content": {"application/json": {"schema": _SCHEMA}}}}
"""The body is read by hand, because it may be too large to be read at all."""

MOST_BYTES = 64 << 20
_AHEAD = timedelta(minutes=5)
"""How far clocks of senders may be ahead: later points would shut out the right ones."""


async def _limited_body(request: Request) -> bytes:
    """Read a body up to the limit; FastAPI's own reading has none."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MOST_BYTES:
            raise HTTPException(413, f"the body is larger than {MOST_BYTES >> 20} MiB; push fewer points of a period")
        parts.append(part)
    return b"".join(parts)


@router.post("/projects/{project}/metric_sets/{metric_set}/points", openapi_extra=_DESCRIBED)
def push(
    project: str,
    metric_set: str,
    body: Annotated[bytes, Depends(_limited_body)],
    stage: Stage,
    projects: Projects,
    user: GetUserDep,
) -> PushResponse:
    """Store the points of one period, whole; again is no harm. Needs the right to trigger the metric set's DAG."""
    found = find_project(project) if project in projects else None
    known = found.metric_sets.get(metric_set) if found else None
    if found is None or known is None:  # one answer for all, so that names do not leak
        raise HTTPException(
            404, f"metric set {project[:63]}.{metric_set[:63]} does not exist, or you may not read its project"
        )
    details = DagDetails(id=dag_id(project, metric_set))
    if not get_auth_manager().is_authorized_dag(
        method="POST", access_entity=DagAccessEntity.RUN, details=details, user=user
    ):
        raise HTTPException(
            403, f"you may not push points of {project}.{metric_set}; it takes the right to trigger its DAG"
        )
    request = _request(body)
    period = _period(request, known.period, found.timezone)
    stamp = Stamp(project, metric_set, request.run_id, collected_at(request))
    if stamp.collected_at > clock.utc_now() + _AHEAD:
        raise HTTPException(422, "'collected_at' lies in the future")
    try:
        table = table_of(request, stamp, period)
    except BadPointsError as err:
        raise HTTPException(422, str(err)) from err
    stored = stage.write(POINTS, project, metric_set, period.start, table, stamp.collected_at)
    return PushResponse(stored=stored, n_points=table.num_rows)


def _request(body: bytes) -> PushRequest:
    try:
        return PushRequest.model_validate_json(body)
    except ValidationError as err:
        raise RequestValidationError(err.errors(include_url=False, include_context=False)) from err


def _period(request: PushRequest, name: PeriodName, zone: str) -> Period:
    start = datetime.fromtimestamp(request.period_start, UTC)
    try:
        period = period_at(start, name, ZoneInfo(zone))
    except (OverflowError, ValueError) as err:
        raise HTTPException(422, "'period_start' is no time that has periods") from err
    ends = {int(period.end.timestamp()), request.period_end} - {None}
    if period.start != start or len(ends) > 1:
        raise HTTPException(422, f"'period_start' and 'period_end' are no {name} of the zone {zone}")
    if start > clock.utc_now():
        raise HTTPException(422, "the period lies in the future")
    return period
