"""`lupus doctor | reconcile | rebuild-index`: look after the stores that Airflow's connections name.

They run where Airflow runs: connections come from its environment variables, secrets backend or database.
"""

from __future__ import annotations

import logging
from contextlib import closing
from datetime import datetime  # noqa: TC003  (typer reads annotations at run time)
from typing import TYPE_CHECKING, Annotated

import typer

from lupus_provider.cli.app import app, err, out

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lupus_provider.config import Project
    from lupus_provider.hooks.stores import LupusHook
    from lupus_provider.steps.doctor import Check
    from lupus_provider.steps.target import Target

Name = Annotated[str, typer.Argument(help="Name of the project.")]
Only = Annotated[list[str] | None, typer.Option("--metric-set", help="Only this metric set; may be repeated.")]


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

    yield Check("projects", _try_projects)
    for kind in STORE_KINDS:
        yield Check(kind, lambda kind=kind: try_store(stores.url(kind), stores.access(kind)))
    yield Check("catalogue", lambda: _try_catalogue(stores))


def _try_projects() -> str:
    from lupus_provider.config import load_project, project_files
    from lupus_provider.hooks import settings

    folder = settings.projects_folder()
    files = project_files(folder) if folder.is_dir() else []
    projects = [load_project(file) for file in files]
    n_sets = sum(len(project.metric_sets) for project in projects)
    return (
        f"{folder} holds {len(projects)} projects with {n_sets} metric sets"
        if files
        else f"{folder} holds no project file"
    )


def _try_catalogue(stores: LupusHook) -> str:
    catalog = getattr(stores.history, "catalog", None)
    return "the history's connection names none" if catalog is None else catalog.check()


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
    from lupus_provider.hooks.stores import LupusHook
    from lupus_provider.steps.reconcile import mend as mend_them, reconcile as compare

    left = 0
    with closing(LupusHook()) as stores:
        for target in _targets(_project(project), metric_set, first, last):
            found = compare(target, stores.stage, stores.history, stores.index, deep=deep)
            for difference in found.differences:
                out.print(str(difference), markup=False)
            if mend and found.differences:
                loads = mend_them(target, found, stores.stage, stores.history, stores.index)
                again = compare(target, stores.stage, stores.history, stores.index, deep=deep)
                out.print(f"{target.metric_set_name}: {loads} loads, {len(again.differences)} differences left")
                found = again
            left += len(found.differences)
            out.print(
                f"{target.metric_set_name}: {found.periods} periods compared, {len(found.differences)} differences"
            )
    if left:
        raise typer.Exit(1)


@app.command("rebuild-index", epilog="Example: [bold]lupus rebuild-index flights[/]")
def rebuild_index(project: Name, metric_set: Only = None) -> None:
    """Write the index of a project anew from the history, while it serves what it has."""
    from rich.progress import Progress

    from lupus_provider.hooks.stores import LupusHook
    from lupus_provider.steps.rebuild_index import rebuild_index as rebuild

    config = _project(project)
    _check_names(config, metric_set)
    with closing(LupusHook()) as stores, Progress(console=err, transient=True) as bars:
        tasks = {
            name: bars.add_task(name, total=None)
            for name in config.metric_sets
            if name in (metric_set or config.metric_sets)
        }

        def progress(name: str, done: int, total: int) -> None:
            bars.update(tasks[name], completed=done, total=total)

        done = rebuild(config, stores.history, stores.index, metric_set, progress)
    out.print(f"{project}: {done.periods} periods written, {done.rows} rows")


def _project(name: str) -> Project:
    from lupus_provider.config import load_project, project_files
    from lupus_provider.errors import UnknownNameError
    from lupus_provider.hooks import settings

    projects = {project.project: project for project in map(load_project, project_files(settings.projects_folder()))}
    if name not in projects:
        raise UnknownNameError("project", name, sorted(projects))
    return projects[name]


def _check_names(project: Project, names: list[str] | None) -> None:
    from lupus_provider.errors import UnknownNameError

    for name in names or ():
        if name not in project.metric_sets:
            raise UnknownNameError("metric_set", name, sorted(project.metric_sets))


def _targets(project: Project, names: list[str] | None, first: datetime, last: datetime) -> Iterator[Target]:
    from lupus_provider.clock import utc_now
    from lupus_provider.steps.target import Target, span_of

    _check_names(project, names)
    conf = {"from": first.date().isoformat(), "to": last.date().isoformat()}
    for name in names or project.metric_sets:
        yield Target(project, name, span_of(conf, utc_now(), project, name))
