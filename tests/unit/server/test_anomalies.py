from __future__ import annotations

import pytest


def flagged(catalogue):
    return sorted(
        (score, catalogue.at(day), line.id) for line in catalogue.ALPHA for day, score in line.flagged.items()
    )


def test_the_strangest_come_first_or_the_newest(ana, catalogue):
    by_score = ana.get("/anomalies").json()
    assert [(a["score"], a["t"], a["series_id"]) for a in by_score["items"]] == flagged(catalogue)
    newest = ana.get("/anomalies", sort="recent").json()
    assert [a["t"] for a in newest["items"]] == sorted((t for _, t, _ in flagged(catalogue)), reverse=True)
    assert by_score["total"] == newest["total"] == 5


@pytest.mark.parametrize("sort", ["score", "recent"])
def test_pages_cover_every_anomaly_once(ana, sort):
    whole = ana.get("/anomalies", sort=sort).json()["items"]
    found, cursor = [], "0"
    while cursor is not None:
        page = ana.get("/anomalies", sort=sort, limit=2, cursor=cursor).json()
        found += page["items"]
        cursor = page["next_cursor"]
    assert found == whole


def test_a_range_is_half_open(ana, catalogue):
    page = ana.get("/anomalies", start=catalogue.at(20), end=catalogue.at(21)).json()
    assert [a["t"] for a in page["items"]] == [catalogue.at(20)]


def test_every_row_brings_its_series(ana, catalogue):
    names = {line.id: line.name for line in catalogue.ALPHA}
    assert all(a["series"]["name"] == names[a["series_id"]] for a in ana.get("/anomalies").json()["items"])


def test_asking_for_a_project_narrows_and_never_widens(ana, caller, catalogue):
    assert ana.get("/anomalies", project="beta").json() == {"items": [], "total": 0, "next_cursor": None}
    assert ana.get("/anomalies", project=["beta", "alpha"]).json() == ana.get("/anomalies").json()
    assert caller("all").get("/anomalies", project="beta").json()["total"] == 2


@pytest.mark.parametrize(
    "params", [{"start": 2**63}, {"end": -(2**70)}, {"cursor": "9" * 19}, {"limit": 501}, {"sort": "x"}]
)
def test_numbers_beyond_bounds_are_refused(ana, params):
    assert ana.get("/anomalies", **params).status_code == 422
