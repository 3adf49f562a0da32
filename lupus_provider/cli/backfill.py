"""`lupus backfill`: measure a span of days again, in one DAG run.

Not an Airflow backfill, which would make a run of every cron point: one scan measures all days.
"""

from __future__ import annotations

import json
from datetime import datetime  # noqa: TC003  (typer reads annotations at run time)
from pathlib import Path  # noqa: TC003
from typing import Annotated

import typer

from lupus_provider.cli.airflow_api import AirflowApi, Task
from lupus_provider.cli.app import app, out
from lupus_provider.cli.demo import DEFAULT_HOME
from lupus_provider.cli.errors import NoLoginError, UnknownDagError
from lupus_provider.cli.home import DemoHome
from lupus_provider.cli.runs import Report, Run, Start, ensure_started, follow
from lupus_provider.clock import utc_now
from lupus_provider.naming import dag_id


@app.command(epilog="Example: [bold]lupus backfill flights departures --from 2013-01-01 --to 2013-12-31[/]")
def backfill(
    project: Annotated[str, typer.Argument(help="Name of the project.")],
    metric_set: Annotated[str, typer.Argument(help="Name of the metric set.")],
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First local day.")],
    last: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last local day, inclusive.")],
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait for the end of the run.")] = True,
    airflow_url: Annotated[str | None, typer.Option(help="Airflow's address.", envvar="LUPUS_AIRFLOW_URL")] = None,
    user: Annotated[str | None, typer.Option(help="Login.", envvar="LUPUS_AIRFLOW_USER")] = None,
    password: Annotated[
        str | None,
        typer.Option(help="Better given by the environment.", envvar="LUPUS_AIRFLOW_PASSWORD", show_envvar=True),
    ] = None,
    home: Annotated[Path, typer.Option(help="Home of the demo that is asked if no address is given.")] = DEFAULT_HOME,
) -> None:
    """Measure, judge and tell a span of days in one DAG run."""
    run = span_run(project, metric_set, first, last, utc_now())
    with AirflowApi(*find_login(airflow_url, user, password, DemoHome(home.absolute()))) as api:
        if api.find_dag(run.dag_id) is None:
            raise UnknownDagError(run.dag_id, api.url)
        start = ensure_started(api, run)
        out.print(f"started {run.run_id} of {run.dag_id}")
        if wait:
            _wait(api, run, start)


def span_run(project: str, metric_set: str, first: datetime, last: datetime, now: datetime) -> Run:
    """Return the run that measures a span, named after the span and the moment it was asked for."""
    days = {"from": first.date().isoformat(), "to": last.date().isoformat()}
    return Run(dag_id(project, metric_set), f"backfill_{days['from']}_{days['to']}_{now:%Y%m%dT%H%M%S%f}", days)


def find_login(url: str | None, user: str | None, password: str | None, home: DemoHome) -> tuple[str, str, str]:
    """Return address, user and password of Airflow: as given, else of the running demo.

    Raises
    ------
    NoLoginError
        If there is neither.
    """
    if url and user and password:
        return url, user, password
    if not home.address.exists():
        raise NoLoginError(str(home.root))
    demo = json.loads(home.address.read_text())
    return url or demo["url"], user or demo["user"], password or demo["password"]


def _wait(api: AirflowApi, run: Run, start: Start) -> None:
    def log_of(_: Run, task: Task | None) -> str:
        tail = f"/tasks/{task.task_id}" if task else ""
        return f"{api.url}/dags/{run.dag_id}/runs/{run.run_id}{tail}"

    with Report(out) as report:
        report.phase(f"running {run.dag_id}")
        follow(api, {run: start}, report, log_of=log_of, check=lambda: None)
        report.done(f"{run.label}: {run.conf['from']} … {run.conf['to']} is loaded")
