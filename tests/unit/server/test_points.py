from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pyarrow as pa
import pytest

from lupus_provider import client as client_module, clock
from lupus_provider.client import LupusClient, PushRefusedError, ServerAwayError
from lupus_provider.periods import Period, Span
from lupus_provider.processors import DistributionProcessor
from lupus_provider.processors.pushed import request_of
from lupus_provider.records import POINTS
from lupus_provider.server.routes import points as route
from lupus_provider.stores import open_stage

START, DAY = datetime(2024, 3, 1, tzinfo=UTC), timedelta(days=1)
PERIODS = [Period(START, START + DAY), Period(START + DAY, START + 2 * DAY)]
PATH = "/projects/alpha/metric_sets/orders/points"
COLLECTED = datetime(2024, 3, 4, 5, 6, 7, 891, tzinfo=UTC)


@pytest.fixture
def stage(tmp_path, monkeypatch):
    url = (tmp_path / "stage").as_uri()
    monkeypatch.setenv("AIRFLOW_CONN_LUPUS_STAGE", f'{{"conn_type": "lupus", "host": "{url}"}}')
    return open_stage(url)


@pytest.fixture
def pusher(client, token, ana):
    """She may read `alpha`, and trigger its DAGs."""
    return type(ana)(client, token("ana", role="user"))


@pytest.fixture
def metrics():
    table = pa.table({
        "at": [START, START + DAY / 2, START + DAY], "amount": [1.5, -0.1, None], "shop": ["é", None, "a\tb"],
        "tags": [["x"], ["y", "x"], []],
    })  # fmt: skip
    processor = DistributionProcessor(
        table, column_metrics={"amount": ["avg", "p50"], "tags": ["count"], "nothing": ["avg"]}, group_sets=[[], ["shop"]],
        periods=PERIODS, time_column="at",
    )  # fmt: skip
    return processor.get_metrics(project="alpha", metric_set="orders", run_id="job 7", collected_at=COLLECTED)


def body_of(metrics, **changed):
    table = metrics.to_arrow()
    first = table.filter(pa.compute.equal(table["period_start"], pa.scalar(START, table["period_start"].type)))
    return request_of(first, START, "job 7", COLLECTED).model_dump() | changed


def staged(stage):
    files = stage.files(POINTS, "alpha", "orders", Span(START, START + 9 * DAY))
    return files, [stage.read(POINTS, file) for file in files]


def through(client, token, name="ana", role="user"):
    """A client whose requests reach the server in this process."""

    def answer(request: httpx.Request) -> httpx.Response:
        found = client.post(request.url.path, content=request.content, headers=dict(request.headers))
        return httpx.Response(found.status_code, content=found.content)

    return LupusClient("http://airflow", token(name, role=role), transport=httpx.MockTransport(answer))


def test_pushed_metrics_are_staged_as_if_they_had_been_collected_here(client, token, stage, metrics):
    with through(client, token) as lupus:
        assert metrics.push(lupus) == 2
    files, tables = staged(stage)
    assert [file.period_start for file in files] == [START, START + DAY]
    assert POINTS.sort(pa.concat_tables(tables)).equals(POINTS.sort(metrics.to_arrow()))
    assert files[0].written_at == COLLECTED


def test_a_push_again_changes_nothing_and_an_older_one_is_left_out(pusher, stage, metrics):
    assert pusher.post(PATH, body_of(metrics)).json()["stored"] is True
    before = staged(stage)[0]
    assert pusher.post(PATH, body_of(metrics)).json()["stored"] is True
    assert staged(stage)[0] == before
    older = body_of(metrics, collected_at=COLLECTED.timestamp() - 60)
    assert pusher.post(PATH, older).json()["stored"] is False
    assert staged(stage)[0] == before


