"""Loads periods: fills slots beside the valid ones, then switches readers over by writing the months' states.

1. Take the months: write our generation into their states. Whoever had taken them before cannot switch any more.
2. Write the documents of the touched series and months: all slots that are valid, and the new ones, which nobody sees yet. A document carries
   the generation as its version, so a loader that was taken for dead and wakes up is refused.
3. Switch: replace each state if it is still the one that we took. Documents and states of a metric set lie in one shard, and one search sees
   one moment of a shard, so a reader sees a period as it was or as it is.
4. Make the summaries, sweep what nobody sees any more, and note that this is done. A loader that dies before leaves the note, and the next
   load of the metric set does it.
"""

from __future__ import annotations

from datetime import UTC
from itertools import groupby
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from lupus_provider.records import ANOMALIES, EVALUATIONS, POINTS
from lupus_provider.stores.history.base import Switched
from lupus_provider.stores.index.documents import month_of
from lupus_provider.stores.index.elastic import names
from lupus_provider.stores.index.elastic.anomalies import AnomalyRoom
from lupus_provider.stores.index.elastic.bulk import Fenced, all_in
from lupus_provider.stores.index.elastic.errors import (
    DocumentsRefusedError,
    ElasticRefusedError,
    ElasticUnavailableError,
)
from lupus_provider.stores.index.elastic.months import BandRoom, PointRoom
from lupus_provider.stores.index.elastic.states import read_states, replace_states, scan
from lupus_provider.stores.index.elastic.summaries import Entries, Summaries
from lupus_provider.stores.index.loading import epoch, quarter_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lupus_provider.records import RecordKind
    from lupus_provider.stores.history.base import Incoming
    from lupus_provider.stores.index.base import MetricSetInfo
    from lupus_provider.stores.index.elastic.door import Door
    from lupus_provider.stores.index.elastic.names import Names
    from lupus_provider.stores.index.elastic.slots import State

REFUSED = "refused"
"""Digest of a period of which a document was refused: it counts as not loaded."""
ROOM_OF = {POINTS.name: names.POINTS, EVALUATIONS.name: names.BANDS, ANOMALIES.name: names.ANOMALIES}


