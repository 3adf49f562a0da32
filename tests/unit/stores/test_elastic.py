"""Parts of the index in Elasticsearch that need no server."""

from __future__ import annotations

import pickle

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, strategies as st

from lupus_provider.errors import StoreUrlError
from lupus_provider.records import ANOMALIES, EVALUATIONS, POINTS
from lupus_provider.stores.index.base import CatalogQuery
from lupus_provider.stores.index.elastic import ElasticAccess, bulk, searching
from lupus_provider.stores.index.elastic.access import client_options, place_of
from lupus_provider.stores.index.elastic.door import Door, reason_of
from lupus_provider.stores.index.elastic.mappings import body
from lupus_provider.stores.index.elastic.names import FORMAT, Names, new_suffix
from lupus_provider.stores.index.elastic.slots import Slots, State, cut
from lupus_provider.stores.index.elastic.summaries import group_term, pack, unpack


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host/x",
        "https:///lupus",
        "https://host/Upper",
        "https://host:99999/lupus",
        "https://host/_x",
        "http://me:secret@host/A",
    ],
)
def test_an_address_that_cannot_be_used_is_refused_without_its_password(url):
    with pytest.raises(StoreUrlError) as caught:
        place_of(url)
    assert "secret" not in str(caught.value)


def test_secrets_do_not_show_and_the_access_crosses_processes():
    access = ElasticAccess("me", "hunter2", api_key="k3y")
    shown = repr(access) + repr(place_of("https://a:pw1@host/lupus")) + str(place_of("https://a:pw1@host/lupus"))
    assert not any(secret in shown for secret in ("hunter2", "k3y", "pw1"))
    assert pickle.loads(pickle.dumps(access)) == access
    assert pickle.loads(pickle.dumps(Door("https://host/lupus", access))).access == access


@pytest.mark.parametrize(
    ("url", "access", "wanted"),
    [
        ("https://a:b%40@host/x", ElasticAccess(), {"basic_auth": ("a", "b@"), "verify_certs": True}),
        ("https://a:b@host/x", ElasticAccess("me", "pw"), {"basic_auth": ("me", "pw")}),
        ("https://host/x", ElasticAccess("me", "pw", api_key="key"), {"api_key": "key"}),
        (
            "https://host/x",
            ElasticAccess(ca_certs="/ca.pem", verify_certs=False),
            {"ca_certs": "/ca.pem", "verify_certs": False},
        ),
        ("http://host:9201/x", ElasticAccess(), {"hosts": ["http://host:9201"]}),
    ],
)
def test_credentials_become_options_of_the_client(url, access, wanted):
    options = client_options(place_of(url), access)
    assert {name: options[name] for name in wanted} == wanted
    assert ("api_key" in options) == ("api_key" in wanted)


@pytest.mark.parametrize("room", ["series", "points", "bands", "anomalies", "state"])
def test_mappings_are_strict_and_columns_of_records_keep_their_type(room):
    made = body(room)["mappings"]
    assert made["dynamic"] == "strict"
    types = {"string": "keyword", "double": "double", "int64": "long", "timestamp[us, tz=UTC]": "long"}
    kinds = {"points": POINTS, "bands": EVALUATIONS, "anomalies": ANOMALIES}
    for name, field in made["properties"].items():
        column = kinds[room].schema.field(name) if room in kinds and name in kinds[room].schema.names else None
        if column is not None and name != "group_key":
            assert field["type"] == types[str(column.type)], name


@given(st.text(), st.text(), st.none() | st.text(), st.none() | st.text())
def test_groups_with_different_columns_or_values_have_different_terms(a, b, x, y):
    assert (group_term(a, x) == group_term(b, y)) == ((a, x) == (b, y))


def test_words_are_looked_for_literally():
    (found,) = searching.words("A*?\\")
    assert found["wildcard"]["search_text"]["value"] == "*a\\*\\?\\\\*"


def test_a_facet_with_a_filter_leaves_its_own_out():
    query = CatalogQuery(frozenset({"p"}), filters={"metric": frozenset({"avg"}), "column": frozenset({"age"})})
    found = searching.overview(query, ["region"])
    assert found["facet|metric"]["filter"]["bool"]["filter"] == [{"terms": {"column_name": ["age"]}}]
    assert "facet|group.region" in found["matched"]["aggs"]


@given(st.lists(st.tuples(st.integers(-(2**40), 2**40), st.floats(0, 600), st.none() | st.floats(0, 1)), max_size=5))
def test_packed_anomalies_come_back(flags):
    packed = pack(flags)
    assert (packed is None) == (not flags)
    if packed:
        back = [(int(at), strength, None if np.isnan(score) else score) for at, strength, score in unpack(packed)]
        assert back == flags


