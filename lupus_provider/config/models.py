"""What a project file says: one ML product, its metric sets, what is judged and who is told.

These models are the only definition: YAML, JSON Schema, forms and documentation come from them. They check shape and names;
whether a column exists is for the run to find out.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from lupus_provider.config.schedule import check_schedule
from lupus_provider.detectors import DETECTORS, Severity
from lupus_provider.errors import did_you_mean
from lupus_provider.metrics import Over, parse_metric
from lupus_provider.naming import NAME_PATTERN
from lupus_provider.periods import PeriodName

_NO_PLACES = frozenset({"localtime", "Factory", "posixrules"})
Name = Annotated[str, Field(pattern=NAME_PATTERN)]
AnyDetector = Annotated[reduce(or_, (DETECTORS[name] for name in DETECTORS)), Field(discriminator="detector")]


class Model(BaseModel):
    """Base of all parts of a project file: unknown keys are errors, nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False)


class Source(Model):
    """The table that is measured: exactly one of `table` and `path`."""

    table: str | None = None
    """Table name, `schema.table`; in the embedded default a table of the DuckDB file `database`."""
    path: str | None = None
    """Parquet, CSV or JSON-lines file or glob, relative to the data folder."""
    database: str | None = None
    """DuckDB file of `table`, relative to the data folder."""
    time_column: str | None = None
    """Column that says when a row happened: timestamp, date, or ISO text. Without it every run measures the whole table."""
    time_zone: str | None = None
    """Zone of timestamps without a zone; UTC if not given. Dates are always days of the project's zone."""
    where: str | None = None
    """SQL condition on the rows to measure."""

    @model_validator(mode="after")
    def _one_place(self) -> Source:
        if (self.table is None) == (self.path is None):
            raise ValueError("give exactly one of 'table' and 'path'")
        if self.database is not None and self.table is None:
            raise ValueError("'database' goes with 'table'")
        return self

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, zone: str | None) -> str | None:
        return zone if zone is None else check_zone(zone)


def check_zone(zone: str) -> str:
    """Return the name of an IANA zone; ValueError names the nearest known one."""
    # Asking for one zone opens one file; asking for all their names walks the whole folder, so that is left to the error.
    try:
        known = ZoneInfo(zone).key not in _NO_PLACES
    except (ZoneInfoNotFoundError, ValueError, OSError):
        known = False
    if not known:
        raise ValueError(f"{zone!r} is not an IANA time zone. {did_you_mean(str(zone), available_timezones())}".strip())
    return zone


def check_metric(name: str) -> str:
    """Return the metric's name as the grammar spells it; ValueError if no metric has it."""
    return parse_metric(name).name


ColumnName = Annotated[str, Field(min_length=1)]
Metrics = Annotated[tuple[Annotated[str, AfterValidator(check_metric)], ...], Field(min_length=1)]


def _of_rows(metrics: tuple[str, ...]) -> tuple[str, ...]:
    for name in metrics:
        if parse_metric(name).metric.over is not Over.ROWS:
            raise ValueError(f"metric {name!r} measures a column. Put it under 'column_metrics'")
    return metrics


class MetricSet(Model):
    """One table that is measured, on one schedule."""

    schedule: str | None = None
    """Cron expression in the project's zone; none: only runs that somebody starts."""
    period: PeriodName = "day"
    """What one point covers."""
    revisit: Annotated[int, Field(ge=0, le=366)] = 0
    """Earlier periods that every run measures again, because their data may have been late."""
    start_date: date | None = None
    """First local day that is scheduled."""
    end_date: date | None = None
    """Last local day that is scheduled; later runs only by hand."""
    source: Source
    """The table that is measured."""
    processor: Literal["distribution"] = "distribution"
    """How the table is measured."""
    group_columns: tuple[ColumnName, ...] = ()
    """Columns whose values split every metric."""
    group_sets: Annotated[tuple[tuple[ColumnName, ...], ...], Field(min_length=1)] | None = None
    """Roll-ups from the same scan: `[[], [region], [region, device]]`; `[]` is the whole. Without it: `group_columns` alone."""
    column_metrics: Mapping[ColumnName, Metrics] = Field(default_factory=dict)
    """Metrics by column."""
    table_metrics: Annotated[Metrics, AfterValidator(_of_rows)] = ("row_count",)
    """Metrics of the rows themselves, in every group."""
    max_entities: Annotated[int, Field(ge=1, le=100_000)] = 1_000
    """Largest entities a group that `count` keeps; the rest is one entity `…other`."""
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
    def groupings(self) -> tuple[tuple[str, ...], ...]:
        """Group sets to measure."""
        return self.group_sets if self.group_sets is not None else (self.group_columns,)


class Alerts(Model):
    """Where the project's anomalies are told."""

    channel: str = "log"
    """`log`, `file`, or the Airflow connection id of a webhook (type http)."""
    severity: Severity = Severity.MEDIUM
    """Quieter anomalies are stored, not told."""


class Project(Model):
    """One ML product: one file, one owner, one chat channel."""

    project: Name
    """Name of the product: a part of DAG ids and paths."""
    description: str = ""
    """What the product is, for people who see its charts."""
    owner: str | None = None
    """Team or person who acts on alerts."""
    timezone: Annotated[str, AfterValidator(check_zone)] = "UTC"
    """IANA zone of schedules, periods and deadlines."""
    alerts: Alerts = Alerts()
    """Where anomalies are told."""
    metric_sets: Annotated[Mapping[Name, MetricSet], Field(min_length=1)]
    """What is measured."""

    @property
    def zone(self) -> ZoneInfo:
        """The project's zone."""
        return ZoneInfo(self.timezone)


def json_schema() -> dict[str, Any]:
    """JSON Schema of a project file, for editors."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Project.model_json_schema()}