def test_a_period_without_points_is_stored_too(pusher, stage, metrics):
    empty = request_of(metrics.to_arrow().slice(0, 0), START, "r", COLLECTED).model_dump()
    assert pusher.post(PATH, empty).json() == {"stored": True, "n_points": 0}
    assert staged(stage)[0][0].n_rows == 0


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"value": []}, "'value' has 0 items"), ({"group": [9] * 17}, "There are 3 groups"), ({"metric": [""] * 17}, "empty name"),
        ({"period_start": int(START.timestamp()) + 1}, "are no day of the zone UTC"),
        ({"period_end": int(START.timestamp()) + 3600}, "are no day of the zone UTC"),
        ({"period_start": 0, "period_end": None, "collected_at": 9e10}, "lies in the future"),
        ({"period_start": 32503680000, "period_end": None}, "the period lies in the future"),
        ({"entity": ["a\0b"] * 17}, "null character"), ({"error": ["x" * 4001] * 17}, "too long"), ({"run_id": ""}, "run_id"),
        ({"metric": ["avg"] * 17, "column_name": ["c"] * 17, "entity": [None] * 17}, "a series twice"), ({"value": ["much"] * 17}, "value"),
        ({"unknown": 1}, "unknown"), ({"sample_ratio": 2}, "sample_ratio"), ({"n_rows": [-1] * 17}, "n_rows"),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_points_that_cannot_be_kept_are_refused_with_a_reason(pusher, stage, metrics, changed, said):
    body = body_of(metrics)
    assert len(body["group"]) == 17
    assert len(body["groups"]) == 3
    answer = pusher.post(PATH, body | changed)
    assert answer.status_code == 422, answer.text
    assert said in answer.json()["detail"]
    assert staged(stage)[0] == []


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'{"value": [NaN]}'])
def test_a_body_that_is_no_push_is_refused(pusher, stage, raw):
    assert pusher.post(PATH, content=raw).status_code == 422


def test_a_body_without_end_is_refused(pusher, stage, metrics, monkeypatch):
    monkeypatch.setattr(route, "MOST_BYTES", 100)
    answer = pusher.post(PATH, body_of(metrics))
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "path", [PATH.replace("orders", "unknown"), PATH.replace("alpha", "beta"), PATH.replace("alpha", "nobody")]
)
def test_metric_sets_that_are_not_there_and_those_that_may_not_be_seen_have_one_answer(pusher, stage, metrics, path):
    answer = pusher.post(path, body_of(metrics))
    assert answer.status_code == 404
    assert "does not exist, or you may not read its project" in answer.json()["detail"]


def test_reading_a_project_is_not_the_right_to_push(ana, stage, metrics):
    answer = ana.post(PATH, body_of(metrics))
    assert answer.status_code == 403
    assert staged(stage)[0] == []


def test_who_is_not_logged_in_pushes_nothing(caller, stage, metrics):
    assert caller(None).post(PATH, body_of(metrics)).status_code == 401


def test_another_site_s_form_pushes_nothing(pusher, stage, metrics):
    assert pusher.post(PATH, body_of(metrics), headers={"X-Lupus": "0"}).status_code == 403


def test_the_client_says_why_it_was_refused(client, token, stage, metrics):
    with (
        through(client, token, role="viewer") as lupus,
        pytest.raises(PushRefusedError, match="the right to trigger its DAG") as caught,
    ):
        metrics.push(lupus)
    assert caught.value.status == 403


def test_a_push_is_tried_again_while_the_server_is_away(metrics, monkeypatch):
    paused, answers = (
        [],
        [httpx.Response(503), httpx.ConnectError("away"), httpx.Response(200, json={"stored": True, "n_points": 1})],
    )

    def answer(request):
        found = answers.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr(client_module.time, "sleep", paused.append)
    lupus = LupusClient("http://airflow", "secret-token", transport=httpx.MockTransport(answer))
    assert lupus.push("p", "m", metrics.to_arrow().slice(0, 1), START, "r", COLLECTED) is True
    assert paused == [1.0, 2.0]
    answers[:] = [httpx.Response(502, text="<html>") for _ in range(4)]
    with pytest.raises(ServerAwayError) as caught:
        lupus.push("p", "m", metrics.to_arrow().slice(0, 1), START, "r", COLLECTED)
    assert "html" not in str(caught.value)
    assert "secret" not in str(caught.value) + repr(lupus)


def test_a_login_gets_the_token(monkeypatch):
    seen = []

    def answer(request):
        seen.append((request.url.path, request.headers.get("Authorization")))
        return (
            httpx.Response(201, json={"access_token": "t0"})
            if len(seen) == 1
            else httpx.Response(200, json={"stored": True, "n_points": 0})
        )

    lupus = LupusClient.login("http://airflow/", "ana", "pass", transport=httpx.MockTransport(answer))
    lupus.push("p", "m", POINTS.empty(), START, "r", clock.utc_now())
    assert seen == [("/auth/token", "Bearer "), ("/lupus/api/v1/projects/p/metric_sets/m/points", "Bearer t0")]
