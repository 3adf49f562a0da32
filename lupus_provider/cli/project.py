"""`lupus lint | plan | schema | sync`: what people do with project files before Airflow sees them.

All of it works without Airflow's database; only `sync` needs the package that the stubs import.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from lupus_provider.cli.app import app
from lupus_provider.clock import utc_now

PROJECTS = Path("include/projects")
Targets = Annotated[
    list[Path] | None, typer.Argument(help=f"Project files or folders of them; {PROJECTS} if none is given.")
]


@app.command()
def lint(paths: Targets = None) -> None:
    """Check what project files say and mean; exit 1 if anything is wrong."""
    from lupus_provider.config.lint import lint as find_problems, lint_names

    files = _files(paths)
    problems = [*(problem for file in files for problem in find_problems(file)), *lint_names(files)]
    for problem in problems:
        typer.echo(str(problem))
    if problems:
        typer.echo(
            f"{len(problems)} problem{'s' * (len(problems) > 1)} in {len(files)} file{'s' * (len(files) > 1)}.",
            err=True,
        )
        raise typer.Exit(1)
    typer.echo(f"{len(files)} file{'s' * (len(files) > 1)}, nothing wrong.", err=True)


@app.command()
def plan(paths: Targets = None) -> None:
    """Say in words what would run: DAGs, next fire times, metrics, groups, who judges what."""
    from lupus_provider.config import load_project
    from lupus_provider.config.plan import plan as say

    typer.echo("\n\n".join(say(load_project(file), utc_now()) for file in _files(paths)))


@app.command()
def schema() -> None:
    """Print the JSON Schema of project files, for editors."""
    from lupus_provider.config import json_schema

    typer.echo(json.dumps(json_schema(), indent=2))


@app.command()
def sync(
    dags: Annotated[Path, typer.Argument(help="Folder of DAG files to write into; it should hold nothing else.")],
    projects: Annotated[Path, typer.Option(help="Folder of project files.")] = PROJECTS,
) -> None:
    """Write one DAG file a project, as the DAG bundle does, for those who cannot set a bundle."""
    from lupus_provider.dag_factory.stub import sync_stubs

    if not projects.is_dir():
        raise typer.BadParameter(f"{projects} is not a folder. Name the folder of project files with --projects.")  # noqa: TRY003
    changed = sync_stubs(projects, dags)
    for stub in changed.written:
        typer.echo(f"wrote {stub}")
    for stub in changed.removed:
        typer.echo(f"removed {stub}")
    typer.echo(
        f"{dags}: {len(changed.written)} written, {len(changed.removed)} removed, {changed.kept} unchanged.", err=True
    )


def _files(paths: list[Path] | None) -> list[Path]:
    from lupus_provider.config import project_files

    files: list[Path] = []
    for path in paths or [PROJECTS]:
        if not path.exists():
            raise typer.BadParameter(f"{path} is not there. Name a project file, or a folder of project files.")  # noqa: TRY003
        files.extend(project_files(path) if path.is_dir() else [path])
    if not files:
        raise typer.BadParameter("no project file found: their names end in .yaml or .yml.")  # noqa: TRY003
    return files
