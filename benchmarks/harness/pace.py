"""Asks at a fixed pace, as people do, and tells how long answers took: a slow answer does not slow down who asks next."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

THREADS = 8


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds from the moment at which a question was due to its answer."""

    p50: float
    p95: float
    worst: float
    alone: float
    """Median of questions that were asked one after another."""
    questions: int


def ask_at_pace(questions: Sequence[Callable[[], object]], per_second: float) -> Latency:
    """Ask each question when it is due, in threads; a few of them first and alone.

    Waiting for a free thread counts: a server that falls behind shows it (no coordinated omission).
    """
    alone = sorted(_seconds(question, time.perf_counter()) for question in questions[:20])
    began = time.perf_counter() + 0.2

    def when_due(item: tuple[int, Callable[[], object]]) -> float:
        n, question = item
        due = began + n / per_second
        time.sleep(max(0.0, due - time.perf_counter()))
        return _seconds(question, due)

    with ThreadPoolExecutor(THREADS) as pool:
        taken = np.array(list(pool.map(when_due, enumerate(questions)))) * 1_000
    p50, p95 = np.percentile(taken, [50, 95])
    return Latency(float(p50), float(p95), float(taken.max()), alone[len(alone) // 2] * 1_000, len(questions))


def _seconds(question: Callable[[], object], since: float) -> float:
    question()
    return time.perf_counter() - since
