"""The whole way of a point: a small table, four stores in a folder or on servers, every step; and what the stores say at the end.

Fault tests interrupt its steps in real processes and compare the end with that of an undisturbed way.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

import lupus_provider.engines.duckdb  # noqa: F401  (so that a fork server has it)
from lupus_provider import stores
from lupus_provider.alert.channels import Channel
from lupus_provider.errors import Transient
from lupus_provider.periods import Span
from lupus_provider.records import ANOMALIES, EVALUATIONS, KINDS, POINTS
from lupus_provider.steps.alert import alert
from lupus_provider.steps.collect import collect
from lupus_provider.steps.detect import detect
from lupus_provider.steps.load_history import load_history
from lupus_provider.steps.load_index import load_index
from lupus_provider.steps.target import Target
from lupus_provider.stores.files import sweep_temporary
from lupus_provider.stores.history.base import HistoryQuery
from lupus_provider.stores.index import tables
from lupus_provider.stores.index.base import CatalogQuery
from lupus_provider.testing.builders import METRIC_SET, PROJECT, a_project, content, day
from lupus_provider.testing.faults import Acts, injected, kill, stop

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lupus_provider.config import Project
    from lupus_provider.stores.index.elastic import ElasticAccess
    from lupus_provider.stores.objects.access import S3Access

Step = Literal[
    "collect", "load_history", "load_index", "detect", "load_history_verdicts", "load_index_verdicts", "alert"
]
STEPS: tuple[Step, ...] = (
    "collect", "load_history", "load_index", "detect", "load_history_verdicts", "load_index_verdicts", "alert",
)  # fmt: skip
VERDICTS = ("anomalies", "evaluations")
NOW = day(30)
PATIENCE = timedelta(seconds=0)


def write_source(folder: Path, days: int, shift: float = 0.0) -> None:
    """Write the measured table: some rows a day, the last day strange."""
    rng = np.random.default_rng(1)
    at = [day(n, hour) for n in range(days) for hour in (1, 13)]
    age = rng.normal(30 + shift, 1, len(at))
    age[-2:] += 40
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"at": pa.array(at, pa.timestamp("us", "UTC")), "age": age}), folder / "orders.parquet")


@dataclass(frozen=True)
class Places:
    """Stores on servers; plain, so that it crosses process borders. The ledger stays in the way's folder."""

    stage: str
    history: str
    index: str
    s3: S3Access
    elastic: ElasticAccess
    hive: tuple[Callable[[], Any], str] | None = None
    """How to connect to HiveServer2, an importable function, and the database there that is told of the history."""


