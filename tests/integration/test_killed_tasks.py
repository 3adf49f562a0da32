"""SIGKILL of the task process in the middle of every step, under a real Airflow that then retries it."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import httpx
import pytest

pytestmark = pytest.mark.timeout(900)

DAG = "lupus.flights.departures"
STEPS = ("collect", "load_history", "load_index", "detect", "load_history_verdicts", "load_index_verdicts")
DELAYS = dict(zip(STEPS, (0.6, 0.5, 0.2, 0.5, 0.6, 0.3)))
"""Seconds of work before the kill; whatever the moment, the stores must come out the same."""


class Airflow:
    def __init__(self, home: Path) -> None:
        address = json.loads((home / "address.json").read_text())
        login = {"username": address["user"], "password": address["password"]}
        self.client = httpx.Client(base_url=address["url"], timeout=60)
        token = self.client.post("/auth/token", json=login).json()["access_token"]
        self.client.headers["Authorization"] = f"Bearer {token}"

    def __enter__(self) -> Airflow:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def tasks(self) -> dict[str, dict]:
        runs = self.client.get(f"/api/v2/dags/{DAG}/dagRuns").json().get("dag_runs", [])
        if not runs:
            return {}
        answer = self.client.get(f"/api/v2/dags/{DAG}/dagRuns/{runs[0]['dag_run_id']}/taskInstances").json()
        return {task["task_id"]: task for task in answer["task_instances"]}


def is_at_work(pid: int) -> bool:
    """Whether the process has come past Airflow's own imports: our steps are what needs Arrow."""
    try:
        return "libarrow" in Path(f"/proc/{pid}/maps").read_text()
    except OSError:
        return False


def kill_first_tries(demo, airflow: Airflow) -> set[str]:
    killed: set[str] = set()
    while "Ctrl-C" not in demo.output:
        assert demo.process.poll() is None, demo.output
        for name, task in airflow.tasks().items():
            pid = task["pid"]
            if name in STEPS and name not in killed and task["state"] == "running" and pid and is_at_work(pid):
                time.sleep(DELAYS[name])
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
                killed.add(name)
        time.sleep(0.05)
    return killed


def test_killed_in_every_step_and_retried_the_stores_are_those_of_a_quiet_run(loaded, tmp_path, demo, what_is_known):
    quiet, _ = loaded
    home = tmp_path / "home"
    running = demo(home)
    running.wait_for("loading 2013")
    with Airflow(home) as airflow:
        killed = kill_first_tries(running, airflow)
        tries = {name: task["try_number"] for name, task in airflow.tasks().items()}
    running.end()
    assert len(killed) >= len(STEPS) - 1, killed  # a step may be quicker than the eye
    assert all(tries[name] > 1 for name in killed), tries
    assert what_is_known(home) == what_is_known(quiet)
    leavings = [path for path in (home / "stores").rglob("*") if ".tmp" in path.parts and path.is_file()]
    assert leavings == []
