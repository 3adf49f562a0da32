from __future__ import annotations

from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from lupus_provider.cli import backfill as module
from lupus_provider.cli.app import app
from lupus_provider.cli.backfill import find_login, span_run
from lupus_provider.cli.errors import NoLoginError, UnknownDagError
from lupus_provider.cli.home import DemoHome, write_private

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LOGIN = ["--airflow-url", "http://af", "--user", "me", "--password", "pw"]
SPAN = ["--from", "2013-01-01", "--to", "2013-12-31"]


class Airflow:
    """What a backfill asks of Airflow, remembered."""

    url = "http://af"

    def __init__(self, *login):
        self.login, self.calls, self.state = login, [], None
        Airflow.last = self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def find_dag(self, dag_id):
        return None if "unknown" in dag_id else {"dag_id": dag_id}

    def find_run(self, dag_id, run_id):
        found, self.state = self.state, "success"
        return found and {"state": found}

    def unpause(self, *args):
        self.calls.append(("unpause", *args))

    def start_run(self, *args):
        self.calls.append(("start_run", *args))

    def tasks(self, *args):
        return []


@pytest.fixture
def call(monkeypatch):
    monkeypatch.setattr(module, "AirflowApi", Airflow)
    for name in ("URL", "USER", "PASSWORD"):
        monkeypatch.delenv(f"LUPUS_AIRFLOW_{name}", raising=False)
    return lambda *args: CliRunner().invoke(app, ["backfill", *args])


def test_a_span_is_one_run_with_conf(call):
    said = call("flights", "departures", *SPAN, *LOGIN)
    assert said.exit_code == 0, said.output
    assert "2013-01-01 … 2013-12-31 is loaded" in said.output
    assert Airflow.last.login == ("http://af", "me", "pw")
    (_, dag_id, run_id, conf) = Airflow.last.calls[-1]
    assert dag_id == "lupus.flights.departures"
    assert conf == {"from": "2013-01-01", "to": "2013-12-31"}
    assert run_id.startswith("backfill_2013-01-01_2013-12-31_")


def test_without_waiting_it_only_starts(call):
    said = call("flights", "departures", *SPAN, *LOGIN, "--no-wait")
    assert said.exit_code == 0
    assert "is loaded" not in said.output


def test_an_unknown_dag_is_one_sentence(call):
    said = call("flights", "unknown", *SPAN, *LOGIN)
    assert isinstance(said.exception, UnknownDagError)


def test_a_day_that_is_none_is_refused(call):
    said = call("flights", "departures", "--from", "31.1.2013", "--to", "2013-12-31", *LOGIN)
    assert said.exit_code == 2


def test_the_environment_says_where_airflow_is(call, monkeypatch):
    for name, value in {"URL": "http://env", "USER": "u", "PASSWORD": "p"}.items():
        monkeypatch.setenv(f"LUPUS_AIRFLOW_{name}", value)
    assert call("flights", "departures", *SPAN, "--no-wait").exit_code == 0
    assert Airflow.last.login == ("http://env", "u", "p")


def test_asking_twice_is_two_runs():
    later = NOW.replace(microsecond=1)
    first, second = (span_run("a", "b", NOW, NOW, now) for now in (NOW, later))
    assert first.run_id != second.run_id


def test_the_running_demo_is_asked_where_nothing_is_said(tmp_path):
    home = DemoHome(tmp_path)
    with pytest.raises(NoLoginError, match="LUPUS_AIRFLOW_URL"):
        find_login(None, None, None, home)
    write_private(home.address, {"url": "http://demo", "user": "admin", "password": "x"})
    assert find_login(None, None, None, home) == ("http://demo", "admin", "x")
    assert find_login("http://other", None, "y", home) == ("http://other", "admin", "y")
