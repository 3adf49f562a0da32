"""A session of HiveServer2 that runs one statement at a time: with progress, a time limit, cancelling, and one reconnection.

Statements run asynchronously and are polled, because a synchronous one can be neither timed nor cancelled. Cancelling goes over a
connection of its own: the one that waits may be in the middle of an answer (tests/fault/test_hive.py).
"""

from __future__ import annotations

import logging
import time
from concurrent.futures import Future
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING, Any

from lupus_provider.errors import CatalogAwayError, CatalogError, LupusError
from lupus_provider.stores.history.hive_errors import DeadSessionError, from_exception, from_server, head, reason_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

log = logging.getLogger(__name__)

CONNECT_SECONDS = 60.0
CANCEL_SECONDS = 10.0
PROGRESS_SECONDS = 2.0
"""How often the log of a running statement is asked for."""
_POLL_SECONDS = 0.05  # the server itself answers a look late while a statement runs
_ANSWER_SECONDS = 10.0  # a server answers a look within five


class HiveSession:
    """One session; opened by the first statement.

    Parameters
    ----------
    connect
        Opens a PyHive connection.
    name
        Of the catalogue, for messages.
    timeout
        Seconds that a statement may take; then it is cancelled on the server.
    settings
        SET statements that every new session begins with.
    connect_timeout
        Seconds that opening a connection may take.
    """

    def __init__(
        self,
        connect: Callable[[], Any],
        name: str,
        timeout: float,
        settings: Sequence[str] = (),
        connect_timeout: float = CONNECT_SECONDS,
    ) -> None:
        self.name, self.timeout, self.settings, self.connect_timeout = name, timeout, tuple(settings), connect_timeout
        self._connect = connect
        self._connection: Any = None
        self._cursor: Any = None
        self._is_cancelled = (
            False  # no threading.Event: a signal handler must not wait for a lock of the thread it interrupts
        )

    def run(self, statement: str) -> list[tuple[Any, ...]]:
        """Run a statement that may be run twice, and return its rows; in a new session if this one has died.

        Raises
        ------
        CatalogError
            If the server refused it.
        CatalogAwayError
            If the server is away, the time was up, or `cancel` was called.
        """
        try:
            return self._once(statement)
        except DeadSessionError as err:
            log.info("%s: the session ended (%s), %s is tried in a new one", self.name, err, head(statement))
        try:
            return self._once(statement)
        except DeadSessionError as err:
            raise self._away(statement, str(err)) from err

    def cancel(self) -> None:
        """Cancel what runs, and refuse everything from now on; called from another thread or a signal handler."""
        self._is_cancelled = True
        self._cancel_on_server()

    def close(self) -> None:
        """End the session; the next statement opens another one."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            connection.close()
        except Exception as err:
            if from_exception(self.name, "close", err) is None:
                raise
            log.debug("%s: the session had ended before it was closed: %s", self.name, err)
        finally:
            _hang_up(connection)

    # -- one statement -----------------------------------------------------------------------------------------------

    def _once(self, statement: str) -> list[tuple[Any, ...]]:
        if self._is_cancelled:
            raise self._away(statement, "it was cancelled")
        connection = self._opened(statement)
        try:
            with self._translated(statement):
                return self._rows(connection, statement)
        except CatalogError:
            raise
        except BaseException:
            # Broken, too late, cancelled, or the task is being ended: nobody knows what the line still holds.
            self._cancel_on_server()
            self._connection = None
            _hang_up(connection)
            raise
        finally:
            self._cursor = None

    def _rows(self, connection: Any, statement: str) -> list[tuple[Any, ...]]:
        until = time.monotonic() + self.timeout
        cursor = self._cursor = connection.cursor()
        cursor.execute(statement, async_=True)
        self._wait(cursor, statement, until)
        rows = cursor.fetchall() if cursor.description else []
        cursor.close()
        return rows

    def _wait(self, cursor: Any, statement: str, until: float) -> None:
        from TCLIService.ttypes import TOperationState as State

        running = (State.INITIALIZED_STATE, State.PENDING_STATE, State.RUNNING_STATE)
        told = time.monotonic()
        while (status := cursor.poll(get_progress_update=False)).operationState in running:
            now = time.monotonic()
            if self._is_cancelled:
                raise self._away(statement, "it was cancelled")
            if now >= until:
                raise self._away(statement, f"it took longer than {self.timeout:g} s and was cancelled")
            if now >= told + PROGRESS_SECONDS:
                self._tell_progress(cursor, statement)
                told = now
            time.sleep(_POLL_SECONDS)
        if status.operationState != State.FINISHED_STATE:
            if status.operationState in (State.CANCELED_STATE, State.CLOSED_STATE):
                raise self._away(statement, "it was cancelled")
            raise from_server(self.name, statement, status.errorMessage or "", status.sqlState)

    def _tell_progress(self, cursor: Any, statement: str) -> None:
        from pyhive.exc import OperationalError

        try:
            lines = [line for line in cursor.fetch_logs() if line.strip()]
        except OperationalError as err:
            log.debug("%s keeps no log of its statements: %s", self.name, err)
            return
        for line in lines[:-1]:
            log.debug("%s: %s", self.name, reason_of(line))
        last = reason_of(lines[-1]) if lines else "still running"
        log.info("%s: %s: %s", self.name, head(statement), last)

    # -- connections -------------------------------------------------------------------------------------------------

    def _opened(self, statement: str) -> Any:
        if self._connection is None:
            try:
                with self._translated(statement):
                    self._connection = _within(self.connect_timeout, self._connect)
            except DeadSessionError as err:
                raise self._away(statement, f"it cannot be reached: {err}") from err
            _limit_answers(self._connection, self.timeout + _ANSWER_SECONDS)
            try:
                for setting in self.settings:
                    self._once(setting)
            except CatalogError:
                self.close()
                raise
        return self._connection

    def _cancel_on_server(self) -> None:
        """Cancel the operation by its handle; a server knows it from any connection."""
        handle = getattr(self._cursor, "_operationHandle", None)
        self._cursor = None
        if handle is None:  # nothing runs, or it is being compiled; that ends with the session
            return
        from TCLIService.ttypes import TCancelOperationReq

        try:
            with self._translated("CANCEL"):
                other = _within(CANCEL_SECONDS, self._connect)
                try:
                    _limit_answers(other, CANCEL_SECONDS)
                    other.client.CancelOperation(TCancelOperationReq(operationHandle=handle))
                finally:
                    _hang_up(other)
        except (DeadSessionError, LupusError) as err:
            log.warning("%s: a statement could not be cancelled, it ends with its session: %s", self.name, err)

    @contextmanager
    def _translated(self, statement: str) -> Iterator[None]:
        try:
            yield
        except (LupusError, DeadSessionError):
            raise
        except Exception as err:
            found = from_exception(self.name, statement, err)
            if found is None:
                raise
            raise found from err

    def _away(self, statement: str, reason: str) -> LupusError:
        return CatalogAwayError(self.name, head(statement), reason)


def _within(seconds: float, connect: Callable[[], Any]) -> Any:
    """Call with a time limit; PyHive has none, and a server that hangs takes connections without ever answering."""
    answer: Future[Any] = Future()

    def work() -> None:
        try:
            answer.set_result(connect())
        except BaseException as err:  # noqa: BLE001  (raised where the answer is read)
            answer.set_exception(err)

    Thread(target=work, daemon=True, name="hive-connect").start()
    try:
        return answer.result(seconds)
    except TimeoutError:
        answer.add_done_callback(lambda late: late.exception() is None and _hang_up(late.result()))
        raise


def _limit_answers(connection: Any, seconds: float) -> None:
    """Let no call wait longer for the server. PyHive has no option for it, so the socket is looked up in its transport."""
    transport = getattr(connection, "_transport", None)
    parts = () if transport is None else (transport, *vars(transport).values())
    for part in parts:
        if hasattr(part, "setTimeout"):
            part.setTimeout(seconds * 1000)


def _hang_up(connection: Any) -> None:
    """Close the socket without a word; the server then ends the session and what runs in it."""
    transport = getattr(connection, "_transport", None)
    if transport is not None:
        transport.close()
