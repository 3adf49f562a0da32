from __future__ import annotations

import math

import pyarrow as pa
import pytest

from lupus_provider.errors import BadPlanError, UnknownMetricError
from lupus_provider.processors.classification import ClassificationProcessor

PETS = pa.table({
    "region": ["JP", "JP", "JP", "TW", "TW", "TW"], "truth": ["cat", "dog", "dog", None, "fox", "cat"],
    "guess": ["cat", "cat", "dog", "dog", None, "cat"], "p_cat": [0.9, 0.6, 0.2, 0.1, None, math.nan], "p_dog": [0.1, 0.4, 0.7, 0.9, 0.5, 0.0],
})  # fmt: skip


def measure(table=PETS, **options):
    return ClassificationProcessor(table, **{"label_column": "truth", **options}).get_metrics()


def values(metrics, metric):
    """(column, entity) → (value, n_rows) of a metric."""
    return {
        (row["column_name"], row["entity"]): (row["value"], row["n_rows"])
        for row in metrics.to_arrow().to_pylist()
        if row["metric"] == metric
    }


def test_a_table_by_hand():
    metrics = measure(prediction_column="guess")
    assert len(metrics.errors) == 0
    assert values(metrics, "accuracy") == {("guess", None): (0.75, 4)}
    assert values(metrics, "precision") == {("guess", "cat"): (2 / 3, 3), ("guess", "dog"): (1, 1)}
    assert values(metrics, "recall") == {("guess", "cat"): (1, 2), ("guess", "dog"): (0.5, 2)}
    assert values(metrics, "label_count") == {
        ("guess", "cat"): (2, 5),
        ("guess", "dog"): (2, 5),
        ("guess", "fox"): (1, 5),
    }
    assert values(metrics, "predicted_count") == {("guess", "cat"): (3, 5), ("guess", "dog"): (2, 5)}
    assert values(metrics, "confusion") == {
        ("guess", "cat → cat"): (2, 4),
        ("guess", "dog → cat"): (1, 4),
        ("guess", "dog → dog"): (1, 4),
    }
    assert values(metrics, "label_coverage") == {("guess", None): (pytest.approx(5 / 6), 6)}


def test_a_group_is_judged_by_its_own_rows():
    table = pa.table({"region": ["a", "a", "b", "b"], "truth": ["x", "y", "x", "y"], "guess": ["x", "y", "y", "x"]})
    metrics = measure(table, prediction_column="guess", metrics=["accuracy"], group_sets=[[], ["region"]])
    assert metrics.value("guess", "accuracy", region="a") == 1
    assert metrics.value("guess", "accuracy", region="b") == 0
    assert metrics.value("guess", "accuracy") == 0.5


def test_two_classes_are_scored_by_the_positive_label():
    metrics = measure(score_column="p_cat", positive_label="cat")
    # judged: 0.9+ 0.6- 0.2-; the score of the others or their label is unknown
    assert values(metrics, "roc_auc") == {("p_cat", None): (1, 3)}
    assert values(metrics, "average_precision") == {("p_cat", None): (1, 3)}
    assert values(metrics, "brier") == {("p_cat", None): (pytest.approx((0.01 + 0.36 + 0.04) / 3), 3)}
    assert values(metrics, "ece") == {("p_cat", None): (pytest.approx((0.1 + 0.6 + 0.2) / 3), 3)}
    assert values(metrics, "log_loss") == {
        ("p_cat", None): (pytest.approx(-(math.log(0.9) + math.log(0.4) + math.log(0.8)) / 3), 3)
    }


def test_several_classes_are_scored_against_the_rest():
    metrics = measure(score_columns={"cat": "p_cat", "dog": "p_dog"}, metrics=["roc_auc", "brier"])
    assert values(metrics, "roc_auc") == {("p_cat", "cat"): (1, 3), ("p_dog", "dog"): (pytest.approx(5 / 6), 5)}
    assert metrics.value("p_dog", "brier", entity="dog") == pytest.approx((0.01 + 0.36 + 0.09 + 0.25 + 0) / 5)


@pytest.mark.parametrize(("positive", "column"), [(1, [1, 0, 1]), (True, [True, False, True]), ("1", ["1", "0", "1"])])
def test_a_positive_label_is_a_number_a_truth_value_or_a_text(positive, column):
    table = pa.table({"truth": column, "p": [0.9, 0.5, 0.4]})
    assert measure(table, score_column="p", positive_label=positive).value("p", "roc_auc") == 0.5


