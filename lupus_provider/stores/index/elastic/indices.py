"""Makes the indices, and swaps a rebuilt set of them in with one request.

Everything here may be done by several processes at once, and may die anywhere: what is left over has a name of ours and no alias that
serves, and the next rebuild drops it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from lupus_provider.errors import StoreBusyError
from lupus_provider.stores.index.elastic.errors import ElasticRefusedError
from lupus_provider.stores.index.elastic.mappings import body
from lupus_provider.stores.index.elastic.names import CONTENT, FORMAT, ROOMS, Names, new_suffix

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lupus_provider.stores.index.elastic.door import Door

_EXISTS = 400
MAKING_SECONDS = 60.0


def behind(door: Door, names: Names) -> dict[str, str]:
    """Return room → index behind its alias, of those that are there and have our format."""
    serving = {names[room] for room in ROOMS}
    return _owned(names, [index for index, aliases in _ours(door, names).items() if serving & aliases])


def _ours(door: Door, names: Names) -> dict[str, set[str]]:
    """Return all indices of our prefix with their aliases."""
    answer = door.ask(lambda c: c.indices.get_alias(index=f"{names.prefix}-*-v*", allow_no_indices=True), accept=(404,))
    found = {} if answer == -404 else answer.items()
    return {index: set(about["aliases"]) for index, about in dict(found).items() if names.owned(index)}


def _owned(names: Names, aliases: Iterable[str]) -> dict[str, str]:
    known = {index: names.owned(index) for index in aliases}
    return {owned[0]: index for index, owned in known.items() if owned is not None and owned[1] == FORMAT}


def ensure(door: Door, names: Names, shards: int = 1) -> None:
    """Make the rooms that are missing; rooms of another format go, because the index can always be rebuilt.

    The first of several processes that make a room wins: an alias goes to a new index only if it is nowhere yet.
    """
    deadline = time.monotonic() + MAKING_SECONDS
    while missing := [room for room in ROOMS if room not in behind(door, names)]:
        if time.monotonic() > deadline:
            what = f"making the indices of {door.place}"
            raise StoreBusyError(what, MAKING_SECONDS)
        _make_together(door, names, missing, shards)


def _make_together(door: Door, names: Names, rooms: Iterable[str], shards: int) -> None:
    """Make rooms under one lock, which is an index of its own: making an index is the one act that only one process can do."""
    lock = f"{names.prefix}-making"
    if (
        door.ask(
            lambda c: c.indices.create(index=lock, settings={"number_of_shards": 1, "number_of_replicas": 0}),
            accept=(_EXISTS,),
        )
        == -_EXISTS
    ):
        _wait_for(door, lock)
        return
    try:
        present = behind(door, names)
        for room in rooms:
            if room not in present:
                _make(door, names, room, shards)
    finally:
        drop(door, [lock])


def _wait_for(door: Door, lock: str) -> None:
    """Wait until the lock is gone; one whose maker died is broken by its age, told by our own clock."""
    deadline = time.monotonic() + max(door.access.lease, 2.0)
    while door.ask(lambda c: c.indices.exists(index=lock)):
        if time.monotonic() > deadline:
            drop(door, [lock])
            return
        time.sleep(0.1)


def _make(door: Door, names: Names, room: str, shards: int) -> None:
    old = [index for index, aliases in _ours(door, names).items() if names[room] in aliases]
    if not old:
        create(door, names.index(room, new_suffix()), room, shards, names[room])
        return
    index = names.index(room, new_suffix())
    create(door, index, room, shards)
    actions: list[dict[str, Any]] = [{"add": {"index": index, "alias": names[room]}}]
    door.ask(
        lambda c: c.indices.update_aliases(actions=[*actions, *({"remove_index": {"index": name}} for name in old)])
    )


def create(door: Door, index: str, room: str, shards: int = 1, alias: str | None = None) -> None:
    """Make one index; its suffix is ours alone, so one that is there already is what an unanswered try has made."""
    made: dict[str, Any] = body(room, shards) | ({"aliases": {alias: {}}} if alias else {})
    answer = door.ask(lambda c: c.indices.create(index=index, **made), accept=(_EXISTS,))
    if answer == -_EXISTS and index not in door.ask(
        lambda c: c.indices.get(index=index, allow_no_indices=True, ignore_unavailable=True)
    ):
        raise ElasticRefusedError(str(door.place), _EXISTS, f"index {index!r} cannot be made")


def drop(door: Door, indices: Iterable[str]) -> None:
    """Delete indices; one that is gone is no loss."""
    for index in indices:
        door.ask(lambda c, index=index: c.indices.delete(index=index), accept=(404,))


def begin(door: Door, names: Names, shards: int = 1) -> Names:
    """Make an empty set of indices behind aliases of its own; drop what a dead rebuild left."""
    drop(door, leftovers(door, names))
    fresh = Names(names.prefix, rebuild=True)
    suffix = new_suffix()
    for room in CONTENT:
        create(door, names.index(room, suffix), room, shards, fresh[room])
    return fresh


def leftovers(door: Door, names: Names) -> list[str]:
    """Return indices of ours that no serving alias points to."""
    serving = {names[room] for room in ROOMS}
    return [index for index, aliases in _ours(door, names).items() if not serving & aliases]


def swap(door: Door, names: Names) -> None:
    """Let the rebuilt set serve, and drop the old one: one request, so that readers see the one or the other."""
    fresh = Names(names.prefix, rebuild=True)
    actions: list[dict[str, Any]] = []
    new, old = behind(door, fresh), behind(door, names)
    for room in CONTENT:
        actions.append({"add": {"index": new[room], "alias": names[room]}})
        actions.append({"remove": {"index": new[room], "alias": fresh[room]}})
        if room in old:
            actions.append({"remove_index": {"index": old[room]}})
    door.ask(lambda c: c.indices.update_aliases(actions=actions))
