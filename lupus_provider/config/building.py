"""A metric set → the processor that measures it. The keys are the processor's arguments, so there is little to translate.

Building reads no data: lint and plan build processors only to hear what they think of their arguments.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast

from lupus_provider.config.metric_set import ScannedMetricSet, TableMetricSet
from lupus_provider.config.processors import ExpectationsMetricSet, TrainingMetricSet

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from lupus_provider.config.metric_set import MetricSet
    from lupus_provider.periods import Period
    from lupus_provider.processors import Metrics

_CLASSES = {
    "distribution": "distribution:DistributionProcessor", "classification": "classification:ClassificationProcessor",
    "regression": "regression:RegressionProcessor", "ranking": "ranking:RankingProcessor", "drift": "drift:DriftProcessor",
    "table": "table:TableProcessor", "training": "training:TrainingProcessor", "expectations": "expectation:ExpectationProcessor",
}  # fmt: skip
"""Word under `processor` → file and class of `lupus_provider.processors`."""


class AnyProcessor(Protocol):
    """What all processors do."""

    def get_metrics(
        self, *, project: str = ..., metric_set: str = ..., run_id: str = ..., collected_at: datetime | None = ...
    ) -> Metrics:
        """Measure."""
        ...


def make_processor(
    metric_set: MetricSet,
    data: Any = None,
    *,
    periods: Sequence[Period],
    zone: str,
    reference: Any = None,
    tracking_uri: str | None = None,
) -> AnyProcessor:
    """Return the processor of a metric set.

    Parameters
    ----------
    data
        The table, as any processor takes it; None for a processor that is only asked about its arguments.
    periods
        Periods to measure, oldest first.
    zone
        IANA name of the project's zone.
    reference
        What drift is measured against.
    tracking_uri
        Address of the tracking store, where a connection holds it.

    Raises
    ------
    BadPlanError, UnknownMetricError, BadExpectationError
        If the keys contradict each other.
    MissingExtraError
        If an expectation suite is asked for and Great Expectations is not installed.
    """
    arguments = {**metric_set.arguments, "periods": tuple(periods), "zone": zone}
    if isinstance(metric_set, TrainingMetricSet):
        uri = tracking_uri or metric_set.tracking_uri or ""
        return _class(metric_set)(**{**arguments, "tracking_uri": uri, "period": metric_set.period})
    source = cast("TableMetricSet", metric_set).source
    arguments |= {"time_column": source.time_column, "time_zone": source.time_zone or "UTC", "where": source.where}
    if isinstance(metric_set, ExpectationsMetricSet):
        suite = [expectation.model_dump(exclude_none=True) for expectation in metric_set.expectations]
        return _class(metric_set)(data, suite, **arguments)
    if metric_set.processor == "drift":
        arguments["reference"] = reference
    return _class(metric_set)(data, **arguments, sample=_sample(metric_set))


def _class(metric_set: MetricSet) -> Any:
    module, _, name = _CLASSES[metric_set.processor].partition(":")
    return getattr(import_module(f"lupus_provider.processors.{module}"), name)


def _sample(metric_set: MetricSet) -> Any:
    from lupus_provider.metrics.plan import Sample

    given = metric_set.sample if isinstance(metric_set, ScannedMetricSet) else None
    return None if given is None else Sample(given.ratio, given.by)
