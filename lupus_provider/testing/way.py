"""The whole way of a point in one folder: a small table, four stores, every step; and what the stores say at the end.

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
from lupus_provider.periods import Span
from lupus_provider.records import KINDS
from lupus_provider.steps.alert import alert
from lupus_provider.steps.collect import collect
from lupus_provider.steps.detect import detect
from lupus_provider.steps.load_history import load_history
from lupus_provider.steps.load_index import load_index
from lupus_provider.steps.target import Target
from lupus_provider.stores.files import sweep_temporary
from lupus_provider.stores.history.base import HistoryQuery
from lupus_provider.stores.index import tables
from lupus_provider.testing.builders import METRIC_SET, PROJECT, a_project, content, day
from lupus_provider.testing.faults import Acts, injected, kill, stop

if TYPE_CHECKING:
    from pathlib import Path

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
class Way:
    """Stores and source in one folder, and a run over some days."""

    home: Path
    days: int = 2

    @cached_property
    def target(self) -> Target:
        """What the run works on."""
        return Target(a_project(), METRIC_SET, Span(day(0), day(self.days)))

    @cached_property
    def stage(self) -> Any:
        """The stage."""
        return stores.open_stage((self.home / "stage").as_uri())

    @cached_property
    def history(self) -> Any:
        """The history."""
        return stores.open_history((self.home / "history").as_uri())

    @cached_property
    def index(self) -> Any:
        """The index."""
        return stores.open_index(f"sqlite:///{self.home / 'index.db'}")

    @cached_property
    def ledger(self) -> Any:
        """The ledger."""
        return stores.open_ledger(f"sqlite:///{self.home / 'ledger.db'}")

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
        """Return what all stores say, without who wrote it and when."""
        history = {
            name: content(kind, self.history.scan(HistoryQuery(kind, PROJECT, METRIC_SET)).read_all())
            for name, kind in KINDS.items()
        }
        staged = {
            (name, file.period_start): content(kind, self.stage.read(kind, file))
            for name, kind in KINDS.items()
            for file in self.stage.files(kind, PROJECT, METRIC_SET, self.target.span)
        }
        with self.index.engine.connect() as connection:
            rows = {t.name: sorted(map(repr, connection.execute(sa.select(t)))) for t in tables.metadata.sorted_tables}
        episodes = self.ledger.episodes(PROJECT, METRIC_SET, datetime(1970, 1, 1, tzinfo=UTC))
        outbox = {state: [m.message_id for m in self.ledger.messages(state)] for state in ("pending", "sent", "failed")}
        lines = [json.loads(line)["message_id"] for line in self.channel.path.read_text().splitlines()]  # type: ignore[union-attr]
        return {
            "history": history,
            "stage": staged,
            "index": rows,
            "episodes": episodes,
            "outbox": outbox,
            "told": lines,
        }

    def leavings(self) -> list[str]:
        """Return files that no store needs: temporary ones of dead writers, and versions that no manifest names."""
        for store in ("stage", "history"):
            sweep_temporary(self.home / store)
        left = [str(file) for store in ("stage", "history") for file in (self.home / store / ".tmp").glob("*")]
        manifests = " ".join(file.read_text() for file in (self.home / "history").rglob("manifest.json"))
        return left + [str(v) for v in (self.home / "history").rglob("v=*") if v.name not in manifests]


def run_step(
    home: Path, step: Step, now: datetime, fault: Literal["none", "kill", "stop"] = "none", at: int = 0
) -> None:
    """Run a step in this process, with a fault at its `at`-th act of writing; for `processes.start`."""
    way = Way(home)
    with injected(at, {"none": _nothing, "kill": kill, "stop": stop}[fault]):
        way.run(step, now)


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


__all__ = ["NOW", "STEPS", "Step", "Way", "count_acts", "die_making_databases", "run_step", "write_source"]
