"""Reads points and bands: the documents and the states that say which of their slots are valid come from one search.

The first search of a series does not know its metric set, so it may need a second one; later ones know (a series never moves).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lupus_provider.errors import StoreBusyError
from lupus_provider.stores.index.base import Band, StoredPoints
from lupus_provider.stores.index.documents import months
from lupus_provider.stores.index.elastic.mappings import WINDOW
from lupus_provider.stores.index.elastic.months import BandRoom, PointRoom
from lupus_provider.stores.index.elastic.slots import FIRST, GENERATION, Slots, T, is_valid
from lupus_provider.stores.sql import chunks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from lupus_provider.stores.index.elastic.door import Door
    from lupus_provider.stores.index.elastic.names import Names
    from lupus_provider.stores.index.elastic.slots import Key

TOGETHER = 50
"""Series of one search."""
FAR = 2**37
"""Epoch seconds that no period reaches: the year 6325."""
REMEMBERED = 100_000


class Reader:
    """Reads slots of series."""

    def __init__(self, door: Door, names_: Names) -> None:
        self._door, self._names = door, names_
        self._set_of: dict[str, str] = {}

    def points(self, series_ids: Sequence[str], start: int | None, end: int | None) -> dict[str, StoredPoints]:
        """Return points of series, oldest first."""
        found: dict[str, StoredPoints] = {}
        for valid in self._read(PointRoom, series_ids, start, end):
            for (sid,), (data, notes) in _by_series(valid):
                keep = _within(data[T], start, end)
                t = data[T, keep].astype(np.int64)
                seen = set(zip(t.tolist(), data[GENERATION, keep].tolist())) if notes else ()
                errors = {at: text for (at, generation), text in notes.items() if (at, generation) in seen}
                found[sid] = StoredPoints(t, data[FIRST, keep], data[FIRST + 1, keep].astype(np.int64), errors)
        return found

    def bands(self, series_ids: Sequence[str], start: int | None, end: int | None) -> dict[str, list[Band]]:
        """Return what detectors expected, by detector."""
        found: dict[str, list[Band]] = {}
        for valid in self._read(BandRoom, series_ids, start, end):
            for (sid, detector), (data, _) in _by_series(valid):
                data = data[:, _within(data[T], start, end)]
                band = Band(detector, data[T].astype(np.int64), *data[FIRST : FIRST + 3])
                found.setdefault(sid, []).append(band)
        return found

    def _read(
        self, room: type[PointRoom | BandRoom], series_ids: Sequence[str], start: int | None, end: int | None
    ) -> Iterator[Slots]:
        """Yield the valid slots of metric sets; documents of a series are beside each other, oldest first."""
        for part in chunks(series_ids, TOGETHER):
            documents, valid = self._snapshot(room, part, _month_range(start, end))
            by_set: dict[str, list[tuple[Key, Mapping[str, Any]]]] = {}
            for source in documents:
                key = (*(source[name] for name in room.keys), source["month"])
                by_set.setdefault(source["set"], []).append((key, source))
            for name, mine in by_set.items():
                every = Slots.read(sorted(mine, key=lambda one: one[0]), room.width)
                yield every.where(is_valid(valid.get(name, {}), every.data))

    def _snapshot(
        self, room: type[PointRoom | BandRoom], ids: Sequence[str], span: list[dict[str, Any]]
    ) -> tuple[list[dict[str, Any]], dict[str, dict[int, int]]]:
        """Return documents, and the valid generation of each period by metric set."""
        sets = {self._set_of[sid] for sid in ids if sid in self._set_of}
        for _ in range(10):
            either = [
                {"bool": {"filter": [{"term": {"doc": "slots"}}, {"terms": {"series_id": list(ids)}}]}},
                {"bool": {"filter": [{"term": {"doc": "state"}}, {"terms": {"set": sorted(sets)}}]}},
            ]
            query = {"bool": {"should": either, "minimum_should_match": 1, "filter": span}}
            hits = self._hits(self._names[room.name], query)
            documents = [hit for hit in hits if hit["doc"] == "slots"]
            needed = {source["set"] for source in documents}
            if needed <= sets:
                valid: dict[str, dict[int, int]] = {}
                for hit in hits:
                    if hit["doc"] == "state":
                        pairs = zip(hit["valid_period"], hit["valid_generation"])
                        valid.setdefault(hit["set"], {}).update(pairs)
                return documents, valid
            sets |= needed
            if len(self._set_of) > REMEMBERED:
                self._set_of.clear()
            self._set_of.update((source["series_id"], source["set"]) for source in documents)
        raise StoreBusyError(str(self._door.place), 0.0)

    def _hits(self, index: str, query: dict[str, Any]) -> list[dict[str, Any]]:
        """All documents of one moment, whole: leaving fields out costs the server more than sending them."""
        size = 10_000
        while True:
            asked = {"query": query, "size": size, "track_total_hits": True}
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


def _by_series(valid: Slots) -> Iterator[tuple[Key, tuple[NDArray[np.float64], dict[tuple[int, int], str]]]]:
    """Put the months of a series (and detector) together; yields only those that have a slot."""
    start = 0
    for stop in range(1, len(valid.keys) + 1):
        key = valid.keys[start][:-1]
        if stop < len(valid.keys) and valid.keys[stop][:-1] == key:
            continue
        data = valid.data[:, valid.edges[start] : valid.edges[stop]]
        notes = {at: text for one in valid.keys[start:stop] for at, text in valid.notes.get(one, {}).items()}
        if data.shape[1]:
            yield key, (data, notes)
        start = stop
