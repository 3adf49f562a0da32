"""Real processes for tests: forked from a server that has the libraries loaded, so that a kill costs milliseconds."""

from __future__ import annotations

import multiprocessing
import signal
from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.process import BaseProcess

SECONDS = 300.0
KILLS: Counter[str] = Counter()
"""Processes that ended by SIGKILL, by the stores that they wrote to: what `counting` was told."""
_counted = ["stores of no name"]
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload([
    "pandas",  # Arrow imports it at first use where it is installed
    "alembic.command", "pyarrow.dataset", "lupus_provider.testing.way", "lupus_provider.engines.duckdb",
    "lupus_provider.stores.stage.parquet", "lupus_provider.stores.history.parquet", "lupus_provider.stores.index.sql",
    "lupus_provider.stores.ledger.sql", "lupus_provider.alert.senders.file",
])  # fmt: skip


def start(call: Callable[..., object], *args: Any) -> BaseProcess:
    """Start a call in a process of its own; `call` is importable by name."""
    process = _CONTEXT.Process(target=call, args=args, daemon=True)
    process.start()
    return process


def counting(stores: str) -> None:
    """Count kills under the name of a combination of stores from now on."""
    _counted[0] = stores


def finish(process: BaseProcess) -> int:
    """Wait for a process and return its exit code, negative for a signal; AssertionError if it does not end."""
    process.join(SECONDS)
    assert process.exitcode is not None, "the process does not end"
    KILLS[_counted[0]] += process.exitcode == -signal.SIGKILL
    return process.exitcode


def run_together(*calls: tuple[Any, ...]) -> list[int]:
    """Start calls `(function, *arguments)` at once and return their exit codes."""
    processes = [start(*call) for call in calls]
    return [finish(process) for process in processes]
