"""Fault injection: every act by which a step writes can be made the last one.

`for n in count(1): with injected(n, fail) as acts: step()` until `acts.seen < n` tries a fault before every write of a step.
"""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from sqlalchemy import event
from sqlalchemy.engine import Engine

from lupus_provider.stores import files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WRITE_COUNTED = 1
"""Which write into a file is an act: a Parquet file has dozens, and one half-written file is as bad as another."""


class Acts:
    """Counts the acts of writing, and fails at one of them.

    Parameters
    ----------
    at
        Number of the act to fail at, from 1; 0 never fails.
    fail
        What happens there: raise, kill the process, stop it.
    """

    def __init__(self, at: int, fail: Callable[[], None]) -> None:
        self.at, self.fail = at, fail
        self.seen = 0
        self.names: list[str] = []

    def act(self, name: str) -> bool:
        """Count an act; fail if it is the one."""
        self.seen += 1
        self.names.append(name)
        if self.seen != self.at:
            return False
        self.fail()
        return True


class _Writing:
    """A file whose writes are acts; the failing one leaves half of its bytes behind."""

    def __init__(self, file: Any, acts: Acts) -> None:
        self._file, self._acts, self._writes = file, acts, 0

    def write(self, data: Any) -> int:
        """Write; the middle of a counted write is an act."""
        self._writes += 1
        if self._writes != WRITE_COUNTED:
            return self._file.write(data)
        half = len(data) // 2
        self._file.write(bytes(data)[:half])
        self._file.flush()
        self._acts.act("write")
        return half + self._file.write(bytes(data)[half:])

    def __enter__(self) -> _Writing:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


@contextmanager
def injected(at: int, fail: Callable[[], None], *, is_remote: bool = False) -> Iterator[Acts]:
    """Fail at the `at`-th act of writing: file writes, fsync, rename, SQL statements and commits of this process.

    Parameters
    ----------
    is_remote
        Requests that write to S3 or Elasticsearch, and statements of HiveServer2, are acts, too: it dies before they are sent.
    """
    acts = Acts(at, fail)
    open_temporary = files._open_temporary

    def opened(folder: Any) -> Any:
        file, path = open_temporary(folder)
        return _Writing(file, acts), path

    def before(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            acts.act(name)
            return real(*args, **kwargs)

        return call

    def executes(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.lstrip().upper().startswith(("SELECT", "PRAGMA")):
            acts.act("execute")

    def commits(_conn: Any) -> None:
        acts.act("commit")

    with ExitStack() as stack:
        stack.enter_context(patch.object(files, "_open_temporary", opened))
        stack.enter_context(patch.object(os, "replace", before("replace", os.replace)))
        stack.enter_context(patch.object(os, "fsync", before("fsync", os.fsync)))
        for name, listener in (("before_cursor_execute", executes), ("commit", commits)):
            event.listen(Engine, name, listener)
            stack.callback(event.remove, Engine, name, listener)
        if is_remote:
            _count_requests(stack, acts)
        yield acts


def _count_requests(stack: ExitStack, acts: Acts) -> None:
    from botocore.client import BaseClient
    from elastic_transport import Transport

    from lupus_provider.stores.history.hive_session import HiveSession

    call, perform, rows = BaseClient._make_api_call, Transport.perform_request, HiveSession._rows

    def s3(self: Any, operation: str, given: Any) -> Any:
        if not operation.startswith(("Get", "Head", "List")):
            acts.act(operation)
        return call(self, operation, given)

    def elastic(self: Any, method: str, target: str, **given: Any) -> Any:
        if method != "GET" and "_search" not in target and "_msearch" not in target:
            acts.act(f"{method} {target}")
        return perform(self, method, target, **given)

    def hive(self: Any, connection: Any, statement: str) -> Any:
        acts.act(statement.split(maxsplit=1)[0])
        return rows(self, connection, statement)

    stack.enter_context(patch.object(BaseClient, "_make_api_call", s3))
    stack.enter_context(patch.object(Transport, "perform_request", elastic))
    stack.enter_context(patch.object(HiveSession, "_rows", hive))


def kill() -> None:
    """End this process as the kernel's out-of-memory killer does: nothing is cleaned up."""
    os.kill(os.getpid(), signal.SIGKILL)


def stop() -> None:
    """Stop this process until somebody sends it SIGCONT."""
    os.kill(os.getpid(), signal.SIGSTOP)


def disk_full() -> None:
    """Raise what a full disk raises."""
    raise OSError(28, "No space left on device")


__all__ = ["Acts", "disk_full", "injected", "kill", "stop"]
