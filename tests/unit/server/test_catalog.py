from __future__ import annotations

import random
from collections import Counter

import pytest

VALUES = {
    "project": ["alpha", "nowhere"],
    "metric_set": ["orders", "users"],
    "column": ["", "amount", "age", "device"],
    "metric": ["avg", "row_count", "p95"],
    "group_by": ["(whole)", "country", "country,device"],
    "group.country": ["JP", "US", "FR", "(null)"],
    "group.device": ["iOS"],
}


def value_of(line, facet):
    """What a series counts under in a facet; None: not at all."""
    plain = {"project": line.project, "metric_set": line.metric_set, "column": line.column, "metric": line.metric}
    if facet in plain:
        return plain[facet]
    if facet == "group_by":
        return ",".join(sorted(line.group)) or "(whole)"
    column = facet.removeprefix("group.")
    if column not in line.group:
        return None
    return "(null)" if line.group[column] is None else line.group[column]


def passes(line, filters, but=None):
    return all(value_of(line, facet) in wanted for facet, wanted in filters.items() if facet != but)


def names(page):
    return [item["series_id"] for item in page["items"]]


def questions(seed=7, count=40):
    """Random questions, always the same ones."""
    dice = random.Random(seed)
    for _ in range(count):
        facets = dice.sample(sorted(VALUES), dice.randint(0, 3))
        yield {facet: dice.sample(VALUES[facet], dice.randint(1, min(2, len(VALUES[facet])))) for facet in facets}


def test_filters_are_or_within_one_and_between_them_and_facets_count_all_but_their_own(ana, catalogue):
    for filters in questions():
        page = ana.get("/catalog/search", limit=200, **filters).json()
        assert set(names(page)) == {line.id for line in catalogue.ALPHA if passes(line, filters)}, filters
        assert page["total"] == len(page["items"])
        assert page["total_all"] == len(catalogue.ALPHA)
        shown = {facet["name"]: {v["value"]: v["count"] for v in facet["values"]} for facet in page["facets"]}
        for facet in VALUES:
            counted = Counter(value_of(line, facet) for line in catalogue.ALPHA if passes(line, filters, but=facet))
            del counted[None]
            assert shown.get(facet, {}) == dict(counted), (facet, filters)


def test_days_and_counts_are_about_the_matched_series(ana, catalogue):
    for filters in questions(seed=11, count=15):
        page = ana.get("/catalog/search", limit=200, **filters).json()
        lines = [line for line in catalogue.ALPHA if passes(line, filters)]
        days = Counter(catalogue.at(day) for line in lines for day in line.flagged)
        assert [(day["t"], day["n_anomalies"]) for day in page["days"]] == sorted(days.items())
        flagged, stale = sum(bool(line.flagged) for line in lines), sum(line.is_stale for line in lines)
        assert page["counts"] == {"anomalous": flagged, "stale": stale}
        assert page["last_period"] == max((catalogue.at(line.last_day) for line in lines), default=None)


@pytest.mark.parametrize("sort", ["attention", "name", "recent", "change"])
def test_pages_cover_every_series_once_in_the_order_of_one_big_page(ana, catalogue, sort):
    whole = names(ana.get("/catalog/search", limit=200, sort=sort).json())
    found, cursor = [], None
    while True:
        page = ana.get("/catalog/search", limit=3, sort=sort, **({"cursor": cursor} if cursor else {})).json()
        found += names(page)
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert found == whole
    assert sorted(found) == sorted(line.id for line in catalogue.ALPHA)


def test_orders(ana, catalogue):
    by_id = {line.id: line for line in catalogue.ALPHA}

    def first(sort):
        return [by_id[sid] for sid in names(ana.get("/catalog/search", limit=200, sort=sort).json())]

    assert first("attention")[0].flagged == {39: 1e-12}  # the strangest, and of today
    assert all(not line.flagged for line in first("attention")[4:])
    assert [line.name for line in first("name")] == [
        n for _, _, n in sorted((x.project, x.metric_set, x.name) for x in catalogue.ALPHA)
    ]
    assert [max(line.flagged) for line in first("recent")[:4]] == [39, 21, 12, 5]
    assert first("change")[0].flagged == {39: 1e-12}
    assert first("change")[1].last_value == 30.0


def test_a_window_changes_which_anomalies_count(ana, catalogue):
    jp = catalogue.LINES[1]
    whole = {i["series_id"]: i for i in ana.get("/catalog/search", limit=200).json()["items"]}
    assert (whole[jp.id]["n_anomalies"], whole[jp.id]["worst_score"], whole[jp.id]["last_anomaly"]) == (
        2,
        1e-9,
        catalogue.at(21),
    )
    page = ana.get("/catalog/search", limit=200, start=catalogue.at(20), end=catalogue.at(21)).json()
    window = {i["series_id"]: i for i in page["items"]}
    assert (window[jp.id]["n_anomalies"], window[jp.id]["worst_score"], window[jp.id]["last_anomaly"]) == (
        1,
        1e-6,
        catalogue.at(20),
    )
    assert page["counts"]["anomalous"] == 1
    assert page["total"] == len(catalogue.ALPHA)
    assert page["days"] == ana.get("/catalog/search").json()["days"]  # the strip shows where else to look
    only = ana.get("/catalog/search", only="anomalous", start=catalogue.at(20), end=catalogue.at(21)).json()
    assert names(only) == [jp.id]


