from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lupus_provider import stores
from lupus_provider.config import Project
from lupus_provider.errors import BadSpanError, SourceUnreadableError, UnknownNameError
from lupus_provider.periods import Span
from lupus_provider.records import HISTOGRAMS, POINTS
from lupus_provider.steps.collect import collect
from lupus_provider.steps.collect_main import arguments_of, main
from lupus_provider.steps.target import Target
from lupus_provider.testing.builders import METRIC_SET, PROJECT, content, day

if TYPE_CHECKING:
    from lupus_provider.steps.connections import Submission

N = 40
"""Rows a day."""
JOIN = {"labels": {"path": "truth.parquet"}, "on": "id", "within": "36h", "label_time_column": "came_at"}


@pytest.fixture
def data(tmp_path):
    """Predictions of four days, and labels that come a day later, those of the last day not yet."""
    rows = [(d, i) for d in range(4) for i in range(N)]
    pq.write_table(
        pa.table({
            "id": [f"{d}-{i}" for d, i in rows], "at": pa.array([day(d, 1) for d, _ in rows], pa.timestamp("us", "UTC")),
            "age": [float(i + (100 if d == 3 else 0)) for d, i in rows], "region": [("JP", "TW")[i % 2] for _, i in rows],
            "predicted": ["yes" if i % 4 else "no" for _, i in rows], "score": [i / N for _, i in rows],
            "shown": [["a", "b", "c"] for _ in rows], "version": ["v1" if d < 2 else "v2" for d, _ in rows],
        }),
        _made(tmp_path / "orders.parquet"),
    )  # fmt: skip
    known = [(d, i) for d, i in rows if d < 3]
    pq.write_table(
        pa.table({
            "id": [f"{d}-{i}" for d, i in known], "came_at": pa.array([day(d + 1, 1) for d, _ in known], pa.timestamp("us", "UTC")),
            "label": ["yes" if i % 2 else "no" for _, i in known], "truth": [float(i) for _, i in known], "clicked": [["b"] for _ in known],
        }),
        tmp_path / "truth.parquet",
    )  # fmt: skip
    return tmp_path


