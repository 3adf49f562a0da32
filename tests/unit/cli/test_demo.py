from __future__ import annotations

import os
import socket

import pytest
from typer.testing import CliRunner

from lupus_provider.cli import demo as module
from lupus_provider.cli.app import app
from lupus_provider.cli.demo import find_projects, planned_runs, prepare_data
from lupus_provider.cli.environment import airflow_environment, store_addresses, store_connections
from lupus_provider.cli.errors import MissingProjectError, PortBusyError
from lupus_provider.cli.home import DemoHome
from lupus_provider.cli.launcher import check_port, log_of_task, migrate


@pytest.fixture
def home(tmp_path):
    place = DemoHome(tmp_path / "home")
    place.prepare()
    return place


@pytest.fixture
def projects(tmp_path):
    folder = tmp_path / "projects"
    folder.mkdir()
    (folder / "flights.yaml").write_text(FLIGHTS)
    return folder


FLIGHTS = """\
project: flights
metric_sets:
  departures: {source: {path: a}, start_date: 2013-01-01, end_date: 2013-12-31}
  later: {source: {path: a}, start_date: 2013-02-01, end_date: 2013-12-31}
  by_hand: {source: {path: a}}
  checks: {source: {path: a}, processor: expectations, expectations: [{expect: expect_x}], start_date: 2013-01-01, end_date: 2013-12-31}
"""
DATA = {"flights": "data"}


def test_each_metric_set_is_loaded_over_its_own_days(home, projects):
    runs = {run.dag_id: run.conf for run in planned_runs(home, projects, DATA)}
    assert runs["lupus.flights.departures"] == {"from": "2013-01-01", "to": "2013-12-31"}
    assert runs["lupus.flights.later"] == {"from": "2013-02-01", "to": "2013-12-31"}
    assert "lupus.flights.by_hand" not in runs


@pytest.mark.parametrize("found", [None, object()])
def test_a_suite_is_loaded_where_its_library_is_installed(home, projects, monkeypatch, found):
    monkeypatch.setattr(module, "find_spec", lambda name: found)
    dags = [run.dag_id for run in planned_runs(home, projects, DATA)]
    assert ("lupus.flights.checks" in dags) == (found is not None)


def test_the_tables_wait_for_metric_sets_that_there_are():
    folder = find_projects(None)
    names = {run.label for run in planned_runs_of(folder)}
    assert names >= module.FIRST
    assert names - module.FIRST


def planned_runs_of(folder):
    class Home:
        def generation(self):
            return "g"

    return planned_runs(Home(), folder, {"flights": "a", "recommender": "b"})  # type: ignore[arg-type]


def test_only_projects_that_have_a_file_are_prepared(home, projects, monkeypatch):
    monkeypatch.setattr(module, "prepare_flights", lambda data: "f")
    monkeypatch.setattr(module, "prepare_recommender", lambda data: "r")
    assert prepare_data(home, projects) == {"flights": "f"}
    (projects / "recommender.yaml").write_text("project: recommender\n")
    assert prepare_data(home, projects) == {"flights": "f", "recommender": "r"}


def test_the_same_inputs_are_the_same_runs(home, projects):
    assert planned_runs(home, projects, DATA) == planned_runs(home, projects, DATA)


@pytest.mark.parametrize("change", ["yaml", "data", "stores", "release", "index"])
def test_whatever_the_result_depends_on_makes_other_runs(home, projects, monkeypatch, change):
    data, before = DATA, planned_runs(home, projects, DATA)
    if change == "yaml":
        (projects / "flights.yaml").write_text(f"{FLIGHTS}# more\n")
    elif change == "data":
        data = {"flights": "other"}
    elif change == "stores":
        (home.stores / "generation").unlink()
    elif change == "release":
        monkeypatch.setattr(module, "__version__", "99")
    else:
        monkeypatch.setattr("lupus_provider.stores.index.tables.FORMAT", 99)
    assert {run.run_id for run in planned_runs(home, projects, data)}.isdisjoint({run.run_id for run in before})


