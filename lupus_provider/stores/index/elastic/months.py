"""Rooms of slots, points and bands: documents of a series (and detector) and a month, filled, summed up and swept."""

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
from lupus_provider.stores.index.elastic.states import scan

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from lupus_provider.stores.index.elastic.door import Door
    from lupus_provider.stores.index.elastic.names import Names
    from lupus_provider.stores.index.elastic.slots import Slots, State
    from lupus_provider.stores.index.elastic.summaries import Entries

Key = tuple[Any, ...]
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
    numbers: ClassVar[tuple[str, ...]]
    texts: ClassVar[tuple[str, ...]]
    integers: ClassVar[tuple[str, ...]] = ()

    def __init__(self, door: Door, names_: Names, key: str, generation: int) -> None:
        self.door, self.index, self.key, self.generation = door, names_[self.name], key, generation
        self.project, _, self.metric_set = key.partition("/")
        self._view: dict[int, dict[Key, Slots]] = {}
        self._gone: dict[int, list[Key]] = {}

    # -- what a room says of its kind ------------------------------------------------------------------------------------

    def _of(self, table: pa.Table) -> tuple[pa.Table, dict[str, Any]]:
        """Return the records that have something to say, and their columns as arrays."""
        raise NotImplementedError

    def _entry(self, found: Sequence[tuple[Key, Slots]]) -> Any:
        """Return what the valid slots of one series give to its summary; at least one slot each."""
        raise NotImplementedError

    def _identities(self, table: pa.Table) -> dict[str, dict[str, Any]]:  # noqa: ARG002
        return {}

    # -- the same for both -------------------------------------------------------------------------------------------------

    def fill(self, table: pa.Table, states: Sequence[State], periods: set[int]) -> Filled:  # noqa: ARG002
        """Write new slots beside the valid ones; nobody sees them yet."""
        identities = self._identities(table)
        table, columns = self._of(table)
        for state in states:
            self._view[state.month] = self._read(state)
        at = seconds(table["period_start"])
        new = dict(slots.cut([table[name] for name in self.keys], months(at), at, self.generation, columns))
        refused = write(self.door, self.index, self._filling(new, identities))
        filled = Filled(len(new), refused, identities=identities)
        for key, fresh in new.items():
            if self._id(key) in refused:
                filled.refused_periods.update(fresh.t.tolist())
                continue
            view = self._view[key[-1]]
            view[key] = view[key].joined(fresh) if key in view else fresh
        return filled

    def _filling(self, new: Mapping[Key, Slots], identities: Mapping[str, Mapping[str, Any]]) -> Iterator[Action]:
        options = {"routing": self.key, "version": self.generation, "version_type": "external_gte"}
        where = {"doc": "slots", "set": self.key, "project": self.project, "metric_set": self.metric_set}
        for key, fresh in new.items():
            old = self._view[key[-1]].get(key)
            joined = fresh if old is None else old.joined(fresh)
            arrays = slots.written(joined, self.texts, self.integers)
            named = dict(zip((*self.keys, "month"), key))
            yield action("index", self._id(key), {**where, **named, **identities.get(key[0], {}), **arrays}, **options)

    def _id(self, key: Key) -> str:
        return "|".join(str(part) for part in (key[0], key[-1], *key[1:-1]))

    def _read(self, state: State) -> dict[Key, Slots]:
        """Read the valid slots of a month."""
        found: dict[Key, Slots] = {}
        for source in self._documents(
            state.month, ["doc", *self.keys, *self.numbers, *self.texts, "period_start", "generation"]
        ):
            every = slots.read(source, self.numbers, self.texts)
            found[(*(source[name] for name in self.keys), state.month)] = every.where(state.is_valid(every))
        return found

    def _documents(self, month: int, source: Sequence[str]) -> Iterator[dict[str, Any]]:
        mine = [{"term": {"set": self.key}}, {"term": {"doc": "slots"}}, {"term": {"month": month}}]
        return (hit["_source"] for hit in scan(self.door, self.index, mine, self.keys, source=source))

    def reread(self, state: State) -> dict[str, dict[str, Any]]:
        """Read a month that another loader switched; return what its series are."""
        self._view[state.month] = self._read(state)
        return {}

    def entries(self, state: State) -> Entries:
        """Return what the month's valid slots give to the summaries; remember which documents have none."""
        found: dict[str, list[tuple[Key, Slots]]] = {}
        gone = self._gone[state.month] = []
        for key, every in self._view[state.month].items():
            valid = every.where(state.is_valid(every))
            if len(valid):
                found.setdefault(key[0], []).append((key, valid))
            else:
                gone.append(key)
        return {sid: self._entry(parts) for sid, parts in found.items()}

    def sweep(self, states: Iterable[State]) -> None:
        """Delete documents without a valid slot; what else is invalid goes when its document is written next."""
        options = {"routing": self.key, "version": self.generation, "version_type": "external_gte"}
        gone = [key for state in states for key in self._gone[state.month]]
        all_in(self.door, self.index, (action("delete", self._id(key), **options) for key in gone))


