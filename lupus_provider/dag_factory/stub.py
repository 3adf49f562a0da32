"""Stubs: the small DAG files that stand for project files, one each, and how a folder of them is kept.

The project file's text is in its stub as a comment, because Airflow's Code tab shows DAG files. A comment must not become code,
whatever the text holds: every kind of line end starts a new comment line, and nothing unprintable is copied.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from lupus_provider.config.folder import project_files
from lupus_provider.errors import Terminal

_MARK = (
    "# One project's Airflow DAGs. Written by Lupus from the project file that is named below, and written again when"
)
_HEAD = (
    _MARK
    + """
# that file changes: edit the project file, not this one. One DAG file a project, so that an error stays its own.
from __future__ import annotations

from lupus_provider.dag_factory import load_project_dags

load_project_dags(globals(), {path!a})

# ---- the project file ----
"""
)
_PARTIAL = ".writing-"


class ForeignFileError(Terminal, ValueError):
    """A stub would overwrite a file that Lupus did not write."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(
            f"{path} was not written by Lupus and is in the way. Move it, or choose another folder for the stubs."
        )


@dataclass(frozen=True, slots=True)
class Synced:
    """What a sync changed."""

    written: tuple[Path, ...]
    removed: tuple[Path, ...]
    kept: int


def sync_stubs(projects: Path, folder: Path) -> Synced:
    """Make a folder's stubs say what the projects folder says; files that Lupus did not write are left alone.

    Raises
    ------
    FileNotFoundError
        If the projects folder is not there; the stubs stay, because a mount that is away is no removal.
    ForeignFileError
        If a stub's name is taken by somebody else's file.
    """
    files = project_files(projects)
    folder.mkdir(parents=True, exist_ok=True)
    written = tuple(folder / stub_name(file) for file in files if write_stub(file, folder))
    wanted = {stub_name(file) for file in files}
    gone = [path for path in folder.glob("*.py") if path.name not in wanted and _is_ours(path)]
    for path in [*gone, *folder.glob(f"{_PARTIAL}*")]:
        path.unlink(missing_ok=True)
    return Synced(written, tuple(sorted(gone)), len(files) - len(written))


def write_stub(project_file: Path, folder: Path) -> bool:
    """Write a project file's stub if its text has changed, whole or not at all; return whether it was written.

    Raises
    ------
    ForeignFileError
        If the name is taken by a file that Lupus did not write.
    """
    stub = folder / stub_name(project_file)
    try:
        text = stub_text(project_file).encode()
    except FileNotFoundError:
        return False
    if stub.exists():
        if stub.read_bytes() == text:
            return False
        if not _is_ours(stub):
            raise ForeignFileError(str(stub))
    handle, partial = tempfile.mkstemp(dir=folder, prefix=_PARTIAL)
    with os.fdopen(handle, "wb") as out:
        out.write(text)
    Path(partial).chmod(0o644)
    Path(partial).replace(stub)
    return True


def stub_name(project_file: Path) -> str:
    """Return the file name of a project file's stub: `flights.yaml` → `flights.py`, `flights.yml` → `flights.yml.py`."""
    return f"{project_file.stem if project_file.suffix == '.yaml' else project_file.name}.py"


def stub_text(project_file: Path) -> str:
    """Return the stub of a project file.

    Raises
    ------
    FileNotFoundError
        If the project file has just gone.
    """
    text = project_file.read_bytes().decode("utf-8-sig", "replace")
    # The first two lines of a DAG file can name its encoding; they are fixed, so no project file and no path has a say in it.
    return _HEAD.format(path=os.fspath(project_file.absolute())) + "".join(
        f"# {_printable(line)}\n" for line in text.splitlines()
    )


def _printable(line: str) -> str:
    return "".join(char if char.isprintable() or char == "\t" else ascii(char)[1:-1] for char in line).rstrip()


def _is_ours(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_MARK.encode())) == _MARK.encode()
