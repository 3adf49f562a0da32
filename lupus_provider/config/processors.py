"""Metric sets by processor: which keys belong to which, and which of them contradict each other.

One class a processor, so that a key of another one is an error where it stands, and editors offer the right keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import or_
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from lupus_provider.config.metric_set import GroupedMetricSet, MetricSet, ScannedMetricSet, TableMetricSet
from lupus_provider.config.parts import (
    ClassificationMetrics,
    ColumnName,
    DriftMetrics,
    Model,
    RankingMetrics,
    RegressionMetrics,
    TableMetrics,
    Text,
)  # fmt: skip
from lupus_provider.config.source import AnyReference, FixedReference, VersionReference

Label = str | bool | int


class DistributionMetricSet(ScannedMetricSet):
    """Distributions of columns: counts, averages, percentiles, distinct values."""

    processor: Literal["distribution"] = "distribution"
    """Measures what stands under `column_metrics`."""


class ClassificationMetricSet(ScannedMetricSet):
    """A classifier: predicted against true labels, scores against true labels."""

    processor: Literal["classification"]
    """Compares predicted labels or scores with true labels."""
    label_column: ColumnName
    """Column of true labels, null where not yet known."""
    prediction_column: ColumnName | None = None
    """Column of predicted labels; not needed where only scores are measured."""
    score_column: ColumnName | None = None
    """Two classes: column of the probability that a row has the positive label."""
    positive_label: Label | None = None
    """The label that `score_column` speaks for."""
    score_columns: Annotated[Mapping[Text, ColumnName], Field(min_length=1)] | None = None
    """Several classes: label → column of its probability."""
    metrics: ClassificationMetrics | None = None
    """Metrics of the predictions; none: the usual ones that the given columns allow."""

    @model_validator(mode="after")
    def _what_is_compared(self) -> ClassificationMetricSet:
        if (self.score_column is None) != (self.positive_label is None):
            raise ValueError("'score_column' and 'positive_label' belong together: give both, or none")
        if self.score_columns is not None and self.score_column is not None:
            raise ValueError("'score_columns' is for several classes, 'score_column' for two: give one of them")
        if self.prediction_column is None and self.score_column is None and self.score_columns is None:
            raise ValueError(
                "nothing is compared with the labels: give 'prediction_column', 'score_column' or 'score_columns'"
            )
        return self


class RegressionMetricSet(ScannedMetricSet):
    """A regression: predicted against true numbers."""

    processor: Literal["regression"]
    """Compares predicted numbers with true ones."""
    target_column: ColumnName
    """Column of true values, null where not yet known."""
    prediction_column: ColumnName
    """Column of predicted values."""
    metrics: RegressionMetrics = ("mae", "rmse", "smape", "r2", "bias", "label_coverage")
    """Metrics of the predictions."""


class RankingMetricSet(ScannedMetricSet):
    """Recommendations: predicted lists against lists of what was right."""

    processor: Literal["ranking"]
    """Compares predicted lists with lists of truths."""
    predicted_column: ColumnName
    """Column of lists, best item first; null is an empty list."""
    truth_column: ColumnName
    """Column of lists of the items that were right; null where not yet known."""
    metrics: RankingMetrics = (
        "recall@10", "ndcg@10", "mrr@10", "hit_rate@10", "unique@10", "gini@10", "novelty@10", "empty_truth_ratio", "label_coverage",
    )  # fmt: skip
    """Metrics of the lists, with `@k`: the first k items."""
    catalog_size: Annotated[int, Field(ge=1)] | None = None
    """Number of items that could be shown; `coverage@k` needs it."""


class DriftMetricSet(ScannedMetricSet):
    """Drift: how far columns have moved from a reference."""

    processor: Literal["drift"]
    """Compares columns with a reference."""
    reference: AnyReference
    """What is compared with: a table or a span of the source, `{window: 28}`, or `{model_version: previous}`."""
    column_metrics: Annotated[Mapping[ColumnName, DriftMetrics], Field(min_length=1)]  # pyright: ignore[reportGeneralTypeIssues]
    """Metrics by column, of the drift family; names of the distribution family may stand among them."""
    bins: Annotated[int, Field(ge=2, le=100)] = 10
    """Bins of a column of numbers in `psi`, `js`, `kl`, `hellinger`, `chi2`, `linf`."""
    categorical: tuple[ColumnName, ...] = ()
    """Columns of numbers that are names, such as store ids, compared by category as texts are."""
    max_categories: Annotated[int, Field(ge=1, le=1_000)] = 50
    """The reference's most frequent values that have a bin of their own."""

    @model_validator(mode="after")
    def _reference_can_be_had(self) -> DriftMetricSet:
        reference = self.reference
        if isinstance(reference, VersionReference) and self.model_version_column is None:
            raise ValueError("'reference: {model_version: previous}' needs 'model_version_column'")
        if isinstance(reference, FixedReference) and reference.first is not None:
            time_column = reference.time_column if reference.has_own_table else self.source.time_column
            if time_column is None:
                raise ValueError("'from' and 'to' of 'reference' need a 'time_column', there or in 'source'")
        return self