def test_a_folder_without_the_project_is_one_sentence(tmp_path):
    with pytest.raises(MissingProjectError, match=r"has no flights\.yaml"):
        find_projects(tmp_path)


def test_the_checkouts_project_is_found_from_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert (find_projects(None) / "flights.yaml").is_file()


def test_a_busy_port_is_refused_with_what_to_do():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortBusyError, match=rf"port {port} .* make demo PORT={port + 1}"):
            check_port(port)
    check_port(port)


def test_nothing_of_the_callers_airflow_gets_in(home, projects, monkeypatch):
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", "CeleryExecutor")
    monkeypatch.setenv("AIRFLOW_CONN_LUPUS_STAGE", "lupus://elsewhere")
    env = airflow_environment(home, 8123, projects)
    assert env["AIRFLOW__CORE__EXECUTOR"] == "LocalExecutor"
    assert "AIRFLOW_CONN_LUPUS_STAGE" not in env
    assert env["AIRFLOW_HOME"] == str(home.airflow)


def test_stores_of_the_caller_get_in_where_they_are_asked_for(home, projects, monkeypatch):
    monkeypatch.setenv(
        "AIRFLOW_CONN_LUPUS_STAGE", '{"conn_type": "lupus", "host": "s3://bucket/stage", "password": "x"}'
    )
    monkeypatch.setenv("AIRFLOW_CONN_OTHERS", "http://elsewhere")
    env = airflow_environment(home, 8123, projects, store_connections(os.environ))
    assert "s3://bucket/stage" in env["AIRFLOW_CONN_LUPUS_STAGE"]
    assert "AIRFLOW_CONN_OTHERS" not in env
    assert store_addresses(env) == ["s3://bucket/stage"]
    embedded, real = (planned_runs(home, projects, DATA, stores) for stores in ((), store_addresses(env)))
    assert {run.run_id for run in embedded}.isdisjoint({run.run_id for run in real})


def test_every_setting_is_one_that_airflow_knows(home, projects):
    from pathlib import Path

    import airflow
    import yaml

    from lupus_provider.get_provider_info import get_provider_info

    known = yaml.safe_load((Path(airflow.__path__[0]) / "config_templates" / "config.yml").read_text())
    known |= get_provider_info()["config"] | {"usage_data_collection": {"options": {"enabled": None}}}
    for name in airflow_environment(home, 8123, projects):
        if name.startswith("AIRFLOW__"):
            _, section, option = name.lower().split("__")
            assert option in known[section]["options"], name


def test_all_addresses_are_of_this_machine(home, projects):
    env = airflow_environment(home, 8123, projects)
    addresses = [
        value
        for name, value in env.items()
        if name.startswith("AIRFLOW__") and "://" in value and "sqlite" not in value
    ]
    assert env["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert addresses
    assert all(value.startswith("http://127.0.0.1:8123/") for value in addresses)


def test_the_database_is_made_once_a_version(home, monkeypatch):
    made = []
    done = type("Done", (), {"returncode": 0})
    monkeypatch.setattr("lupus_provider.cli.launcher.subprocess.run", lambda *args, **kwargs: made.append(args) or done)
    migrate(home, {})
    (home.airflow / "airflow.db").touch()
    migrate(home, {})
    assert len(made) == 1
    (home.airflow / "migrated").write_text("2.0.0")
    migrate(home, {})
    assert len(made) == 2


def test_a_tasks_log_is_where_airflow_writes_it(home):
    path = log_of_task(home, "d", "r", "collect", 0)
    assert path == home.airflow / "logs" / "dag_id=d" / "run_id=r" / "task_id=collect" / "attempt=1.log"


@pytest.mark.parametrize("command", ["demo", "backfill"])
def test_help_has_an_example(command):
    from lupus_provider.cli import backfill  # noqa: F401  (registers itself)

    said = CliRunner().invoke(app, [command, "--help"])
    assert said.exit_code == 0
    assert "Example: lupus " in said.output
