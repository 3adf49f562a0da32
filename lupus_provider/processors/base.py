"""What all processors of tables share: the arguments that say which rows are measured, and the one way from a plan to points.

One scan serves every family, so each processor adds its own measures to the plan and leaves the rest to this file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING, Any, TypedDict

from lupus_provider import clock
from lupus_provider.engines import engine_for
from lupus_provider.engines.source import Joined
from lupus_provider.errors import BadPlanError
from lupus_provider.metrics.grammar import known_metrics, parse_metric
from lupus_provider.metrics.plan import Measure, MetricPlan, Refused, Sample, make_plan
from lupus_provider.periods import Period
from lupus_provider.processors.assemble import Stamp, points
from lupus_provider.processors.result import Metrics
from lupus_provider.processors.schema import TableMetrics, sort_table_metrics, with_schema_points

if TYPE_CHECKING:
    import pyarrow as pa

    from lupus_provider.metrics.base import Family
    from lupus_provider.metrics.grammar import MetricExpression

ALWAYS = Period(datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC))
"""The period of a table that is measured as it is."""


class RowOptions(TypedDict, total=False):
    """Keyword arguments that say which rows, groups and periods are measured; `Processor` says what they mean."""

    group_columns: Sequence[str]
    group_sets: Sequence[Sequence[str]] | None
    periods: Sequence[Period] | None
    time_column: str | None
    time_zone: str
    zone: str
    where: str | None
    slices: Mapping[str, str] | None
    sample: float | Sample | None
    max_entities: int
    min_group_rows: int
    model_version_column: str | None


class ScanOptions(RowOptions, total=False):
    """Keyword arguments that processors of predictions take: one scan can serve columns and the table as well."""

    column_metrics: Mapping[str, Sequence[str]] | None
    table_metrics: Sequence[str]


class Processor:
    """Base of the processors of tables: plans once, measures as often as asked.

    Parameters
    ----------
    df
        Spark DataFrame, DuckDB relation, pandas or polars frame, Arrow table, or path of a Parquet, CSV or JSON-lines file. The engine
        follows from its type.
    measures, refused
        Of the subclass: what its family measures, and what it cannot measure as asked; those become points with `error`.
    column_metrics
        Column → metric names of the distribution family, such as `{"age": ["avg", "p95"]}`: one scan serves both families.
    table_metrics
        Metrics of the rows themselves and of the schema. `freshness_seconds` needs `time_column` and `periods`.
    group_columns
        Columns whose values split every metric; none: the whole.
    group_sets
        Several roll-ups from the same scan, instead of `group_columns`: `[[], ["region"], ["region", "device"]]`; `[]` is the whole.
    periods
        Periods to split rows by `time_column`, oldest first, without overlap; None: one point for all rows.
    time_column
        Column that says when a row happened.
    time_zone
        IANA zone of timestamps without a zone.
    zone
        IANA zone whose days the periods are: dates are days of it.
    where
        SQL condition on the rows, in the words of the engine.
    slices
        Name → SQL condition: every group is measured once more for the rows that hold it; `slice` in the group key names it.
    sample
        Share of the rows to measure, 0…1, or a `Sample` that says by which column; every point states it.
    max_entities
        Largest entities a group that metrics per entity keep; the rest is one entity `…other`.
    min_group_rows
        Groups of fewer rows in a period are measured together, as the group `…small`; 0: none.
    model_version_column
        Column of the version of the ML model behind a row: every group is measured once more for each version.
    key_columns, reference_schema
        See `TableProcessor`.

    Raises
    ------
    UnknownMetricError
        If a metric name is unknown in its family.
    BadPlanError
        If arguments contradict themselves.
    """

    def __init__(
        self,
        df: Any,
        *,
        measures: Sequence[Measure] = (),
        refused: Sequence[Refused] = (),
        column_metrics: Mapping[str, Sequence[str]] | None = None,
        table_metrics: Sequence[str] = ("row_count",),
        group_columns: Sequence[str] = (),
        group_sets: Sequence[Sequence[str]] | None = None,
        periods: Sequence[Period] | None = None,
        time_column: str | None = None,
        time_zone: str = "UTC",
        zone: str = "UTC",
        where: str | None = None,
        slices: Mapping[str, str] | None = None,
        sample: float | Sample | None = None,
        max_entities: int = 1_000,
        min_group_rows: int = 0,
        model_version_column: str | None = None,
        key_columns: Sequence[str] = (),
        reference_schema: Any = None,
    ) -> None:
        self.df = df
        self.refused = tuple(refused)
        self.of_table: TableMetrics = sort_table_metrics(
            metric_names("table_metrics", table_metrics),
            time_column=time_column, has_periods=periods is not None,
            key_columns=metric_names("key_columns", key_columns), reference_schema=reference_schema,
        )  # fmt: skip
        self.plan: MetricPlan = make_plan(
            column_metrics or {}, self.of_table.of_rows, group_columns, group_sets, [*self.of_table.measures, *measures],
            periods=None if periods is None else tuple(periods), time_column=time_column, time_zone=time_zone, zone=zone,
            where=where, slices=_slices(slices), sample=_sample(sample, df), max_entities=max_entities,
            min_group_rows=min_group_rows, model_version_column=model_version_column,
        )  # fmt: skip

    @property
    def periods(self) -> Sequence[Period]:
        """Periods of the points: the plan's, or `ALWAYS`."""
        return (ALWAYS,) if self.plan.periods is None else self.plan.periods

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
        return Metrics(self.points(stamp), stamp, [period.start for period in self.periods])

    def points(self, stamp: Stamp) -> pa.Table:
        """Return the points as Arrow, schema `records.POINTS`; processors with a second table override this."""
        engine = engine_for(self.df)
        answers = chain(self.refused, engine.answers(self.plan))
        table = points(self.plan, answers, stamp, self.periods)
        return with_schema_points(table, self.of_table, engine, stamp, self.periods)


