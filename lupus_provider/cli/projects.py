"""The projects that commands work on: read from the projects folder; one broken file does not stop the work with the others."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from lupus_provider.cli.app import err

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lupus_provider.config import Project
    from lupus_provider.errors import ProjectFileError

Name = Annotated[str, typer.Argument(help="Name of the project.")]
Only = Annotated[list[str] | None, typer.Option("--metric-set", help="Only this metric set; may be repeated.")]


def read_projects() -> tuple[dict[str, Project], dict[str, ProjectFileError]]:
    """Return the projects by name, and what is wrong with the files that are broken, by file name."""
    from lupus_provider.config import load_project, project_files
    from lupus_provider.errors import ProjectFileError
    from lupus_provider.hooks import settings

    projects: dict[str, Project] = {}
    broken: dict[str, ProjectFileError] = {}
    folder = settings.projects_folder()
    for file in project_files(folder) if folder.is_dir() else []:
        try:
            project = load_project(file)
            projects.setdefault(project.project, project)
        except ProjectFileError as error:
            broken[file.name] = error
    return projects, broken


@contextmanager
def opened_project(name: str) -> Iterator[Project]:
    """Give a project; other files that are broken do not stop the work with it, but they are told, and the command fails at its end."""
    from lupus_provider.errors import UnknownNameError

    projects, broken = read_projects()
    for error in broken.values():
        err.print(str(error), markup=False, soft_wrap=True)
    if name not in projects:
        for file, error in broken.items():
            if file.rpartition(".")[0] == name:
                raise error
        raise UnknownNameError("project", name, sorted(projects))
    yield projects[name]
    if broken:
        raise typer.Exit(1)


def check_metric_sets(project: Project, names: list[str] | None) -> None:
    """Refuse names that the project does not have."""
    from lupus_provider.errors import UnknownNameError

    for name in names or ():
        if name not in project.metric_sets:
            raise UnknownNameError("metric_set", name, sorted(project.metric_sets))
