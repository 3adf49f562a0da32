"""The catalogue: which series there are, narrowed by facets, sorted by what needs attention."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request

from lupus_provider.periods import Span
from lupus_provider.server.access import Projects
from lupus_provider.server.state import Index
from lupus_provider.stores.index.base import CatalogQuery
from lupus_provider.wire import CatalogPage, Only, Sort

router = APIRouter()

FACETS = ("project", "metric_set", "column", "metric", "group_by")
Seconds = Annotated[int | None, Query(ge=-62_135_596_800, le=253_402_300_799)]


@router.get("/catalog/search")
def search(
    request: Request,
    index: Index,
    projects: Projects,
    q: Annotated[str, Query(max_length=200)] = "",
    only: Only | None = None,
    sort: Sort = "attention",
    start: Seconds = None,
    end: Seconds = None,
    cursor: Annotated[str | None, Query(max_length=20)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 24,
) -> CatalogPage:
    """Return a page of series with facets and counts.

    Filters are query parameters, repeatable: `project`, `metric_set`, `column`, `metric`, `group_by`, `group.<column>`; OR within
    one, AND between them. `start` and `end` (epoch seconds) bound the anomalies that count.
    """
    span = None if start is None and end is None else Span(_moment(start, 0), _moment(end, 253_402_300_799))
    query = CatalogQuery(projects, q, _filters(request), only, sort, span, cursor, limit)
    return index.search(query)


def _moment(seconds: int | None, fallback: int) -> datetime:
    return datetime.fromtimestamp(fallback if seconds is None else seconds, UTC)


def _filters(request: Request) -> dict[str, frozenset[str]]:
    filters: dict[str, set[str]] = {}
    for name, value in request.query_params.multi_items():
        if name in FACETS or name.startswith("group."):
            filters.setdefault(name, set()).add(value)
    return {name: frozenset(values) for name, values in filters.items()}
