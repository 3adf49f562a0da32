"""Real processes for tests: forked from a server that has the libraries loaded, so that a kill costs milliseconds."""

from __future__ import annotations

import multiprocessing
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.process import BaseProcess

SECONDS = 60.0
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


def finish(process: BaseProcess) -> int:
    """Wait for a process and return its exit code, negative for a signal; AssertionError if it does not end."""
    process.join(SECONDS)
    assert process.exitcode is not None, "the process does not end"
    return process.exitcode


def run_together(*calls: tuple[Any, ...]) -> list[int]:
    """Start calls `(function, *arguments)` at once and return their exit codes."""
    processes = [start(*call) for call in calls]
    return [finish(process) for process in processes]
