"""Runs of the DAGs that the factory makes, in this process, with the embedded stores."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lupus_provider.dag_factory import load_project_dags
from lupus_provider.records import ANOMALIES, EVALUATIONS, POINTS
from lupus_provider.stores import open_history, open_index
from lupus_provider.stores.history.base import HistoryQuery

if TYPE_CHECKING:
    from pathlib import Path

YAML = """
project: shop
timezone: Asia/Tokyo
alerts: {channel: file, severity: low}
metric_sets:
  orders:
    schedule: "0 6 * * *"
    source: {path: shop/orders.parquet, time_column: at}
    group_sets: [[], [region]]
    column_metrics:
      price: [avg, null_ratio]
    detect:
      - {detector: threshold, columns: [price], metrics: [null_ratio], max: 0.5, severity: critical}
"""
DAYS = 10
BROKEN_DAY = 7
CONF = {"from": "2026-03-01", "to": "2026-03-10"}


def orders() -> pa.Table:
    """Eight orders a day of Tokyo; on one day no price is known."""
    rows = [
        {
            # 15:00 UTC is midnight in Tokyo: all orders of a day stand exactly on its border.
            "at": datetime(2026, 2, 28, 15, tzinfo=UTC) + timedelta(days=day),
            "price": None if day == BROKEN_DAY else float(10 + number),
            "region": "JP" if number % 2 else None,
        }
        for day in range(DAYS)
        for number in range(8)
    ]
    return pa.Table.from_pylist(rows)


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    for name, folder in {"HOME": "stores", "DATA_FOLDER": "data"}.items():
        monkeypatch.setenv(f"AIRFLOW__LUPUS__{name}", str(tmp_path / folder))
    (tmp_path / "data" / "shop").mkdir(parents=True)
    pq.write_table(orders(), tmp_path / "data" / "shop" / "orders.parquet")
    return tmp_path


@pytest.fixture
def dag(home):
    (home / "shop.yaml").write_text(YAML)
    namespace: dict = {}
    load_project_dags(namespace, home / "shop.yaml")
    return namespace["lupus.shop.orders"]


def read(home: Path, kind, *columns: str) -> list[tuple]:
    history = open_history(f"file://{home}/stores/history")
    table = history.scan(HistoryQuery(kind, "shop", "orders")).read_all()
    return sorted((tuple(row[name] for name in columns) for row in table.to_pylist()), key=repr)


def digests(home: Path) -> list[dict]:
    stores = open_history(f"file://{home}/stores/history"), open_index(f"sqlite:///{home}/stores/index.db")
    return [
        dict(store.periods(kind, "shop", "orders")) for store in stores for kind in (POINTS, ANOMALIES, EVALUATIONS)
    ]


def test_one_run_takes_a_span_from_table_to_message(dag, home, run_dag):
    run = run_dag(dag, run_conf=CONF)
    assert run.state == "success"
    assert {ti.task_id: ti.state for ti in run.get_task_instances()} == dict.fromkeys(
        (task.task_id for task in dag.tasks), "success"
    )
    rows = [value for metric, value in read(home, POINTS, "metric", "value") if metric == "row_count"]
    assert sorted(rows) == [4.0] * (2 * DAYS) + [8.0] * DAYS
    assert {start for (start,) in read(home, ANOMALIES, "period_start")} == {
        datetime(2026, 3, BROKEN_DAY, 15, tzinfo=UTC)
    }
    assert (home / "stores" / "alerts.jsonl").read_text().count("\n") == 1


def test_the_index_says_what_the_history_says(dag, home, run_dag):
    run_dag(dag, run_conf=CONF)
    history, index = digests(home)[:3], digests(home)[3:]
    assert index == history
    assert all(len(periods) == DAYS for periods in history)


def test_a_span_in_one_run_in_two_and_again_gives_the_same_stores_and_no_second_message(dag, home, run_dag):
    run_dag(dag, run_conf={"from": "2026-03-01", "to": "2026-03-08"})
    run_dag(dag, run_conf={"from": "2026-03-06", "to": "2026-03-10"})
    in_two, told = digests(home), (home / "stores" / "alerts.jsonl").read_text()
    assert told.count("\n") == 2, "the first run told of a trouble, the second that it is over"
    run_dag(dag, run_conf=CONF)
    assert digests(home) == in_two
    assert (home / "stores" / "alerts.jsonl").read_text() == told


def test_a_run_without_conf_measures_the_last_complete_day_before_it_was_due(dag, home, run_dag):
    # Scheduled at 06:00 in Tokyo on 9 March; the zero-length interval ends there.
    run_dag(dag, logical_date=datetime(2026, 3, 8, 21, tzinfo=UTC))
    assert set(read(home, POINTS, "period_start")) == {(datetime(2026, 3, 7, 15, tzinfo=UTC),)}


@pytest.mark.parametrize(
    "conf", [{"form": "2026-03-01"}, {"from": "2026-03-01"}, {"from": "2026-03-02", "to": "2026-03-01"}]
)
def test_a_conf_that_means_nothing_fails_the_first_task_and_writes_nothing(dag, home, run_dag, conf):
    run = run_dag(dag, run_conf=conf)
    assert run.state == "failed"
    states = {ti.task_id: ti.state for ti in run.get_task_instances()}
    assert states.pop("collect") == "failed"
    assert set(states.values()) == {"upstream_failed"}
    assert not (home / "stores" / "stage").exists() or not list((home / "stores" / "stage").rglob("*.parquet"))


def test_xcoms_are_counts_and_paths_never_points(dag, home, run_dag):
    run = run_dag(dag, run_conf=CONF)
    for ti in run.get_task_instances():
        value = ti.xcom_pull(task_ids=ti.task_id)
        assert all(isinstance(item, int | str) for item in value.values()), ti.task_id
        assert len(str(value)) < 2_000
