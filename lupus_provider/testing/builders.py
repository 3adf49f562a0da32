"""Builders of test material: rows, tables, staged periods and a small project, each right by default.

A test names only what it is about; everything else is filled in the way the product would.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from lupus_provider.config import Project
from lupus_provider.naming import series_id
from lupus_provider.records import ANOMALIES, EVALUATIONS, POINTS, RecordKind
from lupus_provider.stores.history.base import Incoming

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DAY = timedelta(days=1)
PROJECT, METRIC_SET = "shop", "orders"


def day(n: int = 0, hour: int = 0) -> datetime:
    """Return the n-th day of 2024 in UTC."""
    return datetime(2024, 1, 1, hour, tzinfo=UTC) + n * DAY


def a_point(value: float | None = 1.0, start: datetime | None = None, **given: Any) -> dict[str, Any]:
    """Return a point; its series id is made of what identifies it unless it is given."""
    start = start or day()
    row: dict[str, Any] = {
        "column_name": "age", "metric": "avg", "entity": None, "group_key": {}, "period_start": start, "period_end": start + DAY,
        "value": value, "n_rows": 100, "error": None, "model_version": None, "sample_ratio": None, "run_id": "test", "collected_at": day(400), **given,
    }  # fmt: skip
    row["group_key"] = dict(row["group_key"])
    identity = (row["column_name"], row["metric"], row["entity"], row["group_key"])
    return {"series_id": series_id(PROJECT, METRIC_SET, *identity), **row}


def an_evaluation(outcome: str = "normal", start: datetime | None = None, **given: Any) -> dict[str, Any]:
    """Return an evaluation of the series that `a_point` makes."""
    return {
        "series_id": a_point()["series_id"], "period_start": start or day(), "detector": "window:00000000", "outcome": outcome,
        "expected": 1.0, "lower": 0.0, "upper": 2.0, "score": 0.5, "run_id": "test", "detected_at": day(400), **given,
    }  # fmt: skip


def an_anomaly(value: float | None = 9.0, start: datetime | None = None, **given: Any) -> dict[str, Any]:
    """Return an anomaly of the series that `a_point` makes."""
    return {
        "series_id": a_point()["series_id"], "period_start": start or day(), "detector": "window:00000000", "kind": "spike",
        "value": value, "expected": 1.0, "lower": 0.0, "upper": 2.0, "score": 1e-6, "severity": "high", "direction": "up",
        "run_id": "test", "detected_at": day(400), **given,
    }  # fmt: skip


def a_table(kind: RecordKind, rows: Iterable[Mapping[str, Any]] = ()) -> pa.Table:
    """Return rows as a sorted table of the kind."""
    columns = {field.name: [] for field in kind.schema}
    for row in rows:
        for name, values in columns.items():
            values.append(list(row[name].items()) if name == "group_key" else row[name])
    return kind.sort(pa.table(columns, schema=kind.schema))


def points(*rows: Mapping[str, Any]) -> pa.Table:
    """Return a table of points."""
    return a_table(POINTS, rows)


def anomalies(*rows: Mapping[str, Any]) -> pa.Table:
    """Return a table of anomalies."""
    return a_table(ANOMALIES, rows)


def evaluations(*rows: Mapping[str, Any]) -> pa.Table:
    """Return a table of evaluations."""
    return a_table(EVALUATIONS, rows)


def incoming(
    start: datetime, table: pa.Table, kind: RecordKind = POINTS, written_at: datetime | None = None
) -> Incoming:
    """Return a period as a load brings it."""
    return Incoming(start, kind.digest(table), written_at or day(400), lambda: table)


def content(kind: RecordKind, table: pa.Table) -> list[dict[str, Any]]:
    """Return what a table says, without who said it and when."""
    return kind.sort(table).drop_columns(list(kind.provenance)).to_pylist()


def a_project(**metric_set: Any) -> Project:
    """Return a project `shop` with one metric set `orders`, of daily rows in `orders.parquet`."""
    given = {
        "source": {"path": "orders.parquet", "time_column": "at"}, "column_metrics": {"age": ["avg"]},
        "detect": [{"detector": "threshold", "metrics": ["avg"], "max": 50.0, "severity": "high"}], **metric_set,
    }  # fmt: skip
    return Project.model_validate({"project": PROJECT, "timezone": "UTC", "metric_sets": {METRIC_SET: given}})
