from __future__ import annotations

import pytest


def test_an_answer_that_the_caller_holds_is_not_sent_again(ana, catalogue):
    for path in (
        "/catalog/search",
        "/anomalies",
        f"/series/{catalogue.ALPHA[0].id}",
        f"/series/{catalogue.ALPHA[0].id}/data.csv",
    ):
        first = ana.get(path)
        again = ana.get(path, headers={"If-None-Match": f'"other", {first.headers["etag"]}'})
        assert (first.status_code, again.status_code, again.content) == (200, 304, b""), path
        assert again.headers["etag"] == first.headers["etag"]
        assert "content-type" not in again.headers


def test_an_answer_that_is_different_has_another_tag(ana, caller):
    tags = [ana.get("/catalog/search", q=q).headers["etag"] for q in ("", "amount")]
    tags.append(caller("all").get("/catalog/search").headers["etag"])
    assert len(set(tags)) == 3
    assert ana.get("/catalog/search", headers={"If-None-Match": tags[1]}).status_code == 200


def test_only_the_browser_may_keep_answers_and_must_ask_each_time(ana):
    headers = ana.get("/catalog/search").headers
    assert headers["cache-control"] == "private, no-cache"
    assert {"authorization", "cookie"} <= {part.strip().lower() for part in headers["vary"].split(",")}


def test_problems_are_not_kept(ana, caller):
    for answer in (ana.get("/series/x"), ana.get("/catalog/search", limit=0), caller(None).get("/me")):
        assert answer.headers["cache-control"] == "no-store"
        assert "etag" not in answer.headers


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_a_compressed_answer_is_the_same_answer(ana, encoding):
    answer = ana.get("/catalog/search", headers={"Accept-Encoding": encoding})
    assert answer.headers.get("content-encoding", "identity") == encoding
    assert answer.headers["etag"].startswith('W/"')
    assert answer.json()["total"] == 13
