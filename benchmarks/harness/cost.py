"""What a call costs: CPU seconds of this process and of the servers that it asks, and wall time; the median of a few calls."""

from __future__ import annotations

import statistics
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lupus_provider.testing.server_process import ServerProcess


@dataclass(frozen=True, slots=True)
class CallCost:
    """Medians over the calls."""

    cpu_seconds: float
    """User and system time of this process and of the servers."""
    server_cpu_seconds: float
    wall_seconds: float
    calls: int

    def row(self, name: str, **more: Any) -> dict[str, Any]:
        """Return the row of a table."""
        return {"name": name, **asdict(self), **more}


def cpu_of(servers: Sequence[ServerProcess]) -> float:
    """Return the CPU seconds that servers have used since they started."""
    used = 0.0
    for server in servers:
        root = psutil.Process(server.pid)
        for process in [root, *root.children(recursive=True)]:
            times = process.cpu_times()
            used += times.user + times.system
    return used


def costs_in_turn(
    calls: Sequence[Callable[[], object]], servers: Sequence[ServerProcess], repeat: int, pause: float = 0.0
) -> list[CallCost]:
    """Measure calls in turn, so that what else the machine does befalls all of them; each is run once before, uncounted.

    Parameters
    ----------
    pause
        Seconds that a server gets after each call to finish what it does in the background; its CPU time counts.
    """
    found: list[list[tuple[float, float, float]]] = [[] for _ in calls]
    for n in range(repeat + 1):
        for mine, call in zip(found, calls):
            at_server, here, began = cpu_of(servers), time.process_time(), time.perf_counter()
            call()
            wall = time.perf_counter() - began
            time.sleep(pause)
            used = cpu_of(servers) - at_server
            if n:
                mine.append((time.process_time() - here + used, used, wall))
    return [CallCost(*(statistics.median(part) for part in zip(*mine)), repeat) for mine in found]
