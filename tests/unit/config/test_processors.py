from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import TypeAdapter, ValidationError

from lupus_provider.config import load_project
from lupus_provider.config.building import make_processor
from lupus_provider.config.processors import METRIC_SETS, AnyMetricSet
from lupus_provider.config.source import FixedReference, VersionReference, WindowReference
from lupus_provider.errors import ProjectFileError

ANY = TypeAdapter(AnyMetricSet)
SOURCE = {"path": "a.parquet", "time_column": "at"}
JOIN = {"labels": {"path": "truth.parquet"}, "on": "id", "within": "14d", "label_time_column": "came_at"}
LEAST = {
    "distribution": {},
    "classification": {"label_column": "label", "prediction_column": "predicted"},
    "regression": {"target_column": "y", "prediction_column": "p"},
    "ranking": {"predicted_column": "shown", "truth_column": "clicked"},
    "drift": {"reference": {"window": 28}, "column_metrics": {"age": ["psi"]}},
    "table": {},
    "expectations": {"expectations": [{"expect": "expect_column_values_to_be_unique", "column": "id"}]},
}
TRAINING = {"processor": "training", "tracking_uri": "sqlite:////srv/mlflow.db"}


def metric_set(processor: str, **keys):
    return ANY.validate_python({"source": SOURCE, "processor": processor, **LEAST[processor], **keys})


def wrong(processor: str, **keys) -> str:
    with pytest.raises(ValidationError) as caught:
        metric_set(processor, **keys)
    return "\n".join(error["msg"] for error in caught.value.errors())


@pytest.mark.parametrize("processor", LEAST)
def test_the_least_that_a_processor_needs_is_enough(processor):
    assert type(metric_set(processor)) is METRIC_SETS[processor]


def test_without_the_word_it_is_a_distribution():
    assert ANY.validate_python({"source": SOURCE}).processor == "distribution"


@pytest.mark.parametrize("processor", [name for name in LEAST if name != "expectations"])
def test_every_key_of_the_file_reaches_the_processor_under_its_name(processor):
    given = metric_set(
        processor, sample={"ratio": 0.5, "by": "user"}, slices={"kids": "age < 18"}, min_group_rows=7, max_entities=9,
        model_version_column="version", group_sets=[[], ["region"]], table_metrics=["row_count", "column_count"],
    )  # fmt: skip
    reference = object() if processor == "drift" else None
    plan = make_processor(given, periods=[], zone="Asia/Tokyo", reference=reference).plan
    assert (plan.sample.ratio, plan.sample.by) == (0.5, "user")
    assert plan.slices == (("kids", "age < 18"),)
    assert (plan.min_group_rows, plan.max_entities, plan.model_version_column) == (7, 9, "version")
    assert plan.group_sets == ((), ("region",), ("version",), ("region", "version"))
    assert (plan.time_column, plan.zone, plan.time_zone) == ("at", "Asia/Tokyo", "UTC")


def test_a_ratio_alone_is_a_sample():
    assert metric_set("distribution", sample=0.1).sample.ratio == 0.1
    assert "greater than 0" in wrong("distribution", sample=0)
    assert "less than or equal to 1" in wrong("distribution", sample=2)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("14d", timedelta(days=14)), ("12h", timedelta(hours=12)), ("30m", timedelta(minutes=30)), ("2w", timedelta(days=14)),
     ("P1DT12H", timedelta(hours=36))],
)  # fmt: skip
def test_durations_are_a_number_and_a_unit_or_iso_8601(text, expected):
    assert metric_set("regression", join={**JOIN, "within": text}).join.within == expected


@pytest.mark.parametrize("text", ["14", 14, "fourteen days", "-3d", "0d", "14 y", ""])
def test_what_is_no_duration_is_refused(text):
    assert wrong("regression", join={**JOIN, "within": text})


@pytest.mark.parametrize(
    ("period", "within", "revisit"),
    [("day", "14d", 15), ("day", "6h", 1), ("hour", "6h", 6), ("week", "14d", 3), ("month", "4w", 2)],
)
def test_runs_revisit_what_labels_may_still_change(period, within, revisit):
    """One more than the plain number where an hour of a clock change could leave a period out."""
    given = metric_set("classification", period=period, join={**JOIN, "within": within})
    assert given.revisit == revisit


def test_a_stated_revisit_is_kept():
    assert metric_set("classification", revisit=2, join=JOIN).revisit == 2
    assert metric_set("classification", join={"labels": {"path": "t"}, "on": "id"}).revisit == 0


def test_more_than_can_be_revisited_says_what_to_do():
    assert "set 'revisit'" in wrong("classification", period="hour", join={**JOIN, "within": "60d"})


