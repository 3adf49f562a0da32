"""One loader at a time a metric set: a lock that its holder keeps alive, and that others take over when it shows no life.

Whether the holder lives is judged by one's own clock and by whether its mark moves, so clocks that differ do no harm. Holding the lock is a
courtesy that saves work; what keeps the content right is that every taking has a higher generation, and older ones are refused
(`loading`).
"""

from __future__ import annotations

import random
import secrets
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lupus_provider.clock import utc_now
from lupus_provider.errors import StoreBusyError
from lupus_provider.stores.index.elastic.errors import ElasticUnavailableError
from lupus_provider.stores.index.elastic.names import STATE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lupus_provider.stores.index.elastic.door import Door
    from lupus_provider.stores.index.elastic.names import Names

LONGEST_WAIT = 3_600.0
"""Seconds that a loader waits while others live and load."""
_LOOK = 0.3


class Lock:
    """The lock of one metric set, as one process sees it."""

    def __init__(self, door: Door, index: str, key: str) -> None:
        self._door, self._index, self._key = door, index, key
        self._owner = secrets.token_hex(8)
        self._version: tuple[int, int] | None = None  # sequence number and primary term that we saw or wrote
        self._source: dict[str, Any] = {}
        self._writing = threading.Lock()

    def _read(self) -> dict[str, Any] | None:
        answer = self._door.ask(lambda c: c.get(index=self._index, id=self._key), accept=(404,))
        if answer == -404:
            self._version = None
            return None
        self._version = (answer["_seq_no"], answer["_primary_term"])
        return answer["_source"]

    def _write(self, source: dict[str, Any]) -> bool:
        """Replace what we saw last; False if somebody else did meanwhile. A write whose answer was lost counts as ours."""
        expected = (
            {"op_type": "create"}
            if self._version is None
            else {"if_seq_no": self._version[0], "if_primary_term": self._version[1]}
        )
        with self._writing:
            answer = self._door.ask(
                lambda c: c.index(index=self._index, id=self._key, document=source, require_alias=True, **expected),  # type: ignore[arg-type]
                accept=(409,),
            )
            if answer == -409:
                return self._read() == source
            self._version = (answer["_seq_no"], answer["_primary_term"])
            return True

    def take(self) -> int:
        """Wait for the lock and return the generation of this taking, higher than all before."""
        began = seen_at = time.monotonic()
        seen: dict[str, Any] | None = None
        while True:
            found = self._read()
            if found != seen:
                seen, seen_at = found, time.monotonic()
            is_free = found is None or not found["held"] or time.monotonic() - seen_at >= self._door.access.lease
            if is_free and self._write(self._taken(found)):
                return self._source["generation"]
            if time.monotonic() - began > LONGEST_WAIT:
                what = f"{self._door.place} metric set {self._key}"
                raise StoreBusyError(what, LONGEST_WAIT)
            time.sleep(_LOOK * random.uniform(0.1, 1.0))  # noqa: S311  (spreads the load, guards nothing)

    def _taken(self, found: dict[str, Any] | None) -> dict[str, Any]:
        last = 0 if found is None else found["generation"]
        generation = max(
            last + 1, int(utc_now().timestamp() * 1000)
        )  # by the clock, so that it grows even if this index is lost
        self._source = {"owner": self._owner, "generation": generation, "beat": 0, "held": True}
        return self._source

    def beat(self) -> bool:
        """Show life; False if the lock is no longer ours."""
        source = {**self._source, "beat": self._source["beat"] + 1}
        if not self._write(source):
            return False
        self._source = source
        return True

    def release(self) -> None:
        """Let the next one in."""
        self._write({**self._source, "held": False})


@contextmanager
def held(door: Door, names: Names, metric_set: str) -> Iterator[int]:
    """Hold a metric set's lock, and yield the generation."""
    lock = Lock(door, names[STATE], names.lock(metric_set))
    generation = lock.take()
    ended = threading.Event()
    beating = threading.Thread(target=_beat, args=(lock, ended, door.access.lease / 3), daemon=True)
    beating.start()
    try:
        yield generation
    finally:
        ended.set()
        beating.join()
        lock.release()


def _beat(lock: Lock, ended: threading.Event, every: float) -> None:
    while not ended.wait(every):
        try:
            if not lock.beat():
                return
        except ElasticUnavailableError:
            return  # the load meets the same silence and says so