@dataclass(frozen=True)
class Way:
    """Stores and source, and a run over some days of one metric set.

    Parameters
    ----------
    home
        Folder of the source and of the embedded stores.
    days, first
        How many days the run works on, and which is the first.
    places
        Stores on servers; None: all are in the folder.
    metric_set, metric_sets
        The one that the run works on, of as many as the project has.
    """

    home: Path
    days: int = 2
    places: Places | None = None
    first: int = 0
    metric_set: str = METRIC_SET
    metric_sets: int = 1

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle what it was made of: every process opens stores of its own."""
        return Way, (self.home, self.days, self.places, self.first, self.metric_set, self.metric_sets)

    @cached_property
    def target(self) -> Target:
        """What the run works on."""
        project = a_project() if self.metric_sets == 1 else _project_of(self.metric_sets)
        return Target(project, self.metric_set, Span(day(self.first), day(self.first + self.days)))

    @cached_property
    def stage(self) -> Any:
        """The stage."""
        places = self.places
        return stores.open_stage(places.stage, places.s3) if places else stores.open_stage(self._folder("stage"))

    @cached_property
    def history(self) -> Any:
        """The history."""
        if self.places is None:
            return stores.open_history(self._folder("history"))
        catalog = None if self.places.hive is None else _catalog(*self.places.hive)
        return stores.open_history(self.places.history, self.places.s3, catalog)

    @cached_property
    def index(self) -> Any:
        """The index."""
        if self.places is None:
            return stores.open_index(f"sqlite:///{self.home / 'index.db'}")
        return stores.open_index(self.places.index, self.places.elastic)

    @cached_property
    def ledger(self) -> Any:
        """The ledger."""
        return stores.open_ledger(f"sqlite:///{self.home / 'ledger.db'}")

    def _folder(self, name: str) -> str:
        return (self.home / name).as_uri()

    def close(self) -> None:
        """Close what the stores have opened."""
        for name in ("stage", "history", "index", "ledger"):
            store = vars(self).pop(name, None)
            if hasattr(store, "close"):
                store.close()

    @property
    def channel(self) -> Channel:
        """Channel that keeps what was told."""
        return Channel("file", "file", path=self.home / "told.jsonl")

    def run(self, step: Step, now: datetime = NOW) -> None:
        """Run one step."""
        target = self.target
        if step == "collect":
            collect(target, self.stage, self.home / "data", "run", now)
        elif step == "load_history":
            load_history(target, self.stage, self.history)
        elif step == "load_index":
            load_index(target, self.stage, self.index)
        elif step == "detect":
            detect(target, self.history, self.stage, now, "run")
        elif step == "load_history_verdicts":
            for kind in VERDICTS:
                load_history(target, self.stage, self.history, kind)
        elif step == "load_index_verdicts":
            load_index(target, self.stage, self.index, VERDICTS)
        else:
            alert(target, self.history, self.ledger, self.channel, now, PATIENCE)

    def run_from(self, step: Step, now: datetime = NOW) -> None:
        """Run a step and all that come after it."""
        for later in STEPS[STEPS.index(step) :]:
            self.run(later, now)

    def said(self) -> dict[str, Any]:
        """Return what all stores in the folder say, without who wrote it, when and how often; of the index every row."""
        with self.index.engine.connect() as connection:
            rows = {
                t.name: sorted(
                    map(repr, connection.execute(sa.select(*(c for c in t.c if c is not tables.metric_set.c.version))))
                )
                for t in tables.metadata.sorted_tables
            }
        return self.known() | {"index": rows} | self.heard()

    def known(self) -> dict[str, Any]:
        """Return what stage and history say of the metric set, and what a page gets from the index, whatever the stores are."""
        names = PROJECT, self.metric_set
        history = {
            name: content(kind, self.history.scan(HistoryQuery(kind, *names)).read_all())
            for name, kind in KINDS.items()
        }
        staged = {
            (name, file.period_start): content(kind, self.stage.read(kind, file))
            for name, kind in KINDS.items()
            for file in self.stage.files(kind, *names, self.target.span)
        }
        return {"history": history, "stage": staged, "page": _page(self.index, *names)}

    def heard(self) -> dict[str, Any]:
        """Return what people were told, and what the ledger knows of it."""
        episodes = self.ledger.episodes(PROJECT, self.metric_set, datetime(1970, 1, 1, tzinfo=UTC))
        outbox = {state: [m.message_id for m in self.ledger.messages(state)] for state in ("pending", "sent", "failed")}
        lines = [json.loads(line)["message_id"] for line in self.channel.path.read_text().splitlines()]  # type: ignore[union-attr]
        return {"episodes": episodes, "outbox": outbox, "told": lines}

    def leavings(self) -> list[str]:
        """Return files that no store needs: temporary ones of dead writers, and versions that no manifest names."""
        for store in ("stage", "history"):
            sweep_temporary(self.home / store)
        left = [str(file) for store in ("stage", "history") for file in (self.home / store / ".tmp").glob("*")]
        manifests = " ".join(file.read_text() for file in (self.home / "history").rglob("manifest.json"))
        return left + [str(v) for v in (self.home / "history").rglob("v=*") if v.name not in manifests]


def _page(index: Any, project: str, metric_set: str) -> dict[str, Any]:
    """Return all that an index says of a metric set."""
    mine = frozenset({project})
    found = index.search(CatalogQuery(mine, filters={"metric_set": frozenset({metric_set})}, limit=200)).items
    found = sorted(found, key=lambda item: item.series_id)
    ids = [item.series_id for item in found]
    points, bands = index.points(ids, None, None), index.bands(ids, None, None)
    return {  # repr: a number that is none equals itself then
        "series": [repr(item) for item in found],
        "points": {sid: repr((p.t.tolist(), p.value.tolist())) for sid, p in sorted(points.items())},
        "bands": {
            sid: sorted(repr((b.detector, b.t.tolist(), b.expected.tolist())) for b in every)
            for sid, every in sorted(bands.items())
        },
        "anomalies": [repr(row) for row in index.anomalies(mine, series_ids=ids, limit=200).items] if ids else [],
        "periods": {
            kind.name: dict(index.periods(kind, project, metric_set)) for kind in (POINTS, ANOMALIES, EVALUATIONS)
        },
    }


def _project_of(metric_sets: int) -> Project:
    one = a_project().metric_sets[METRIC_SET]
    named = {METRIC_SET: one} | {f"{METRIC_SET}_{n}": one for n in range(1, metric_sets)}
    return a_project().model_copy(update={"metric_sets": named})


def _catalog(connect: Callable[[], Any], database: str) -> Any:
    from lupus_provider.stores.history.hive import HiveCatalog, HiveOptions

    return HiveCatalog(connect, HiveOptions(database=database, timeout=120))


def run_step(
    way: Way | Path, step: Step, now: datetime, fault: Literal["none", "kill", "stop"] = "none", at: int = 0
) -> None:
    """Run a step in this process, with a fault at its `at`-th act of writing; for `processes.start`."""
    way = way if isinstance(way, Way) else Way(way)
    fail = {"none": _nothing, "kill": kill, "stop": stop}[fault]
    with injected(at, fail, is_remote=way.places is not None and fault != "none"):
        way.run(step, now)


def run_steps(way: Way, now: datetime, *steps: Step) -> None:
    """Run steps one after the other; for `processes.start`."""
    for step in steps:
        way.run(step, now)


def run_retried(way: Way, now: datetime, *steps: Step) -> None:
    """Run steps as Airflow does: one that fails by an error that a retry may help is tried again, twice."""
    for step in steps:
        for attempt in range(3):
            try:
                way.run(step, now)
            except Transient:
                if attempt == 2:
                    raise
            else:
                break


def die_making_databases(home: Path, at: int) -> None:
    """Open index and ledger for the first time in this process, killed at the `at`-th act."""
    way = Way(home)
    with injected(at, kill):
        assert way.index is not way.ledger


def count_acts(home: Path, step: Step) -> Acts:
    """Run a step undisturbed and return its acts of writing."""
    with injected(0, _nothing) as acts:
        Way(home).run(step)
    return acts


def _nothing() -> None:
    return None


__all__ = [
    "NOW",
    "STEPS",
    "Places",
    "Step",
    "Way",
    "count_acts",
    "die_making_databases",
    "run_retried",
    "run_step",
    "run_steps",
    "write_source",
]
