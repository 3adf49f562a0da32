"""Distributions of the columns of a table: the processor behind most metric sets."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lupus_provider import clock
from lupus_provider.engines import engine_for
from lupus_provider.metrics.plan import MetricPlan, make_plan
from lupus_provider.periods import Period
from lupus_provider.processors.assemble import Stamp, points
from lupus_provider.processors.result import Metrics

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ALWAYS = Period(datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC))
"""The period of a table that is measured as it is."""


class DistributionProcessor:
    """Turn a table into points: counts, averages, percentiles, distinct values, by group and by period, in one scan.

    Parameters
    ----------
    df
        DuckDB relation, pandas or polars frame, Arrow table, or path of a Parquet, CSV or JSON-lines file.
    group_columns
        Columns whose values split every metric; none: the whole.
    column_metrics
        Column → metric names, such as `{"age": ["avg", "p95"], "device": ["count", "unique"]}`. Of a list column, metrics speak of
        its items; `avg@5` of the first five items of each list, `length_avg` of the lists' lengths.
    table_metrics
        Metrics of the rows themselves.
    group_sets
        Several roll-ups from the same scan, instead of `group_columns`: `[[], ["region"], ["region", "device"]]`; `[]` is the whole.
    periods
        Periods to split rows by `time_column`, oldest first, without overlap; None: one point for all rows.
    time_column, time_zone, zone
        See `metrics.plan.MetricPlan`.
    where
        SQL condition on the rows, in the words of the engine.
    max_entities
        Largest entities a group that `count` and `ratio` keep; the rest is one entity `…other`.

    Raises
    ------
    UnknownMetricError
        If a metric name is unknown.
    BadPlanError
        If arguments contradict themselves.

    Examples
    --------
    >>> import pyarrow as pa
    >>> table = pa.table({"region": ["JP", "JP", "TW"], "age": [20, 30, None]})
    >>> metrics = DistributionProcessor(
    ...     table, group_columns=["region"], column_metrics={"age": ["avg", "null_ratio"]}
    ... ).get_metrics()
    >>> metrics.value("age", "avg", region="JP"), metrics.value("age", "null_ratio", region="TW")
    (25.0, 1.0)
    """

    def __init__(
        self,
        df: Any,
        *,
        group_columns: Sequence[str] = (),
        column_metrics: Mapping[str, Sequence[str]],
        table_metrics: Sequence[str] = ("row_count",),
        group_sets: Sequence[Sequence[str]] | None = None,
        periods: Sequence[Period] | None = None,
        time_column: str | None = None,
        time_zone: str = "UTC",
        zone: str = "UTC",
        where: str | None = None,
        max_entities: int = 1_000,
    ) -> None:
        self.df = df
        self.plan: MetricPlan = make_plan(
            column_metrics, table_metrics, group_columns, group_sets,
            periods=None if periods is None else tuple(periods), time_column=time_column, time_zone=time_zone, zone=zone,
            where=where, max_entities=max_entities,
        )  # fmt: skip

    def get_metrics(
        self,
        *,
        project: str = "local",
        metric_set: str = "table",
        run_id: str = "local",
        collected_at: datetime | None = None,
    ) -> Metrics:
        """Measure the table.

        Parameters
        ----------
        project, metric_set, run_id
            Whose points they are and which run measured them; series ids depend on the first two.
        collected_at
            Aware; when the reading began. Now, if not given.

        Returns
        -------
        Metrics
            A metric that failed is a point with `error`; no rows give `row_count` 0 and undefined values.

        Raises
        ------
        UnknownDataError, SourceUnreadableError, TimeColumnError, PlanFailedError, EngineFailedError
            If the table as a whole cannot be measured.
        """
        stamp = Stamp(project, metric_set, run_id, collected_at or clock.utc_now())
        answers = engine_for(self.df).answers(self.plan)
        periods = (ALWAYS,) if self.plan.periods is None else self.plan.periods
        return Metrics(points(self.plan, answers, stamp, periods))
