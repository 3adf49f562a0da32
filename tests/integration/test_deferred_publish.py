"""The catalogue is told from a real triggerer: the worker's slot is free meanwhile, and whoever dies or is cancelled leaves Hive sound."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import time
import uuid
from functools import partial
from typing import TYPE_CHECKING

import httpx
import psutil
import pytest

from lupus_provider.cli.environment import airflow_environment
from lupus_provider.cli.home import DemoHome
from lupus_provider.cli.supervisor import die_with_parent
from lupus_provider.records import POINTS
from lupus_provider.stores import open_history
from lupus_provider.stores.history.hive import HiveCatalog, HiveOptions
from lupus_provider.stores.history.manifest import Manifest
from lupus_provider.testing.builders import METRIC_SET, PROJECT, day
from lupus_provider.testing.way import write_source

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

pytestmark = pytest.mark.timeout(900)

DAG = f"lupus.{PROJECT}.{METRIC_SET}"
SECONDS = 240.0
DAYS = 70
YAML = f"""
project: {PROJECT}
timezone: UTC
alerts: {{channel: file}}
metric_sets:
  {METRIC_SET}:
    source: {{path: orders.parquet, time_column: at}}
    column_metrics: {{age: [avg]}}
"""
SETTINGS = {
    "AIRFLOW__CORE__PARALLELISM": "1",  # one slot: whatever runs beside a deferred task runs because that one has left it
    "AIRFLOW__OPERATORS__DEFAULT_DEFERRABLE": "True",
    "AIRFLOW__TRIGGERER__JOB_HEARTBEAT_SEC": "1",
    "AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "5",
}


class Components:
    """Airflow's components on a port of 127.0.0.1; a context that leaves no process behind.

    Parameters
    ----------
    root
        Folder of everything that it makes.
    projects
        Folder of project files.
    settings
        Environment variables beside those of the demo: options, connections.
    """

    def __init__(self, root: Path, port: int, projects: Path, settings: Mapping[str, str]) -> None:
        self.home, self.port = DemoHome(root), port
        self.home.prepare()
        self.env = {**airflow_environment(self.home, port, projects), **settings}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60)

    def __enter__(self) -> Components:
        subprocess.run(self._argv("db", "migrate"), env=self.env, check=True, capture_output=True)
        self.start("api-server", "--host", "127.0.0.1", "--port", str(self.port))
        for name in ("scheduler", "dag-processor", "triggerer"):
            self.start(name, *(() if name == "dag-processor" else ("--skip-serve-logs",)))
        self.wait("the api-server", self._answers)
        secrets = self.home.credentials()
        login = {"username": secrets.user, "password": secrets.password}
        token = self.client.post("/auth/token", json=login).json()["access_token"]
        self.client.headers["Authorization"] = f"Bearer {token}"
        self.client.get("/execution/health")
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        for name in list(self._processes):
            self.kill(name)

    def start(self, name: str, *options: str) -> None:
        """Start a component; what it says goes to `logs/<name>.log`."""
        with (self.home.logs / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                self._argv(name, *options), env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, preexec_fn=die_with_parent,
            )  # fmt: skip

    def kill(self, name: str) -> None:
        """SIGKILL a component with all that it started."""
        process = self._processes.pop(name)
        with contextlib.suppress(psutil.NoSuchProcess):
            for child in [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]:
                with contextlib.suppress(psutil.NoSuchProcess):
                    child.send_signal(signal.SIGKILL)
        process.wait()

    def said(self, name: str) -> str:
        """Return what a component has printed."""
        return (self.home.logs / f"{name}.log").read_text(errors="replace")

    def wait(self, what: str, is_done: Callable[[], object]) -> None:
        """Wait until something is so; AssertionError if a component ends meanwhile, or after minutes."""
        until = time.monotonic() + SECONDS
        while not is_done():
            for name, process in self._processes.items():
                assert process.poll() is None, self.said(name)[-4000:]
            assert time.monotonic() < until, f"waited for {what}"
            time.sleep(0.2)

    # -- runs --------------------------------------------------------------------------------------------------------

    def trigger(self, dag: str, conf: Mapping[str, str]) -> str:
        """Start a run of a DAG as soon as Airflow knows it, and return its id."""
        self.wait(f"the DAG {dag}", lambda: self.client.get(f"/api/v2/dags/{dag}").status_code == 200)
        self.client.patch(f"/api/v2/dags/{dag}", json={"is_paused": False}).raise_for_status()
        body = {"logical_date": None, "conf": dict(conf)}
        answer = self.client.post(f"/api/v2/dags/{dag}/dagRuns", json=body).raise_for_status()
        return answer.json()["dag_run_id"]

    def state(self, dag: str, run: str, task: str = "") -> str | None:
        """Return the state of a run, or of a task in it."""
        path = f"/api/v2/dags/{dag}/dagRuns/{run}" + (f"/taskInstances/{task}" if task else "")
        return self.client.get(path).raise_for_status().json()["state"]

    def set_state(self, dag: str, run: str, task: str, state: str) -> None:
        """Do what a person does with *Mark as failed*."""
        path = f"/api/v2/dags/{dag}/dagRuns/{run}/taskInstances/{task}"
        self.client.patch(path, json={"new_state": state}).raise_for_status()

    def clear(self, dag: str, run: str, task: str) -> None:
        """Do what a person does with *Clear*: the task and what comes after it run again."""
        body = {"dag_run_id": run, "task_ids": [task], "dry_run": False, "only_failed": False,
                "include_downstream": True, "reset_dag_runs": True}  # fmt: skip
        self.client.post(f"/api/v2/dags/{dag}/clearTaskInstances", json=body).raise_for_status()

    def end(self, dag: str, run: str) -> None:
        """End a run with all its tasks."""
        self.client.patch(f"/api/v2/dags/{dag}/dagRuns/{run}", json={"state": "failed"}).raise_for_status()

    def _answers(self) -> bool:
        try:
            return self.client.get("/api/v2/version").status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    @staticmethod
    def _argv(*words: str) -> list[str]:
        return [sys.executable, "-m", "airflow", *words]


@pytest.fixture(scope="module")
def options(tmp_path_factory):
    uploads = tmp_path_factory.mktemp("uploads")
    return HiveOptions(database=f"d{uuid.uuid4().hex[:12]}", mode="managed", upload_url=uploads.as_uri(), timeout=120)


@pytest.fixture(scope="module")
def catalog(hive_server, options):
    """A reader of the catalogue, beside Airflow."""
    from pyhive import hive

    catalog = HiveCatalog(
        partial(hive.connect, host="127.0.0.1", port=hive_server.port, username="t", auth="NONE"), options
    )
    yield catalog
    catalog.close()


@pytest.fixture(scope="module")
def airflow(tmp_path_factory, free_port, hive_server, options):
    root = tmp_path_factory.mktemp("deferred")
    (root / "projects").mkdir()
    (root / "projects" / "shop.yaml").write_text(YAML)
    write_source(root / "data", DAYS)
    extra = {"hive_conn_id": "lupus_hive", "hive_mode": "managed", "database": options.database,
             "upload_url": options.upload_url, "hive_timeout": 120}  # fmt: skip
    history = {"conn_type": "lupus", "host": (root / "stores" / "history").as_uri(), "extra": extra}
    settings = SETTINGS | hive_server.airflow_variables | {"AIRFLOW_CONN_LUPUS_HISTORY": json.dumps(history)}
    with Components(root, free_port(), root / "projects", settings) as airflow:
        yield airflow


def span(first: int, last: int) -> dict[str, str]:
    return {"from": day(first).date().isoformat(), "to": day(last).date().isoformat()}


def counts(catalog) -> dict:
    return catalog.row_counts(POINTS, PROJECT, METRIC_SET)


def untold(airflow) -> list[str]:
    """Days that the manifest does not note as told."""
    history = open_history((airflow.home.stores / "history").as_uri())
    days = Manifest.read(history.objects, f"points/project={PROJECT}/metric_set={METRIC_SET}").days
    return [day for day, entry in days.items() if "published" not in entry]


def uploads(catalog) -> set[str]:
    """Tables that an overwrite reads, or that a killed one has left."""
    known = {str(row[0]) for row in catalog._run("SHOW DATABASES")}
    if catalog.options.database not in known:
        return set()
    tables = (str(row[0]) for row in catalog._run(f"SHOW TABLES IN {catalog.options.database}"))
    return {name for name in tables if "upload" in name}


@pytest.fixture
def load(airflow, catalog):
    """Start a run, wait until Hive is at an overwrite for it, and end the run after the test."""
    runs = []

    def load(last_day: int):
        before = uploads(catalog)
        runs.append(airflow.trigger(DAG, span(0, last_day)))
        airflow.wait("an overwrite", lambda: uploads(catalog) - before)
        return partial(airflow.state, DAG, runs[-1]), runs[-1]

    yield load
    for run in runs:
        airflow.end(DAG, run)


def test_while_hive_is_slow_the_worker_does_other_work(airflow, hive_server, catalog):
    hive_server.pause()
    try:
        run = airflow.trigger(DAG, span(0, 2))
        state = partial(airflow.state, DAG, run)
        airflow.wait("load_history to be deferred", lambda: state("load_history") == "deferred")
        airflow.wait("load_index, which needs the only slot", lambda: state("load_index") == "success")
        assert state("load_history") == "deferred"
        assert len(untold(airflow)) == 3, "the history itself is loaded before"
    finally:
        hive_server.resume()
    airflow.wait("load_history", lambda: state("load_history") == "success")
    assert counts(catalog) == {day(n).date(): 2 for n in range(3)}
    assert untold(airflow) == []
    airflow.end(DAG, run)


def test_what_a_killed_triggerer_began_another_one_ends(airflow, catalog, load):
    state, _ = load(35)
    airflow.kill("triggerer")
    assert state("load_history") == "deferred"
    airflow.start("triggerer", "--skip-serve-logs")
    airflow.wait("load_history", lambda: state("load_history") == "success")
    assert counts(catalog) == {day(n).date(): 2 for n in range(36)}
    assert untold(airflow) == []


def test_a_cancelled_task_cancels_its_statement_in_hive_and_a_cleared_one_ends_it(airflow, catalog, load, hive_server):
    state, run = load(DAYS - 1)
    before = cancelled(hive_server)
    airflow.set_state(DAG, run, "load_history", "failed")
    airflow.wait("the statement's end in Hive", lambda: cancelled(hive_server) > before)
    assert untold(airflow), "the history is loaded, and not all of it is told"
    airflow.clear(DAG, run, "load_history")
    airflow.wait("load_history", lambda: state("load_history") == "success")
    assert counts(catalog) == {day(n).date(): 2 for n in range(DAYS)}
    assert untold(airflow) == []


def cancelled(hive_server) -> int:
    """How many statements Hive says to have cancelled."""
    return hive_server.log.read_text(errors="replace").count("FAILED: Operation cancelled")
