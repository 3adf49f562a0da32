from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pytest

from lupus_provider import naming
from lupus_provider.errors import BadNameError

PINNED, PINNED_WHOLE = "wai4cswyfftox", "k7dmyc2lhiqkg"


@pytest.mark.parametrize("name", ["", "A", "1a", "a-b", "a.b", "a/b", "../a", "a b", "é", "a" * 64, "a\n", "_a"])
def test_what_cannot_be_a_folder_a_dag_id_and_a_partition_is_refused(name):
    with pytest.raises(BadNameError, match="cannot be used as a name"):
        naming.check_name(name, "project")


@pytest.mark.parametrize("name", ["a", "user_features", "a1", "a" * 63])
def test_plain_names_pass(name):
    assert naming.check_name(name, "project") == name


def test_a_series_id_is_the_same_in_every_release():
    assert naming.series_id("flights", "departures", "dep_delay", "avg", None, {"origin": "EWR"}) == PINNED
    assert naming.series_id("p", "m", "", "row_count") == PINNED_WHOLE


def test_nothing_null_and_empty_are_three_entities():
    ids = {
        naming.series_id("p", "m", "c", "count", entity, {"g": value})
        for entity in (None, "", "-")
        for value in (None, "", "-")
    }
    assert len(ids) == 9


def test_the_same_text_as_column_entity_or_group_gives_other_ids():
    ids = [
        naming.series_id("p", "m", "x", ""),
        naming.series_id("p", "m", "", "x"),
        naming.series_id("p", "m", "", "", "x"),
        naming.series_id("p", "m", "", "", None, {"x": ""}),
        naming.series_id("p", "m", "", "", None, {"": "x"}),
    ]
    assert len(set(ids)) == 5


def test_equal_texts_of_two_parts_do_not_cancel_out():
    whole = naming.series_id("p", "m", "c", "count")
    assert len({naming.series_id("p", "m", "c", "count", text, {text: text}) for text in "abc"} | {whole}) == 4


def test_no_identities_give_no_ids():
    assert naming.entity_hashes([]).letters().shape == (0, 13)
    assert len(naming.group_hashes([]).order(np.empty(0, int))) == 0


def test_ids_that_share_64_bits_are_told_apart_and_sorted_by_the_last():
    hashes = naming.Hashes(np.array([7, 7, 7], np.uint64), np.array([1, 0, 1], np.uint8))
    assert [bytes(row[-1:]) for row in hashes.letters()] == [b"p", b"o", b"p"]
    assert hashes.order(np.array([0, 0, 0]))[0] == 1


def test_paths_and_dag_ids_are_spelled_once():
    assert naming.dag_id("p", "m") == "lupus.p.m"
    assert naming.day_path("p", "m", date(2013, 2, 9)) == "project=p/metric_set=m/dt=2013-02-09"
    assert (
        naming.period_file(datetime(2013, 2, 9, 14, tzinfo=timezone(timedelta(hours=9)))) == "20130209T050000Z.parquet"
    )
    assert naming.period_of_file("20130209T050000Z.parquet") == datetime(2013, 2, 9, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "parts"), [("lupus.p.m", ("p", "m")), ("other.p.m", None), ("lupus.p", None), ("lupus.p.m.x", None)]
)
def test_only_dags_of_lupus_have_a_project_and_a_metric_set(name, parts):
    assert naming.split_dag_id(name) == parts


def test_labels_tell_null_from_the_text_of_a_group():
    assert naming.group_label({"b": None, "a": "x"}) == "a=x, b=null"
    assert naming.series_name("device", "count", "", {}) == "device count "
    assert naming.series_name("device", "count", "iOS", {"region": "JP"}) == "device count iOS [region=JP]"
