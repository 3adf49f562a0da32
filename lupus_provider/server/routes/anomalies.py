"""Anomalies: flagged points over all series that the caller may see."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from lupus_provider.server.access import Projects
from lupus_provider.server.state import Index
from lupus_provider.wire import AnomalyPage

router = APIRouter()


@router.get("/anomalies")
def anomalies(
    index: Index,
    projects: Projects,
    project: Annotated[list[str] | None, Query()] = None,
    start: int | None = None,
    end: int | None = None,
    sort: Literal["score", "recent"] = "score",
    cursor: Annotated[str | None, Query(max_length=20)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> AnomalyPage:
    """Return flagged points, strangest or newest first."""
    asked = projects if project is None else projects & frozenset(project)
    return index.anomalies(asked, start=start, end=end, sort=sort, cursor=cursor, limit=limit)