def _made(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


@pytest.fixture
def stage(tmp_path):
    return stores.open_stage((tmp_path / "stage").as_uri())


def a_target(days=(0, 4), **keys) -> Target:
    source = {} if keys.get("processor") == "training" else {"source": {"path": "orders.parquet", "time_column": "at"}}
    project = Project.model_validate({"project": PROJECT, "metric_sets": {METRIC_SET: {**source, **keys}}})
    return Target(project, METRIC_SET, Span(day(days[0]), day(days[1])))


@pytest.fixture
def run(data, stage):
    def run(*, connections=None, now=None, days=(0, 4), **keys):
        return collect(a_target(days, **keys), stage, data, "run", now or day(30), connections)

    return run


@pytest.fixture
def staged(stage):
    """Values by (day, column, metric, entity, group) of what lies on the stage."""

    def staged() -> dict[tuple, float | None]:
        files = stage.files(POINTS, PROJECT, METRIC_SET, Span(day(0), day(10)))
        rows = [row for file in files for row in stage.read(POINTS, file).to_pylist()]
        return {
            (
                row["period_start"].day - day(0).day,
                row["column_name"],
                row["metric"],
                row["entity"],
                tuple(row["group_key"]),
            ): row["value"]
            for row in rows
        }

    return staged


def test_each_period_has_its_own_file_and_rows(run, stage, staged):
    done = run(column_metrics={"age": ["avg"]}, group_sets=[[], ["region"]])
    assert (done.periods, done.points, done.failed, done.superseded) == (4, 4 * 3 * 2, 0, 0)
    assert staged()[0, "age", "avg", None, ()] == 19.5
    assert staged()[3, "age", "avg", None, (("region", "JP"),)] == 119.0
    assert len(stage.files(POINTS, PROJECT, METRIC_SET, Span(day(0), day(4)))) == 4


def test_slices_samples_and_versions_reach_the_points(run, staged):
    run(slices={"kids": "age < 18"}, model_version_column="version", sample={"ratio": 0.5, "by": "id"})
    versions, kids = {(("version", "v1"),), (("version", "v2"),)}, ("slice", "kids")
    assert {key[4] for key in staged()} == {(), *versions, (kids,), *((kids, *version) for version in versions)}
    assert 0 < staged()[0, "", "row_count", None, ()] < N


def test_labels_count_from_the_moment_that_they_arrive(run, staged):
    keys = {"processor": "classification", "join": JOIN, "label_column": "label", "prediction_column": "predicted",
            "score_column": "score", "positive_label": "yes", "metrics": ["accuracy", "label_coverage", "roc_auc"]}  # fmt: skip
    run(**keys)
    assert [staged()[d, "predicted", "label_coverage", None, ()] for d in range(4)] == [1, 1, 1, 0]
    assert staged()[0, "predicted", "accuracy", None, ()] == 0.75
    assert staged()[3, "predicted", "accuracy", None, ()] is None
    assert staged()[0, "score", "roc_auc", None, ()] == 0.525


def test_labels_that_come_too_late_do_not_count(run, staged):
    keys = {
        "processor": "regression",
        "target_column": "truth",
        "prediction_column": "age",
        "metrics": ["mae", "label_coverage"],
    }
    run(**keys, join={**JOIN, "within": "12h"})
    assert staged()[0, "age", "label_coverage", None, ()] == 0
    run(**keys, join=JOIN)
    assert (staged()[0, "age", "label_coverage", None, ()], staged()[0, "age", "mae", None, ()]) == (1, 0)


def test_rankings_compare_lists(run, staged):
    run(
        processor="ranking",
        join=JOIN,
        predicted_column="shown",
        truth_column="clicked",
        metrics=["mrr", "recall@1", "coverage@2"],
        catalog_size=4,
    )
    assert staged()[0, "shown", "mrr", None, ()] == 0.5
    assert staged()[0, "shown", "recall@1", None, ()] == 0
    assert staged()[0, "shown", "coverage@2", None, ()] == 0.5


def test_the_table_as_a_whole_is_measured(run, staged):
    run(processor="table", key_columns=["version"], reference_schema={"id": "string", "gone": "int64"})
    assert staged()[0, "version", "duplicate_ratio", None, ()] == 1 - 1 / N
    assert staged()[0, "at", "freshness_seconds", None, ()] == 23 * 3600
    assert staged()[0, "", "columns_removed", "gone", ()] == 1


@pytest.mark.filterwarnings("ignore")  # MLflow's own
def test_training_runs_come_from_the_store_that_a_connection_names(run, staged, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    mlflow = pytest.importorskip("mlflow")
    uri = f"sqlite:///{tmp_path / 'm.db'}"
    client = mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri)
    experiment = client.create_experiment("ctr")
    began = int(day(1, 2).timestamp() * 1000)
    made = client.create_run(experiment, start_time=began)
    client.log_metric(made.info.run_id, "val_loss", 0.25)
    client.set_terminated(made.info.run_id, end_time=began + 60_000)
    asked = []

    class Connections:
        submits_spark = False

        def tracking_uri(self, conn_id):
            asked.append(conn_id)
            return uri

    run(processor="training", tracking_conn_id="mlflow", experiment_names=["ctr"], connections=Connections())
    assert asked == ["mlflow"]
    assert staged()[1, "ctr", "val_loss", None, ()] == 0.25
    assert staged()[0, "ctr", "run_count", None, ()] == 0


def test_a_gate_that_stays_shut_fails_after_the_points_are_staged(run, staged):
    pytest.importorskip("great_expectations")
    from lupus_provider.processors.suite_result import ExpectationsFailedError

    suite = [{"expect": "expect_column_values_to_be_between", "column": "age", "max_value": 60, "name": "young"}]
    with pytest.raises(ExpectationsFailedError, match="1 of 4 checks"):
        run(processor="expectations", expectations=suite, gate={"severity": "info"})
    assert [staged()[d, "age", "success_ratio", "young", ()] for d in range(4)] == [1, 1, 1, 0]
    assert run(processor="expectations", expectations=suite).failed == 0


FAR, FOUND = 0.9, pytest.approx(1, abs=0.1)
"""`ks` of samples that do not overlap is 1 less what the last bin of the reference holds."""
DRIFT = {"processor": "drift", "column_metrics": {"age": ["ks"]}}


def kept_references(stage):
    """Return key → content of the references that are kept."""
    kept = [found.key for found in stage.objects.list("references/") if found.key.endswith(".parquet")]
    return {key: stage.objects.get(key)[0] for key in kept}


def test_drift_against_a_span_of_the_source_measures_the_reference_once(run, staged, data, stage):
    run(**DRIFT, reference=span_of_days(0, 2))
    assert staged()[1, "age", "ks", None, ()] == 0
    assert staged()[3, "age", "ks", None, ()] > FAR
    before = kept_references(stage)
    assert len(before) == 1
    (data / "orders.parquet").rename(data / "later.parquet")
    shifted = pq.read_table(data / "later.parquet")
    pq.write_table(shifted.set_column(2, "age", pa.array([500.0] * shifted.num_rows)), data / "orders.parquet")
    run(**DRIFT, reference=span_of_days(0, 2))
    assert kept_references(stage) == before, "a reference must not move because its table does"
    assert staged()[0, "age", "ks", None, ()] > FAR


def span_of_days(first: int, last: int) -> dict[str, str]:
    return {"from": f"{day(first):%Y-%m-%d}", "to": f"{day(last):%Y-%m-%d}"}


def test_another_definition_is_another_reference_and_another_metric_is_not(run, stage):
    def kept():
        return set(kept_references(stage))

    run(**DRIFT, reference=span_of_days(0, 2))
    first = kept()
    run(processor="drift", column_metrics={"age": ["psi", "wasserstein"]}, reference=span_of_days(0, 2))
    assert kept() == first
    run(**DRIFT, reference=span_of_days(0, 1))
    assert len(kept()) == 2
    run(**DRIFT, reference=span_of_days(0, 1), group_sets=[["region"]])
    assert len(kept()) == 3


def test_a_reference_without_rows_is_not_kept(run, stage):
    run(**DRIFT, reference={"from": "1999-01-01", "to": "1999-01-31"})
    assert kept_references(stage) == {}


def test_a_window_goes_on_from_what_earlier_runs_staged(run, staged, stage):
    keys = {**DRIFT, "reference": {"window": 2}}
    for start in range(4):
        run(**keys, days=(start, start + 1))
    apart = staged()
    assert [apart[d, "age", "ks", None, ()] for d in range(4)] == [None, 0, 0, FOUND]
    assert len(stage.files(HISTOGRAMS, PROJECT, METRIC_SET, Span(day(0), day(4)))) == 4
    histograms = [
        content(HISTOGRAMS, stage.read(HISTOGRAMS, f))
        for f in stage.files(HISTOGRAMS, PROJECT, METRIC_SET, Span(day(0), day(4)))
    ]
    run(**keys, days=(3, 4), now=day(31))
    assert staged() == apart, "a second try says the same"
    again = [
        content(HISTOGRAMS, stage.read(HISTOGRAMS, f))
        for f in stage.files(HISTOGRAMS, PROJECT, METRIC_SET, Span(day(0), day(4)))
    ]
    assert again == histograms


def test_a_version_is_compared_with_the_one_before_it_across_runs(run, staged):
    keys = {**DRIFT, "reference": {"model_version": "previous"}, "model_version_column": "version"}
    run(**keys, days=(0, 2))
    run(**keys, days=(2, 4))
    v1, v2 = (("version", "v1"),), (("version", "v2"),)
    assert staged()[0, "age", "ks", None, v1] is None
    assert (staged()[2, "age", "ks", None, v2], staged()[3, "age", "ks", None, v2]) == (0, FOUND)


def test_a_fixed_reference_stages_no_histograms(run, stage):
    run(**DRIFT, reference=span_of_days(0, 2))
    assert stage.files(HISTOGRAMS, PROJECT, METRIC_SET, Span(day(0), day(4))) == []


def test_a_newer_collection_wins(run, staged):
    run(column_metrics={"age": ["avg"]}, now=day(30))
    done = run(column_metrics={"age": ["max"]}, now=day(30) - timedelta(seconds=1))
    assert done.superseded == 4
    assert (0, "age", "avg", None, ()) in staged()


def test_a_span_without_a_period_is_refused(run):
    with pytest.raises(BadSpanError, match="no week starts in the span"):
        run(period="week", days=(1, 2))


def test_a_table_that_is_not_there_may_come_later(run):
    with pytest.raises(SourceUnreadableError):
        run(source={"path": "gone.parquet", "time_column": "at"})


def test_without_connections_a_tracking_store_of_a_connection_is_refused(run):
    with pytest.raises(UnknownNameError, match="mlflow"):
        run(processor="training", tracking_conn_id="mlflow")


class Submitting:
    """Does what `spark-submit` does, in this process and on DuckDB: what travels is only text."""

    submits_spark = True

    def __init__(self, folder):
        self.folder, self.said = folder, ""

    def submit_spark(self, submission: Submission) -> None:
        from lupus_provider.config import dump_project

        file = self.folder / "p.yaml"
        file.write_text(dump_project(submission.target.project).replace("engine: spark", "engine: duckdb"))
        self.said = arguments_of(submission, str(file))
        main(self.said)


def test_a_submitted_collection_stages_the_same_and_is_told_from_the_stage(run, staged, tmp_path):
    here = run(column_metrics={"age": ["avg"]}, now=day(30))
    expected = staged()
    submitting = Submitting(tmp_path)
    there = run(column_metrics={"age": ["avg"]}, engine="spark", connections=submitting, now=day(31))
    assert staged() == expected
    assert there == here
    assert set(json.loads(submitting.said)) == {
        "access_file",
        "project_file",
        "metric_set",
        "stage_url",
        "start",
        "end",
        "data_folder",
        "run_id",
        "now",
    }


def test_duckdb_never_asks_for_spark(run, tmp_path):
    submitting = Submitting(tmp_path)
    run(connections=submitting)
    assert submitting.said == ""
