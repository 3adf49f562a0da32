from __future__ import annotations

import io

import pytest
from rich.console import Console

from lupus_provider.cli import runs as module
from lupus_provider.cli.airflow_api import Task
from lupus_provider.cli.errors import RunFailedError
from lupus_provider.cli.runs import Report, Run, Start, ensure_started, follow, steps_line

RUN = Run("lupus.flights.departures", "r1", {"from": "a", "to": "b"})


class Api:
    """An Airflow whose run goes through states, one a look."""

    def __init__(self, *looks):
        self.looks, self.calls = list(looks), []

    def find_run(self, dag_id, run_id):
        state = self.looks[0][0]
        return None if state is None else {"state": state}

    def tasks(self, dag_id, run_id):
        return self.looks.pop(0)[1] if len(self.looks) > 1 else self.looks[0][1]

    def __getattr__(self, name):
        return lambda *args: self.calls.append((name, *args))


@pytest.fixture
def report(monkeypatch):
    monkeypatch.setattr(module, "POLL_SECONDS", 0)
    with Report(Console(file=io.StringIO(), width=200)) as shown:
        yield shown


def wait(api, report, **kwargs):
    follow(
        api,
        {RUN: kwargs.get("start", Start.NEW)},
        report,
        log_of=lambda run, task: f"log of {task and task.task_id}",
        check=kwargs.get("check", lambda: None),
    )


def test_a_new_run_is_switched_on_and_started():
    api = Api((None, []))
    assert ensure_started(api, RUN) is Start.NEW
    assert api.calls == [("unpause", RUN.dag_id), ("start_run", RUN.dag_id, "r1", RUN.conf)]


def test_a_run_that_succeeded_is_left_alone():
    api = Api(("success", []))
    assert ensure_started(api, RUN) is Start.DONE_BEFORE
    assert api.calls == []


@pytest.mark.parametrize(
    ("state", "calls"), [("running", []), ("queued", []), ("failed", [("retry_run", RUN.dag_id, "r1")])]
)
def test_an_earlier_run_is_taken_up(state, calls):
    api = Api((state, []))
    assert ensure_started(api, RUN) is Start.TAKEN_UP
    assert api.calls == [("unpause", RUN.dag_id), *calls]


def test_each_change_is_one_line_and_nothing_else_is(report):
    running, done = Task("collect", "running", 1), Task("collect", "success", 1)
    wait(Api(("running", [running]), ("running", [running]), ("success", [done])), report)
    lines = report.console.file.getvalue().splitlines()
    assert [line.split(" s  ", 1)[1] for line in lines] == ["departures    ▸ collect", "departures    ✓ collect"]


def test_a_failed_run_names_task_and_log(report):
    tasks = [Task("collect", "success", 1), Task("detect", "failed", 3), Task("alert", "upstream_failed", 0)]
    with pytest.raises(RunFailedError, match=r"ended as failed in task detect.*log of detect"):
        wait(Api(("running", tasks), ("failed", tasks)), report)


def test_a_run_that_stops_have_interrupted_is_tried_once_more(report):
    api = Api(("failed", []), ("running", []), ("success", []))
    wait(api, report, start=Start.TAKEN_UP)
    assert api.calls == [("retry_run", RUN.dag_id, "r1")]
    with pytest.raises(RunFailedError):
        wait(Api(("failed", []), ("running", []), ("failed", [])), report, start=Start.TAKEN_UP)


def test_a_run_that_was_done_before_is_not_waited_for(report):
    wait(Api(("failed", [])), report, start=Start.DONE_BEFORE)


def test_a_run_that_somebody_removed_does_not_hang(report):
    with pytest.raises(RunFailedError, match="removed"):
        wait(Api((None, [])), report)


def test_waiting_ends_when_airflow_does(report):
    def check():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        wait(Api(("running", [])), report, check=check)


def test_steps_stand_in_the_order_of_the_way_of_a_point():
    states = {
        "alert": None,
        "detect": "running",
        "collect": "success",
        "load_history": "up_for_retry",
        "other": "failed",
    }
    line = steps_line("weather", [Task(name, state, 1) for name, state in states.items()])
    assert line.plain.split() == [
        "weather",
        "✓",
        "collect",
        "↻",
        "load_history",
        "▸",
        "detect",
        "·",
        "alert",
        "✗",
        "other",
    ]


def test_a_second_try_shows_as_one():
    assert "↻ detect" in steps_line("x", [Task("detect", "running", 2)]).plain
