"""What callers may ask: types of query parameters, each within bounds that every index can take."""

from __future__ import annotations

import re
from typing import Annotated, NamedTuple

from fastapi import Depends, HTTPException, Query, Request

FACETS = ("project", "metric_set", "column", "metric", "group_by")
FILTERS, VALUES = 30, 500
"""Most filters of one question, and most values in all of them."""

Seconds = Annotated[int | None, Query(ge=-62_135_596_800, le=253_402_300_799)]
"""Epoch seconds, of the years 1 to 9999."""
Cursor = Annotated[str | None, Query(pattern=r"^[0-9]{1,9}$")]
"""`next_cursor` of the page before."""

_SERIES_ID = re.compile(r"[a-z2-7]{13}")


class TimeRange(NamedTuple):
    """Epoch seconds; `start` inclusive, `end` exclusive, None: open."""

    start: int | None = None
    end: int | None = None


def _time_range(start: Seconds = None, end: Seconds = None) -> TimeRange:
    return TimeRange(start, end)


def is_series_id(text: str) -> bool:
    """Say whether a text can be the id of a series, so that no store is asked for what cannot be."""
    return _SERIES_ID.fullmatch(text) is not None


def _filters(request: Request) -> dict[str, frozenset[str]]:
    filters: dict[str, set[str]] = {}
    for name, value in request.query_params.multi_items():
        if name in FACETS or name.startswith("group."):
            filters.setdefault(name, set()).add(value)
    if len(filters) > FILTERS or sum(map(len, filters.values())) > VALUES:
        raise HTTPException(422, f"too many filters; ask for at most {FILTERS} with {VALUES} values in all")
    if "\0" in "".join([*filters, *(value for values in filters.values() for value in values)]):
        raise HTTPException(422, "a filter holds a null character; nothing is named so")
    return {name: frozenset(values) for name, values in filters.items()}


Asked = Annotated[TimeRange, Depends(_time_range)]
Filters = Annotated[dict[str, frozenset[str]], Depends(_filters)]
"""Facet → wanted values; OR within one, AND between them."""
