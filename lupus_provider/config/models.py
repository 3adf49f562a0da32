"""What a project file says: one ML product, its metric sets, what is judged and who is told.

These models are the only definition: YAML, JSON Schema, forms and documentation come from them. They check shape and names;
whether a column exists is for the run to find out.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator

from lupus_provider.config.metric_set import MetricSet
from lupus_provider.config.parts import Model, Name, check_zone
from lupus_provider.config.processors import AnyMetricSet
from lupus_provider.config.retention import Retention
from lupus_provider.config.source import Source
from lupus_provider.detectors import Severity

LONGEST = {
    "hour": timedelta(hours=1),
    "day": timedelta(hours=25),
    "week": timedelta(hours=169),
    "month": timedelta(hours=745),
}
"""Length of the longest period of each kind: clocks are put back by an hour."""

__all__ = ["Alerts", "MetricSet", "Project", "Retention", "Source", "json_schema"]


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
    retention: Retention = Retention()
    """How long records are kept; none: for ever."""
    metric_sets: Annotated[Mapping[Name, AnyMetricSet], Field(min_length=1)]  # pyright: ignore[reportInvalidTypeForm]
    """What is measured."""

    @property
    def zone(self) -> ZoneInfo:
        """The project's zone."""
        return ZoneInfo(self.timezone)

    def retention_of(self, metric_set: str) -> Retention:
        """Return how long the records of a metric set are kept: what it says itself, else what the project says."""
        return self.retention.under(self.metric_sets[metric_set].retention)

    @model_validator(mode="after")
    def _kept_longer_than_revisited(self) -> Project:
        for name, metric_set in self.metric_sets.items():
            kept, span = self.retention_of(name), (metric_set.revisit + 1) * LONGEST[metric_set.period]
            for store, age in (("history", kept.history), ("index", kept.index)):
                if age is not None and age < span:
                    raise ValueError(
                        f"'retention' keeps the {store} for {age.days} days, and metric set {name!r} measures the last {span.days} days "
                        "again in every run: what expires would come back. Keep it longer, or lower 'revisit'"
                    )
        return self


def json_schema() -> dict[str, Any]:
    """JSON Schema of a project file, for editors."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Project.model_json_schema()}
