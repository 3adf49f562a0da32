"""Lists anomalies: strangest or newest first, and only those that are valid.

Settled ones are, but in months that a load is switching there the state decides. Which months those are is remembered from the last
question, and checked in the same search, so it costs a second search only when it changed.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from lupus_provider.errors import StoreBusyError
from lupus_provider.stores.index.elastic import names
from lupus_provider.stores.index.elastic.mappings import WINDOW
from lupus_provider.stores.index.elastic.reading import FAR
from lupus_provider.stores.index.elastic.states import read_states

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lupus_provider.stores.index.elastic.door import Door
    from lupus_provider.stores.index.elastic.names import Names
    from lupus_provider.stores.index.elastic.slots import State

ORDERS = {
    "score": [{"strength": "desc"}, {"period_start": "desc"}, {"series_id": "asc"}, {"detector": "asc"}],
    "recent": [{"period_start": "desc"}, {"strength": "desc"}, {"series_id": "asc"}, {"detector": "asc"}],
}
TRIES = 50


class Listing:
    """Pages of anomalies."""

    def __init__(self, door: Door, names_: Names) -> None:
        self._door, self._index = door, names_[names.ANOMALIES]
        self._dirty: dict[str, State] = {}

    def page(
        self, projects: frozenset[str], series_ids: Sequence[str] | None, start: int | None, end: int | None, sort: str, offset: int, limit: int
    ) -> tuple[list[dict[str, Any]], int]:  # fmt: skip
        """Return documents of a page, and how many there are on all pages."""
        wanted = _wanted(projects, series_ids, start, end)
        size = max(0, min(limit, WINDOW - offset))
        for attempt in range(TRIES):
            dirty = self._dirty
            body = {
                "query": {"bool": {"filter": [*wanted, _valid(dirty)]}}, "sort": ORDERS["score" if sort == "score" else "recent"],
                "from_": min(offset, WINDOW - size), "size": size, "track_total_hits": True, "aggs": {"dirty": _dirty_tokens(projects)},
            }  # fmt: skip
            answer = self._door.ask(lambda c, body=body: c.search(index=self._index, **body))
            buckets = answer["aggregations"]["dirty"]["mine"]["tokens"]["buckets"]
            tokens = {bucket["key"] for bucket in buckets}
            if tokens == dirty.keys():
                return [hit["_source"] for hit in answer["hits"]["hits"]], answer["hits"]["total"]["value"]
            self._look(tokens)
            time.sleep(0.01 * attempt)
        raise StoreBusyError(str(self._door.place), TRIES * TRIES * 0.005)

    def _look(self, tokens: set[str]) -> None:
        """Remember the states of the months that are being switched."""
        found: dict[str, State] = {}
        for token in tokens:
            key, month, _ = token.split("|")
            state = read_states(self._door, self._index, key, [int(month)])[int(month)]
            if state.token() == token:
                found[token] = state
        self._dirty = found


def _wanted(
    projects: frozenset[str], series_ids: Sequence[str] | None, start: int | None, end: int | None
) -> list[dict[str, Any]]:
    wanted: list[dict[str, Any]] = [
        {"term": {"doc": "anomaly"}},
        {"terms": {"project": sorted(projects)}},
        {"term": {"known": True}},
    ]
    if series_ids is not None:
        wanted.append({"terms": {"series_id": list(series_ids)}})
    limits = {} if start is None else {"gte": max(-FAR, min(FAR, start))}
    limits |= {} if end is None else {"lt": max(-FAR, min(FAR, end))}
    return [*wanted, {"range": {"period_start": limits}}] if limits else wanted


def _valid(dirty: Mapping[str, State]) -> dict[str, Any]:
    if not dirty:
        return {"term": {"settled": True}}
    months = [{"bool": {"filter": [{"term": {"set": s.key}}, {"term": {"month": s.month}}]}} for s in dirty.values()]
    settled = {"bool": {"filter": [{"term": {"settled": True}}], "must_not": months}}
    return {"bool": {"should": [settled, *(_by_state(state) for state in dirty.values())], "minimum_should_match": 1}}


def _by_state(state: State) -> dict[str, Any]:
    periods: dict[int, list[int]] = {}
    for at, generation in state.valid.items():
        periods.setdefault(generation, []).append(at)
    slots = [
        {"bool": {"filter": [{"term": {"generation": generation}}, {"terms": {"period_start": at}}]}}
        for generation, at in periods.items()
    ]
    return {"bool": {"filter": [{"term": {"set": state.key}}], "should": slots, "minimum_should_match": 1}}


def _dirty_tokens(projects: frozenset[str]) -> dict[str, Any]:
    mine = {"bool": {"filter": [{"terms": {"project": sorted(projects)}}, {"term": {"dirty": True}}]}}
    return {
        "global": {},
        "aggs": {"mine": {"filter": mine, "aggs": {"tokens": {"terms": {"field": "token", "size": 10_000}}}}},
    }
