"""Reads project files: YAML with places in, frozen models out, or one error that lists everything that is wrong.

A file is read once for its value and its places; places are looked up only for problems, so a good file costs nothing extra.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import ValidationError

from lupus_provider.config.dialect import dump_yaml, parse_yaml
from lupus_provider.config.explain import problems_of, where_is
from lupus_provider.config.folder import doubled_name, project_files
from lupus_provider.config.models import Project
from lupus_provider.errors import Problem, ProjectFileError, Where


@dataclass(frozen=True, slots=True)
class Document:
    """A project file that was read: its model, and where each of its keys stands."""

    path: str
    text: str
    project: Project
    node: yaml.Node

    def where(self, *keys: str | int) -> Where:
        """Return the place of a key path, or of the longest part of it that the file has."""
        return where_is(self.node, keys, self.path)

    def excerpt(self, metric_set: str) -> str:
        """Return the lines of one metric set, as the file has them."""
        start = self.where("metric_sets", metric_set)
        block = next(value for key, value in _mapping(self.node, "metric_sets").value if key.value == metric_set)
        lines = self.text.splitlines()[(start.line or 1) - 1 : max(block.end_mark.line, start.line or 1)]
        return "\n".join(lines).rstrip()


def read_document(path: str | os.PathLike[str]) -> Document:
    """Read one project file with its places.

    Raises
    ------
    ProjectFileError
        With all problems of the file, each with line, column and key.
    FileNotFoundError
        If the file is not there; other OSErrors likewise pass.
    """
    name = os.fspath(path)
    raw = Path(name).read_bytes()
    node, value, problems = parse_yaml(raw, name)
    if problems or node is None:
        raise ProjectFileError(problems)
    try:
        project = Project.model_validate(value)
    except ValidationError as err:
        raise ProjectFileError(problems_of(err, node, name)) from None
    return Document(name, raw.decode("utf-8-sig"), project, node)


def load_project(path: str | os.PathLike[str]) -> Project:
    """Read one project file.

    Parameters
    ----------
    path
        YAML file, UTF-8, at most 1 MB.

    Raises
    ------
    ProjectFileError
        With all problems of the file: `include/projects/flights.yaml:14:7: key 'perod' is unknown in metric set departures.
        Did you mean 'period'?`
    FileNotFoundError
        If the file is not there.
    """
    return read_document(path).project


def load_projects(folder: str | os.PathLike[str]) -> dict[str, Project]:
    """Read all project files of a folder, name → project, sorted by file name.

    Raises
    ------
    ProjectFileError
        With the problems of all files together, doubled project names among them.
    """
    projects: dict[str, Project] = {}
    files: dict[str, str] = {}
    problems: list[Problem] = []
    for path in project_files(folder):
        try:
            document = read_document(path)
        except ProjectFileError as err:
            problems.extend(err.problems)
            continue
        name = document.project.project
        if name in projects:
            problems.append(doubled_name(document.where("project"), name, files[name]))
        else:
            projects[name], files[name] = document.project, document.path
    if problems:
        raise ProjectFileError(problems)
    return projects


def dump_project(project: Project) -> str:
    """Write a project as YAML that `load_project` reads as the same project."""
    return dump_yaml(project.model_dump(mode="json", exclude_none=True))


def _mapping(node: yaml.Node, key: str) -> yaml.Node:
    pairs: Sequence[tuple[yaml.Node, yaml.Node]] = node.value if isinstance(node, yaml.MappingNode) else []
    found: Mapping[str, yaml.Node] = {name.value: value for name, value in pairs}
    return found[key]
