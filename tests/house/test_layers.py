"""No import runs upwards: the contracts of setup.cfg hold, and would break if one did."""

from __future__ import annotations

import configparser
import shutil
import subprocess
import sys

import pytest

PLANTED = {
    "floors": ("records/planted.py", "from lupus_provider.stores import open_stage", "Floors"),
    "airflow": ("metrics/planted.py", "from airflow.sdk import BaseHook", "never imports Airflow"),
    "door": ("steps/planted.py", "import elasticsearch", "one door"),
    "new room": ("attic/__init__.py", "", "Floors"),
}


def lint(folder):
    code = "from importlinter.cli import lint_imports_command; lint_imports_command(['--no-cache'])"
    return subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False)


def test_every_contract_is_kept(root):
    done = lint(root)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


@pytest.fixture
def copy(root, tmp_path):
    shutil.copy(root / "setup.cfg", tmp_path)
    ignored = shutil.ignore_patterns("ui", "__pycache__", "*.db")
    shutil.copytree(root / "lupus_provider", tmp_path / "lupus_provider", ignore=ignored)
    return tmp_path


@pytest.mark.parametrize("case", PLANTED)
def test_a_forbidden_import_breaks_a_contract(copy, case):
    file, line, contract = PLANTED[case]
    path = copy / "lupus_provider" / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(f'"""Planted."""\n\nfrom __future__ import annotations\n\n{line}\n')
    done = lint(copy)
    assert done.returncode == 1, done.stdout + done.stderr
    broken = [row for row in done.stdout.splitlines() if " BROKEN" in row]
    assert any(contract in row for row in broken), broken


def test_every_room_has_a_floor(root):
    config = configparser.ConfigParser()
    config.read(root / "setup.cfg")
    floors = config["importlinter:contract:floors"]
    named = set(floors["layers"].replace("|", " ").replace("(", " ").replace(")", " ").split())
    named |= set(floors["exhaustive_ignores"].split())
    folder = root / "lupus_provider"
    rooms = {p.stem for p in folder.iterdir() if p.suffix == ".py" or (p.is_dir() and list(p.glob("*.py")))}
    assert rooms - {"__init__"} <= named