KEY = ("a", 202401)


def of_one_document(t, generation, value):
    return Slots([KEY], np.array([0, len(t)]), np.array([t, generation, value], np.float64))


def test_only_the_valid_generation_of_a_period_is_seen():
    slots = of_one_document([10, 10, 20, 30], [1, 2, 1, 3], [1.0, 2.0, np.nan, 4.0])
    slots.notes[KEY] = {(10, 1): "old", (10, 2): "new"}
    seen = slots.where(State("p/m", 202401, valid={10: 2, 20: 1}).is_valid(slots))
    assert seen.data[:2].tolist() == [[10, 20], [2, 1]]
    assert seen.document(0)["notes"] == [[10, 2, "new"]]
    assert not State("p/m", 202401).is_valid(slots).any()


SLOT = st.tuples(st.integers(-(2**40), 2**40), st.integers(1, 2**42), st.floats(allow_nan=False))


@given(st.dictionaries(st.tuples(st.sampled_from("abc"), st.integers(1, 3)), st.lists(SLOT, max_size=4)), st.data())
def test_documents_come_back_and_joining_is_filling_one_by_one(filled, data):
    every = [(key, slot) for key, slots in filled.items() for slot in slots]
    joined = Slots.read([], 1)
    while every:
        part = [every.pop() for _ in range(data.draw(st.integers(1, len(every))))]
        for key, slot in part:
            joined = joined.joined(Slots([key], np.array([0, 1]), np.array([slot]).T))
    back = Slots.read([(key, joined.document(i)) for i, key in enumerate(joined.keys)], 1)
    assert back.keys == joined.keys
    found = {
        key: sorted(map(tuple, back.data[:, start:stop].T.tolist()))
        for key, start, stop in zip(back.keys, back.edges, back.edges[1:])
    }
    assert found == {key: sorted(slots) for key, slots in filled.items() if slots}
    assert all(np.all(np.diff(back.data[0, start:stop]) >= 0) for start, stop in zip(back.edges, back.edges[1:]))


def test_a_state_comes_back_and_a_switch_makes_the_writer_valid():
    state = State("p/m", 202401, {10: 1, 20: 1}, {10: "a", 20: "b"}, writer=7)
    state.switch({20: "c", 30: "d"})
    assert (state.valid, state.digests) == ({10: 1, 20: 7, 30: 7}, {10: "a", 20: "c", 30: "d"})
    assert State.of(state.document()) == state


def test_records_are_cut_by_series_with_their_slots_in_order_and_their_texts():
    ids, t = pa.chunked_array([["b", "a"], ["b", "b"]]), np.array([5, 1, 9, 3])
    found = cut([ids], 202401, np.array([t, [4] * 4, t * 1.5]), pa.chunked_array([[None, "why"], [None, "x"]]))
    assert found.keys == [("b", 202401), ("a", 202401)]
    assert found.edges.tolist() == [0, 3, 4]
    assert found.data[2].tolist() == [4.5, 7.5, 13.5, 1.5]
    assert found.notes == {("a", 202401): {(1, 4): "why"}, ("b", 202401): {(3, 4): "x"}}


def test_indices_of_others_are_not_ours():
    names = Names("lupus")
    assert names.owned(names.index("points", new_suffix())) == ("points", FORMAT)
    assert [
        names.owned(name)
        for name in ("lupus-points", "lupusx-points-v1-ab", "lupus-other-v1-ab", "my-lupus-points-v1-a")
    ] == [None] * 4


def test_only_documents_that_were_turned_away_for_now_are_sent_again(monkeypatch):
    sent = []

    def items(_door, _index, chunk, **_):
        sent.append([item.name for item in chunk])
        statuses = {"busy": 429 if len(sent) == 1 else 201, "bad": 400, "good": 201}
        return [
            {"status": statuses[item.name], "error": {"reason": "why"}}
            if statuses[item.name] > 299
            else {"status": 201}
            for item in chunk
        ]

    monkeypatch.setattr(bulk, "items", items)
    actions = [bulk.action("index", name, {}) for name in ("good", "busy", "bad")]
    assert bulk.write(Door("http://host/x"), "index", actions) == {"bad": "why"}
    assert sent == [["good", "busy", "bad"], ["busy"]]


def test_the_innermost_cause_is_told():
    error = {"type": "a", "reason": "outer", "caused_by": {"type": "b", "reason": "inner"}}
    assert reason_of({"error": error}) == "inner"
