"""The catalogue: which series there are, narrowed by facets, sorted by what needs attention."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query

from lupus_provider.periods import Span
from lupus_provider.server.access import Projects
from lupus_provider.server.parameters import Asked, Cursor, Filters, TimeRange
from lupus_provider.server.state import Index
from lupus_provider.stores.index.base import CatalogQuery
from lupus_provider.wire import CatalogPage, Only, Sort

router = APIRouter()

LATEST = 253_402_300_799


@router.get("/catalog/search")
def search(
    index: Index,
    projects: Projects,
    filters: Filters,
    asked: Asked,
    q: Annotated[str, Query(max_length=200)] = "",
    only: Only | None = None,
    sort: Sort = "attention",
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 24,
) -> CatalogPage:
    """Return a page of series with facets and counts.

    Filters are query parameters, repeatable: `project`, `metric_set`, `column`, `metric`, `group_by`, `group.<column>`; OR within
    one, AND between them. `start` and `end` (epoch seconds) bound the anomalies that count.
    """
    words = q.replace("\0", " ")  # Postgres takes no null character, and no name has one
    return index.search(CatalogQuery(projects, words, filters, only, sort, _span(asked), cursor, limit))


def _span(asked: TimeRange) -> Span | None:
    if asked == (None, None):
        return None
    start, end = asked.start or 0, LATEST if asked.end is None else asked.end
    return Span(datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC))
