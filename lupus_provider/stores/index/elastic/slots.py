"""Slots of a metric set's month: which are valid, what is filled, and the documents that hold them.

A document of a series and a month has arrays of one length; each slot says which generation wrote it. The month's state says for every period
which generation is valid, so old and new content lie side by side in a document until one write of the state switches readers over.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    Ints = NDArray[np.int64]


@dataclass(slots=True)
class Slots:
    """Arrays of one length, by period start."""

    t: Ints
    generation: Ints
    columns: dict[str, Any]
    """Doubles by name (NaN is null), or lists of text."""

    def __len__(self) -> int:
        return len(self.t)

    def where(self, keep: NDArray[np.bool_]) -> Slots:
        """Return the slots that are kept."""
        if keep.all():
            return self
        return Slots(self.t[keep], self.generation[keep], {name: values[keep] for name, values in self.columns.items()})

    def joined(self, other: Slots) -> Slots:
        """Return the slots of both, by period."""
        order = np.argsort(np.concatenate([self.t, other.t]), kind="stable")

        def both(a: Any, b: Any) -> Any:
            return np.concatenate([a, b])[order]

        columns = {name: both(values, other.columns[name]) for name, values in self.columns.items()}
        return Slots(both(self.t, other.t), both(self.generation, other.generation), columns)


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

    def is_valid(self, slots: Slots) -> NDArray[np.bool_]:
        """Tell which slots readers see."""
        get = self.valid.get
        return np.fromiter(
            (get(at) == g for at, g in zip(slots.t.tolist(), slots.generation.tolist())), bool, len(slots)
        )


def read(source: Mapping[str, Any], numbers: Sequence[str], texts: Sequence[str] = ()) -> Slots:
    """Read slots out of a document; a column of text that no slot has is left out of it."""
    t = np.array(source["period_start"], np.int64)
    columns: dict[str, Any] = {name: np.array(source[name], np.float64) for name in numbers}
    columns |= {name: np.array(source.get(name) or [None] * len(t), object) for name in texts}
    return Slots(t, np.array(source["generation"], np.int64), columns)


def written(slots: Slots, texts: Sequence[str] = (), integers: Sequence[str] = ()) -> dict[str, Any]:
    """Return the arrays of a document."""
    columns: dict[str, Any] = {}
    for name, values in slots.columns.items():
        if name in texts:
            if any(value is not None for value in values):
                columns[name] = values.tolist()
        else:
            columns[name] = values.astype(np.int64) if name in integers else values
    return {"period_start": slots.t, "generation": slots.generation, **columns}


def cut(
    keys: Sequence[pa.ChunkedArray], months: Ints, t: Ints, generation: int, columns: Mapping[str, Any]
) -> Iterator[tuple[tuple[Any, ...], Slots]]:
    """Cut records into slots by series (and detector) and month; yields (*keys, month) and the slots, oldest first."""
    coded = [_codes(key) for key in keys]
    order = np.lexsort((t, months, *(codes for codes, _ in reversed(coded))))
    if not len(order):
        return
    t, months = t[order], months[order]
    sorted_codes = [codes[order] for codes, _ in coded]
    columns = {name: values[order] for name, values in columns.items()}
    moved = np.any([part[1:] != part[:-1] for part in (*sorted_codes, months)], axis=0)
    edges = [0, *(np.flatnonzero(moved) + 1).tolist(), len(t)]
    generations = np.full(len(t), generation, np.int64)
    for start, stop in pairwise(edges):
        names = tuple(words[codes[start]] for codes, (_, words) in zip(sorted_codes, coded))
        part = {name: values[start:stop] for name, values in columns.items()}
        yield (*names, int(months[start])), Slots(t[start:stop], generations[start:stop], part)


def _codes(column: pa.ChunkedArray) -> tuple[NDArray[np.int32], list[str]]:
    chunks = column.combine_chunks()
    array = pa.concat_arrays(chunks.chunks) if isinstance(chunks, pa.ChunkedArray) else chunks
    encoded = array.dictionary_encode()
    return encoded.indices.to_numpy(zero_copy_only=False), encoded.dictionary.to_pylist()
