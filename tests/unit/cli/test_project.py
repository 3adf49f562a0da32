from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lupus_provider.cli import project  # noqa: F401  (registers the commands)
from lupus_provider.cli.app import app

ROOT = Path(__file__).parents[3]
GOOD = "project: shop\nmetric_sets:\n  orders:\n    source: {path: a.parquet}\n"


@pytest.fixture
def lupus(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda *args: CliRunner().invoke(app, list(args))


@pytest.fixture
def projects(tmp_path):
    folder = tmp_path / "include" / "projects"
    folder.mkdir(parents=True)
    (folder / "shop.yaml").write_text(GOOD)
    return folder


def test_lint_of_good_files_says_so(lupus, projects):
    done = lupus("lint")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "1 file, nothing wrong.\n")


def test_lint_prints_one_problem_a_line_and_fails(lupus, projects):
    (projects / "shop.yaml").write_text(GOOD + "    perod: day\n    period: hour\n")
    (projects / "zoo.yaml").write_text(GOOD)
    done = lupus("lint", str(projects))
    assert done.exit_code == 1
    assert done.stdout.splitlines() == [
        f"{projects}/shop.yaml:5:5: key 'perod' is unknown in metric set orders. Did you mean 'period'?"
    ]
    assert done.stderr == "1 problem in 2 files.\n"


def test_lint_finds_a_name_that_two_files_use(lupus, projects):
    (projects / "zoo.yaml").write_text(GOOD)
    done = lupus("lint")
    assert (done.exit_code, "zoo.yaml:1:1: project 'shop' is also the name" in done.stdout) == (1, True)


@pytest.mark.parametrize("command", ["lint", "plan"])
def test_a_file_that_is_not_there_is_one_sentence(lupus, command):
    done = lupus(command, "none.yaml")
    assert done.exit_code == 2
    assert "none.yaml is not there" in done.stderr
    assert "Traceback" not in done.stderr


def test_plan_says_what_would_run(lupus, projects):
    done = lupus("plan", str(projects / "shop.yaml"))
    assert done.exit_code == 0
    assert "DAG lupus.shop.orders" in done.stdout


def test_schema_prints_the_committed_schema(lupus):
    done = lupus("schema")
    assert json.loads(done.stdout) == json.loads((ROOT / "include" / "lupus.schema.json").read_text())


def test_sync_writes_the_stubs_of_the_bundle(lupus, projects, tmp_path):
    done = lupus("sync", "dags")
    assert (done.exit_code, done.stdout) == (0, "wrote dags/shop.py\n")
    assert (
        f"load_project_dags(globals(), {str(projects / 'shop.yaml')!r})" in (tmp_path / "dags" / "shop.py").read_text()
    )
    assert lupus("sync", "dags").stdout == ""
    (projects / "shop.yaml").unlink()
    assert lupus("sync", "dags").stdout == "removed dags/shop.py\n"


def test_sync_without_projects_removes_nothing(lupus, projects, tmp_path):
    lupus("sync", "dags")
    done = lupus("sync", "dags", "--projects", "elsewhere")
    assert done.exit_code == 2
    assert (tmp_path / "dags" / "shop.py").exists()
