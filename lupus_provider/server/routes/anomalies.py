"""Anomalies: flagged points over all series that the caller may see."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from lupus_provider.server.access import Projects
from lupus_provider.server.parameters import Asked, Cursor
from lupus_provider.server.state import Index
from lupus_provider.wire import AnomalyPage

router = APIRouter()


@router.get("/anomalies")
def anomalies(
    index: Index,
    projects: Projects,
    asked: Asked,
    project: Annotated[list[str] | None, Query(max_length=500)] = None,
    sort: Literal["score", "recent"] = "score",
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> AnomalyPage:
    """Return flagged points, strangest or newest first; names of projects that may not be seen are left out."""
    wanted = projects if project is None else projects & frozenset(project)
    return index.anomalies(wanted, start=asked.start, end=asked.end, sort=sort, cursor=cursor, limit=limit)
