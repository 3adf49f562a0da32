"""Reads and switches the states of a metric set's months, and pages through its documents.

A state is replaced only if nobody replaced it since it was read: that is how a loader that was taken for dead learns that it was.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from lupus_provider.stores.index.elastic import names
from lupus_provider.stores.index.elastic.bulk import CONFLICT, TOO_LARGE, Fenced, action, items
from lupus_provider.stores.index.elastic.door import BUSY, LONGEST_PAUSE, reason_of
from lupus_provider.stores.index.elastic.errors import ElasticRefusedError, ElasticUnavailableError
from lupus_provider.stores.index.elastic.slots import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from lupus_provider.stores.index.elastic.door import Door

PAGE = 2_000
"""Documents that are read at once."""


def read_states(door: Door, index: str, key: str, months: Iterable[int]) -> dict[int, State]:
    """Return the states of months as they are this moment, refreshed or not; a month without any is empty."""
    wanted = sorted(set(months))
    found = {month: State(key, month, is_new=True) for month in wanted}
    if not wanted:
        return found
    docs = [{"_id": names.state_id(key, month), "routing": key} for month in wanted]
    answer = door.ask(lambda c: c.mget(index=index, docs=docs))
    for doc in answer["docs"]:
        if "error" in doc:
            raise ElasticRefusedError(str(door.place), 400, reason_of(doc))
        if doc["found"]:
            found[doc["_source"]["month"]] = State.of(doc["_source"], (doc["_seq_no"], doc["_primary_term"]))
    return found


def replace_states(door: Door, index: str, states: Sequence[State], *, refresh: bool = False) -> None:
    """Write states over the ones that were read.

    Raises
    ------
    Fenced
        If somebody else wrote one of them meanwhile; others of the same call may have been written.
    """
    left, pause = list(states), 0.1
    deadline = time.monotonic() + door.access.patience
    while left:
        answers = items(door, index, [_replacing(state) for state in left], refresh=refresh)
        if answers is None:
            what = f"{door.place} states of {left[0].key}"
            raise ElasticRefusedError(what, TOO_LARGE, "too large for one request")
        busy = []
        for state, answer in zip(left, answers, strict=True):
            status = answer["status"]
            if status < 300:
                state.version = (answer["_seq_no"], answer["_primary_term"])
            elif status == CONFLICT:
                _take_for_ours(door, index, state)
            elif status in BUSY:
                busy.append(state)
            else:
                what = f"{door.place} state {state.key} {state.month}"
                raise ElasticRefusedError(what, status, reason_of(answer))
        if busy and time.monotonic() + pause > deadline:
            raise ElasticUnavailableError(str(door.place), door.access.patience, "states were turned away")
        if busy:
            time.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
        left = busy


def _replacing(state: State) -> Any:
    expected = (
        {"op_type": "create"}
        if state.version is None
        else {"if_seq_no": state.version[0], "if_primary_term": state.version[1]}
    )
    verb = "create" if expected.pop("op_type", None) else "index"
    return action(verb, names.state_id(state.key, state.month), state.document(), routing=state.key, **expected)


def _take_for_ours(door: Door, index: str, state: State) -> None:
    """Accept a state that is already what we wanted: the answer to an earlier try was lost."""
    found = read_states(door, index, state.key, [state.month])[state.month]
    if found.document() != state.document():
        raise Fenced(state.month)
    state.version = found.version


def scan(
    door: Door, index: str, filters: Sequence[Mapping[str, Any]], sort: Sequence[str], *, source: Any = True
) -> Iterator[dict[str, Any]]:
    """Page through all documents that pass the filters, sorted by fields that tell them apart; yields `_id` and `_source`.

    Nobody else writes what is scanned, so pages fit together without a snapshot.
    """
    after: list[Any] | None = None
    while True:
        body: dict[str, Any] = {
            "query": {"bool": {"filter": list(filters)}}, "sort": [{name: "asc"} for name in sort], "size": PAGE,
            "source": source, "track_total_hits": False,
        }  # fmt: skip
        if after is not None:
            body["search_after"] = after
        hits = door.ask(lambda c, body=body: c.search(index=index, **body))["hits"]["hits"]
        yield from hits
        if len(hits) < PAGE:
            return
        after = hits[-1]["sort"]
