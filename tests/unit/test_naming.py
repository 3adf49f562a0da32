from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from lupus_provider import naming
from lupus_provider.errors import BadNameError

PINNED, PINNED_WHOLE = "gvxoucksmcqts", "w3lga6ylsior5"


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


def test_no_identities_give_no_ids():
    assert len(naming.series_ids([])) == 0


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
