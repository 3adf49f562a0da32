"""Rooms of slots, points and bands: documents of a series (and detector) and a month, filled, summed up and swept.

What a month holds is worked on at once, as one table; only documents that are read or written are met one by one.
"""

# Pyarrow has no types, so its names say nothing to a type checker:
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lupus_provider.stores.index.documents import months
from lupus_provider.stores.index.elastic import names, slots
from lupus_provider.stores.index.elastic.bulk import Action, action, all_in, write
from lupus_provider.stores.index.elastic.slots import FIRST, GENERATION, Slots, T
from lupus_provider.stores.index.elastic.states import scan
from lupus_provider.stores.index.loading import OUTCOMES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence, Set as AbstractSet

    from numpy.typing import NDArray

    from lupus_provider.stores.index.elastic.door import Door
    from lupus_provider.stores.index.elastic.names import Names
    from lupus_provider.stores.index.elastic.slots import Key, State
    from lupus_provider.stores.index.elastic.summaries import Entries

IDENTITY = ("column_name", "metric", "entity", "group_key")


@dataclass(slots=True)
class Filled:
    """What became of a part's documents."""

    written: int
    refused: dict[str, str]
    refused_periods: set[int] = field(default_factory=set)
    identities: dict[str, dict[str, Any]] = field(default_factory=dict)


def seconds(column: pa.ChunkedArray) -> np.ndarray:
    """Epoch seconds of instants."""
    return column.cast(pa.int64()).to_numpy() // 1_000_000


def floats(table: pa.Table, name: str) -> np.ndarray:
    """Doubles of a column, NaN for null."""
    return table[name].cast(pa.float64()).to_numpy(zero_copy_only=False)


def null(value: float) -> float | None:
    """None for NaN."""
    return None if math.isnan(value) else float(value)


class SlotRoom:
    """Documents of slots of one metric set; what points and bands have in common."""

    name: ClassVar[str]
    keys: ClassVar[tuple[str, ...]]
    width: ClassVar[int]
    """Values of a slot."""

    def __init__(self, door: Door, names_: Names, key: str, generation: int, named: AbstractSet[str]) -> None:
        self.door, self.index, self.key, self.generation = door, names_[self.name], key, generation
        self.project, _, self.metric_set = key.partition("/")
        self._named = named
        self._view: dict[int, Slots] = {}
        self._gone: dict[int, list[Key]] = {}

    # -- what a room says of its kind ------------------------------------------------------------------------------------

    def _of(self, table: pa.Table) -> tuple[pa.Table, list[Any], pa.ChunkedArray | None]:
        """Return the records that have something to say, their values as arrays, and their texts."""
        raise NotImplementedError

    def _entries(self, valid: Slots, filled: NDArray[np.int64]) -> Entries:
        """Return what valid slots give to the summaries; `filled` are the documents that have any."""
        raise NotImplementedError

    def _identities(self, table: pa.Table) -> dict[str, dict[str, Any]]:  # noqa: ARG002
        return {}

    # -- the same for both -------------------------------------------------------------------------------------------------

    def fill(self, table: pa.Table, states: Sequence[State], periods: set[int]) -> Filled:  # noqa: ARG002
        """Write new slots beside the valid ones; nobody sees them yet."""
        identities = self._identities(table)
        table, values, texts = self._of(table)
        at = seconds(table["period_start"])
        data = np.vstack([at, np.full(len(at), self.generation), *values]).astype(np.float64)
        month = months(at)
        fresh: dict[int, Slots] = {}
        for state in states:
            here = month == state.month
            mine = [table[name].filter(pa.array(here)) for name in self.keys]
            fresh[state.month] = slots.cut(mine, state.month, data[:, here], texts and texts.filter(pa.array(here)))
            self._view[state.month] = self._read(state).joined(fresh[state.month])
        refused = write(self.door, self.index, self._filling(fresh, identities))
        filled = Filled(sum(len(new.keys) for new in fresh.values()), refused, identities=identities)
        for number, new in fresh.items() if refused else ():
            lost = {i for i, key in enumerate(new.keys) if self._id(key) in refused}
            filled.refused_periods.update(new.data[T, np.isin(new.of, list(lost))].astype(int).tolist())
            self._view[number] = self._without(self._view[number], {new.keys[i] for i in lost})
        return filled

    def _without(self, view: Slots, lost: AbstractSet[Key]) -> Slots:
        """Leave out the slots of ours that the server did not take."""
        mine = np.array([key in lost for key in view.keys], bool)[view.of] & (view.data[GENERATION] == self.generation)
        return view.where(~mine)

    def _filling(self, fresh: Mapping[int, Slots], identities: Mapping[str, Mapping[str, Any]]) -> Iterator[Action]:
        options = {"routing": self.key, "version": self.generation, "version_type": "external_gte"}
        where = {"doc": "slots", "set": self.key, "project": self.project, "metric_set": self.metric_set}
        for month, new in fresh.items():
            view, wanted = self._view[month], set(new.keys)
            for i, key in enumerate(view.keys):
                if key in wanted:
                    named = dict(zip((*self.keys, "month"), key))
                    body = {**where, **named, **identities.get(key[0], {}), **view.document(i)}
                    yield action("index", self._id(key), body, **options)

    def _id(self, key: Key) -> str:
        return "|".join(str(part) for part in (key[0], key[-1], *key[1:-1]))

    def _read(self, state: State) -> Slots:
        """Read the valid slots of a month."""
        if state.is_new:
            return Slots.read([], self.width)
        found = [((*(source[name] for name in self.keys), state.month), source) for source in self._documents(state)]
        every = Slots.read(found, self.width)
        return every.where(state.is_valid(every))

    def _documents(self, state: State) -> Iterator[dict[str, Any]]:
        mine = [{"term": {"set": self.key}}, {"term": {"doc": "slots"}}, {"term": {"month": state.month}}]
        return (hit["_source"] for hit in scan(self.door, self.index, mine, self.keys))

    def reread(self, state: State) -> dict[str, dict[str, Any]]:
        """Read a month that another loader switched; return what its series are."""
        documents = list(self._documents(state))
        every = Slots.read([((*(doc[name] for name in self.keys), state.month), doc) for doc in documents], self.width)
        self._view[state.month] = every.where(state.is_valid(every))
        return {doc["series_id"]: {name: doc[name] for name in IDENTITY} for doc in documents if "metric" in doc}

    def entries(self, state: State) -> Entries:
        """Return what the month's valid slots give to the summaries; remember which documents have none."""
        view = self._view[state.month]
        valid = view.where(state.is_valid(view))
        has_any = np.diff(valid.edges) > 0
        self._gone[state.month] = [valid.keys[i] for i in np.flatnonzero(~has_any).tolist()]
        return self._entries(valid, np.flatnonzero(has_any))

    def sweep(self, states: Iterable[State]) -> None:
        """Delete documents without a valid slot; what else is invalid goes when its document is written next."""
        options = {"routing": self.key, "version": self.generation, "version_type": "external_gte"}
        gone = [key for state in states for key in self._gone.get(state.month, ())]
        all_in(self.door, self.index, (action("delete", self._id(key), **options) for key in gone))


