from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from lupus_provider.config import MetricSet, Project, load_project
from lupus_provider.config.plan import plan

FLIGHTS = load_project(Path(__file__).parents[3] / "include" / "projects" / "flights.yaml")
NOW = datetime(2013, 3, 9, 12, tzinfo=UTC)


def plan_of(**keys) -> str:
    metric_set = MetricSet.model_validate({"source": {"path": "a.parquet"}, **keys})
    return plan(Project(project="shop", metric_sets={"orders": metric_set}), NOW)


def test_the_plan_names_dags_and_fire_times_in_the_zone_over_a_clock_change():
    text = plan(FLIGHTS, NOW)
    assert "DAG lupus.flights.departures" in text
    assert "next: Sun 2013-03-10 06:00 EDT, Mon 2013-03-11 06:00 EDT, Tue 2013-03-12 06:00 EDT" in text


def test_the_plan_starts_with_the_first_day_and_ends_with_the_last():
    assert "next: Sat 2014-02-01 00:00 UTC, Sun 2014-02-02" in plan_of(schedule="@daily", start_date="2014-02-01")
    assert "next: Sun 2013-03-10 00:00 UTC\n" in plan_of(schedule="@daily", end_date="2013-03-10")
    assert "next: never, the last day is over" in plan_of(schedule="@daily", end_date="2013-03-01")
    assert "runs only when somebody starts it" in plan_of()


def test_the_plan_counts_metrics_and_names_groups():
    text = plan_of(column_metrics={"age": ["avg"], "device": ["count"]}, group_sets=[[], ["a", "b"]])
    assert "3 metrics a group (1 of them one for each of up to 1,000 values): row_count; age avg; device count" in text
    assert "groups: the whole, every a and b" in text


def test_the_plan_says_who_judges_what():
    rules = [
        {"detector": "threshold", "min": 1, "metrics": ["row_count"]},
        {"detector": "threshold", "min": 1, "metrics": ["p*"]},
    ]
    text = plan_of(detect=rules)
    assert "threshold (medium) judges row_count of the whole" in text
    assert "threshold (medium) judges nothing" in text
    assert "judged by nobody" in plan_of()
