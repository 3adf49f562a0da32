"""What a metric set measures, before any run: columns, metrics and groups that its points will have.

The processor itself is asked, so that lint and plan speak of the same series that a run makes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from lupus_provider.config.building import make_processor
from lupus_provider.config.processors import ExpectationsMetricSet, TrainingMetricSet
from lupus_provider.config.source import VersionReference
from lupus_provider.detectors import SeriesInfo
from lupus_provider.periods import period_at

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from lupus_provider.config.metric_set import MetricSet
    from lupus_provider.detectors import Detector

_SOME_DAY = datetime(2024, 1, 1, tzinfo=UTC)
SLICE = "slice"


@dataclass(frozen=True, slots=True)
class Measured:
    """One metric of one column, in every group of some group sets.

    Attributes
    ----------
    column_name
        Empty for metrics of the rows themselves; `*` where only the run knows.
    metric
        As points spell it; `*` where only the run knows.
    has_entities
        Whether there is a point for each distinct value.
    """

    column_name: str
    metric: str
    has_entities: bool
    groupings: tuple[tuple[str, ...], ...]


def measured(metric_set: MetricSet, zone: ZoneInfo) -> list[Measured]:
    """Return what a metric set measures, in the order asked.

    Raises
    ------
    BadPlanError, UnknownMetricError
        If keys contradict each other.
    """
    if isinstance(metric_set, TrainingMetricSet):
        return list(_of_training(metric_set))
    if isinstance(metric_set, ExpectationsMetricSet):
        return list(_of_expectations(metric_set))
    return list(dict.fromkeys(_of_table(cast("Any", check(metric_set, zone)))))


def check(metric_set: MetricSet, zone: ZoneInfo) -> object:
    """Build the metric set's processor over no data, which is what tells contradictions.

    Raises
    ------
    BadPlanError, UnknownMetricError, BadExpectationError, MissingExtraError
        See `make_processor`.
    """
    reference = None
    if metric_set.processor == "drift":
        from lupus_provider.processors.windows import MovingWindow, PreviousVersion

        previous = isinstance(getattr(metric_set, "reference", None), VersionReference)
        reference = PreviousVersion() if previous else MovingWindow()
    period = period_at(_SOME_DAY, metric_set.period, zone)
    return make_processor(metric_set, periods=[period], zone=zone.key, reference=reference, tracking_uri="-")


def series_of(items: list[Measured]) -> Iterator[tuple[Measured, SeriesInfo]]:
    """Yield a series for each item and group set, as far as a detector may ask about it; entities are not known before a run."""
    groupings = list(dict.fromkeys(grouping for item in items for grouping in item.groupings))
    for grouping in groupings:
        for item in items:
            if grouping in item.groupings:
                yield item, SeriesInfo("", item.column_name, item.metric, group_key=dict.fromkeys(grouping, ""))


def selected(rule: Detector, items: list[Measured]) -> list[tuple[Measured, SeriesInfo]]:
    """Return what a rule would judge: one entry for each column, metric and grouping."""
    anybody = rule.model_copy(update={"entities": ("*",)})
    return [(item, series) for item, series in series_of(items) if anybody.selects(series)]


def _of_table(processor: Any) -> Iterator[Measured]:
    plan = processor.plan
    sets = plan.group_sets
    groupings = (*sets, *((*group_set, SLICE) for group_set in sets if plan.slices))
    for measure in (*plan.measures, *(item.measure for item in processor.refused)):
        expression = measure.expression
        has_entities = expression.metric.per_entity or measure.entity is not None
        yield Measured(measure.column, expression.name, has_entities, groupings)
    drift: Mapping[Any, Any] = getattr(processor, "drift", {})
    for key, expressions in drift.items():
        for expression in expressions:
            yield Measured(key.column, expression.name, expression.metric.per_entity, groupings)
    for metric in processor.of_table.of_schema:
        yield Measured("", metric.name, metric.needs_reference, ((),))


def _of_training(metric_set: TrainingMetricSet) -> Iterator[Measured]:
    from lupus_provider.processors.training import RUN_METRICS

    columns = [metric_set.registered_model] if metric_set.registered_model else metric_set.experiment_names or ["*"]
    for column in columns:
        for metric in (*RUN_METRICS, *(metric_set.metrics or ["*"])):
            steps = metric_set.per_step and metric not in RUN_METRICS
            yield Measured(str(column), metric, steps, metric_set.groupings)


def _of_expectations(metric_set: ExpectationsMetricSet) -> Iterator[Measured]:
    groupings = metric_set.groupings
    if metric_set.model_version_column is not None:
        groupings += tuple((*grouping, metric_set.model_version_column) for grouping in groupings)
    yield Measured("", "success_ratio", has_entities=True, groupings=groupings)
    for column in dict.fromkeys(expectation.column or "" for expectation in metric_set.expectations):
        for metric in ("success_ratio", "unexpected_ratio", "observed_value"):
            if (column, metric) != ("", "success_ratio"):
                yield Measured(column, metric, has_entities=True, groupings=groupings)
