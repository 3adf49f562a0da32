"""What people get from `pip install`: built from the checkout's files, installed where no checkout is."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = "lupus_provider/ui/dist/main.js"

# Run in the fresh environment under the name that Airflow's api-server has.
SERVE = """
import asyncio, sys
import httpx
sys.argv = ["airflow", "api-server"]
import lupus_provider
from lupus_provider.plugin import LupusPlugin
(app,) = [item["app"] for item in LupusPlugin.fastapi_apps]

async def get(path):
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://t") as client:
        answer = await client.get(path)
    print(path, answer.status_code, answer.headers["content-type"])

asyncio.run(get("/static/main.js"))
print(lupus_provider.__file__)
"""


def run(*command: str | Path, cwd: Path, **env: str) -> str:
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "VIRTUAL_ENV", "PYTHON"))
    }
    done = subprocess.run(command, cwd=cwd, env=clean | env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def uv() -> str:
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.exists() else shutil.which("uv")
    assert found, "uv is not installed. Install it with: make setup"
    return found


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    """A copy of what git knows and of the built page, so that building leaves the checkout alone."""
    assert (ROOT / PAGE).exists(), "the page is not built. Build it with: make ui"
    folder = tmp_path_factory.mktemp("source")
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, check=True
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    shutil.copytree((ROOT / PAGE).parent, (folder / PAGE).parent, dirs_exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def built(source, uv, tmp_path_factory) -> Path:
    target = tmp_path_factory.mktemp("built")
    run(uv, "build", "--quiet", "--out-dir", target, source, cwd=source)
    return target


@pytest.fixture(scope="module")
def fresh(built, uv, tmp_path_factory) -> Path:
    """An environment with the locked packages and the wheel."""
    folder = tmp_path_factory.mktemp("fresh") / "venv"
    run(uv, "venv", "--quiet", "--python", sys.executable, folder, cwd=built)
    python = str(folder / "bin" / "python")
    run(uv, "pip", "install", "--quiet", "--python", python, "-r", ROOT / "requirements" / "demo.lock", cwd=built)
    run(uv, "pip", "install", "--quiet", "--python", python, "--no-deps", next(built.glob("*.whl")), cwd=built)
    return folder


@pytest.fixture(scope="module")
def airflow(fresh, tmp_path_factory):
    home = tmp_path_factory.mktemp("airflow")

    def call(*args: str) -> list[dict]:
        out = run(fresh / "bin" / "airflow", *args, "--output", "json", cwd=home, AIRFLOW_HOME=str(home))
        return json.loads(out[out.index("[") :])

    return call


def page_files() -> set[str]:
    return {str(path.relative_to(ROOT)) for path in (ROOT / PAGE).parent.rglob("*") if path.is_file()}


def test_the_wheel_carries_the_page_and_no_sources_of_it(built):
    names = set(zipfile.ZipFile(next(built.glob("*.whl"))).namelist())
    assert page_files() <= names
    assert not {name for name in names if name.startswith("lupus_provider/ui/") and "/dist/" not in name}
    assert not {name for name in names if name.startswith(("tests/", "include/", "dags/", "benchmarks/"))}


def test_the_wheel_carries_everything_of_the_package_that_is_no_page(built, source):
    names = set(zipfile.ZipFile(next(built.glob("*.whl"))).namelist())
    package = source / "lupus_provider"
    wanted = {
        str(path.relative_to(source))
        for path in package.rglob("*")
        if path.is_file() and "ui" not in path.relative_to(package).parts
    }
    assert wanted <= names, wanted - names


def test_the_source_archive_carries_the_built_page(built):
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert page_files() <= names
    assert {"LICENSE", "README.md", "setup.cfg"} <= names


def test_airflow_lists_the_provider(airflow):
    assert "airflow-provider-lupus" in {item["package_name"] for item in airflow("providers", "list")}


def test_airflow_lists_the_connection_type(airflow):
    assert "lupus" in {item["connection_type"] for item in airflow("providers", "hooks")}


def test_airflow_loads_the_plugin_and_its_page(airflow):
    (plugin,) = [item for item in airflow("plugins") if item["name"] == "lupus"]
    assert "lupus/static/main.js" in json.dumps(plugin)


def test_the_api_server_serves_the_page_of_the_wheel(fresh, tmp_path):
    said = run(fresh / "bin" / "python", "-c", SERVE, cwd=tmp_path, AIRFLOW_HOME=str(tmp_path)).splitlines()
    assert any(line.startswith("/static/main.js 200 text/javascript") for line in said), said
    assert Path(said[-1]).is_relative_to(fresh)


def test_the_command_is_there(fresh, tmp_path):
    assert run(fresh / "bin" / "lupus", "--version", cwd=tmp_path).startswith("lupus ")
