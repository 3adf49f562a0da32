"""Plays one competitor in a process of its own and writes what it cost and what it found.

Standard library and psutil only, because competitors live in environments of their own.

The task is a JSON object in the first argument:
`question`, `mode` and `group_column` say what to do; `data` and `warm` are names of tables → globs of Parquet files; `probe` are the
groups whose values are compared; `answer` is the file to write. Imports, the session and one run over the small `warm` tables are
start-up; the figures are of the run over `data`.
"""

from __future__ import annotations

import json
import math
import sys
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Task = dict[str, Any]
SHORT, MOST_RUNS = 1.0, 10
"""Work that takes fewer CPU seconds is repeated and the mean told: the system counts in hundredths of a second."""


class NotThereYetError(Exception):
    """The package under test lacks what the question needs."""


def tree_cpu() -> float:
    """Return CPU seconds of this process and all its descendants, those that ended included."""
    me = psutil.Process()
    total = 0.0
    for process in [me, *me.children(recursive=True)]:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


def value_name(column: str, metric: str, group: object = "", entity: object = "") -> str:
    """Return the name under which a value is compared between competitors."""
    return "|".join(str(part) for part in (column, metric, group, entity))


def timed(work: Callable[[Any, Task, Mapping[str, str]], Any], context: Any, task: Task) -> tuple[float, float, Any]:
    """Return CPU seconds, wall seconds and result of one run."""
    cpu, wall = tree_cpu(), time.perf_counter()
    result = work(context, task, task["data"])
    wall = time.perf_counter() - wall
    return tree_cpu() - cpu, wall, result


def play(
    prepare: Callable[[Task], Any],
    work: Callable[[Any, Task, Mapping[str, str]], Any],
    describe: Callable[[Any, Task, Any], Task],
) -> None:
    """Run `prepare`, a small `work`, the measured `work`, and `describe` its result, uncounted.

    Parameters
    ----------
    prepare
        Task → context: imports and sessions.
    work
        (context, task, tables) → result: what is measured, from reading the files to values in the driver.
    describe
        (context, task, result) → fields of the answer: `values` (name → number), `n_values`, `digest`, Spark's counters.
    """
    task: Task = json.loads(sys.argv[1])
    answer: Task
    try:
        context = prepare(task)
        if task.get("warm"):
            work(context, {**task, "warming": True}, task["warm"])
        if hasattr(context, "reset"):
            context.reset()
        startup = tree_cpu()
        cpu, wall, result = timed(work, context, task)
        runs = 1 if cpu > SHORT or not task.get("warm") else min(MOST_RUNS, math.ceil(SHORT / max(cpu, 0.01)))
        for _ in range(runs - 1):
            more_cpu, more_wall, result = timed(work, context, task)
            cpu, wall = cpu + more_cpu, wall + more_wall
        answer = {"cpu_seconds": cpu / runs, "wall_seconds": wall / runs, "runs": runs, "startup_cpu_seconds": startup}
        answer |= describe(context, task, result)
        answer |= {name: answer[name] // runs for name in ("stages", "rows_read") if name in answer}
    except (NotThereYetError, ImportError) as error:
        answer = {"missing": f"{type(error).__name__}: {error}"}
    except Exception as error:  # noqa: BLE001  (the report's row says it)
        traceback.print_exc()
        answer = {"failed": f"{type(error).__name__}: {str(error)[:500]}"}
    Path(task["answer"]).write_text(json.dumps(answer))
