"""An existing DAG that measures its own table as soon as the table is written, instead of waiting for a schedule."""

from __future__ import annotations

from pathlib import Path

from airflow.sdk import DAG, task

from lupus_provider.operators.collect import CollectOperator
from lupus_provider.operators.load_history import LoadHistoryOperator
from lupus_provider.operators.load_index import LoadIndexOperator

PROJECT_FILE = str(Path(__file__).resolve().parents[2] / "include" / "projects" / "flights.yaml")

with DAG("example_collect_in_your_dag", schedule=None, tags=["lupus", "example"]) as dag:

    @task
    def write_table() -> str:
        """Stand in for the job that writes the table."""
        return "flights/weather.parquet"

    # [START collect]
    measured = {"project": "flights", "metric_set": "weather", "project_file": PROJECT_FILE}
    collect = CollectOperator(task_id="collect", **measured)
    load_history = LoadHistoryOperator(task_id="load_history", **measured)
    load_index = LoadIndexOperator(task_id="load_index", **measured)

    write_table() >> collect >> [load_history, load_index]
    # [END collect]
