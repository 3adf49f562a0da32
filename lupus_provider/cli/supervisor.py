"""Keeps Airflow's processes together: starts them, and leaves none behind however the demo ends.

A process of its own, in its own session, that lives as long as its standard input stays open: when the demo ends, by Ctrl-C, SIGTERM or
even SIGKILL, the pipe closes and the supervisor stops everything. Airflow's tasks leave their parents' process groups, so it is made the
reaper of all its descendants, which cannot get lost that way (tests/unit/cli/test_supervisor.py).
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

GRACE_SECONDS = 6.0
"""What Airflow needs to stop clean; what still lives then is killed."""
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


@dataclass(frozen=True, slots=True)
class Component:
    """One process to keep."""

    name: str
    argv: tuple[str, ...]
    log: str


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends (Linux; elsewhere orphans of killed tasks may remain)."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def end_descendants(leaders: list[int], grace: float = GRACE_SECONDS) -> None:
    """Ask the leaders to stop, wait, then kill every descendant of this process that is left."""
    for pid in leaders:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + grace
    while time.monotonic() < deadline and _reap():
        time.sleep(0.05)
    # Killing may orphan grandchildren, which come to us: until nobody is left.
    while _reap():
        for process in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        time.sleep(0.02)


def start(component: Component, env: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start a component with its output in its log; it is told to stop should this process die without a word."""
    with Path(component.log).open("ab") as log:
        return subprocess.Popen(  # noqa: S603
            component.argv, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=die_with_parent
        )


def main() -> int:
    """Run the components that the first line of standard input names, until it closes; 1 if one of them ends before."""
    spec = json.loads(_first_line(sys.stdin.fileno()))
    stopping = _stop_on_signals()
    adopt_orphans()
    running: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for item in spec["components"]:
            component = Component(item["name"], tuple(item["argv"]), item["log"])
            running[component.name] = start(component, spec["env"])
        died = _watch(running, stopping)
    finally:
        end_descendants([process.pid for process in running.values()])
    if died is None:
        return 0
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.write(json.dumps({"name": died, "code": running[died].returncode}) + "\n")
        sys.stdout.flush()
    return 1


def _watch(running: dict[str, subprocess.Popen[bytes]], stopping: int) -> str | None:
    """Wait until standard input closes or a signal comes (None), or a component ends (its name)."""
    while True:
        ready, _, _ = select.select([sys.stdin, stopping], [], [], 0.25)
        if stopping in ready or (sys.stdin in ready and not os.read(sys.stdin.fileno(), 4096)):
            return None
        for name, process in running.items():
            if process.poll() is not None:
                return name


def _stop_on_signals() -> int:
    """Return a descriptor that becomes readable when somebody asks this process to stop."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    return reader


def _first_line(descriptor: int) -> bytes:
    """Read a line and not a byte more: `select` could not see what a buffer has taken."""
    line = b""
    while not line.endswith(b"\n") and (byte := os.read(descriptor, 1)):
        line += byte
    return line


def _reap() -> bool:
    """Collect the children that have ended; True while there are others."""
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return False
        if pid == 0:
            return True


def die_with_parent() -> None:
    """Have the kernel send SIGTERM to this process when its parent ends; to be called between fork and exec."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


if __name__ == "__main__":
    sys.exit(main())
