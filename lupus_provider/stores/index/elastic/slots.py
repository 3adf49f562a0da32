"""Slots of a metric set's month: which are valid, what is filled, and the documents that hold them.

A document of a series and a month is a small table of doubles in one text: a column a slot, rows of period, generation and values. The
month's state says for every period which generation is valid, so old and new content lie side by side in a document until one write of
the state switches readers over. As arrays of JSON a chart took five times as long to read (`benchmarks/stores.py`).
"""

from __future__ import annotations

import math
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Mask = NDArray[np.bool_]

Key = tuple[Any, ...]
Notes = dict[Key, dict[tuple[int, int], str]]
"""Document → (period, generation) → text, of the few slots that have one."""
T, GENERATION, FIRST = 0, 1, 2
"""Rows of the table; the values begin at FIRST. Epoch seconds and generations are exact as doubles."""


@dataclass(slots=True)
class Slots:
    """Slots of many documents, those of a document beside each other and by period."""

    keys: list[Key]
    edges: Ints
    """Where each document begins, and the end; shape (documents + 1,)."""
    data: Floats
    """Shape (2 + values, slots); NaN is null."""
    notes: Notes = field(default_factory=dict)

    @classmethod
    def read(cls, documents: Sequence[tuple[Key, Mapping[str, Any]]], width: int) -> Slots:
        """Read documents; `width` is the number of values of a slot."""
        shape, parts = (FIRST + width, -1), [np.empty((FIRST + width, 0))]
        parts += [np.frombuffer(b64decode(source["slots"]), "<f8").reshape(shape) for _, source in documents]
        lengths = [part.shape[1] for part in parts[1:]]
        notes = {
            key: {(t, g): text for t, g, text in source["notes"]} for key, source in documents if source.get("notes")
        }
        return cls([key for key, _ in documents], _edges(lengths), np.concatenate(parts, axis=1), notes)

    @property
    def of(self) -> Ints:
        """Place of each slot's document."""
        return np.repeat(np.arange(len(self.keys)), np.diff(self.edges))

    def where(self, keep: Mask) -> Slots:
        """Return the slots that are kept, and all documents."""
        if keep.all():
            return self
        lengths = np.bincount(self.of[keep], minlength=len(self.keys))
        return Slots(self.keys, _edges(lengths), self.data[:, keep], self.notes)

    def joined(self, other: Slots) -> Slots:
        """Return the documents and slots of both."""
        place = {key: i for i, key in enumerate(self.keys)}
        places = np.array([place.setdefault(key, len(place)) for key in other.keys], np.int64)
        data = np.concatenate([self.data, other.data], axis=1)
        of = np.concatenate([self.of, places[other.of]])
        order = np.lexsort((data[T], of))
        notes = dict(self.notes)
        for key, mine in other.notes.items():
            notes[key] = {**notes.get(key, {}), **mine}
        return Slots(list(place), _edges(np.bincount(of, minlength=len(place))), data[:, order], notes)

    def document(self, i: int) -> dict[str, Any]:
        """Return what is stored of the i-th document."""
        part = self.data[:, self.edges[i] : self.edges[i + 1]]
        stored: dict[str, Any] = {"slots": b64encode(part.astype("<f8", copy=False).tobytes()).decode()}
        if notes := self.notes.get(self.keys[i]):
            present = set(zip(part[T].tolist(), part[GENERATION].tolist()))
            stored["notes"] = [[t, g, text] for (t, g), text in sorted(notes.items()) if (t, g) in present]
        return stored


def _edges(lengths: Any) -> Ints:
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64)


def is_valid(valid: Mapping[int, int], data: Floats) -> Mask:
    """Tell which slots readers see; `valid` is period → generation."""
    if not valid:
        return np.zeros(data.shape[1], bool)
    pairs = np.array(sorted(valid.items()), np.float64)
    place = np.minimum(np.searchsorted(pairs[:, 0], data[T]), len(pairs) - 1)
    return (pairs[place, 0] == data[T]) & (pairs[place, 1] == data[GENERATION])


