"""The folder of project files: which files count, and which of them says that it is which project.

Finding a project's file must not cost reading all the others, because every task start asks; so a file's claim is one line, cached
until the file changes.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from lupus_provider.errors import Problem, Where

SUFFIXES = (".yaml", ".yml")
_CLAIM = re.compile(rb"""^project\s*:\s*["']?([a-z][a-z0-9_]{0,62})["']?[ \t]*(?:\#.*)?\r?$""", re.MULTILINE)
_CLAIM_BYTES = 65_536
_claims: dict[str, tuple[int, int, str | None]] = {}


def project_files(folder: str | os.PathLike[str]) -> list[Path]:
    """Return the project files of a folder, sorted by name; hidden files and folders below are left out.

    Raises
    ------
    FileNotFoundError
        If the folder is not there: a mount that is away must not look like a team that removed its projects.
    """
    with os.scandir(folder) as entries:
        names = [
            entry.name
            for entry in entries
            if entry.name.endswith(SUFFIXES) and entry.name[0] != "." and entry.is_file()
        ]
    return [Path(folder, name) for name in sorted(names)]


def files_of(folder: str | os.PathLike[str], project: str) -> list[Path]:
    """Return the files that say they are this project, the rightful one first: named like the project, else first by name."""
    found = [path for path in project_files(folder) if _claim(path) == project]
    return sorted(found, key=lambda path: (path.stem != project, path.name))


def warm_claims(folder: str | os.PathLike[str]) -> None:
    """Read what is new of a folder's claims, so that processes forked from this one need not."""
    for path in project_files(folder):
        _claim(path)


def _claim(path: Path) -> str | None:
    """Return the project name in a file's first lines; None if there is none, or the file has just gone."""
    key = os.fspath(path)
    try:
        stat = path.stat()
        if _claims.get(key, ())[:2] == (stat.st_mtime_ns, stat.st_size):
            return _claims[key][2]
        with path.open("rb") as file:
            match = _CLAIM.search(file.read(_CLAIM_BYTES))
    except FileNotFoundError:
        return None
    name = match[1].decode() if match else None
    _claims[key] = (stat.st_mtime_ns, stat.st_size, name)
    return name


def doubled_name(where: Where, name: str, other: str | os.PathLike[str]) -> Problem:
    """Say that two files of a folder give their project the same name."""
    text = f"project {name!r} is also the name of the project in {os.fspath(other)}. Rename one: DAG ids and paths come from it."
    return Problem(where, text)
