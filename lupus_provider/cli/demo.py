"""`lupus demo`: a real Airflow, a real year of flights, through DAG runs, to the table of its worst days.

Everything lies in one folder; a second start finds what is loaded and changes nothing (tests/integration/test_demo.py).
"""

from __future__ import annotations

import json
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from lupus_provider import __version__
from lupus_provider.cli.airflow_api import AirflowApi, Task
from lupus_provider.cli.app import app, out
from lupus_provider.cli.environment import airflow_environment
from lupus_provider.cli.errors import BrokenProjectError, MissingProjectError
from lupus_provider.cli.flights import prepare_flights
from lupus_provider.cli.home import Credentials, DemoHome, digest, write_private
from lupus_provider.cli.launcher import Launcher, check_port, log_of_task, migrate
from lupus_provider.cli.runs import Report, Run, Start, ensure_started, follow
from lupus_provider.cli.worst_days import as_table, read_findings, worst_days
from lupus_provider.naming import dag_id

PROJECT = "flights"
METRIC_SETS = ("departures", "weather")
YEAR = {"from": "2013-01-01", "to": "2013-12-31"}
DEFAULT_HOME = Path(".lupus")
DEFAULT_PORT = 8080


@app.command(epilog="Example: [bold]lupus demo --port 8081 --once[/]")
def demo(
    port: Annotated[
        int, typer.Option(help="Port of Airflow's web page on 127.0.0.1.", min=1, max=65535)
    ] = DEFAULT_PORT,
    once: Annotated[bool, typer.Option("--once", help="Stop after the table instead of waiting for Ctrl-C.")] = False,
    home: Annotated[Path, typer.Option(help="Folder of everything that the demo makes.")] = DEFAULT_HOME,
    projects: Annotated[Path | None, typer.Option(help="Folder of flights.yaml; include/projects by default.")] = None,
) -> None:
    """Load a real year of flights through Airflow, find its worst days, and show them in Airflow's web page."""
    # SIGINT too: who is started in the background by a shell would ignore it.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    place = DemoHome(home.absolute())
    folder = find_projects(projects)
    place.prepare()
    lock = place.lock()
    check_port(port)
    launcher = Launcher(place, airflow_environment(place, port, folder), port, lock)
    try:
        with Report(out) as report:
            _load(place, launcher, folder, report)
        _tell(place, launcher, once=once)
        if not once:
            _stay(launcher)
    except KeyboardInterrupt:
        out.print("stopping …")
        launcher.stop()
        sys.exit(130)
    finally:
        launcher.stop()
        place.address.unlink(missing_ok=True)


def find_projects(given: Path | None) -> Path:
    """Return the folder that has the demo's project file.

    Raises
    ------
    MissingProjectError
        If it is nowhere.
    """
    checkout = Path(__file__).parents[2]
    candidates = [given] if given else [Path("include/projects"), checkout / "include/projects"]
    for folder in candidates:
        if (folder / f"{PROJECT}.yaml").is_file():
            return folder.absolute()
    raise MissingProjectError(str(candidates[0]))


def planned_runs(home: DemoHome, projects: Path, data: str) -> list[Run]:
    """Return the runs that load the year, named after everything that their result depends on."""
    from lupus_provider.stores.index.tables import FORMAT as INDEX_FORMAT

    yaml = (projects / f"{PROJECT}.yaml").read_bytes()
    # A release with another form of the index starts with an empty one.
    key = digest(__version__, str(INDEX_FORMAT), yaml, data, home.generation(), json.dumps(YEAR))
    return [Run(dag_id(PROJECT, name), f"demo_{key}", YEAR) for name in METRIC_SETS]


def _load(home: DemoHome, launcher: Launcher, projects: Path, report: Report) -> None:
    """Start Airflow, prepare the data meanwhile, and bring the year in."""
    report.phase("preparing Airflow's database")
    migrate(home, launcher.env)
    report.phase("starting Airflow")
    launcher.start()
    data = prepare_flights(home.data)
    launcher.wait_ready()
    report.done("Airflow answers")
    secrets = home.credentials()
    write_private(home.address, {"url": launcher.url, "user": secrets.user, "password": secrets.password})
    with AirflowApi(launcher.url, secrets.user, secrets.password) as api:
        runs = planned_runs(home, projects, data)
        report.phase("waiting for the DAGs of flights.yaml")
        launcher.wait("the appearance of the DAGs of flights.yaml", lambda: _are_there(api, runs))
        report.phase("loading 2013: every step is an Airflow task")
        started = {run: ensure_started(api, run) for run in runs}
        follow(api, started, report, log_of=lambda run, task: _log_of(home, run, task), check=launcher.check)
        is_new = set(started.values()) != {Start.DONE_BEFORE}
        report.done("the year is loaded" if is_new else "the year was loaded before; nothing to do")


def _are_there(api: AirflowApi, runs: list[Run]) -> bool:
    if all(api.find_dag(run.dag_id) for run in runs):
        return True
    for file, trace in api.import_errors().items():
        if Path(file).stem == PROJECT:
            raise BrokenProjectError(trace.strip().splitlines()[-1])
    return False


def _log_of(home: DemoHome, run: Run, task: Task | None) -> str:
    if task is None:
        return str(home.logs / "scheduler.log")
    return str(log_of_task(home, run.dag_id, run.run_id, task.task_id, task.try_number))


def _tell(home: DemoHome, launcher: Launcher, *, once: bool) -> None:
    secrets = home.credentials()
    out.print()
    out.print(as_table(worst_days(read_findings(home.stores, PROJECT))))
    out.print()
    if once:
        return
    out.print(f"  page   [link]{launcher.url}/plugin/lupus/discover?project={PROJECT}[/]", soft_wrap=True)
    _tell_login(secrets)
    out.print("  stop   Ctrl-C\n")


def _tell_login(secrets: Credentials) -> None:
    out.print("  login  ", end="")
    out.print(f"{secrets.user} / {secrets.password}", markup=False)


def _stay(launcher: Launcher) -> None:
    """Keep Airflow up until somebody stops it, which is how a demo ends well."""
    with suppress(KeyboardInterrupt):
        while True:
            launcher.check()
            time.sleep(1)
    out.print("stopping …")


def _stop(*_: object) -> NoReturn:
    raise KeyboardInterrupt
