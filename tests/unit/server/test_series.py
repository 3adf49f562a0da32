from __future__ import annotations

import csv
import io

import pytest


@pytest.fixture
def line(catalogue):
    """`amount avg`: flagged on its last day, and failed on days 7 and 8."""
    return catalogue.LINES[5]


def test_a_batch_answers_in_the_order_asked_and_each_id_once(ana, catalogue):
    ids = [catalogue.LINES[i].id for i in (4, 0, 2)]
    items = ana.post("/series/batch", {"ids": [*ids, ids[0]]}).json()["items"]
    assert [item["series_id"] for item in items] == ids


def test_points_come_as_columns_of_one_length(ana, catalogue, line):
    (item,) = ana.post("/series/batch", {"ids": [line.id], "band": True}).json()["items"]
    assert item["t"] == [catalogue.at(day) for day in range(40)]
    assert {len(item[name]) for name in ("t", "value", "n_rows", "error", "expected", "lower", "upper")} == {40}
    assert (item["value"][7], item["error"][7], item["error"][0]) == (None, line.failed[7], None)
    assert item["n_rows"][3] == 103
    assert (item["n_raw"], item["method"]) == (40, "raw")


def test_a_band_stands_at_its_own_periods_and_is_of_the_detector_that_expects_something(ana, catalogue, line):
    (item,) = ana.post("/series/batch", {"ids": [line.id], "band": True}).json()["items"]
    assert item["detector"] == catalogue.DETECTOR
    assert item["expected"][:3] == [None, None, 10.0]
    assert (item["lower"][39], item["upper"][39]) == (9.0, 11.0)


def test_no_band_is_sent_unasked(ana, line):
    (item,) = ana.post("/series/batch", {"ids": [line.id]}).json()["items"]
    assert {item[name] for name in ("detector", "expected", "lower", "upper")} == {None}


def test_a_range_is_half_open(ana, catalogue, line):
    body = {"ids": [line.id], "start": catalogue.at(5), "end": catalogue.at(9), "band": True}
    (item,) = ana.post("/series/batch", body).json()["items"]
    assert item["t"] == [catalogue.at(day) for day in (5, 6, 7, 8)]
    assert item["expected"] == [10.0] * 4
    assert item["anomalies"] == []


def test_a_range_without_points_is_an_empty_series_not_a_missing_one(ana, line):
    (item,) = ana.post("/series/batch", {"ids": [line.id], "start": 0, "end": 10, "band": True}).json()["items"]
    assert (item["t"], item["value"], item["n_raw"], item["method"]) == ([], [], 0, "raw")


def test_anomalies_survive_thinning(ana, catalogue, line):
    jp = catalogue.LINES[1]
    for item in ana.post("/series/batch", {"ids": [jp.id, line.id], "max_points": 10}).json()["items"]:
        assert item["method"] == "minmax"
        assert item["n_raw"] == 40
        assert {a["t"] for a in item["anomalies"]} <= set(item["t"])
        assert item["t"] == sorted(set(item["t"]))
        assert {catalogue.at(0), catalogue.at(39)} <= set(item["t"])


def test_all_anomalies_are_sent_however_the_index_pages_them(ana, catalogue, monkeypatch):
    from lupus_provider.server import reading

    body = {"ids": [line.id for line in catalogue.ALPHA]}
    whole = ana.post("/series/batch", body).json()
    monkeypatch.setattr(reading, "PAGE", 2)
    assert ana.post("/series/batch", body).json() == whole
    assert sum(len(item["anomalies"]) for item in whole["items"]) == 5


@pytest.mark.parametrize(
    "body",
    [
        {"ids": []}, {"ids": ["x"] * 51}, {"ids": "x"}, {"ids": [1]}, {}, [], None, {"ids": ["x"], "max_points": 9}, {"ids": ["x"], "max_points": 20_001},
        {"ids": ["x"], "start": 2**63}, {"ids": ["x"], "end": -(2**63)}, {"ids": ["x"], "start": "now"}, {"ids": ["x"], "unknown": 1},
    ],
    ids=str,
)  # fmt: skip
def test_a_wrong_body_is_refused(ana, body):
    answer = ana.post("/series/batch", body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff\xfe", b'{"ids": [NaN]}', b"[" * 3000])
def test_a_body_that_is_no_json_is_refused(ana, raw):
    answer = ana.post("/series/batch", content=raw, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422), answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_an_id_that_is_no_text_any_store_can_hold_is_left_out(ana):
    raw = b'{"ids": ["\\ud800", "a\\u0000b"]}'
    assert ana.post("/series/batch", content=raw, headers={"Content-Type": "application/json"}).json() == {"items": []}


@pytest.mark.parametrize("series_id", ["x", "a%00b", "..%2f..", "é", "'%20OR%201=1", "a" * 5000, "A" * 13])
def test_what_cannot_be_an_id_is_not_found(ana, series_id):
    answer = ana.get(f"/series/{series_id}")
    assert answer.status_code == 404
    assert len(answer.text) < 400


def test_the_charts_page_learns_everything_from_one_answer(ana, catalogue, line):
    body = ana.get(f"/series/{line.id}").json()
    assert body["summary"]["series_id"] == line.id
    assert (body["owner"], body["schedule"], body["timezone"]) == ("team-alpha", "0 6 * * *", "UTC")
    assert [(d["name"], d["severity"]) for d in body["detectors"]] == [("seasonal", "high")]
    assert body["detectors"][0]["key"].startswith("seasonal:")
    assert "amount" in body["description"]
    assert [item["name"] for item in body["related"]] == ["amount avg [country=JP]"]


def test_a_project_whose_file_is_broken_or_gone_keeps_its_charts(caller, catalogue, monkeypatch, tmp_path):
    hidden = catalogue.BETA[0]
    assert caller("all").get(f"/series/{hidden.id}").json()["owner"] is None
    monkeypatch.setenv("AIRFLOW__LUPUS__PROJECTS_FOLDER", str(tmp_path / "away"))
    answer = caller("all").get(f"/series/{hidden.id}")
    assert (answer.status_code, answer.json()["detectors"]) == (200, [])


def rows(answer):
    assert answer.status_code == 200
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


def test_csv_has_a_row_a_period_with_band_and_verdict(ana, catalogue, line):
    answer = ana.get(f"/series/{line.id}/data.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == f'attachment; filename="alpha-orders-{line.id}.csv"'
    table = rows(answer)
    assert len(table) == 40
    assert table[0]["period_start"] == table[0]["local_start"] == "2026-01-01T00:00:00+00:00"
    assert [float(table[day]["value"]) for day in (3, 39)] == [
        line.value(3),
        line.value(39),
    ]  # exact, not as charts round them
    last = table[39]
    assert (last["kind"], last["detector"], last["score"], last["expected"]) == (
        "spike",
        catalogue.DETECTOR,
        "1e-12",
        "10.0",
    )
    assert (table[38]["kind"], table[0]["expected"]) == ("", "")


def test_csv_takes_a_range(ana, catalogue, line):
    assert len(rows(ana.get(f"/series/{line.id}/data.csv", start=catalogue.at(3), end=catalogue.at(5)))) == 2
    assert ana.get(f"/series/{line.id}/data.csv", start=2**63).status_code == 422


def test_csv_runs_no_formula(ana, line):
    table = rows(ana.get(f"/series/{line.id}/data.csv"))
    assert table[7]["error"] == "'" + line.failed[7]
    assert table[8]["error"] == "'-1"