def metric_names(argument: str, names: Sequence[str]) -> Sequence[str]:
    """Return a list of names; a text alone is refused, for it would be read letter by letter.

    Raises
    ------
    BadPlanError
        If it is one text.
    """
    if isinstance(names, str):
        raise BadPlanError(argument, f"is the text {names!r}", f"Give a list: [{names!r}].")
    return names


def parse_names(names: Sequence[str], family: Family) -> list[MetricExpression]:
    """Parse names of a family under the argument `metrics`.

    Raises
    ------
    UnknownMetricError
        If the family has no such metric.
    BadPlanError
        If there is none, or one text instead of a list.
    """
    parsed = [parse_metric(name, family) for name in metric_names("metrics", names)]
    if not parsed:
        raise BadPlanError("metrics", "is empty", f"Name some of: {', '.join(known_metrics(family))}.")
    return parsed


def column_name(argument: str, name: str | None) -> str:
    """Return the name of a column that must be given.

    Raises
    ------
    BadPlanError
        If there is none.
    """
    if not isinstance(name, str) or not name:
        raise BadPlanError(argument, f"is {name!r}", "Name a column of the table.")
    return name


def column_pair(first: tuple[str, str | None], second: tuple[str, str | None]) -> tuple[str, str]:
    """Return the names of two columns that must be given and differ; each is (argument, name).

    Raises
    ------
    BadPlanError
        If one is missing, or both are the same.
    """
    names = column_name(*first), column_name(*second)
    if names[0] == names[1]:
        raise BadPlanError(first[0], f"and {second[0]} are both {names[0]!r}", "Name two different columns.")
    return names


def _slices(slices: Mapping[str, str] | None) -> tuple[tuple[str, str], ...]:
    if slices is None:
        return ()
    if not isinstance(slices, Mapping):
        raise BadPlanError(
            "slices", f"is {slices!r}", "Give a mapping of name to condition: {'tokyo': \"city = 'Tokyo'\"}."
        )
    for name, condition in slices.items():
        if not isinstance(name, str) or not name or not isinstance(condition, str) or not condition.strip():
            raise BadPlanError(
                "slices", f"has {name!r}: {condition!r}", "Give each slice a name and an SQL condition, both texts."
            )
    return tuple(slices.items())


def _sample(sample: float | Sample | None, df: Any) -> Sample | None:
    """Return a sample; of joined tables by their key, for a label that comes later must not change which rows are in it."""
    if sample is not None and not isinstance(sample, Sample):
        sample = Sample(float(sample))
    return replace(sample, by=df.on) if sample is not None and sample.by is None and isinstance(df, Joined) else sample
