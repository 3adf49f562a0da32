"""Room of anomalies: a document each, because people page through them by strength.

A new document is not settled, and nobody sees it. From the switch of its month until it is settled and what it replaces is deleted, readers
go by the month's state (`listing`), which they notice in the same search.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lupus_provider.records import ANOMALIES
from lupus_provider.stores.index.documents import months
from lupus_provider.stores.index.elastic import names
from lupus_provider.stores.index.elastic.bulk import Action, action, all_in, write
from lupus_provider.stores.index.elastic.months import Filled, seconds
from lupus_provider.stores.index.elastic.states import scan
from lupus_provider.stores.index.loading import strength

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence, Set as AbstractSet

    import pyarrow as pa

    from lupus_provider.stores.index.elastic.door import Door
    from lupus_provider.stores.index.elastic.names import Names
    from lupus_provider.stores.index.elastic.slots import State
    from lupus_provider.stores.index.elastic.summaries import Entries, Summaries

FIELDS = tuple(name for name in ANOMALIES.schema.names if name not in ANOMALIES.provenance)
_SORT = ("series_id", "period_start", "detector", "generation")


class AnomalyRoom:
    """Anomalies of one metric set."""

    name = names.ANOMALIES

    def __init__(self, door: Door, names_: Names, key: str, generation: int, known: AbstractSet[str]) -> None:
        self.door, self.index, self.key, self.generation, self._known = door, names_[self.name], key, generation, known
        self.project, _, self.metric_set = key.partition("/")
        self._view: dict[int, list[dict[str, Any]]] = {}
        self.is_touched = False

    def _scan(self, *filters: dict[str, Any]) -> Iterator[dict[str, Any]]:
        mine = [{"term": {"set": self.key}}, {"term": {"doc": "anomaly"}}, *filters]
        return (hit["_source"] for hit in scan(self.door, self.index, mine, _SORT))

    def fill(self, table: pa.Table, states: Sequence[State], periods: set[int]) -> Filled:  # noqa: ARG002
        """Write new anomalies beside the valid ones; nobody sees them yet."""
        for state in states:
            self.reread(state)
        new = self._documents(table)
        refused = write(self.door, self.index, (self._action("index", doc, doc) for doc in new))
        filled = Filled(len(new), refused)
        for doc in new:
            if _id(doc) in refused:
                filled.refused_periods.add(doc["period_start"])
            else:
                self._view[doc["month"]].append(doc)
        return filled

    def _documents(self, table: pa.Table) -> list[dict[str, Any]]:
        at = seconds(table["period_start"])
        where = {"doc": "anomaly", "set": self.key, "project": self.project, "metric_set": self.metric_set}
        rows = table.select(FIELDS).drop_columns(["period_start"]).to_pylist()  # anomalies are few by design
        return [
            {
                **where, **row, "period_start": period, "month": month, "generation": self.generation, "settled": False,
                "strength": strength(row["score"], row["severity"]), "known": row["series_id"] in self._known,
            }
            for row, period, month in zip(rows, at.tolist(), months(at).tolist())
        ]  # fmt: skip

    def _action(self, verb: str, doc: dict[str, Any], body: Any = None) -> Action:
        return action(verb, _id(doc), body, routing=self.key)

    def reread(self, state: State) -> dict[str, dict[str, Any]]:
        """Read a month."""
        self._view[state.month] = list(self._scan({"term": {"month": state.month}}))
        return {}

    def entries(self, state: State) -> Entries:
        """Return (period, strength, score) of the valid anomalies by series."""
        found: Entries = {}
        for doc in self._view[state.month]:
            if _is_valid(doc, state):
                found.setdefault(doc["series_id"], []).append([doc["period_start"], doc["strength"], doc["score"]])
        return {sid: sorted(flags, key=lambda flag: (flag[0], flag[1])) for sid, flags in found.items()}

    def sweep(self, states: Iterable[State]) -> None:
        """Settle what is valid, delete what is not."""
        every = [(doc, _is_valid(doc, state)) for state in states for doc in self._view.get(state.month, ())]
        settle = [
            self._action("update", doc, {"doc": {"settled": True}})
            for doc, valid in every
            if valid and not doc["settled"]
        ]
        all_in(self.door, self.index, settle)
        all_in(self.door, self.index, [self._action("delete", doc) for doc, valid in every if not valid])

    def follow(self, summaries: Summaries, *, check_all: bool) -> None:
        """Note which anomalies belong to series that have points now, or no longer have."""
        known = summaries.known()
        appeared = known - summaries.known_before
        vanished = summaries.known_before - known
        changed: list[tuple[dict[str, Any], bool]] = []
        if appeared or check_all:
            changed += [(doc, True) for doc in self._scan({"term": {"known": False}}) if doc["series_id"] in known]
        if vanished or check_all:
            changed += [(doc, False) for doc in self._scan({"term": {"known": True}}) if doc["series_id"] not in known]
        all_in(self.door, self.index, [self._action("update", doc, {"doc": {"known": now}}) for doc, now in changed])
        if changed:
            self.door.ask(lambda c: c.indices.refresh(index=self.index))


def _id(doc: dict[str, Any]) -> str:
    return f"{doc['series_id']}|{doc['period_start']}|{doc['detector']}|{doc['generation']}"


def _is_valid(doc: dict[str, Any], state: State) -> bool:
    return state.valid.get(doc["period_start"]) == doc["generation"]
