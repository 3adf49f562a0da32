"""Several sessions of one catalogue, for statements that do not wait for each other.

The server takes some time for each statement and no time of ours, so a year of days is switched by a few sessions at once, bounded because
each is a burden there. A statement that is refused does not stop the others (tests/unit/stores/history/test_hive_sessions.py).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue
from threading import Event
from typing import TYPE_CHECKING, Any

from lupus_provider.errors import CatalogAwayError, CatalogError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lupus_provider.errors import LupusError
    from lupus_provider.stores.history.hive_session import HiveSession

MANY = 8
"""Fewer statements run one after the other: another session costs more than it saves."""


class HiveSessions:
    """Up to so many sessions; each is opened by its first statement.

    Parameters
    ----------
    make
        Returns a session that is not opened yet.
    at_once
        How many there are at most.
    """

    def __init__(self, make: Callable[[], HiveSession], at_once: int) -> None:
        self._sessions = [make() for _ in range(at_once)]

    def run(self, statement: str) -> list[tuple[Any, ...]]:
        """Run one statement; see `HiveSession.run`."""
        return self._sessions[0].run(statement)

    def run_each(self, statements: Sequence[str]) -> dict[int, LupusError]:
        """Run statements in no order; return number → error of those that did not work.

        A server that is away ends it: the statements that were not begun get that error, too.
        """
        work = _Work(statements)
        chosen = self._sessions if len(statements) >= MANY else self._sessions[:1]
        if len(chosen) == 1:
            work.do(chosen[0])
        else:
            with ThreadPoolExecutor(len(chosen), thread_name_prefix="hive") as pool:
                for done in [pool.submit(work.do, session) for session in chosen]:
                    done.result()
        return work.outcome()

    def cancel(self) -> None:
        """Cancel what runs, and refuse everything from now on; callable from a signal handler."""
        for session in self._sessions:
            session.cancel()

    def close(self) -> None:
        """End all sessions."""
        for session in self._sessions:
            session.close()


class _Work:
    """Statements that several sessions take from each other, until one finds the server away."""

    def __init__(self, statements: Sequence[str]) -> None:
        self.statements = statements
        self.waiting: SimpleQueue[int] = SimpleQueue()
        self.failed: dict[int, LupusError] = {}
        self.ended = Event()
        self.away: CatalogAwayError | None = None
        for number in range(len(statements)):
            self.waiting.put(number)

    def do(self, session: HiveSession) -> None:
        try:
            while not self.ended.is_set():
                self._one(session, self.waiting.get_nowait())
        except Empty:
            return
        except BaseException:
            self.ended.set()
            raise

    def _one(self, session: HiveSession, number: int) -> None:
        try:
            session.run(self.statements[number])
        except CatalogError as err:
            self.failed[number] = err
        except CatalogAwayError as err:
            self.failed[number] = self.away = err
            self.ended.set()

    def outcome(self) -> dict[int, LupusError]:
        """Return number → error; those that nobody began have the error that ended the work."""
        while self.away is not None and not self.waiting.empty():
            self.failed[self.waiting.get_nowait()] = self.away
        return self.failed
