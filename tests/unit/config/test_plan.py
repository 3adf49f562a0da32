from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from lupus_provider.config import Project, load_project
from lupus_provider.config.plan import plan
from lupus_provider.config.processors import AnyMetricSet

ANY = TypeAdapter(AnyMetricSet)
FLIGHTS = load_project(Path(__file__).parents[3] / "include" / "projects" / "flights.yaml")
NOW = datetime(2013, 3, 9, 12, tzinfo=UTC)


def plan_of(**keys) -> str:
    metric_set = ANY.validate_python({"source": {"path": "a.parquet"}, **keys})
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


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"engine": "spark"}, "measures a.parquet, the whole of it in every run on Spark"),
        ({"sample": {"ratio": 0.1, "by": "user"}}, "only 0.1 of the rows, chosen by user"),
        ({"min_group_rows": 50}, "groups of fewer than 50 rows are measured together"),
        ({"slices": {"kids": "age < 18"}}, "once more for the rows of: kids"),
        ({"slices": {"kids": "age < 18"}}, "groups: the whole, every slice"),
        ({"processor": "drift", "column_metrics": {"age": ["psi"]}, "reference": {"window": 28}}, "compares with the 28 days before"),
        (
            {"processor": "drift", "column_metrics": {"age": ["psi"]}, "reference": {"path": "train.parquet"}},
            "compares with train.parquet, measured once",
        ),
        (
            {"processor": "drift", "column_metrics": {"age": ["psi"]}, "reference": {"model_version": "previous"}, "model_version_column": "v"},
            "compares with the version before, its last 28 days",
        ),
        ({"processor": "regression", "target_column": "y", "prediction_column": "p"}, "row_count; p mae rmse smape r2 bias label_coverage"),
        (
            {"join": {"labels": {"path": "t.parquet"}, "on": "id"}},
            "with labels of t.parquet, joined by id",
        ),
        (
            {"processor": "expectations", "expectations": [{"expect": "expect_x", "name": "x"}], "gate": {"min_success_ratio": 0.9}},
            "the collect task fails where less than 0.9 of them hold",
        ),
    ],
)  # fmt: skip
def test_the_plan_says_what_a_processor_does(keys, said):
    assert said in plan_of(**keys)


def test_the_plan_says_how_long_labels_may_take():
    text = plan(FLIGHTS, NOW)
    assert "with labels of flights/truth.parquet, joined by prediction_id, as far as they come within 2 days" in text
    assert "each run: the last complete day, and again the 3 before" in text
    assert "compares with itself, 2013-01-01 … 2013-01-31, measured once" in text


def test_the_plan_of_training_runs_names_the_store():
    given = {
        "processor": "training",
        "tracking_conn_id": "mlflow",
        "experiment_names": ["ctr"],
        "metrics": ["val_loss"],
    }
    text = plan(Project(project="shop", metric_sets={"runs": ANY.validate_python(given)}), NOW)
    assert "reads training runs from the tracking store of connection mlflow" in text
    assert "ctr run_count failed_run_count running_run_count duration_seconds val_loss" in text