def test_a_window_may_be_open_on_one_side(ana, catalogue):
    assert ana.get("/catalog/search", start=catalogue.at(21)).json()["counts"]["anomalous"] == 2
    assert ana.get("/catalog/search", end=catalogue.at(13)).json()["counts"]["anomalous"] == 2
    assert ana.get("/catalog/search", start=catalogue.at(30), end=catalogue.at(3)).json()["counts"]["anomalous"] == 0


def test_only_narrows_to_what_is_flagged_or_stale_and_leaves_the_counts(ana, catalogue):
    for only, wanted in (("anomalous", lambda line: bool(line.flagged)), ("stale", lambda line: line.is_stale)):
        page = ana.get("/catalog/search", only=only, limit=200).json()
        assert set(names(page)) == {line.id for line in catalogue.ALPHA if wanted(line)}
        assert page["counts"] == ana.get("/catalog/search").json()["counts"]


def test_a_series_is_stale_when_its_metric_set_has_newer_periods(ana, catalogue):
    items = ana.get("/catalog/search", limit=200).json()["items"]
    stale = {item["series_id"] for item in items if item["is_stale"]}
    users = next(line for line in catalogue.ALPHA if line.metric_set == "users" and line.metric == "row_count")
    assert stale == {catalogue.LINES[3].id, users.id}


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("amount", 5), ("AMOUNT avg", 3), ("users", 2), ("amount_100%", 1), ("%", 1), ("_", 8), ("\\", 0), ("'", 1), (";", 1), ("--", 1),
        ("drop table", 1), ("country=JP", 4), ("null", 1), ("  ", 13), ("\x00", 13), ("amount\x00p95", 2), ("🦊", 0), ("' OR 1=1 --", 0),
    ],
)  # fmt: skip
def test_words_are_searched_as_they_are_written(ana, catalogue, q, expected):
    words = q.replace("\0", " ").lower().split()
    wanted = {x.id for x in catalogue.ALPHA if all(w in f"{x.name} {x.project} {x.metric_set}".lower() for w in words)}
    page = ana.get("/catalog/search", q=q, limit=200)
    assert page.status_code == 200
    assert set(names(page.json())) == wanted
    assert len(wanted) == expected


@pytest.mark.parametrize(
    "params",
    [
        {"limit": 0}, {"limit": 201}, {"limit": "x"}, {"cursor": "-1"}, {"cursor": "²"}, {"cursor": "1e3"}, {"cursor": "9" * 10}, {"cursor": ""},
        {"sort": "size"}, {"only": "new"}, {"q": "x" * 201}, {"start": "soon"}, {"start": 10**15}, {"end": -(10**15)},
        {"column": [str(i) for i in range(501)]}, {f"group.c{i}": "x" for i in range(31)}, {"group.country": "a\x00b"}, {"group.a\x00b": "x"},
    ],
    ids=lambda params: next(iter(params)) + str(next(iter(params.values())))[:8].replace("\0", "0"),
)  # fmt: skip
def test_what_cannot_be_answered_is_a_problem_with_a_reason(ana, params):
    answer = ana.get("/catalog/search", **params)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(answer.json()) == {"type", "title", "status", "detail"}
    assert answer.json()["detail"]


def test_a_cursor_behind_the_end_is_an_empty_last_page(ana, catalogue):
    page = ana.get("/catalog/search", cursor="999999999").json()
    assert (page["items"], page["next_cursor"], page["total"]) == ([], None, len(catalogue.ALPHA))


def test_unknown_parameters_and_columns_narrow_to_nothing_or_change_nothing(ana, catalogue):
    assert ana.get("/catalog/search", **{"group.nosuch": "x"}).json()["total"] == 0
    assert ana.get("/catalog/search", nosuch="x").json()["total"] == len(catalogue.ALPHA)


def test_a_card_says_what_the_series_is(ana, catalogue):
    line = catalogue.LINES[8]
    item = next(i for i in ana.get("/catalog/search", limit=200).json()["items"] if i["series_id"] == line.id)
    assert item["group_key"] == [{"column": "country", "value": "JP"}, {"column": "device", "value": "iOS"}]
    assert (item["name"], item["unit"], item["period"]) == ("amount p95 [country=JP, device=iOS]", "column", "day")
    assert (item["n_points"], item["first_period"], item["last_period"]) == (40, catalogue.at(0), catalogue.at(39))
    assert (item["last_value"], item["last_expected"], item["attention"]) == (10.0, 10.0, 0.0)


def test_a_null_group_is_not_the_text_null(ana, catalogue):
    page = ana.get("/catalog/search", **{"group.country": "(null)"}).json()
    assert [item["group_key"] for item in page["items"]] == [[{"column": "country", "value": None}]]
    assert ana.get("/catalog/search", **{"group.country": "null"}).json()["total"] == 0
