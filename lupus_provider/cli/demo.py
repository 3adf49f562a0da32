"""`lupus demo`: a real Airflow, a real year of flights and a recommender's bad update, through DAG runs, to what is wrong in both.

Everything lies in one folder; a second start finds what is loaded and changes nothing (tests/integration/test_demo.py).
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from lupus_provider import __version__
from lupus_provider.cli.airflow_api import AirflowApi, Task
from lupus_provider.cli.app import app, out
from lupus_provider.cli.environment import airflow_environment, store_addresses, store_connections
from lupus_provider.cli.errors import BrokenProjectError, MissingProjectError
from lupus_provider.cli.flights import prepare_flights
from lupus_provider.cli.home import Credentials, DemoHome, digest, write_private
from lupus_provider.cli.launcher import Launcher, check_port, log_of_task, migrate
from lupus_provider.cli.recommender import prepare_recommender
from lupus_provider.cli.runs import Report, Run, Start, ensure_started, follow
from lupus_provider.cli.worst_days import as_table, first_signs, read_findings, signs_table, worst_days
from lupus_provider.naming import dag_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lupus_provider.stores.index.base import IndexStore

PROJECT, RECOMMENDER = "flights", "recommender"
FIRST = frozenset({"departures", "weather", "delay_model", "predictions"})
"""Metric sets whose results the tables show; the others are loaded while people look at the page."""
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
    use_connections: Annotated[
        bool,
        typer.Option(
            "--use-connections", help="Use the stores of this shell's AIRFLOW_CONN_LUPUS_…, not embedded ones."
        ),
    ] = False,
) -> None:
    """Load a year of flights and a recommender's log through Airflow, find what is wrong, and show it in Airflow's web page."""
    # SIGINT too: who is started in the background by a shell would ignore it.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    place = DemoHome(home.absolute())
    folder = find_projects(projects)
    place.prepare()
    lock = place.lock()
    check_port(port)
    connections = store_connections(os.environ) if use_connections else {}
    launcher = Launcher(place, airflow_environment(place, port, folder, connections), port, lock)
    try:
        with Report(out) as report:
            _load(place, launcher, folder, report)
        _tell(place, launcher, once=once)
        if not once:
            _start_the_rest(place, launcher, folder)
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


def planned_runs(home: DemoHome, projects: Path, data: Mapping[str, str], stores: Iterable[str] = ()) -> list[Run]:
    """Return the runs that load everything, each named after all that its result depends on.

    Parameters
    ----------
    data
        Project → digest of its data. A metric set is loaded from its `start_date` to its `end_date`; one whose library is not
        installed is left out.
    stores
        Addresses of the stores, where they are not the embedded ones.
    """
    from lupus_provider.config import load_project
    from lupus_provider.stores.index.tables import FORMAT as INDEX_FORMAT

    runs = []
    for name, state in data.items():
        file = projects / f"{name}.yaml"
        # A release with another form of the index starts with an empty one.
        key = digest(__version__, str(INDEX_FORMAT), file.read_bytes(), state, home.generation(), *stores)
        for metric_set_name, metric_set in load_project(file).metric_sets.items():
            if metric_set.start_date and metric_set.end_date and _is_installed(metric_set.processor):
                span = {"from": metric_set.start_date.isoformat(), "to": metric_set.end_date.isoformat()}
                runs.append(Run(dag_id(name, metric_set_name), f"demo_{key}", span))
    return runs


def _is_installed(processor: str) -> bool:
    return processor != "expectations" or find_spec("great_expectations") is not None


def prepare_data(home: DemoHome, projects: Path) -> dict[str, str]:
    """Write the tables of the projects whose files are there; return project → digest of its data."""
    data = {PROJECT: prepare_flights(home.data)}
    if (projects / f"{RECOMMENDER}.yaml").is_file():
        data[RECOMMENDER] = prepare_recommender(home.data)
    return data


def _load(home: DemoHome, launcher: Launcher, projects: Path, report: Report) -> None:
    """Start Airflow, prepare the data meanwhile, and bring it in."""
    report.phase("preparing Airflow's database")
    migrate(home, launcher.env)
    report.phase("starting Airflow")
    launcher.start()
    data = prepare_data(home, projects)
    launcher.wait_ready()
    report.done("Airflow answers")
    secrets = home.credentials()
    write_private(home.address, {"url": launcher.url, "user": secrets.user, "password": secrets.password})
    with AirflowApi(launcher.url, secrets.user, secrets.password) as api:
        runs = [run for run in planned_runs(home, projects, data, store_addresses(launcher.env)) if run.label in FIRST]
        report.phase("waiting for the DAGs of the project files")
        launcher.wait("the appearance of the DAGs of the project files", lambda: _are_there(api, runs, data))
        report.phase("loading 2013: every step is an Airflow task")
        started = {run: ensure_started(api, run) for run in runs}
        follow(api, started, report, log_of=lambda run, task: _log_of(home, run, task), check=launcher.check)
        is_new = set(started.values()) != {Start.DONE_BEFORE}
        report.done("the year is loaded" if is_new else "the year was loaded before; nothing to do")


def _start_the_rest(home: DemoHome, launcher: Launcher, projects: Path) -> None:
    """Start the runs that no table waits for; a start of the demo takes up what a stop interrupted."""
    secrets = home.credentials()
    runs = planned_runs(home, projects, prepare_data(home, projects), store_addresses(launcher.env))
    rest = [run for run in runs if run.label not in FIRST]
    with AirflowApi(launcher.url, secrets.user, secrets.password) as api:
        there = [run for run in rest if api.find_dag(run.dag_id)]
        started = [run for run in there if ensure_started(api, run) is not Start.DONE_BEFORE]
    if started:
        out.print(f"  more   being loaded: {', '.join(run.label for run in started)}\n")


def _are_there(api: AirflowApi, runs: list[Run], projects: Iterable[str]) -> bool:
    if all(api.find_dag(run.dag_id) for run in runs):
        return True
    for file, trace in api.import_errors().items():
        if Path(file).stem in projects:
            raise BrokenProjectError(trace.strip().splitlines()[-1])
    return False


def _log_of(home: DemoHome, run: Run, task: Task | None) -> str:
    if task is None:
        return str(home.logs / "scheduler.log")
    return str(log_of_task(home, run.dag_id, run.run_id, task.task_id, task.try_number))


def open_demo_index(home: DemoHome, environ: Mapping[str, str]) -> IndexStore:
    """Open what the page of the demo reads: the embedded index, unless a connection names another one."""
    if not store_connections(environ):
        from lupus_provider.stores import open_index

        return open_index(f"sqlite:///{home.stores / 'index.db'}")
    os.environ.update({name: value for name, value in environ.items() if name.startswith("AIRFLOW")})
    logging.getLogger("elastic_transport").setLevel(logging.WARNING)  # each request is a line
    from lupus_provider.hooks.stores import LupusHook

    return LupusHook().index


def _tell(home: DemoHome, launcher: Launcher, *, once: bool) -> None:
    secrets = home.credentials()
    out.print()
    index = open_demo_index(home, launcher.env)
    out.print(as_table(worst_days(read_findings(index, PROJECT))))
    out.print()
    signs = first_signs(read_findings(index, RECOMMENDER))
    if signs:
        out.print(signs_table(signs))
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
