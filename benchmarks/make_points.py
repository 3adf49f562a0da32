"""Makes points, evaluations and anomalies of many series, seeded: what the stores' benchmarks load.

Made up, because the questions are about cost: how many series, periods, groups and flagged points there are is chosen.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import islice, product
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from lupus_provider.naming import series_id
from lupus_provider.records import ANOMALIES, EVALUATIONS, GROUP_KEY, INSTANT, POINTS
from lupus_provider.stores.history.base import Incoming
from lupus_provider.stores.index.base import MetricSetInfo

if TYPE_CHECKING:
    from lupus_provider.records import RecordKind

SEED = 7
FIRST = datetime(2025, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
WRITTEN = datetime(2026, 1, 1, tzinfo=UTC)
COLUMNS = [f"{kind}_{i:02d}" for i in range(5) for kind in ("age", "price", "rating", "device", "clicks")]
METRICS = ["avg", "p25", "p50", "p75", "count", "null_count", "min", "max", "stddev", "unique"]
OS = ["android", "ios", "tv", "web"]
DETECTOR = "seasonal:0a1b2c3d"
FLAGGED = 0.05
"""Share of the series that have anomalies."""
FLAGS = 5
"""Anomalies of such a series."""


@dataclass(frozen=True)
class Series:
    """Series of one metric set, sorted by id.

    Attributes
    ----------
    about
        The metric set.
    size
        How many: columns by metrics by regions by systems, until there are enough.
    days
        Days of a load; the first is the 1st of January 2025.
    """

    about: MetricSetInfo
    size: int
    days: int

    @cached_property
    def identities(self) -> list[tuple[str, str, str, str, str]]:
        """Return id, column, metric, region and system of each."""
        regions = [f"R{i:03d}" for i in range(-(-self.size // (len(COLUMNS) * len(METRICS) * len(OS))) or 1)]
        every = islice(product(COLUMNS, METRICS, regions, OS), self.size)
        project, metric_set = self.about.project, self.about.metric_set
        return sorted(
            (series_id(project, metric_set, column, metric, None, {"os": system, "region": region}), column, metric, region, system)
            for column, metric, region, system in every
        )  # fmt: skip

    @property
    def ids(self) -> list[str]:
        return [one[0] for one in self.identities]

    @cached_property
    def _who(self) -> dict[str, pa.Array]:
        ids, columns, metrics, regions, systems = zip(*self.identities)
        pairs = [value for region, system in zip(regions, systems) for value in (system, region)]
        offsets = pa.array(np.arange(0, 2 * self.size + 1, 2), pa.int32())
        groups = pa.MapArray.from_arrays(offsets, pa.array(["os", "region"] * self.size), pa.array(pairs))
        return {"series_id": pa.array(ids), "column_name": pa.array(columns), "metric": pa.array(metrics),
                "entity": pa.nulls(self.size, pa.string()), "group_key": groups.cast(GROUP_KEY)}  # fmt: skip

    def day(self, n: int) -> datetime:
        """Return the n-th day."""
        return FIRST + n * DAY

    def points(self, n: int) -> pa.Table:
        """Return all points of a day."""
        rng = np.random.default_rng((SEED, n, 1))
        value = 100 + 10 * np.sin(2 * np.pi * n / 7) + rng.normal(0, 3, self.size)
        start = self.day(n)
        rows = {
            **self._who, "period_start": self._same(start, INSTANT), "period_end": self._same(start + DAY, INSTANT), "value": pa.array(value),
            "n_rows": pa.array(rng.integers(100, 100_000, self.size)), "run_id": self._same(f"run {n}", pa.string()),
            "collected_at": self._same(WRITTEN, INSTANT),
        }  # fmt: skip
        return self._table(POINTS, rows)

    def evaluations(self, n: int) -> pa.Table:
        """Return what one detector says of every point of a day."""
        rng = np.random.default_rng((SEED, n, 2))
        expected = 100 + 10 * np.sin(2 * np.pi * n / 7) + rng.normal(0, 0.5, self.size)
        start = self.day(n)
        rows = {
            "series_id": self._who["series_id"], "period_start": self._same(start, INSTANT), "detector": self._same(DETECTOR, pa.string()),
            "outcome": self._same("normal", pa.string()), "expected": pa.array(expected), "lower": pa.array(expected - 9.0),
            "upper": pa.array(expected + 9.0), "score": pa.array(rng.random(self.size)), "run_id": self._same(f"run {n}", pa.string()),
            "detected_at": self._same(WRITTEN, INSTANT),
        }  # fmt: skip
        return self._table(EVALUATIONS, rows)

    @cached_property
    def _flags(self) -> dict[int, list[tuple[str, float]]]:
        """Return day → series that are flagged on it, with their scores."""
        rng = np.random.default_rng((SEED, 3))
        found: dict[int, list[tuple[str, float]]] = {}
        for i in rng.choice(self.size, int(self.size * FLAGGED), replace=False):
            for day in rng.choice(self.days, min(FLAGS, self.days), replace=False):
                found.setdefault(int(day), []).append((self.identities[i][0], float(10 ** -rng.uniform(2, 12))))
        return {day: sorted(flags) for day, flags in found.items()}

    def anomalies(self, n: int) -> pa.Table:
        """Return the flagged points of a day."""
        rows = [
            {"series_id": sid, "period_start": self.day(n), "detector": DETECTOR, "kind": "spike", "value": 150.0, "expected": 100.0,
             "lower": 91.0, "upper": 109.0, "score": score, "severity": "high", "direction": "up", "run_id": f"run {n}", "detected_at": WRITTEN}
            for sid, score in self._flags.get(n, [])
        ]  # fmt: skip
        return pa.Table.from_pylist(rows, ANOMALIES.schema)

    def incoming(self, kind: RecordKind, days: range | None = None) -> list[Incoming]:
        """Return days as a load brings them."""
        make = {POINTS.name: self.points, EVALUATIONS.name: self.evaluations, ANOMALIES.name: self.anomalies}[kind.name]
        found = []
        for n in range(self.days) if days is None else days:
            table = make(n)
            found.append(Incoming(self.day(n), kind.digest(table), WRITTEN, lambda table=table: table))
        return found

    def _same(self, value: object, type_: pa.DataType) -> pa.Array:
        return pa.repeat(pa.scalar(value, type_), self.size)

    def _table(self, kind: RecordKind, rows: dict[str, pa.Array]) -> pa.Table:
        every = [rows.get(field.name, pa.nulls(self.size, field.type)) for field in kind.schema]
        return pa.table(every, schema=kind.schema)


def metric_sets(series: int, days: int, sets: int = 5, project: str = "bench") -> list[Series]:
    """Return metric sets of equal size that have so many series together."""
    return [
        Series(MetricSetInfo(project, f"set_{i}", "day", "UTC"), series // sets, days) for i in range(sets if series >= sets else 1)
    ]  # fmt: skip
