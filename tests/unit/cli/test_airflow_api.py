from __future__ import annotations

import json

import httpx
import pytest

from lupus_provider.cli.airflow_api import AirflowApi, Task
from lupus_provider.cli.errors import AirflowAwayError, AirflowRefusedError, UnknownDagError


class Airflow:
    """Answers as Airflow does; `answers` maps (method, path) to a status and body, or to a list of them in turn."""

    def __init__(self, answers):
        self.answers, self.asked = dict(answers), []
        self.answers.setdefault(("POST", "/auth/token"), (201, {"access_token": "tok"}))

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append((request.method, request.url.path, request.headers.get("Authorization"), request.content))
        answer = self.answers[request.method, request.url.path]
        if isinstance(answer, list):
            answer = answer.pop(0)
        if isinstance(answer, Exception):
            raise answer
        status, body = answer
        return httpx.Response(status, json=body)


@pytest.fixture
def api():
    opened = []

    def open_api(answers=(), patience=5.0):
        airflow = Airflow(answers)
        opened.append(AirflowApi("http://af/", "me", "pw", patience=patience, transport=httpx.MockTransport(airflow)))
        return opened[-1], airflow

    yield open_api
    for one in opened:
        one.__exit__()


def test_logs_in_once_and_sends_the_token(api):
    client, airflow = api({("GET", "/api/v2/dags/d"): (200, {"dag_id": "d", "is_stale": False})})
    assert client.find_dag("d")["dag_id"] == "d"
    client.find_dag("d")
    assert [(path, token) for _, path, token, _ in airflow.asked] == [
        ("/auth/token", None),
        ("/api/v2/dags/d", "Bearer tok"),
        ("/api/v2/dags/d", "Bearer tok"),
    ]


def test_an_old_token_is_renewed(api):
    client, airflow = api({("GET", "/api/v2/dags/d"): [(200, {}), (401, {}), (200, {"dag_id": "again"})]})
    client.find_dag("d")
    assert client.find_dag("d") == {"dag_id": "again"}
    assert [path for _, path, _, _ in airflow.asked].count("/auth/token") == 2


def test_a_busy_airflow_is_asked_again(api):
    client, _ = api({("GET", "/api/v2/dags/d"): [(503, {}), httpx.ReadError("closed"), (200, {"dag_id": "d"})]})
    assert client.find_dag("d") == {"dag_id": "d"}


def test_an_airflow_that_stays_away_is_one_sentence(api):
    client, _ = api({("POST", "/auth/token"): httpx.ConnectError("refused")}, patience=0)
    with pytest.raises(AirflowAwayError, match=r"http://af does not answer \(refused\)"):
        client.find_dag("d")


def test_a_stale_or_missing_dag_is_none(api):
    client, _ = api(
        {
            ("GET", "/api/v2/dags/gone"): (404, {}),
            ("GET", "/api/v2/dags/old"): (200, {"dag_id": "old", "is_stale": True}),
        }
    )
    assert client.find_dag("gone") is None
    assert client.find_dag("old") is None


def test_a_run_has_no_logical_date_and_our_name(api):
    client, airflow = api({("POST", "/api/v2/dags/d/dagRuns"): (200, {})})
    client.start_run("d", "r1", {"from": "2013-01-01", "to": "2013-01-02"})
    assert json.loads(airflow.asked[-1][3]) == {
        "dag_run_id": "r1",
        "logical_date": None,
        "conf": {"from": "2013-01-01", "to": "2013-01-02"},
    }


def test_a_run_that_exists_is_not_started_twice(api):
    client, _ = api({("POST", "/api/v2/dags/d/dagRuns"): [(503, {}), (409, {})]})
    client.start_run("d", "r1", {})


def test_a_wrong_password_is_one_sentence(api):
    client, _ = api({("POST", "/auth/token"): (401, {"detail": "Invalid credentials"})})
    with pytest.raises(AirflowRefusedError, match="401"):
        client.find_dag("d")


def test_unpausing_an_unknown_dag_names_it(api):
    client, _ = api({("PATCH", "/api/v2/dags/lupus.a.b"): (404, {})})
    with pytest.raises(UnknownDagError, match=r"has no DAG lupus\.a\.b"):
        client.unpause("lupus.a.b")


def test_tasks_come_with_state_and_try(api):
    row = {"task_id": "collect", "state": "running", "try_number": 2, "more": 1}
    client, _ = api({("GET", "/api/v2/dags/d/dagRuns/r/taskInstances"): (200, {"task_instances": [row]})})
    assert client.tasks("d", "r") == [Task("collect", "running", 2)]


def test_a_refusal_carries_airflows_words(api):
    client, _ = api({("POST", "/api/v2/dags/d/dagRuns"): (422, {"detail": "no such conf"})})
    with pytest.raises(AirflowRefusedError, match=r"422.*no such conf"):
        client.start_run("d", "r", {})
