"""What every file of the project keeps to: its size, and no trace of where it was written."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

CODE = (".py", ".ts", ".tsx", ".mjs", ".js")
MADE = ("types.gen.ts",)
LONGEST = 400
BINARY = (".png", ".parquet", ".svg", ".ico", ".woff2", ".gz")
LOCKS = ("package-lock.json",)
# In pieces, so that this file holds none of them.
TRACES = tuple(
    "".join(pieces)
    for pieces in (
        ("/wo", "rk/"), ("../sha", "red"), ("/tmp", "/lh"), ("pypi", ".org"), ("pythonhosted", ".org"), ("registry.npm", "js"),
        ("repo1.ma", "ven"), ("proxy.gol", "ang"), ("deb.deb", "ian"), ("index-", "url"), ("trusted-", "host"),
    )
)  # fmt: skip


def files(root: Path) -> list[Path]:
    """Files of the project: those that git knows, and new ones that it would take."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=root, capture_output=True, check=True).stdout.decode().split("\0")
    return [root / name for name in names if name and (root / name).is_file()]


def test_no_file_is_longer_than_a_reader_stands(root):
    lengths = {
        str(path.relative_to(root)): len(path.read_text(encoding="utf-8").splitlines())
        for path in files(root)
        if path.suffix in CODE and path.name not in MADE
    }
    assert len(lengths) > 100
    assert {name: count for name, count in lengths.items() if count > LONGEST} == {}


def test_no_file_tells_where_it_was_written(root):
    found = [
        f"{path.relative_to(root)}: {trace}"
        for path in files(root)
        if path.suffix not in BINARY and path.name not in LOCKS
        for trace in TRACES
        if trace in path.read_text(encoding="utf-8", errors="replace")
    ]
    assert found == []


def test_lock_files_point_to_no_mirror(root):
    text = (root / "lupus_provider/ui/package-lock.json").read_text(encoding="utf-8")
    hosts = set(re.findall(r'"resolved": "https?://([^/"]+)', text))
    assert hosts <= {"registry.npm" + "js.org"}


def test_every_python_file_says_what_it_is_for(root):
    package = [path for path in files(root) if path.suffix == ".py" and path.is_relative_to(root / "lupus_provider")]
    silent = [
        str(p.relative_to(root))
        for p in package
        if p.stat().st_size and not p.read_text().lstrip().startswith(('"""', 'r"""'))
    ]
    assert silent == []


@pytest.mark.parametrize("word", ["utils", "helpers", "common", "misc"])
def test_no_file_has_a_name_that_says_nothing(root, word):
    assert [str(p) for p in files(root) if p.suffix in CODE and p.stem.lower() == word] == []


def test_every_folder_of_tests_is_run(root):
    """`scripts/run_tests.py` names folders, so a new one must be named there."""
    script = (root / "scripts/run_tests.py").read_text(encoding="utf-8")
    folders = {path.relative_to(root).parts[1] for path in (root / "tests").glob("*/**/test_*.py")}
    assert {folder for folder in folders if f'"tests/{folder}"' not in script} == set()