class PointRoom(SlotRoom):
    """Points: documents say what their series is, too, for people who look into the index with other tools."""

    name = names.POINTS
    keys = ("series_id",)
    numbers = ("value", "n_rows")
    texts = ("error",)
    integers = ("n_rows",)

    def _of(self, table: pa.Table) -> tuple[pa.Table, dict[str, Any]]:
        errors = table["error"]
        texts = errors.to_numpy(zero_copy_only=False) if errors.null_count < len(errors) else np.full(len(errors), None)
        n_rows = np.nan_to_num(floats(table, "n_rows"), nan=-1.0)
        return table, {"value": floats(table, "value"), "n_rows": n_rows, "error": texts}

    def _identities(self, table: pa.Table) -> dict[str, dict[str, Any]]:
        if not table.num_rows:
            return {}
        ids = table["series_id"].combine_chunks()
        ids = pa.concat_arrays(ids.chunks) if isinstance(ids, pa.ChunkedArray) else ids
        _, first = np.unique(ids.dictionary_encode().indices.to_numpy(), return_index=True)
        rows = table.select(["series_id", *IDENTITY]).take(pa.array(first)).to_pylist()
        return {row.pop("series_id"): {**row, "group_key": {"pairs": sorted(row["group_key"])}} for row in rows}

    def reread(self, state: State) -> dict[str, dict[str, Any]]:
        """Read a month that another loader switched; return what its series are."""
        super().reread(state)
        found = self._documents(state.month, ["series_id", *IDENTITY])
        return {doc["series_id"]: {name: doc[name] for name in IDENTITY} for doc in found}

    def _entry(self, found: Sequence[tuple[Key, Slots]]) -> list[Any]:
        ((_, valid),) = found
        return [len(valid), int(valid.t[0]), int(valid.t[-1]), null(valid.columns["value"][-1])]


class BandRoom(SlotRoom):
    """Bands: what detectors expected; evaluations that expected nothing have none."""

    name = names.BANDS
    keys = ("series_id", "detector")
    numbers = ("expected", "lower", "upper", "score")
    texts = ("outcome",)

    def _of(self, table: pa.Table) -> tuple[pa.Table, dict[str, Any]]:
        says_something = (pc.field(name).is_valid() for name in ("expected", "lower", "upper"))
        table = table.filter(reduce(or_, says_something))
        columns: dict[str, Any] = {name: floats(table, name) for name in self.numbers}
        return table, {**columns, "outcome": table["outcome"].to_numpy(zero_copy_only=False)}

    def _entry(self, found: Sequence[tuple[Key, Slots]]) -> dict[str, list[Any]]:
        return {key[1]: [int(valid.t[-1]), null(valid.columns["expected"][-1])] for key, valid in found}