@pytest.mark.parametrize(
    ("processor", "keys", "said"),
    [
        ("classification", {"metrics": ["mae"]}, "is of 'processor: regression'"),
        ("classification", {"metrics": ["acuracy"]}, "Did you mean 'accuracy'?"),
        ("classification", {"positive_label": "yes"}, "'score_column' and 'positive_label' belong together"),
        ("classification", {"prediction_column": None}, "nothing is compared with the labels"),
        ("classification", {"score_column": "s", "positive_label": "a", "score_columns": {"a": "s"}}, "give one of them"),
        ("regression", {"metrics": ["psi"]}, "compares with a reference"),
        ("ranking", {"catalog_size": 0}, "greater than or equal to 1"),
        ("ranking", {"table_metrics": ["avg"]}, "Put it under 'column_metrics'"),
        ("drift", {"column_metrics": {"age": ["row_count"]}}, "Put it under 'table_metrics'"),
        ("drift", {"reference": {"model_version": "previous"}}, "needs 'model_version_column'"),
        ("drift", {"reference": {"from": "2013-01-01"}}, "give both 'from' and 'to'"),
        ("drift", {"reference": {"from": "2013-02-01", "to": "2013-01-01"}}, "is before 'from'"),
        ("drift", {"reference": {}}, "say what to compare with"),
        ("drift", {"reference": {"path": "t", "from": "2013-01-01", "to": "2013-01-31"}}, "need a 'time_column'"),
        ("distribution", {"join": {**JOIN, "label_time_column": None}}, "'within' needs 'label_time_column'"),
        ("distribution", {"join": JOIN, "source": {"path": "a"}}, "needs 'time_column' in 'source'"),
        ("distribution", {"engine": "spark", "source": {"table": "t", "database": "d"}}, "Spark reads 'table' from its catalogue"),
        ("expectations", {"expectations": []}, "at least 1 item"),
        ("expectations", {"gate": {"min_success_ratio": 2}}, "less than or equal to 1"),
    ],
)  # fmt: skip
def test_what_a_processor_cannot_do_is_refused(processor, keys, said):
    assert said in wrong(processor, **keys)


def test_training_takes_one_address():
    assert ANY.validate_python(TRAINING).tracking_uri == "sqlite:////srv/mlflow.db"
    for keys in ({"tracking_conn_id": "mlflow"}, {"tracking_uri": None}):
        with pytest.raises(ValidationError, match="exactly one of"):
            ANY.validate_python({**TRAINING, **keys})


@pytest.mark.parametrize(
    ("keys", "kind"),
    [({"window": 7}, WindowReference), ({"model_version": "previous"}, VersionReference), ({"path": "t.parquet"}, FixedReference),
     ({"model_version": "previous", "window": 7}, VersionReference), ({"from": "2013-01-01", "to": "2013-01-31"}, FixedReference)],
)  # fmt: skip
def test_the_reference_is_told_by_its_keys(keys, kind):
    assert type(metric_set("drift", reference=keys, model_version_column="v").reference) is kind


@pytest.mark.parametrize("processor", LEAST)
def test_a_metric_set_survives_being_written(processor):
    given = metric_set(processor, **({"join": JOIN} if processor != "expectations" else {}))
    assert ANY.validate_python(given.model_dump(mode="json", exclude_none=True)) == given


@pytest.fixture
def problems(tmp_path):
    def problems(text: str) -> list[str]:
        path = tmp_path / "p.yaml"
        path.write_text(f"project: shop\nmetric_sets:\n  orders:\n    source: {{path: a, time_column: at}}\n{text}")
        with pytest.raises(ProjectFileError) as caught:
            load_project(path)
        return [str(problem).removeprefix(f"{path}:") for problem in caught.value.problems]

    return problems


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("    label_column: y\n", "5:5: key 'label_column' does not go with 'processor: distribution' in metric set orders. It belongs to: classification."),
        ("    processor: drfit\n", "5:5: processor 'drfit' is unknown in metric set orders. Did you mean 'drift'?"),
        ("    processor: [1]\n", "5:5: key 'processor' is missing in metric set orders. Known: distribution, classification,"),
        ("    processor: regression\n    target_column: y\n", "3:3: key 'prediction_column' is missing in metric set orders."),
        ("    processor: regression\n    target_column: y\n    prediction_column: p\n    metrics: [maee]\n",
         "8:15: metric_sets.orders.metrics.0: metric 'maee' is unknown. Did you mean 'mae'?"),
        ("    processor: drift\n    column_metrics: {a: [psi]}\n    reference: {window: 0}\n", "7:17: metric_sets.orders.reference.window: "),
        ("    processor: drift\n    column_metrics: {a: [psi]}\n    reference: {window: 5, foo: 1}\n",
         "7:28: key 'foo' is unknown in reference of metric set orders. Known: window."),
        ("    processor: expectations\n    expectations: [{expect: expect_x}, {column: a}]\n",
         "6:40: key 'expect' is missing in expectations.1 of metric set orders."),
        ("    processor: expectations\n    expectations: [{expect: expect_x}]\n    gate: {severty: info}\n",
         "7:12: key 'severty' is unknown in gate of metric set orders. Did you mean 'severity'?"),
        ("    processor: table\n    join: {labels: {path: a, tabel: b}, on: id}\n", "6:30: key 'tabel' is unknown in join.labels of metric set orders. Did you mean 'table'?"),
    ],
)  # fmt: skip
def test_a_mistake_stands_where_it_is_whatever_the_processor(problems, text, said):
    (found,) = problems(text)
    assert found.startswith(said)
