"""`lupus doctor | reconcile | rebuild-index`: look after the stores that Airflow's connections name.

They run where Airflow runs: connections come from its environment variables, secrets backend or database.
"""

from __future__ import annotations

import logging
from contextlib import closing
from datetime import datetime  # noqa: TC003  (typer reads annotations at run time)
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from lupus_provider.cli.app import app, err, out
from lupus_provider.cli.projects import Name, Only, check_metric_sets, opened_project, read_projects

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lupus_provider.config import Project
    from lupus_provider.hooks.stores import LupusHook
    from lupus_provider.steps.doctor import Check
    from lupus_provider.steps.target import Target


@app.command(epilog="Example: [bold]lupus doctor[/]")
def doctor() -> None:
    """Try every connection and project file, and say what to fix; exit 1 if anything is wrong."""
    from lupus_provider.hooks.stores import LupusHook
    from lupus_provider.steps.doctor import examine

    logging.getLogger("elastic_transport").setLevel(logging.ERROR)  # what it has to say is in the finding
    failed = 0
    with closing(LupusHook()) as stores:
        for finding in examine(_checks(stores)):
            failed += finding.state == "failed"
            mark = "[green]ok[/]    " if finding.state == "ok" else "[bold red]failed[/]"
            out.print(f"{mark} [bold]{finding.name}[/]: ", end="")
            out.print(finding.told, markup=False, soft_wrap=True)
    if failed:
        err.print(f"{failed} thing{'s' * (failed > 1)} to fix.")
        raise typer.Exit(1)


def _checks(stores: LupusHook) -> Iterator[Check]:
    from lupus_provider.hooks.stores import STORE_KINDS
    from lupus_provider.hooks.trying import try_store
    from lupus_provider.steps.doctor import Check

    projects, broken = read_projects()
    yield Check("projects", lambda: _told(projects))
    for name, error in broken.items():
        yield Check(f"project file {name}", partial(_raise, error))
    for kind in STORE_KINDS:
        yield Check(kind, lambda kind=kind: try_store(kind, stores.url(kind), stores.access(kind), is_deep=True))
    yield Check("catalogue", stores.check_catalogue)


def _told(projects: dict[str, Project]) -> str:
    from lupus_provider.hooks import settings

    folder, n_sets = settings.projects_folder(), sum(len(project.metric_sets) for project in projects.values())
    return (
        f"{folder} holds {len(projects)} projects with {n_sets} metric sets"
        if projects
        else f"{folder} holds no project file that can be used"
    )


def _raise(error: Exception) -> str:
    raise error


@app.command(epilog="Example: [bold]lupus reconcile flights --from 2013-01-01 --to 2013-12-31 --mend[/]")
def reconcile(
    project: Name,
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First local day.")],
    last: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last local day, inclusive.")],
    metric_set: Only = None,
    mend: Annotated[bool, typer.Option("--mend", help="Load what differs.")] = False,
    deep: Annotated[bool, typer.Option("--deep", help="Read the history's records and hash them again.")] = False,
) -> None:
    """Compare stage, history and index by checksums, period by period; exit 1 if they differ at the end."""
    from lupus_provider.clock import utc_now
    from lupus_provider.hooks.stores import LupusHook
    from lupus_provider.steps.reconcile import mend as mend_them, reconcile as compare

    left, now = 0, utc_now()
    with opened_project(project) as config, closing(LupusHook()) as stores:
        for target in _targets(config, metric_set, first, last):
            found = compare(target, stores.stage, stores.history, stores.index, now, deep=deep)
            for difference in found.differences:
                out.print(str(difference), markup=False)
            if mend and found.differences:
                loads = mend_them(target, found, stores.stage, stores.history, stores.index)
                again = compare(target, stores.stage, stores.history, stores.index, now, deep=deep)
                out.print(f"{target.metric_set_name}: {loads} loads, {len(again.differences)} differences left")
                found = again
            if mend:
                _tell_catalogue(stores, target)
            left += len(found.differences)
            out.print(
                f"{target.metric_set_name}: {found.periods} periods compared, {len(found.differences)} differences"
            )
        if left:
            raise typer.Exit(1)


def _tell_catalogue(stores: LupusHook, target: Target) -> None:
    """Tell the history's catalogue what a load that broke off did not tell it."""
    from lupus_provider.records import KINDS
    from lupus_provider.steps.publish_history import publish_history

    if getattr(stores.history, "catalog", None) is not None:
        publish_history(stores.history, target.project.project, target.metric_set_name, list(KINDS))
        out.print(f"{target.metric_set_name}: the catalogue {stores.history.catalog.name} knows what the history has")


@app.command("rebuild-index", epilog="Example: [bold]lupus rebuild-index flights[/]")
def rebuild_index(project: Name, metric_set: Only = None) -> None:
    """Write the index of a project anew from the history, while it serves what it has."""
    from rich.progress import Progress

    from lupus_provider.clock import utc_now
    from lupus_provider.hooks.stores import LupusHook
    from lupus_provider.steps.rebuild_index import rebuild_index as rebuild

    with (
        opened_project(project) as config,
        closing(LupusHook()) as stores,
        Progress(console=err, transient=True) as bars,
    ):
        check_metric_sets(config, metric_set)
        tasks = {
            name: bars.add_task(name, total=None)
            for name in config.metric_sets
            if name in (metric_set or config.metric_sets)
        }

        def progress(name: str, done: int, total: int) -> None:
            bars.update(tasks[name], completed=done, total=total)

        done = rebuild(config, stores.history, stores.index, utc_now(), metric_set, progress)
        out.print(f"{project}: {done.periods} periods written, {done.rows} rows")


def _targets(project: Project, names: list[str] | None, first: datetime, last: datetime) -> Iterator[Target]:
    from lupus_provider.clock import utc_now
    from lupus_provider.steps.target import Target, span_of

    check_metric_sets(project, names)
    conf = {"from": first.date().isoformat(), "to": last.date().isoformat()}
    for name in names or project.metric_sets:
        yield Target(project, name, span_of(conf, utc_now(), project, name))
