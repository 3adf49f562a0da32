"""A small index that tests know by heart: two projects, three metric sets, forty days, a few anomalies."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from lupus_provider.naming import series_id, series_name
from lupus_provider.records import ANOMALIES, EVALUATIONS, POINTS, RecordKind
from lupus_provider.stores.history.base import Incoming
from lupus_provider.stores.index.base import MetricSetInfo

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lupus_provider.stores.index.base import IndexStore

DAY = 86_400
FIRST = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = 40
NOW = FIRST + timedelta(days=DAYS, hours=6)


def at(day: int) -> int:
    """Epoch seconds of a day of the data, counted from 0."""
    return int(FIRST.timestamp()) + day * DAY


@dataclass(frozen=True)
class Line:
    """One series and what was found in it: day → score."""

    project: str
    metric_set: str
    column: str
    metric: str
    group: dict[str, str | None] = field(default_factory=dict)
    entity: str | None = None
    flagged: dict[int, float] = field(default_factory=dict)
    last_day: int = DAYS - 1
    expected: float = 10.0
    last_value: float = 10.0
    failed: dict[int, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return series_id(self.project, self.metric_set, self.column, self.metric, self.entity, self.group)

    @property
    def name(self) -> str:
        return series_name(self.column, self.metric, self.entity, self.group)

    def value(self, day: int) -> float | None:
        if day in self.failed:
            return None
        if day in self.flagged:
            return self.expected * 7
        return self.last_value if day == self.last_day else self.expected + math.sin(day) / 3

    @property
    def is_stale(self) -> bool:
        return self.last_day < DAYS - 1


JP, US, FR, NULL = ({"country": country} for country in ("JP", "US", "FR", None))
BOTH = {"country": "JP", "device": "iOS"}
LINES = [
    Line("alpha", "orders", "", "row_count", {}, flagged={5: 1e-3}),
    Line("alpha", "orders", "", "row_count", JP, flagged={20: 1e-6, 21: 1e-9}),
    Line("alpha", "orders", "", "row_count", US),
    Line("alpha", "orders", "", "row_count", FR, last_day=25),
    Line("alpha", "orders", "", "row_count", NULL),
    Line("alpha", "orders", "amount", "avg", {}, flagged={39: 1e-12}, failed={7: "=cmd|' /C calc'!A0", 8: "-1"}),
    Line("alpha", "orders", "amount", "avg", JP, last_value=30.0),
    Line("alpha", "orders", "amount", "p95", JP),
    Line("alpha", "orders", "amount", "p95", BOTH),
    Line("alpha", "orders", "amount_100%", "avg", {}),
    Line("alpha", "orders", "device", "count", {}, entity="it's; DROP TABLE lupus_series; --"),
    Line("alpha", "users", "age", "avg", {}, flagged={12: 1e-4}),
    Line("alpha", "users", "", "row_count", {}, last_day=30),
    Line("beta", "sales", "hidden_revenue", "avg", {}, flagged={39: 1e-30}),
    Line("beta", "sales", "hidden_revenue", "avg", {"region_code": "XX-7"}, flagged={3: 1e-8}),
    Line("beta", "sales", "", "row_count", {}, last_day=10),
]
ALPHA = [line for line in LINES if line.project == "alpha"]
BETA = [line for line in LINES if line.project == "beta"]
HIDDEN_WORDS = ("beta", "sales", "hidden_revenue", "region_code", "XX-7", *(line.id for line in BETA))
"""What nobody may learn who may not read `beta`."""
DETECTOR, QUIET = "seasonal:aaaaaaaa", "threshold:bbbbbbbb"


def _incoming(kind: RecordKind, rows: Iterable[dict[str, Any]]) -> list[Incoming]:
    by_period: dict[datetime, list[dict[str, Any]]] = {}
    for row in rows:
        by_period.setdefault(row["period_start"], []).append(row)
    found = []
    for start, records in by_period.items():
        table = kind.sort(pa.Table.from_pylist(records, kind.schema))
        found.append(Incoming(start, kind.digest(table), NOW, lambda table=table: table))
    return found


def _rows(line: Line) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
    points, evaluations, anomalies = [], [], []
    for day in range(line.last_day + 1):
        start, value = FIRST + timedelta(days=day), line.value(day)
        points.append({
            "series_id": line.id, "column_name": line.column, "metric": line.metric, "entity": line.entity,
            "group_key": list(line.group.items()), "period_start": start, "period_end": start + timedelta(days=1),
            "value": value, "n_rows": 100 + day, "error": line.failed.get(day), "run_id": "r", "collected_at": NOW,
        })  # fmt: skip
        judged = {
            "series_id": line.id, "period_start": start, "detector": DETECTOR, "expected": line.expected,
            "lower": line.expected - 1, "upper": line.expected + 1, "score": line.flagged.get(day, 0.5),
            "run_id": "r", "detected_at": NOW,
        }  # fmt: skip
        if day >= 2:  # the first days are too short to be judged
            evaluations.append({**judged, "outcome": "anomaly" if day in line.flagged else "normal"})
            evaluations.append(
                {**judged, "outcome": "normal", "detector": QUIET, "expected": None, "lower": None, "upper": 99.0}
            )
        if day in line.flagged:
            about = {"kind": "spike", "severity": "high", "direction": "up", "value": value}
            anomalies.append({**judged, **about})
    return points, evaluations, anomalies


def fill(index: IndexStore) -> None:
    """Load everything."""
    for project, metric_set in sorted({(line.project, line.metric_set) for line in LINES}):
        about = MetricSetInfo(project, metric_set, "day", "UTC")
        lines = [line for line in LINES if (line.project, line.metric_set) == (project, metric_set)]
        parts = list(zip(*(_rows(line) for line in lines)))
        for kind, rows in zip((POINTS, EVALUATIONS, ANOMALIES), parts):
            incoming = _incoming(kind, [row for part in rows for row in part])
            index.load(kind, about, lambda incoming=incoming: incoming)
