"""What a run leaves for the next one: the memory of all series, and where in time it stands.

Kept as one npz of a few KB a series beside the history, under the detector's key; it can be dropped at any time and is then learnt
anew from the history, with the same verdicts.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from lupus_provider.detectors.seasonal.memory import Memory
from lupus_provider.errors import Terminal

VERSION = 1
"""Of the arrays' meaning: states of other versions are learnt anew."""


class ForeignStateError(Terminal, ValueError):
    """A state of another detector, of other parameters, or of another version was given."""

    def __init__(self, found: str, wanted: str) -> None:
        self.found, self.wanted = found, wanted
        super().__init__(
            f"The state is of {found!r}, wanted is {wanted!r}. Drop it: it is learnt anew from the history."
        )


class GapInStateError(Terminal, ValueError):
    """The panel does not begin where the state ends."""

    def __init__(self, until: str, begins: str) -> None:
        self.until, self.begins = until, begins
        super().__init__(
            f"The state ends with the period {until}, the panel begins with {begins}. "
            "Give it a panel that contains that period, or learn anew from the history."
        )


@dataclass(slots=True)
class State:
    """Memory of all series after a period."""

    key: str
    """Of the detector, with the version of the arrays."""
    series_ids: list[str]
    memory: Memory
    position: int = 0
    """Number of the next period since the memory began."""
    until: np.datetime64 | None = None
    """Start (UTC) of the last period that was learnt; None = nothing yet."""
    phases: list[int] = field(default_factory=list[int])
    """Of the last periods, newest last."""
    special: list[bool] = field(default_factory=list[bool])
    """Whether each of the last periods was a special day, newest last."""
    names: list[str] = field(default_factory=list[str])
    """Special days that have been seen: rows of the effects."""
    weekends: list[bool] = field(default_factory=list[bool])
    """Whether each was on a weekend last time."""

    @property
    def nbytes(self) -> int:
        """Size of the arrays in bytes."""
        return sum(array.nbytes for array in self.memory.arrays().values())

    def dump(self) -> bytes:
        """Return the state as the bytes of one npz file."""
        about = {
            "key": self.key, "position": self.position, "until": None if self.until is None else str(self.until),
            "phases": self.phases, "special": self.special, "names": self.names, "weekends": self.weekends, "series_ids": self.series_ids,
        }  # fmt: skip
        buffer = io.BytesIO()
        text = np.frombuffer(json.dumps(about).encode(), np.uint8)
        arrays: dict[str, Any] = {**self.memory.arrays(), "about": text}
        np.savez(buffer, **arrays)
        return buffer.getvalue()

    @classmethod
    def load(cls, data: bytes, key: str) -> State:
        """Read a state back.

        Raises
        ------
        ForeignStateError
            If it is not of the detector with this key and version.
        """
        with np.load(io.BytesIO(data)) as file:
            about = json.loads(file["about"].tobytes())
            if about["key"] != key:
                raise ForeignStateError(about["key"], key)
            memory = Memory(**{f.name: file[f.name] for f in fields(Memory)})
        until = about.pop("until")
        return cls(memory=memory, until=None if until is None else np.datetime64(until), **about)

    def for_series(self, series_ids: Sequence[str], fresh: Memory, gone: int) -> State:
        """Return the state with these series first, in this order, then those that it knows besides and that are not gone."""
        at = {series: i for i, series in enumerate(self.series_ids)}
        wanted = set(series_ids)
        others = [s for i, s in enumerate(self.series_ids) if s not in wanted and self.memory.gap[i] < gone]
        ids = [*series_ids, *others]
        old = np.array([at.get(s, -1) for s in ids], np.intp)
        if len(self.series_ids) == len(ids) and (old == np.arange(len(ids))).all():
            return self
        memory = fresh
        known = np.flatnonzero(old >= 0)
        if len(known):
            memory.put(known, self.memory.take(old[known]))
        return State(
            self.key,
            ids,
            memory,
            self.position,
            self.until,
            list(self.phases),
            list(self.special),
            list(self.names),
            list(self.weekends),
        )
