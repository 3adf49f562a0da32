"""Puts the DAGs of project files into the namespace of a DAG file.

Airflow treats a DAG file as one thing: an error in it takes all its DAGs away. So there is one small file a project (see `stub`,
`bundle`); `load_dags` over a whole folder is for those who cannot have that. When a task starts, only its own DAG is built, and
only its own project's file is read.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import get_parsing_context

from lupus_provider.config.folder import doubled_name, files_of, project_files
from lupus_provider.config.loader import Document, read_document
from lupus_provider.dag_factory.factory import build_dag
from lupus_provider.errors import Problem, ProjectFileError
from lupus_provider.hooks.settings import projects_folder
from lupus_provider.naming import dag_id, split_dag_id

if TYPE_CHECKING:
    import os

Namespace = MutableMapping[str, Any]


def load_project_dags(namespace: Namespace, project_file: str | os.PathLike[str]) -> None:
    """Put the DAGs of one project into a DAG file's namespace.

    Parameters
    ----------
    namespace
        `globals()` of the DAG file.
    project_file
        The project's YAML. If it has just been removed, there are no DAGs, and no error flashes up.

    Raises
    ------
    ProjectFileError
        If the file cannot be understood, or another file of its folder has the right to the project's name.
    """
    wanted = get_parsing_context().dag_id
    try:
        document = read_document(project_file)
    except FileNotFoundError:
        return
    if wanted is None:
        _check_claim(document)
    _put(namespace, document, wanted)


def load_dags(namespace: Namespace, projects: str | os.PathLike[str] | None = None) -> None:
    """Put the DAGs of all projects of a folder into a DAG file's namespace.

    Parameters
    ----------
    namespace
        `globals()` of the DAG file.
    projects
        Folder of project files. Without it: the option `projects_folder` of the section `lupus`; see `find_projects_folder`.

    Raises
    ------
    ProjectFileError
        After all good projects are in the namespace, with the problems of all broken files.
    """
    folder = Path(projects) if projects is not None else find_projects_folder(namespace.get("__file__"))
    wanted = get_parsing_context().dag_id
    if wanted is not None:
        parts = split_dag_id(wanted)
        for path in files_of(folder, parts[0])[:1] if parts else []:
            _put(namespace, read_document(path), wanted)
        return
    problems: list[Problem] = []
    for path in project_files(folder):
        try:
            load_project_dags(namespace, path)
        except ProjectFileError as err:
            problems.extend(err.problems)
    if problems:
        raise ProjectFileError(problems)


def find_projects_folder(dag_file: str | None = None) -> Path:
    """Return the folder of project files that Airflow's configuration names; without it `include/projects`.

    That is looked for in Airflow's home, then beside the folder of the DAG file.
    """
    folder = projects_folder()
    if dag_file is None or folder.is_dir():
        return folder
    beside = Path(dag_file).absolute().parent.parent / "include" / "projects"
    return beside if beside.is_dir() else folder


def _put(namespace: Namespace, document: Document, wanted: str | None) -> None:
    for name in document.project.metric_sets:
        identity = dag_id(document.project.project, name)
        if wanted is None or wanted == identity:
            namespace[identity] = build_dag(document, name)


def _check_claim(document: Document) -> None:
    """Refuse a project's name to all files of a folder but one: two files would take turns in writing the same DAGs."""
    name, path = document.project.project, Path(document.path)
    rightful = files_of(path.parent, name)[:1]
    if rightful and rightful[0].name != path.name:
        raise ProjectFileError([doubled_name(document.where("project"), name, rightful[0])])