@dataclass(slots=True)
class State:
    """What the document of a metric set's month says: period → generation and digest of what is valid."""

    key: str
    month: int
    valid: dict[int, int] = field(default_factory=dict)
    digests: dict[int, str] = field(default_factory=dict)
    writer: int = 0
    """Generation that took the month last."""
    switched: int = 0
    """Generation that switched it last."""
    dirty: bool = False
    """Switched, but its summaries are not made or its leftovers not swept."""
    version: tuple[int, int] | None = None
    """Sequence number and primary term; None: there is no such document yet."""
    is_new: bool = field(default=False, compare=False)
    """Nobody has taken the month before, so no document can be there."""

    @classmethod
    def of(cls, source: Mapping[str, Any], version: tuple[int, int] | None = None) -> State:
        """Read a document."""
        periods = source["valid_period"]
        valid = dict(zip(periods, source["valid_generation"]))
        digests = dict(zip(periods, source.get("valid_digest", ())))
        return cls(
            source["set"], source["month"], valid, digests, source["writer"], source["switched"], source["dirty"], version
        )  # fmt: skip

    def document(self) -> dict[str, Any]:
        """Return what is stored."""
        project, _, metric_set = self.key.partition("/")
        periods = sorted(self.valid)
        return {
            "doc": "state", "set": self.key, "project": project, "metric_set": metric_set, "month": self.month, "writer": self.writer,
            "dirty": self.dirty, "switched": self.switched, "token": self.token() if self.dirty else None, "valid_period": periods,
            "valid_generation": [self.valid[at] for at in periods], "valid_digest": [self.digests[at] for at in periods],
        }  # fmt: skip

    def token(self) -> str:
        """Name of the last switch."""
        return f"{self.key}|{self.month}|{self.switched}"

    def switch(self, digests: Mapping[int, str]) -> None:
        """Make the writer's slots of these periods the valid ones."""
        self.valid |= dict.fromkeys(digests, self.writer)
        self.digests |= digests
        self.switched, self.dirty = self.writer, True

    @property
    def first(self) -> float:
        """First valid period; before all others if there is none, as in a month that expired and is not dropped yet."""
        return min(self.valid, default=-math.inf)

    def forget(self, before: int) -> None:
        """Make nothing valid that started before an instant."""
        self.valid = {at: generation for at, generation in self.valid.items() if at >= before}
        self.digests = {at: digest for at, digest in self.digests.items() if at >= before}
        self.switched, self.dirty = self.writer, True

    def is_valid(self, slots: Slots) -> Mask:
        """Tell which slots readers see."""
        return is_valid(self.valid, slots.data)


def cut(keys: Sequence[pa.ChunkedArray], month: int, data: Floats, texts: pa.ChunkedArray | None = None) -> Slots:
    """Cut records of one month into slots by series (and detector).

    Parameters
    ----------
    data
        As in Slots, in the order of the records.
    texts
        Notes of the records, null for most.
    """
    coded = [_codes(key) for key in keys]
    order = np.lexsort((data[T], *(codes for codes, _ in reversed(coded))))
    if not len(order):
        return Slots([], _edges([]), data)
    data, every = data[:, order], [codes[order] for codes, _ in coded]
    starts = np.flatnonzero(np.any([np.diff(codes, prepend=-1) != 0 for codes in every], axis=0))
    words = [[names[code] for code in codes[starts].tolist()] for codes, (_, names) in zip(every, coded)]
    found = Slots([(*names, month) for names in zip(*words)], np.append(starts, data.shape[1]), data)
    if texts is not None and texts.null_count < len(texts):
        of = found.of
        for i, text in enumerate(texts.take(pa.array(order)).to_pylist()):
            if text is not None:
                at = (int(data[T, i]), int(data[GENERATION, i]))
                found.notes.setdefault(found.keys[of[i]], {})[at] = text
    return found


def _codes(column: pa.ChunkedArray) -> tuple[NDArray[np.int32], list[str]]:
    chunks = column.combine_chunks()
    array = pa.concat_arrays(chunks.chunks) if isinstance(chunks, pa.ChunkedArray) else chunks
    encoded = array.dictionary_encode()
    return encoded.indices.to_numpy(zero_copy_only=False), encoded.dictionary.to_pylist()
