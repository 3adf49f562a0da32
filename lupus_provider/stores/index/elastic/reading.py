"""Reads points and bands: the documents and the states that say which of their slots are valid come from one search.

The first search of a series does not know its metric set, so it may need a second one; later ones know (a series never moves).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lupus_provider.errors import StoreBusyError
from lupus_provider.stores.index.base import Band, StoredPoints
from lupus_provider.stores.index.documents import months
from lupus_provider.stores.index.elastic import slots
from lupus_provider.stores.index.elastic.mappings import WINDOW
from lupus_provider.stores.index.elastic.months import BandRoom, PointRoom
from lupus_provider.stores.index.elastic.slots import Slots, State
from lupus_provider.stores.sql import chunks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lupus_provider.stores.index.elastic.door import Door
    from lupus_provider.stores.index.elastic.names import Names

TOGETHER = 50
"""Series of one search."""
FAR = 2**37
"""Epoch seconds that no period reaches: the year 6325."""
REMEMBERED = 100_000
_STATE_FIELDS = ("doc", "set", "month", "writer", "switched", "dirty", "valid_period", "valid_generation")


class Reader:
    """Reads slots of series."""

    def __init__(self, door: Door, names_: Names) -> None:
        self._door, self._names = door, names_
        self._set_of: dict[str, str] = {}

    def points(self, series_ids: Sequence[str], start: int | None, end: int | None) -> dict[str, StoredPoints]:
        """Return points of series, oldest first."""
        found: dict[str, list[Slots]] = {}
        for source, valid in self._read(PointRoom, series_ids, start, end):
            found.setdefault(source["series_id"], []).append(valid)
        return {sid: _points(parts, start, end) for sid, parts in found.items()}

    def bands(self, series_ids: Sequence[str], start: int | None, end: int | None) -> dict[str, list[Band]]:
        """Return what detectors expected, by detector."""
        found: dict[str, dict[str, list[Slots]]] = {}
        for source, valid in self._read(BandRoom, series_ids, start, end):
            found.setdefault(source["series_id"], {}).setdefault(source["detector"], []).append(valid)
        return {sid: [_band(name, by[name], start, end) for name in sorted(by)] for sid, by in found.items()}

    def _read(
        self, room: type[PointRoom | BandRoom], series_ids: Sequence[str], start: int | None, end: int | None
    ) -> Iterator[tuple[Mapping[str, Any], Slots]]:
        for part in chunks(series_ids, TOGETHER):
            documents, states = self._snapshot(room, part, _month_range(start, end))
            for source in sorted(documents, key=lambda source: source["month"]):
                state = states.get((source["set"], source["month"]))
                every = slots.read(source, room.numbers, room.texts)
                valid = None if state is None else every.where(state.is_valid(every))
                if valid is not None and len(valid):
                    yield source, valid

    def _snapshot(
        self, room: type[PointRoom | BandRoom], ids: Sequence[str], span: list[dict[str, Any]]
    ) -> tuple[list[dict[str, Any]], dict[tuple[str, int], State]]:
        sets = {self._set_of[sid] for sid in ids if sid in self._set_of}
        fields = [*_STATE_FIELDS, *room.keys, *room.numbers, *room.texts, "period_start", "generation"]
        for _ in range(10):
            either = [
                {"bool": {"filter": [{"term": {"doc": "slots"}}, {"terms": {"series_id": list(ids)}}]}},
                {"bool": {"filter": [{"term": {"doc": "state"}}, {"terms": {"set": sorted(sets)}}]}},
            ]
            query = {"bool": {"should": either, "minimum_should_match": 1, "filter": span}}
            hits = self._hits(self._names[room.name], query, fields)
            documents = [hit for hit in hits if hit["doc"] == "slots"]
            needed = {source["set"] for source in documents}
            if needed <= sets:
                states = [State.of(hit) for hit in hits if hit["doc"] == "state"]
                return documents, {(state.key, state.month): state for state in states}
            sets |= needed
            if len(self._set_of) > REMEMBERED:
                self._set_of.clear()
            self._set_of.update((source["series_id"], source["set"]) for source in documents)
        raise StoreBusyError(str(self._door.place), 0.0)

    def _hits(self, index: str, query: dict[str, Any], fields: list[str]) -> list[dict[str, Any]]:
        """All documents of one moment."""
        size = 10_000
        while True:
            asked = {"query": query, "source": fields, "size": size, "track_total_hits": True}
            answer = self._door.ask(lambda c, asked=asked: c.search(index=index, sort="_doc", **asked))["hits"]
            if answer["total"]["value"] <= size:
                return [hit["_source"] for hit in answer["hits"]]
            size = min(WINDOW, answer["total"]["value"] + 1_000)


def _month_range(start: int | None, end: int | None) -> list[dict[str, Any]]:
    limits = {} if start is None else {"gte": _month(start)}
    limits |= {} if end is None else {"lte": _month(end)}
    return [{"range": {"month": limits}}] if limits else []


def _month(at: int) -> int:
    return int(months(np.array([max(-FAR, min(FAR, at))], np.int64))[0])


def _within(at: np.ndarray, start: int | None, end: int | None) -> np.ndarray:
    low, high = -FAR if start is None else start, FAR if end is None else end
    return (at >= max(-FAR, low)) & (at < min(FAR, high))


def _points(parts: list[Slots], start: int | None, end: int | None) -> StoredPoints:
    at = np.concatenate([part.t for part in parts])
    keep = _within(at, start, end)
    value, n_rows, texts = (
        np.concatenate([part.columns[name] for part in parts])[keep] for name in ("value", "n_rows", "error")
    )
    at = at[keep]
    errors = {int(t): text for t, text in zip(at.tolist(), texts.tolist()) if text is not None}
    return StoredPoints(at, value, n_rows.astype(np.int64), errors)


def _band(name: str, parts: list[Slots], start: int | None, end: int | None) -> Band:
    at = np.concatenate([part.t for part in parts])
    keep = _within(at, start, end)
    expected, lower, upper = (
        np.concatenate([part.columns[column] for part in parts])[keep] for column in ("expected", "lower", "upper")
    )
    return Band(name, at[keep], expected, lower, upper)