class TableHealthMetricSet(ScannedMetricSet):
    """The table as a whole: rows, freshness, repeated keys, schema."""

    processor: Literal["table"]
    """Looks at the table as a whole."""
    table_metrics: TableMetrics | None = None
    """Metrics of the table; none: those that the other keys allow."""
    key_columns: tuple[ColumnName, ...] = ()
    """Columns that together should name a row once, for `duplicate_ratio`."""
    reference_schema: Annotated[Mapping[ColumnName, Text], Field(min_length=1)] | None = None
    """Column → type in the words of Arrow, for `columns_added`, `columns_removed`, `columns_retyped`."""


class TrainingMetricSet(GroupedMetricSet):
    """Training runs of an MLflow tracking store."""

    processor: Literal["training"]
    """Reads runs from an MLflow tracking store."""
    tracking_uri: Text | None = None
    """Address of the tracking store without secrets: `sqlite:////srv/mlflow.db`, `https://mlflow.example.com`."""
    tracking_conn_id: Text | None = None
    """Airflow connection that holds the address, where it needs a login."""
    registry_uri: Text | None = None
    """Address of the model registry, where it is not the tracking store's."""
    experiment_names: Annotated[tuple[Text, ...], Field(min_length=1)] | None = None
    """Experiments to read; none: every active one that has runs."""
    metrics: Annotated[tuple[Text, ...], Field(min_length=1)] | None = None
    """Metrics as logged; none: whatever the finished runs logged."""
    per_step: bool = False
    """Also give the value of each step, with the step as entity."""
    max_steps: Annotated[int, Field(ge=1, le=100_000)] = 1_000
    """Steps a run and metric that `per_step` keeps."""
    registered_model: Text | None = None
    """Model of the registry whose versions stand in the points."""

    @model_validator(mode="after")
    def _one_address(self) -> TrainingMetricSet:
        if (self.tracking_uri is None) == (self.tracking_conn_id is None):
            raise ValueError("give exactly one of 'tracking_uri' and 'tracking_conn_id'")
        return self


class Expectation(BaseModel):
    """An expectation of Great Expectations; its arguments stand beside `expect`."""

    model_config = ConfigDict(extra="allow", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False)

    expect: Annotated[str, Field(pattern="^expect_[a-z0-9_]+$")]
    """Type in snake_case: `expect_column_values_to_be_between`."""
    name: Text | None = None
    """What its points are called; without it: type and arguments."""
    column: Text | None = None
    """Column that it is about."""


class Gate(Model):
    """Fails the collect task where the data is not good enough, after its points are stored."""

    min_success_ratio: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Share of the expectations that must hold in every period and group."""
    severity: Literal["info", "warning", "critical"] = "info"
    """Only expectations of this severity or graver count."""
    show_values: Annotated[int, Field(ge=0, le=5)] = 0
    """Unexpected values that the message may show; they are contents of rows."""


class ExpectationsMetricSet(TableMetricSet):
    """A suite of Great Expectations, as points and as a gate."""

    processor: Literal["expectations"]
    """Holds the table against expectations."""
    expectations: Annotated[tuple[Expectation, ...], Field(min_length=1)]
    """The suite."""
    gate: Gate | None = None
    """Fails the collect task where too few expectations hold; none: points only."""
    max_batches: Annotated[int, Field(ge=1)] = 10_000
    """Groups of all periods that are validated at most, each on its own."""


METRIC_SETS: Mapping[str, type[MetricSet]] = {
    "distribution": DistributionMetricSet, "classification": ClassificationMetricSet, "regression": RegressionMetricSet,
    "ranking": RankingMetricSet, "drift": DriftMetricSet, "table": TableHealthMetricSet, "training": TrainingMetricSet,
    "expectations": ExpectationsMetricSet,
}  # fmt: skip
"""Word under `processor` → its keys."""


def processor_of(given: object) -> str | None:
    """Return the word under `processor` of what a file says, or of a model; None if it is no word."""
    if isinstance(given, MetricSet):
        return given.processor
    word = given.get("processor", "distribution") if isinstance(given, Mapping) else "distribution"
    return word if isinstance(word, str) else None


AnyMetricSet = Annotated[
    reduce(or_, (Annotated[kind, Tag(word)] for word, kind in METRIC_SETS.items())),
    Discriminator(processor_of),
]
