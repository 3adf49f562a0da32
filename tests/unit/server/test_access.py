from __future__ import annotations

import base64
import json
import time
from datetime import UTC, datetime
from itertools import product

import pytest
from fastapi.routing import APIRoute

from lupus_provider.processors.pushed import request_of
from lupus_provider.records import POINTS

PREFIX = "/lupus/api/v1"
PARAMS = {
    "/catalog/search": [
        {}, {"limit": 200}, {"q": "beta"}, {"q": "hidden"}, {"project": "beta"}, {"project": ["alpha", "beta"]}, {"sort": "recent"},
        {"group.region_code": "XX-7"}, {"only": "stale"}, {"only": "anomalous"}, {"start": 0}, {"metric_set": "sales"}, {"column": "hidden_revenue"},
    ],
    "/anomalies": [{}, {"project": "beta"}, {"project": ["alpha", "beta"]}, {"sort": "recent", "limit": 500}],
}  # fmt: skip


def routes(app, method=None):
    """Every route of the API as it is, so that a new one is tested without a new test."""
    found = [
        (verb, route.path) for route in app.routes if isinstance(route, APIRoute) for verb in sorted(route.methods)
    ]
    assert len(found) >= 6
    assert all(path.startswith("/api/v1/") for _, path in found)
    return [(verb, "/lupus" + path) for verb, path in found if method in (None, verb)]


def ask(client, verb, path, series_id="aaaaaaaaaaaaa", headers=None, **kwargs):
    client.cookies.clear()
    body = {"json": {"ids": [series_id]}} if verb != "GET" else {}
    return client.request(
        verb, path.replace("{series_id}", series_id), headers={"X-Lupus": "1", **(headers or {})}, **body, **kwargs
    )


def test_every_route_refuses_an_anonymous_caller(client, lupus_app):
    for verb, path in routes(lupus_app):
        answer = ask(client, verb, path)
        assert (answer.status_code, answer.json()["title"]) == (401, "Unauthorized"), path
        assert answer.headers["content-type"] == "application/problem+json"


def test_every_route_refuses_a_false_or_old_token(client, lupus_app, token):
    good = token("ana")
    head, claims, signature = good.split(".")
    claims_of_all = json.loads(base64.urlsafe_b64decode(claims + "=="))
    other = base64.urlsafe_b64encode(json.dumps(claims_of_all | {"sub": "all"}).encode()).decode().rstrip("=")
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")
    old = token("ana", expiration_time_in_seconds=-3600)
    bad = {
        "old": old, "changed": f"{head}.{other}.{signature}", "unsigned": f"{unsigned}.{claims}.", "rubbish": "abc", "empty": "",
    }  # fmt: skip
    for (verb, path), (why, text) in product(routes(lupus_app), bad.items()):
        refused = (401,) if why == "old" else (401, 403)  # Airflow itself tells old from false
        assert ask(client, verb, path, headers={"Authorization": f"Bearer {text}"}).status_code in refused, (why, path)
    for verb, path in routes(lupus_app):
        assert ask(client, verb, path, headers={"Cookie": f"_token={old}"}).status_code == 401, path


def test_the_cookie_of_the_login_is_enough(client, lupus_app, token, catalogue, tmp_path, monkeypatch):
    stage = f'{{"conn_type": "lupus", "host": "{(tmp_path / "stage").as_uri()}"}}'
    monkeypatch.setenv("AIRFLOW_CONN_LUPUS_STAGE", stage)
    start = datetime(2024, 3, 1, tzinfo=UTC)
    no_points = request_of(POINTS.empty(), start, "job", start).model_dump(mode="json")
    headers = {"Cookie": f"_token={token('ana', role='user')}", "X-Lupus": "1"}
    for verb, path in routes(lupus_app):
        body = no_points if path.endswith("/points") and verb == "POST" else {"ids": [catalogue.ALPHA[0].id]}
        place = path.format(series_id=catalogue.ALPHA[0].id, project="alpha", metric_set="orders")
        client.cookies.clear()
        answer = client.request(verb, place, headers=headers, **({} if verb == "GET" else {"json": body}))
        assert answer.status_code == 200, (path, answer.text)


def test_a_token_in_the_address_is_no_login(client, token):
    assert client.get(f"{PREFIX}/me?_token={token('ana')}&access_token={token('ana')}").status_code == 401


@pytest.mark.parametrize("name", ["none", "half"])
def test_who_may_not_read_every_dag_of_a_project_sees_nothing_of_it(caller, lupus_app, client, token, catalogue, name):
    who = caller(name)
    assert who.get("/me").json()["projects"] == []
    page = who.get("/catalog/search").json()
    assert (page["items"], page["total"], page["total_all"], page["facets"], page["days"]) == ([], 0, 0, [], [])
    assert page["counts"] == {"anomalous": 0, "stale": 0}
    assert (page["first_period"], page["last_period"]) == (None, None)
    assert who.get("/anomalies").json() == {"items": [], "total": 0, "next_cursor": None}
    assert who.post("/series/batch", {"ids": [line.id for line in catalogue.LINES], "band": True}).json() == {
        "items": []
    }
    for line in catalogue.LINES:
        assert who.get(f"/series/{line.id}").status_code == 404
        assert who.get(f"/series/{line.id}/data.csv").status_code == 404


