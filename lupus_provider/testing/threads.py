"""Threads that act at the same moment, for laws about those who write at once; each has connections of its own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")


def at_once(number: int, call: Callable[[int], Result]) -> list[Result]:
    """Call with 0, 1, … in as many threads, which wait for each other before they begin; return what the calls return."""
    barrier = Barrier(number, timeout=30)

    def begin(n: int) -> Result:
        barrier.wait()
        return call(n)

    with ThreadPoolExecutor(number) as threads:
        return list(threads.map(begin, range(number)))