class Load:
    """One load of a metric set, while its lock is held."""

    def __init__(self, door: Door, names_: Names, about: MetricSetInfo, generation: int) -> None:
        self.door, self.names, self.generation = door, names_, generation
        self.key = names.set_key(about.project, about.metric_set)
        every = ",".join(names_[room] for room in names.CONTENT)
        door.ask(lambda c: c.indices.refresh(index=every))  # what a dead loader wrote and did not refresh must be found
        self.summaries = Summaries(door, names_[names.SERIES], about)
        self.anomalies = AnomalyRoom(door, names_, self.key, generation, self.summaries.known_before)
        slots = [room(door, names_, self.key, generation, self.summaries.named) for room in (PointRoom, BandRoom)]
        self.rooms: dict[str, AnomalyRoom | PointRoom | BandRoom] = {
            room.name: room for room in (*slots, self.anomalies)
        }
        self.refused: dict[str, str] = {}
        self.done: dict[tuple[str, int], tuple[State, Entries]] = {}
        """Months that were switched, with what they give to the summaries."""

    def run(self, kind: RecordKind, incoming: Sequence[Incoming], *, force: bool = False) -> Switched:
        """Load periods, a quarter of a year at a time."""
        room = self.rooms[ROOM_OF[kind.name]]
        starts = [epoch(item.period_start) for item in incoming]
        states = read_states(self.door, self.names[room.name], self.key, (month_of(at) for at in starts))
        changed = [
            item for item, at in zip(incoming, starts) if force or states[month_of(at)].digests.get(at) != item.digest
        ]
        rows, days = 0, {}
        for part in _quarters(changed):
            try:
                rows += self._part(room, kind, part, states)
            except Exception as err:
                if self.done and not isinstance(err, (Fenced, ElasticUnavailableError)):
                    self._finish()
                raise
            days.update(dict.fromkeys(item.period_start.astimezone(UTC).date() for item in part))
        self._finish()
        if self.refused:
            raise DocumentsRefusedError(str(self.door.place), self.refused)
        return Switched(tuple(days), len(changed), len(incoming) - len(changed), rows)

    def _part(self, room: Any, kind: RecordKind, part: Sequence[Incoming], states: dict[int, State]) -> int:
        taken = [item.taken(kind) for item in part]
        table = pa.concat_tables([records for records, _ in taken])
        periods = {epoch(item.period_start): digest for item, (_, digest) in zip(part, taken)}
        touched = [states[month] for month in sorted({month_of(at) for at in periods})]
        index = self.names[room.name]
        for state in touched:
            self._check(state)
            state.writer = self.generation
        replace_states(self.door, index, touched)
        found = room.fill(table, touched, set(periods))
        if found.refused and len(found.refused) == found.written:
            name, reason = next(iter(found.refused.items()))
            what = f"{self.door.place} document {name}"
            raise ElasticRefusedError(what, 400, reason)
        self.refused |= found.refused
        periods |= dict.fromkeys(found.refused_periods & periods.keys(), REFUSED)
        for state in touched:
            state.switch({at: digest for at, digest in periods.items() if month_of(at) == state.month})
        replace_states(self.door, index, touched)
        self.summaries.name_series(found.identities)
        for state in touched:
            self.done[room.name, state.month] = (state, room.entries(state))
        return table.num_rows

    def expire(self, before: int) -> int:
        """Forget the periods before an instant, in every room; return how many.

        One write of each month's state hides them. Documents of whole months are deleted by one request, those of the last month keep
        their other slots.
        """
        gone = 0
        for name, room in self.rooms.items():
            mine = [
                {"term": {"set": self.key}},
                {"term": {"doc": "state"}},
                {"range": {"month": {"lte": month_of(before)}}},
            ]
            found = [hit["_source"]["month"] for hit in scan(self.door, self.names[name], mine, ["month"])]
            states = [
                state
                for state in read_states(self.door, self.names[name], self.key, found).values()
                if state.first < before
            ]
            gone += sum(sum(at < before for at in state.valid) for state in states)
            for state in states:
                self._check(state)
                state.writer = self.generation
                state.forget(before)
            replace_states(self.door, self.names[name], states)
            for state in states:
                if state.valid:
                    self.summaries.name_series(room.reread(state))
                    self.done[name, state.month] = (state, room.entries(state))
                else:
                    self.done[name, state.month] = (state, {})
        self._finish()
        for name in self.rooms:
            self._drop_empty(
                name, [state.month for (where, _), (state, _) in self.done.items() if where == name and not state.valid]
            )
        return gone

    def _drop_empty(self, name: str, months: Sequence[int]) -> None:
        """Delete everything of months in which nothing is valid, their states included."""
        if months:
            mine = [{"term": {"set": self.key}}, {"terms": {"month": list(months)}}]
            self.door.ask(lambda c: c.delete_by_query(
                index=self.names[name], query={"bool": {"filter": mine}}, conflicts="proceed", refresh=True,
            ))  # fmt: skip

    def _check(self, state: State) -> None:
        """Give way to who took a month after us: what was gathered then is newer."""
        if state.writer > self.generation:
            raise Fenced(state.month)

    # -- what follows a switch -------------------------------------------------------------------------------------------

    def _finish(self) -> None:
        """Make summaries of all that was switched, by this load or one that died; sweep; note that it is done."""
        for name in {
            name for name, _ in self.done
        }:  # all that was switched is seen at once: each refresh is segments to merge
            self.door.ask(lambda c, name=name: c.indices.refresh(index=self.names[name]))
        mended = self._left_behind()
        for (room, month), (_, entries) in self.done.items():
            self.summaries.put(room, month, entries)
        if not self.done and not self._is_new():
            return
        all_in(self.door, self.names[names.SERIES], self.summaries.actions(self.generation))
        self.door.ask(lambda c: c.indices.refresh(index=self.names[names.SERIES]))
        self.anomalies.follow(self.summaries, check_all=mended)
        for name, room in self.rooms.items():
            states = [state for (where, _), (state, _) in self.done.items() if where == name]
            if not states:
                continue
            room.sweep(states)
            for state in states:
                state.dirty = False
            # Who lists anomalies goes by what is dirty; in the other rooms the next load finds it out.
            replace_states(self.door, self.names[name], states, refresh=name == names.ANOMALIES)

    def _left_behind(self) -> bool:
        """Read months that were switched and not finished; True if there are any."""
        dirty = [{"term": {"set": self.key}}, {"term": {"doc": "state"}}, {"term": {"dirty": True}}]
        body = {"query": {"bool": {"filter": dirty}}, "size": 10_000, "source": ["month"]}
        every = ",".join(self.names[name] for name in self.rooms)
        hits = self.door.ask(lambda c: c.search(index=every, **body))["hits"]["hits"]
        left: dict[str, list[int]] = {}
        for hit in hits:
            name, _ = self.names.owned(hit["_index"]) or ("", 0)
            if name in self.rooms and (name, hit["_source"]["month"]) not in self.done:
                left.setdefault(name, []).append(hit["_source"]["month"])
        for name, months_left in left.items():
            for month, state in read_states(self.door, self.names[name], self.key, months_left).items():
                self._check(state)
                self.summaries.name_series(self.rooms[name].reread(state))
                self.done[name, month] = (state, self.rooms[name].entries(state))
        return bool(left)

    def _is_new(self) -> bool:
        """Tell whether the metric set has no document of its own yet, or another period or zone."""
        document = self.summaries.metric_set_document()
        answer = self.door.ask(
            lambda c: c.get(index=self.names[names.SERIES], id=names.set_id(self.key)), accept=(404,)
        )
        return answer == -404 or any(answer["_source"][name] != document[name] for name in ("period", "timezone"))


def _quarters(changed: Iterable[Incoming]) -> list[list[Incoming]]:
    """Split into quarters of a year in UTC, oldest first."""
    ordered = sorted(changed, key=lambda item: item.period_start)
    return [list(part) for _, part in groupby(ordered, key=lambda item: quarter_of(item.period_start))]
