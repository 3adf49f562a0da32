"""What all metric sets say, and what those say that measure a table: schedule, rows, groups, join, judges.

Keys are spelled as the arguments of the processors, so that a notebook and a project file read the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import reduce
from math import ceil
from operator import or_
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from lupus_provider.config.parts import ColumnMetrics, ColumnName, Model, TableMetrics, Text
from lupus_provider.config.retention import Retention
from lupus_provider.config.schedule import check_schedule
from lupus_provider.config.source import Join, Sample, Source
from lupus_provider.detectors import DETECTORS
from lupus_provider.periods import PeriodName

AnyDetector = Annotated[reduce(or_, (DETECTORS[name] for name in DETECTORS)), Field(discriminator="detector")]
EngineName = Literal["duckdb", "spark"]
REVISIT_MAX = 366
_SHORTEST = {
    "hour": timedelta(hours=1),
    "day": timedelta(hours=23),
    "week": timedelta(hours=167),
    "month": timedelta(hours=671),
}
"""Length of the shortest period of each kind: clocks are put forward by an hour."""


class MetricSet(Model):
    """What every metric set says: when it is measured and who judges it."""

    frame_keys: ClassVar[frozenset[str]] = frozenset({
        "schedule", "period", "revisit", "start_date", "end_date", "processor", "detect", "engine", "source", "join", "gate",
        "tracking_conn_id", "reference", "expectations", "sample", "retention",
    })  # fmt: skip
    """Keys that are not handed to the processor as they are."""

    schedule: str | None = None
    """Cron expression in the project's zone; none: only runs that somebody starts."""
    period: PeriodName = "day"
    """What one point covers."""
    revisit: Annotated[int, Field(ge=0, le=REVISIT_MAX)] = 0
    """Earlier periods that every run measures again, because their data may have been late. With `join`: as many as `within` spans."""
    start_date: date | None = None
    """First local day that is scheduled."""
    end_date: date | None = None
    """Last local day that is scheduled; later runs only by hand."""
    retention: Retention | None = None
    """How long its records are kept, where it is not as long as the project's."""
    processor: Any
    """How the metric set is measured."""
    detect: tuple[AnyDetector, ...] = ()
    """Who judges which series."""

    @field_validator("schedule")
    @classmethod
    def _cron(cls, schedule: str | None) -> str | None:
        return schedule if schedule is None else check_schedule(schedule)

    @model_validator(mode="after")
    def _first_before_last(self) -> MetricSet:
        if self.start_date and self.end_date and self.end_date < self.start_date:
            raise ValueError(f"'end_date' {self.end_date} is before 'start_date' {self.start_date}")
        return self

    @property
    def arguments(self) -> dict[str, Any]:
        """Arguments of the processor that have the same name and meaning there."""
        return {name: getattr(self, name) for name in type(self).model_fields if name not in self.frame_keys}


class GroupedMetricSet(MetricSet):
    """A metric set whose points are split by groups."""

    group_columns: tuple[ColumnName, ...] = ()
    """Columns whose values split every metric."""
    group_sets: Annotated[tuple[tuple[ColumnName, ...], ...], Field(min_length=1)] | None = None
    """Roll-ups from the same scan: `[[], [region], [region, device]]`; `[]` is the whole. Without it: `group_columns` alone."""

    @property
    def groupings(self) -> tuple[tuple[str, ...], ...]:
        """Group sets to measure."""
        return self.group_sets if self.group_sets is not None else (self.group_columns,)

    @property
    def arguments(self) -> dict[str, Any]:
        """Arguments of the processor, with one way to say the groups."""
        given = super().arguments
        del given["group_columns"]
        return {**given, "group_sets": self.groupings}


class TableMetricSet(GroupedMetricSet):
    """A metric set that measures a table."""

    engine: EngineName = "duckdb"
    """Who computes: `duckdb` in the task's own process, `spark` in the session of Airflow's connection `lupus_spark`."""
    source: Source
    """The table that is measured."""
    model_version_column: ColumnName | None = None
    """Column of the version of the model behind a row: every group is measured once more for each version."""

    @model_validator(mode="after")
    def _table_of_the_engine(self) -> TableMetricSet:
        if self.engine == "spark" and self.source.database is not None:
            raise ValueError("'database' is a DuckDB file; Spark reads 'table' from its catalogue")
        return self


def _sample(given: Any) -> Any:
    return {"ratio": given} if isinstance(given, int | float) and not isinstance(given, bool) else given


class ScannedMetricSet(TableMetricSet):
    """A metric set that measures a table in one scan."""

    join: Join | None = None
    """Labels that arrive after the predictions; past periods are measured again when they do."""
    column_metrics: Mapping[ColumnName, ColumnMetrics] = Field(default_factory=dict)
    """Metrics by column."""
    table_metrics: TableMetrics | None = ("row_count",)
    """Metrics of the rows themselves, in every group."""
    slices: Mapping[Text, Text] = Field(default_factory=dict)
    """Name → SQL condition: every group is measured once more for the rows that hold it; the name stands in the group's `slice`."""
    sample: Annotated[Sample | None, BeforeValidator(_sample, json_schema_input_type=float | Sample | None)] = None
    """Share of the rows that are measured, `0.1` or `{ratio: 0.1, by: user_id}`; every point states it."""
    max_entities: Annotated[int, Field(ge=1, le=100_000)] = 1_000
    """Largest entities a group that metrics per entity keep; the rest is one entity `…other`."""
    min_group_rows: Annotated[int, Field(ge=0)] = 0
    """Groups of fewer rows in a period are measured together, as the group `…small`; 0: none."""

    @model_validator(mode="after")
    def _labels_come_late(self) -> ScannedMetricSet:
        within = self.join.within if self.join is not None else None
        if within is None:
            return self
        if self.source.time_column is None:
            raise ValueError(
                "'within' of 'join' needs 'time_column' in 'source', which says when a prediction was made"
            )
        if "revisit" not in self.model_fields_set:
            periods = ceil(within / _SHORTEST[self.period])
            if periods > REVISIT_MAX:
                raise ValueError(
                    f"'within' of 'join' spans {periods} periods, more than the {REVISIT_MAX} that can be measured again. "
                    "Shorten it, lengthen 'period', or set 'revisit'"
                )
            # A default that depends on other keys; nobody has seen the model yet.
            object.__setattr__(self, "revisit", periods)
        return self