class PointRoom(SlotRoom):
    """Points; a document of a series that has no summary yet says what the series is, for whoever has to make the summary."""

    name = names.POINTS
    keys = ("series_id",)
    width = 2  # value, n_rows

    def _of(self, table: pa.Table) -> tuple[pa.Table, list[Any], pa.ChunkedArray | None]:
        return table, [floats(table, "value"), np.nan_to_num(floats(table, "n_rows"), nan=-1.0)], table["error"]

    def _identities(self, table: pa.Table) -> dict[str, dict[str, Any]]:
        ids = table["series_id"].combine_chunks().dictionary_encode()
        ids = ids.combine_chunks() if isinstance(ids, pa.ChunkedArray) else ids
        known, first = np.unique(ids.indices.to_numpy(), return_index=True)
        words = ids.dictionary.to_pylist()
        new = [at for code, at in zip(known.tolist(), first.tolist()) if words[code] not in self._named]
        rows = table.select(["series_id", *IDENTITY]).take(pa.array(new, pa.int64())).to_pylist()
        return {row.pop("series_id"): {**row, "group_key": {"pairs": sorted(row["group_key"])}} for row in rows}

    def _entries(self, valid: Slots, filled: NDArray[np.int64]) -> Entries:
        first, last = valid.edges[filled], valid.edges[filled + 1] - 1
        columns = (
            (last - first + 1).tolist(), valid.data[T, first].astype(int).tolist(), valid.data[T, last].astype(int).tolist(),
            valid.data[FIRST, last].tolist(),
        )  # fmt: skip
        return {
            valid.keys[i][0]: [n, start, end, null(value)] for i, n, start, end, value in zip(filled.tolist(), *columns)
        }


class BandRoom(SlotRoom):
    """Bands: what detectors expected; evaluations that expected nothing have none."""

    name = names.BANDS
    keys = ("series_id", "detector")
    width = 5  # expected, lower, upper, score, outcome

    def _of(self, table: pa.Table) -> tuple[pa.Table, list[Any], pa.ChunkedArray | None]:
        says_something = (pc.field(name).is_valid() for name in ("expected", "lower", "upper"))
        table = table.filter(reduce(or_, says_something))
        outcome = pc.index_in(table["outcome"], pa.array(OUTCOMES))
        values = [floats(table, name) for name in ("expected", "lower", "upper", "score")]
        return table, [*values, outcome.cast(pa.float64()).to_numpy()], None

    def _entries(self, valid: Slots, filled: NDArray[np.int64]) -> Entries:
        last = valid.edges[filled + 1] - 1
        found: Entries = {}
        periods, expected = valid.data[T, last].astype(int).tolist(), valid.data[FIRST, last].tolist()
        for i, at, value in zip(filled.tolist(), periods, expected):
            sid, detector, _ = valid.keys[i]
            found.setdefault(sid, {})[detector] = [at, null(value)]
        return found
