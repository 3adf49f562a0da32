from __future__ import annotations

import json
import sqlite3

import pytest
from fastapi.routing import APIRoute

from lupus_provider.errors import StoreBusyError
from lupus_provider.server import problems, state
from lupus_provider.wire import Problem


def is_problem(answer, status):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return Problem(**answer.json())


def test_an_unknown_path_is_a_problem_not_a_page(ana):
    for path in ("/nothing", "/series", "/catalog/searchx", ""):
        assert is_problem(ana.get(path), 404).title == "Not Found"


def test_a_wrong_method_is_a_problem(ana):
    assert is_problem(ana.post("/catalog/search", {}), 405).status == 405


def test_an_unexpected_error_shows_nothing_of_the_inside(ana, monkeypatch, caplog):
    def breaks(*_args):
        raise RuntimeError("secret inside /srv/private")

    monkeypatch.setattr(state.LupusHook, "url", breaks)
    answer = ana.get("/catalog/search")
    assert is_problem(answer, 500).detail == problems.UNEXPECTED
    assert "secret" not in answer.text + str(answer.headers)
    assert "secret inside" in caplog.text  # the log has it


def test_an_index_with_a_wrong_address_says_so_in_a_sentence_without_the_password(ana, monkeypatch):
    monkeypatch.setenv(
        "AIRFLOW_CONN_LUPUS_INDEX", json.dumps({"conn_type": "lupus", "host": "nosuch://me:hunter2@db/lupus"})
    )
    answer = ana.get("/catalog/search")
    problem = is_problem(answer, 500)
    assert (problem.type, "address" in problem.detail) == ("StoreUrlError", True)
    assert "hunter2" not in answer.text


def test_a_connection_of_another_type_is_named(ana, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_LUPUS_INDEX", json.dumps({"conn_type": "http", "host": "x"}))
    assert "lupus_index" in is_problem(ana.get("/anomalies"), 500).detail


def test_a_database_that_is_away_is_a_reason_to_try_again(ana, monkeypatch, tmp_path):
    (tmp_path / "index.db").mkdir()  # no file can be opened there
    monkeypatch.setenv(
        "AIRFLOW_CONN_LUPUS_INDEX", json.dumps({"conn_type": "lupus", "host": f"sqlite:///{tmp_path}/index.db"})
    )
    answer = ana.get("/catalog/search")
    assert is_problem(answer, 503).detail == problems.AWAY
    assert answer.headers["retry-after"] == problems.RETRY_SECONDS
    assert str(tmp_path) not in answer.text


def test_a_database_that_breaks_under_way_is_away_and_is_asked_again_next_time(ana, monkeypatch):
    from lupus_provider.stores.index import searching

    def breaks(*_args):
        from sqlalchemy.exc import OperationalError

        raise OperationalError("SELECT secret", {}, sqlite3.OperationalError("disk I/O error"))

    with monkeypatch.context() as patch:
        patch.setattr(searching, "search", breaks)
        answer = ana.get("/catalog/search")
        assert is_problem(answer, 503).type == "DatabaseAway"
        assert "SELECT" not in answer.text
    assert ana.get("/catalog/search").status_code == 200


def test_what_may_pass_by_itself_is_503_with_the_errors_own_sentence(ana, monkeypatch):
    error = StoreBusyError("index", 60)

    def busy(*_args):
        raise error

    monkeypatch.setattr(state, "_opened", busy)
    answer = ana.get("/catalog/search")
    assert is_problem(answer, 503).detail == str(error)
    assert answer.headers["retry-after"]


def test_a_refused_value_is_not_repeated_in_the_answer(ana):
    answer = ana.get("/catalog/search", limit="<script>alert(1)</script>")
    assert "query.limit" in is_problem(answer, 422).detail
    assert "script" not in answer.text


def test_every_route_answers_with_a_body_of_the_wire_or_a_file(lupus_app):
    from fastapi import Response

    from lupus_provider.wire import Wire

    for route in lupus_app.routes:
        if isinstance(route, APIRoute):
            model = route.response_model
            assert (model is None and route.path.endswith(".csv")) or issubclass(model, (Wire, Response)), route.path


@pytest.mark.parametrize("path", ["/me", "/catalog/search", "/anomalies"])
def test_a_login_is_asked_for_before_the_index_is_opened(caller, monkeypatch, path):
    monkeypatch.setattr(state, "_opened", lambda _url: pytest.fail("the index was opened for nobody"))
    assert caller(None).get(path).status_code == 401
