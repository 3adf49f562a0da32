"""Starts DAG runs and follows them to their end, telling which step is at work.

A run's name says what it is about, so that starting the same thing twice is one run, and a run that a stop interrupted is taken up.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from lupus_provider.cli.airflow_api import DONE_STATES, AirflowApi, Task
from lupus_provider.cli.errors import RunFailedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

POLL_SECONDS = 0.5
STEPS = (
    "collect", "load_history", "load_index", "detect", "load_history_verdicts", "load_index_verdicts", "alert", "compact", "expire",
)  # fmt: skip
_MARKS = {
    "success": ("✓", "green"),
    "failed": ("✗", "red"),
    "upstream_failed": ("✗", "red"),
    "running": ("▸", "bold cyan"),
}
_RETRYING = ("↻", "yellow")


@dataclass(frozen=True, slots=True)
class Run:
    """A DAG run to follow."""

    dag_id: str
    run_id: str
    conf: dict[str, str] = field(hash=False)

    @property
    def label(self) -> str:
        """The metric set, which is what people know the run by."""
        return self.dag_id.rpartition(".")[2]


class Start(Enum):
    """What asking for a run came to."""

    NEW = "new"
    TAKEN_UP = "taken up"
    """An earlier demo was stopped while it ran, or it failed."""
    DONE_BEFORE = "done before"


def ensure_started(api: AirflowApi, run: Run) -> Start:
    """Start a run, or take up an earlier one of its name, or find that it succeeded and there is nothing to wait for."""
    found = api.find_run(run.dag_id, run.run_id)
    if found is not None and found["state"] == "success":
        return Start.DONE_BEFORE
    api.unpause(run.dag_id)
    if found is None:
        api.start_run(run.dag_id, run.run_id, run.conf)
        return Start.NEW
    if found["state"] == "failed":
        api.retry_run(run.dag_id, run.run_id)
    return Start.TAKEN_UP


def follow(
    api: AirflowApi,
    runs: Mapping[Run, Start],
    report: Report,
    *,
    log_of: Callable[[Run, Task | None], str],
    check: Callable[[], None],
) -> None:
    """Wait until all runs succeeded.

    Parameters
    ----------
    runs
        What `ensure_started` said of each; one that was taken up and fails is tried once more.
    report
        Told about every task at every look.
    log_of
        Says where the log of a task is; None stands for a run without a failed task.
    check
        Called at every look; raises if waiting has become pointless.

    Raises
    ------
    RunFailedError
        As soon as one run ended without success.
    """
    waiting = [run for run, start in runs.items() if start is not Start.DONE_BEFORE]
    second_chances = {run.dag_id for run, start in runs.items() if start is Start.TAKEN_UP}
    while waiting:
        check()
        for run in list(waiting):
            state = (api.find_run(run.dag_id, run.run_id) or {"state": "removed"})["state"]
            tasks = api.tasks(run.dag_id, run.run_id)
            report.show(run, tasks)
            if state == "success":
                waiting.remove(run)
            elif state == "failed" and run.dag_id in second_chances:
                # The stops of earlier demos used its tries up; that says nothing about the work.
                second_chances.remove(run.dag_id)
                api.retry_run(run.dag_id, run.run_id)
            elif state in DONE_STATES or state == "removed":
                failed = next((task for task in tasks if task.state == "failed"), None)
                raise RunFailedError(run.dag_id, run.run_id, state, failed and failed.task_id, log_of(run, failed))
        if waiting:
            time.sleep(POLL_SECONDS)


class Report:
    """Shows phases and tasks: one live block on a terminal, a line a change elsewhere.

    Parameters
    ----------
    console
        Where to.
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self._begin = time.monotonic()
        self._lines: dict[str, Text] = {}
        self._live: Live | None = None
        self._phase = ""

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._begin

    def __enter__(self) -> Report:
        if self.console.is_terminal:
            self._live = Live(get_renderable=self._block, console=self.console, refresh_per_second=8, transient=True)
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def phase(self, text: str) -> None:
        """Say what happens next."""
        self._phase = text
        if self._live is None:
            self._line(text)

    def done(self, text: str) -> None:
        """Say what has been done, for good."""
        self.console.print(f"[dim]{self.seconds:4.0f} s[/]  {text}")

    def show(self, run: Run, tasks: Iterable[Task]) -> None:
        """Show how far a run is."""
        line = steps_line(run.label, tasks)
        if line.plain == self._lines.get(run.label, Text()).plain:
            return
        self._lines[run.label] = line
        if self._live is None:
            self._line(line.plain)

    def _line(self, text: str) -> None:
        self.console.print(f"{self.seconds:4.0f} s  {text}", soft_wrap=True, markup=False)

    def _block(self) -> Group:
        head = Spinner("dots", text=Text(f"{self._phase} · {self.seconds:.0f} s"))
        return Group(head, *self._lines.values())


def steps_line(label: str, tasks: Iterable[Task]) -> Text:
    """One line that says which step of a run is at work: `departures  ✓ collect  ▸ load_history  · detect`."""
    states = {task.task_id: task for task in tasks}
    known = [step for step in STEPS if step in states] + sorted(set(states) - set(STEPS))
    line = Text(f"{label:<12}")
    for name in known:
        mark, style = _mark(states[name])
        line.append(f"  {mark} {name}", style)
    return line


def _mark(task: Task) -> tuple[str, str]:
    if task.state == "up_for_retry" or (task.state == "running" and task.try_number > 1):
        return _RETRYING
    return _MARKS.get(task.state or "", ("·", "dim"))
