from __future__ import annotations

import pytest
from pydantic import ValidationError

from lupus_provider.config import Project, Source
from lupus_provider.config.processors import DistributionMetricSet

SOURCE = {"path": "a.parquet"}


def metric_set(**keys):
    return DistributionMetricSet.model_validate({"source": SOURCE, **keys})


def test_the_whole_is_measured_when_nothing_is_grouped():
    assert metric_set().groupings == ((),)


def test_group_columns_alone_are_one_grouping():
    assert metric_set(group_columns=["region", "device"]).groupings == (("region", "device"),)


def test_group_sets_say_all_groupings():
    assert metric_set(group_sets=[[], ["region"]], group_columns=["region"]).groupings == ((), ("region",))


def test_metric_names_are_stored_as_the_grammar_spells_them():
    assert metric_set(column_metrics={"age": ["p50.0"]}).column_metrics["age"] == ("p50",)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"table_metrics": ["avg"]}, "Put it under 'column_metrics'"),
        ({"table_metrics": []}, "at least 1 item"),
        ({"column_metrics": {"age": []}}, "at least 1 item"),
        ({"column_metrics": {"": ["avg"]}}, "at least 1 character"),
        ({"group_sets": []}, "at least 1 item"),
        (
            {"start_date": "2013-02-01", "end_date": "2013-01-31"},
            "'end_date' 2013-01-31 is before 'start_date' 2013-02-01",
        ),
        ({"revisit": -1}, "greater than or equal to 0"),
        ({"detect": [{"detector": "threshold", "max": float("nan")}]}, "finite number"),
    ],
)
def test_what_cannot_be_meant_is_refused(keys, said):
    with pytest.raises(ValidationError, match=said):
        metric_set(**keys)


@pytest.mark.parametrize("source", [{}, {"table": "a", "path": "b"}, {"path": "a", "database": "d"}])
def test_a_source_is_one_place(source):
    with pytest.raises(ValidationError):
        Source.model_validate(source)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "UTC", "America/Argentina/Buenos_Aires", "Etc/GMT+5"])
def test_zones_of_places_are_taken(zone):
    assert Project(project="p", timezone=zone, metric_sets={"m": metric_set()}).zone.key == zone


@pytest.mark.parametrize(
    "zone", ["Europe/Berlinn", "localtime", "", "../etc/passwd", "/etc/localtime", "Europe", "posixrules", "Mars/Base"]
)
def test_what_is_no_zone_of_a_place_is_refused(zone):
    with pytest.raises(ValidationError, match="is not an IANA time zone"):
        Project(project="p", timezone=zone, metric_sets={"m": metric_set()})


def test_the_nearest_zone_is_named():
    with pytest.raises(ValidationError, match="Did you mean 'Europe/Berlin'"):
        Project(project="p", timezone="Europe/Berln", metric_sets={"m": metric_set()})
