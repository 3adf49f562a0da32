"""span_of: which time a run works on."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from lupus_provider.config import Project
from lupus_provider.errors import BadSpanError
from lupus_provider.steps.target import Target, span_of

NEW_YORK = "America/New_York"


def project(zone=NEW_YORK, **metric_set):
    given = {"source": {"path": "x.parquet"}, **metric_set}
    return Project.model_validate({"project": "p", "timezone": zone, "metric_sets": {"m": given}})


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("period", "revisit", "as_of", "start", "end"),
    [
        ("day", 0, "2013-02-09T11:00", "2013-02-08T05:00", "2013-02-09T05:00"),
        ("day", 0, "2013-02-09T05:00", "2013-02-08T05:00", "2013-02-09T05:00"),  # due at the very end of the day
        ("day", 0, "2013-02-09T04:59", "2013-02-07T05:00", "2013-02-08T05:00"),  # the local day is not over yet
        ("day", 2, "2013-02-09T11:00", "2013-02-06T05:00", "2013-02-09T05:00"),
        ("day", 0, "2013-03-11T10:00", "2013-03-10T05:00", "2013-03-11T04:00"),  # 23 hours
        ("day", 0, "2013-11-04T10:00", "2013-11-03T04:00", "2013-11-04T05:00"),  # 25 hours
        ("hour", 1, "2013-03-10T08:30", "2013-03-10T06:00", "2013-03-10T08:00"),
        ("week", 0, "2013-02-12T12:00", "2013-02-04T05:00", "2013-02-11T05:00"),
        ("month", 1, "2013-03-01T05:00", "2013-01-01T05:00", "2013-03-01T05:00"),
    ],
)
def test_without_conf_a_run_measures_the_last_complete_periods(period, revisit, as_of, start, end):
    span = span_of({}, utc(as_of), project(period=period, revisit=revisit), "m")
    assert span == (utc(start), utc(end))


def test_conf_gives_local_days_both_inclusive():
    span = span_of({"from": "2013-03-10", "to": "2013-03-10"}, utc("2020-01-01"), project(), "m")
    assert span == (utc("2013-03-10T05:00"), utc("2013-03-11T04:00"))


def test_conf_does_not_revisit():
    span = span_of({"from": "2013-01-05", "to": "2013-01-06"}, utc("2020-01-01"), project("UTC", revisit=3), "m")
    assert span == (utc("2013-01-05"), utc("2013-01-07"))


def test_an_empty_form_is_no_conf():
    conf = {"from": None, "to": None}
    assert span_of(conf, utc("2013-01-02"), project("UTC"), "m") == (utc("2013-01-01"), utc("2013-01-02"))


@pytest.mark.parametrize(
    ("conf", "wrong"),
    [
        ({"from": "2013-01-01"}, "only 'from'"),
        ({"to": "2013-01-01"}, "only 'to'"),
        ({"form": "2013-01-01", "to": "2013-01-01"}, "'form'"),
        ({"from": "2013-02-30", "to": "2013-03-01"}, "day"),
        ({"from": "2013-01-02", "to": "2013-01-01"}, "before"),
        ({"from": 20130101.5, "to": "2013-01-01"}, "not a day"),
        ({"from": "9999-12-30", "to": "9999-12-31"}, "beyond"),
    ],
)
def test_a_wrong_conf_is_refused_with_what_was_wrong(conf, wrong):
    with pytest.raises(BadSpanError, match=wrong):
        span_of(conf, utc("2020-01-01"), project(), "m")


def test_a_target_lists_the_periods_that_start_in_its_span():
    weekly = project("UTC", period="week")
    span = span_of({"from": "2013-01-02", "to": "2013-01-14"}, utc("2020-01-01"), weekly, "m")
    assert [p.start for p in Target(weekly, "m", span).periods] == [utc("2013-01-07"), utc("2013-01-14")]
