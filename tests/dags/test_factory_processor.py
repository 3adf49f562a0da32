"""The bundle under Airflow's own DAG processor, as a process: what people see after they save a YAML."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

GOOD = "project: {name}\nmetric_sets:\n  {metric_set}:\n    source: {{path: a.parquet}}\n"


def _environment(projects: Path, home: Path) -> dict[str, str]:
    bundle = {
        "name": "live",
        "classpath": "lupus_provider.dag_factory.bundle.LupusDagBundle",
        "kwargs": {"projects_folder": str(projects), "refresh_interval": 1},
    }
    settings = {
        "DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps([bundle]),
        "DAG_PROCESSOR__BUNDLE_REFRESH_CHECK_INTERVAL": "1",
        "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "300",
        "DAG_PROCESSOR__STALE_DAG_THRESHOLD": "2",
        "DAG_PROCESSOR__PARSING_PROCESSES": "1",
        "CORE__MIN_SERIALIZED_DAG_UPDATE_INTERVAL": "1",
        "SCHEDULER__PARSING_CLEANUP_INTERVAL": "2",
        "DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
    }
    return os.environ | {f"AIRFLOW__{name}": value for name, value in settings.items()}


@pytest.fixture
def projects(tmp_path):
    folder = tmp_path / "projects"
    folder.mkdir()
    for name in ("live_bank", "live_shop"):
        (folder / f"{name}.yaml").write_text(GOOD.format(name=name, metric_set="orders"))
    (folder / "live_taxi.yaml").write_text(GOOD.format(name="live_taxi", metric_set="rides") + "    perod: day\n")
    return folder


@pytest.fixture
def processor(projects, airflow_db, airflow_home, tmp_path):
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "airflow", "dag-processor"],
            env=_environment(projects, airflow_home),
            stdout=log,
            stderr=log,
        )
    yield process
    process.terminate()
    process.wait(30)


def seen() -> tuple[set[str], dict[str, str]]:
    """DAGs that are alive, and import errors by file."""
    from airflow.models.dag import DagModel
    from airflow.models.errors import ParseImportError
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        alive = set(session.scalars(select(DagModel.dag_id).where(DagModel.bundle_name == "live", ~DagModel.is_stale)))
        errors = session.scalars(select(ParseImportError).where(ParseImportError.bundle_name == "live"))
        return alive, {str(error.filename): str(error.stacktrace) for error in errors}


def wait_for(dags: set[str], broken: set[str], process, seconds: float = 90) -> dict[str, str]:
    stop = time.monotonic() + seconds
    while time.monotonic() < stop and process.poll() is None:
        alive, errors = seen()
        if alive == dags and set(errors) == broken:
            return errors
        time.sleep(0.2)
    pytest.fail(f"waited for {dags} and {broken}, saw {seen()}; processor: {process.poll()}")


def test_yaml_that_is_new_changed_broken_mended_or_removed_shows_without_a_restart(processor, projects):
    good = {"lupus.live_bank.orders", "lupus.live_shop.orders"}
    errors = wait_for(good, {"live_taxi.py"}, processor)
    assert (
        "live_taxi.yaml:5:5: key 'perod' is unknown in metric set rides. Did you mean 'period'?"
        in errors["live_taxi.py"]
    )

    (projects / "live_taxi.yaml").write_text(GOOD.format(name="live_taxi", metric_set="rides"))
    (projects / "live_new.yaml").write_text(GOOD.format(name="live_new", metric_set="orders"))
    wait_for({*good, "lupus.live_taxi.rides", "lupus.live_new.orders"}, set(), processor)

    (projects / "live_bank.yaml").unlink()
    (projects / "live_shop.yaml").write_text("project: [")
    wait_for({"lupus.live_taxi.rides", "lupus.live_new.orders"}, {"live_shop.py"}, processor)