def test_a_user_without_a_role_sees_nothing(client, token, monkeypatch, lupus_app, catalogue):
    monkeypatch.undo()  # the real auth manager's answer
    header = {"Authorization": f"Bearer {token('new', role=None)}"}
    for verb, path in routes(lupus_app):
        answer = ask(client, verb, path, catalogue.ALPHA[0].id, headers=header)
        text = answer.text.replace(catalogue.ALPHA[0].id, "")
        assert answer.status_code in (200, 403, 404), path
        assert not any(word in text for line in catalogue.LINES for word in (line.project, line.name, line.id)), path


def test_names_of_a_hidden_project_are_in_no_answer(client, lupus_app, token, catalogue):
    header = {"Authorization": f"Bearer {token('ana')}"}
    for verb, path in routes(lupus_app):
        for series_id, params in product(
            [catalogue.ALPHA[1].id, catalogue.BETA[0].id], PARAMS.get(path.removeprefix(PREFIX), [{}])
        ):
            answer = ask(client, verb, path, series_id, headers=header, params=params)
            assert answer.status_code in (200, 404), (path, params)
            said = (answer.text + str(answer.headers)).replace(series_id, "")
            assert not [word for word in catalogue.HIDDEN_WORDS if word in said], (path, params)


def test_the_one_who_may_see_everything_does_see_those_names(caller, catalogue):
    everything = caller("all")
    text = everything.get("/catalog/search", limit=200).text + everything.get("/anomalies").text
    assert all(word in text for word in catalogue.HIDDEN_WORDS)


def test_a_hidden_series_and_one_that_does_not_exist_get_the_same_answer(ana, catalogue):
    hidden, missing = catalogue.BETA[0].id, "a" * 13
    for tail in ("", "/data.csv"):
        answers = [ana.get(f"/series/{sid}{tail}") for sid in (hidden, missing)]
        assert [a.status_code for a in answers] == [404, 404]
        assert answers[0].text.replace(hidden, "") == answers[1].text.replace(missing, "")
        assert dict(answers[0].headers.items()) == dict(answers[1].headers.items())


def test_a_batch_leaves_out_what_may_not_be_seen_or_does_not_exist(ana, catalogue):
    mine, other = catalogue.ALPHA[0].id, catalogue.BETA[0].id
    answer = ana.post("/series/batch", {"ids": ["a" * 13, other, mine, "x", other], "band": True}).json()
    assert [item["series_id"] for item in answer["items"]] == [mine]
    assert other not in json.dumps(answer)


def test_a_permission_that_is_taken_away_ends_at_once_also_for_kept_answers(ana, caller, monkeypatch):
    from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager

    first = ana.get("/catalog/search")
    monkeypatch.setattr(SimpleAuthManager, "get_authorized_dag_ids", lambda *_a, **_k: {"other"})
    again = ana.get("/catalog/search", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.json()["total_all"]) == (200, 0)


def test_every_changing_route_wants_the_header_that_other_sites_cannot_send(client, lupus_app, token, catalogue):
    changing = [(verb, path) for verb, path in routes(lupus_app) if verb != "GET"]
    assert changing
    for verb, path in changing:
        for value in (None, "0", ""):
            client.cookies.clear()
            headers = {"Cookie": f"_token={token('all')}"} | ({} if value is None else {"X-Lupus": value})
            answer = client.request(verb, path, headers=headers, json={"ids": [catalogue.ALPHA[0].id]})
            assert answer.status_code == 403, path
            assert "X-Lupus" in answer.json()["detail"]


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", None]
)
def test_a_body_that_a_form_could_send_is_refused(ana, catalogue, content_type):
    body = json.dumps({"ids": [catalogue.ALPHA[0].id]}).encode()
    headers = {} if content_type is None else {"Content-Type": content_type}
    assert ana.post("/series/batch", headers=headers, content=body).status_code in (415, 422)


def test_no_route_changes_anything_by_get(lupus_app):
    assert all(verb in ("GET", "POST", "PUT", "PATCH", "DELETE") for verb, _ in routes(lupus_app))
    assert {path for verb, path in routes(lupus_app) if verb == "GET"}.isdisjoint(
        path for verb, path in routes(lupus_app) if verb != "GET"
    )


def test_the_apps_own_documentation_is_not_public(client):
    for path in ("/docs", "/redoc", "/openapi.json", "/api/v1/openapi.json"):
        assert client.get("/lupus" + path).status_code == 404


def test_a_projects_name_may_be_a_part_of_anothers(client, token, monkeypatch, caller):
    from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager

    monkeypatch.setattr(
        SimpleAuthManager,
        "get_authorized_dag_ids",
        lambda *_a, **_k: {"lupus.alph", "lupus.alpha", "lupusXalphaXorders"},
    )
    assert caller("ana").get("/me").json()["projects"] == []


def test_me_tells_who_asks_and_what_the_server_thinks_the_time_is(ana):
    body = ana.get("/me").json()
    assert (body["user"], body["projects"]) == ({"id": "ana", "name": "ana"}, ["alpha"])
    assert abs(body["server_time"] - time.time()) < 600