def test_one_class_only_has_no_area_and_still_a_loss():
    table = pa.table({"truth": ["yes", "yes"], "p": [1.0, 0.0]})
    metrics = measure(table, score_column="p", positive_label="yes")
    assert metrics.value("p", "roc_auc") is None
    assert metrics.value("p", "average_precision") == 1
    assert metrics.value("p", "log_loss") == pytest.approx(-math.log(2.220446049250313e-16) / 2)
    never = measure(table, score_column="p", positive_label="no")
    assert never.value("p", "average_precision") is never.value("p", "roc_auc") is None
    assert never.value("p", "brier") == 0.5


def test_labels_of_any_language_and_the_empty_label():
    table = pa.table({"truth": ["日本", "", "é", "日本"], "guess": ["日本", "", "日本", ""]})
    metrics = measure(table, prediction_column="guess")
    assert metrics.value("guess", "recall", entity="日本") == 0.5
    assert metrics.value("guess", "precision", entity="") == 0.5
    assert metrics.value("guess", "confusion", entity="é → 日本") == 1


def test_labels_beyond_max_entities_are_one():
    table = pa.table({"truth": [str(i // 2) for i in range(20)], "guess": [str(i // 2) for i in range(20)]})
    metrics = measure(table, prediction_column="guess", max_entities=3)
    assert values(metrics, "recall").keys() == {("guess", entity) for entity in ("0", "1", "2", "…other")}
    assert metrics.value("guess", "label_count", entity="…other") == 14
    assert metrics.value("guess", "recall_macro") == 1


def test_scores_alone_need_no_predicted_labels():
    names = set(measure(score_column="p_dog", positive_label="dog").to_arrow()["metric"].to_pylist())
    assert names == {"row_count", "log_loss", "roc_auc", "average_precision", "brier", "ece"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "metrics is empty. Name some of: accuracy"),
        ({"metrics": ["accuracy"]}, "prediction_column is None. Name a column"),
        ({"prediction_column": "guess", "label_column": ""}, "label_column is ''. Name a column"),
        ({"prediction_column": "truth"}, "prediction_column and label_column are both 'truth'. Name two different columns"),
        ({"prediction_column": "guess", "metrics": "accuracy"}, r"metrics is the text 'accuracy'. Give a list: \['accuracy'\]"),
        ({"prediction_column": "guess", "metrics": []}, "metrics is empty"),
        ({"prediction_column": "guess", "metrics": ["roc_auc"]}, "metrics has 'roc_auc', which needs scores. Give score_column and"),
        ({"score_column": "p_cat"}, "score_column is given without positive_label. Give positive_label as well"),
        ({"positive_label": "cat"}, "positive_label is given without score_column"),
        ({"score_columns": {}}, r"score_columns is {}. Give a mapping of label to column"),
        ({"score_columns": ["p_cat"]}, "Give a mapping of label to column"),
        ({"score_columns": {"cat": None}}, "score_columns is None. Name a column"),
        ({"score_columns": {1: "p_cat", "1": "p_dog"}}, "score_columns names a label twice"),
        ({"score_columns": {"cat": "p_cat"}, "score_column": "p_cat"}, "Keep score_columns for several classes"),
    ],
)  # fmt: skip
def test_arguments_that_do_not_fit_are_refused_with_what_to_do(options, said):
    with pytest.raises(BadPlanError, match=said):
        measure(**options)


def test_metrics_of_other_families_are_unknown_here():
    with pytest.raises(UnknownMetricError, match="'mae' is unknown"):
        measure(prediction_column="guess", metrics=["mae"])


def test_columns_that_are_no_labels_or_scores_are_refused_one_by_one():
    table = PETS.append_column("lists", pa.array([["a"]] * 6))
    metrics = measure(
        table, prediction_column="lists", score_column="guess", positive_label="cat", metrics=["accuracy", "brier"]
    )
    errors = {row["metric"]: row["error"] for row in metrics.errors.to_pylist()}
    assert "takes as prediction single values" in errors["accuracy"]
    assert "takes as score single values" in errors["brier"]


def test_a_whole_number_is_one_label_stored_as_integer_or_as_float_and_nan_is_none():
    table = pa.table(
        {"truth": [1.0, 0.0, None, float("nan"), 1.0], "guess": [1, 0, 1, 1, 0], "s": [0.9, 0.1, 0.5, 0.5, 0.2]}
    )
    metrics = ClassificationProcessor(
        table,
        label_column="truth",
        prediction_column="guess",
        score_column="s",
        positive_label=1,
        metrics=["accuracy", "label_count", "roc_auc"],
    ).get_metrics()
    assert metrics.value("guess", "accuracy") == pytest.approx(2 / 3)
    assert metrics.value("guess", "label_count", entity="1") == 2
    assert metrics.value("s", "roc_auc") == 1
