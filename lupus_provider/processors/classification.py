"""Classifiers: predicted against true labels, and scores against true labels, by group and by period, in one scan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Unpack

from lupus_provider.errors import BadPlanError
from lupus_provider.metrics.base import Family, Over
from lupus_provider.metrics.classification import MAX_ENTITIES
from lupus_provider.metrics.plan import Measure
from lupus_provider.processors.base import Processor, ScanOptions, column_name, column_pair, parse_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lupus_provider.metrics.grammar import MetricExpression

Label = str | int | bool
OF_LABELS = (
    "accuracy", "precision", "recall", "f1", "precision_macro", "recall_macro", "f1_macro", "label_count", "predicted_count", "confusion",
    "label_coverage",
)  # fmt: skip
"""Default metrics where predicted labels are given."""
OF_SCORES = ("log_loss", "roc_auc", "average_precision", "brier", "ece")
"""Default metrics where scores are given."""


class ClassificationProcessor(Processor):
    """Turn predictions of a classifier into points; labels are compared as text, rows without a label wait for it.

    Parameters
    ----------
    df
        See `processors.base.Processor`.
    label_column
        Column of true labels, null where not yet known: texts, integers, booleans.
    prediction_column
        Column of predicted labels; not needed where only scores are measured.
    score_column, positive_label
        Two classes: column of the probability that a row has the positive label, and that label.
    score_columns
        Several classes: label → column of its probability. Each is measured against the rest, with the label as entity.
    metrics
        Names of the classification family; None: `OF_LABELS` where `prediction_column` is given, `OF_SCORES` where scores are.
    scan
        Which rows, groups and periods, and metrics of further columns: see `processors.base.Processor`. `max_entities` bounds the labels.

    Raises
    ------
    UnknownMetricError
        If a metric name is unknown.
    BadPlanError
        If arguments are missing or contradict themselves.

    Examples
    --------
    >>> import pyarrow as pa
    >>> table = pa.table({"truth": ["cat", "dog", "dog", None], "guess": ["cat", "cat", "dog", "dog"]})
    >>> metrics = ClassificationProcessor(table, label_column="truth", prediction_column="guess").get_metrics()
    >>> metrics.value("guess", "recall", entity="dog"), metrics.value("guess", "label_coverage")
    (0.5, 0.75)
    """

    def __init__(
        self,
        df: Any,
        *,
        label_column: str,
        prediction_column: str | None = None,
        score_column: str | None = None,
        positive_label: Label | None = None,
        score_columns: Mapping[Label, str] | None = None,
        metrics: Sequence[str] | None = None,
        **scan: Unpack[ScanOptions],
    ) -> None:
        label = column_name("label_column", label_column)
        scores = _scores(score_column, positive_label, score_columns)
        if metrics is None:
            metrics = (*(OF_LABELS if prediction_column is not None else ()), *(OF_SCORES if scores else ()))
        limit = float(scan.get("max_entities", MAX_ENTITIES))
        measures = []
        for expression in parse_names(metrics, Family.CLASSIFICATION):
            if expression.metric.over is Over.SCORES:
                measures += _of_scores(expression, scores, label)
            else:
                columns = column_pair(("prediction_column", prediction_column), ("label_column", label))
                parameters = (("max_entities", limit),) if expression.metric.per_entity else ()
                measures.append(Measure(columns, expression, parameters=parameters))
        super().__init__(df, measures=measures, **scan)


def label_text(label: Label) -> str:
    """Return a label as engines write it: booleans as `true` and `false`."""
    return str(label).lower() if isinstance(label, bool) else str(label)


Scores = dict[str | None, tuple[str, str]]
"""Entity → (score column, positive label); the entity None: two classes."""


def _scores(column: str | None, positive: Label | None, columns: Mapping[Label, str] | None) -> Scores:
    if columns is None:
        if (column is None) != (positive is None):
            given, missing = (
                ("score_column", "positive_label") if positive is None else ("positive_label", "score_column")
            )
            raise BadPlanError(given, f"is given without {missing}", f"Give {missing} as well: they belong together.")
        return (
            {}
            if column is None or positive is None
            else {None: (column_name("score_column", column), label_text(positive))}
        )
    if column is not None or positive is not None:
        raise BadPlanError(
            "score_columns", "and score_column or positive_label are both given",
            "Keep score_columns for several classes, the other two for two classes.",
        )  # fmt: skip
    if not isinstance(columns, Mapping) or not columns:
        raise BadPlanError("score_columns", f"is {columns!r}", "Give a mapping of label to column: {'cat': 'p_cat'}.")
    found: Scores = {
        label_text(label): (column_name("score_columns", name), label_text(label)) for label, name in columns.items()
    }
    if len(found) < len(columns):
        raise BadPlanError("score_columns", "names a label twice", "Labels are compared as text: name each once.")
    return found


def _of_scores(expression: MetricExpression, scores: Scores, label: str) -> list[Measure]:
    if not scores:
        raise BadPlanError(
            "metrics", f"has {expression.name!r}, which needs scores",
            "Give score_column and positive_label, or score_columns, or leave it out.",
        )  # fmt: skip
    return [
        Measure((column, label), expression, entity=entity, positive=positive)
        for entity, (column, positive) in scores.items()
    ]
