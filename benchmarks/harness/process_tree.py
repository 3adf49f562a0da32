"""Runs a program and measures the tree of processes that it starts: CPU seconds, peak memory, wall time."""

from __future__ import annotations

import ctypes
import os
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

EVERY_SECONDS = 0.05
PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True, slots=True)
class Cost:
    """What a tree of processes cost from its start to its end."""

    cpu_seconds: float
    """User and system time of all processes. Orphans count on Linux only."""
    wall_seconds: float
    peak_bytes: int
    """Largest sum of resident memory of all processes at one time; memory shared by two counts twice."""
    exit_code: int | None
    """None: stopped, because it ran out of time."""


def adopt_orphans() -> None:
    """Become the parent of orphaned descendants, so that their CPU time is told here: a JVM may outlive its Python."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def run_measured(command: Sequence[str], environment: Mapping[str, str], output: IO[str], timeout: float) -> Cost:
    """Run a command to its end, or until `timeout` seconds have passed."""
    adopt_orphans()
    before, started, peak = _reaped_seconds(), time.perf_counter(), 0
    program = subprocess.Popen(command, env=dict(environment), stdout=output, stderr=output)
    exit_code = None
    try:
        while (exit_code := program.poll()) is None and time.perf_counter() - started < timeout:
            peak = max(peak, _resident(program.pid))
            time.sleep(EVERY_SECONDS)
        wall = time.perf_counter() - started
    finally:
        _end(program, hard=exit_code is None)
    return Cost(_reaped_seconds() - before, wall, peak, exit_code)


def _reaped_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _resident(pid: int) -> int:
    total = 0
    try:
        root = psutil.Process(pid)
        tree = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    for process in tree:
        try:
            total += process.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total


def _end(program: subprocess.Popen[bytes], *, hard: bool) -> None:
    """Reap the program and every descendant that became our child; give orphans a moment to end by themselves."""
    if hard:
        for process in psutil.Process(program.pid).children(recursive=True):
            process.kill()
        program.kill()
    program.wait()
    deadline = time.monotonic() + 10
    while orphans := psutil.Process().children():
        if time.monotonic() > deadline:
            for process in orphans:
                process.kill()
        for process in orphans:
            try:
                os.waitpid(process.pid, os.WNOHANG)
            except ChildProcessError:
                continue
        time.sleep(0.05)
