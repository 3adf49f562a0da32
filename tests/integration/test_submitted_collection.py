"""A collection that `spark-submit` does stages into a bucket by the connection's keys, and nobody sees them on the way."""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from lupus_provider.hooks.spark import SparkConnections
from lupus_provider.hooks.stores import LupusHook
from lupus_provider.periods import Span
from lupus_provider.records import POINTS
from lupus_provider.steps.collect import collect
from lupus_provider.steps.target import Target
from lupus_provider.testing.builders import METRIC_SET, PROJECT, a_project, day
from lupus_provider.testing.way import write_source

pytest.importorskip("airflow.providers.apache.spark")
# Airflow's hook leaves the pipe of spark-submit open.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
DAYS = 2


@pytest.fixture
def stores(s3_server, tmp_path, monkeypatch):
    bucket = s3_server.make_bucket("submitted")
    connections = {
        "STAGE": {"conn_type": "lupus", "host": f"s3://{bucket}/{tmp_path.name}", "extra": {"aws_conn_id": "lupus_s3"}},
        "SPARK": {"conn_type": "spark", "host": "local[1]", "extra": {"submit": True, "spark.ui.enabled": "false"}},
    }
    for name, connection in connections.items():
        monkeypatch.setenv(f"AIRFLOW_CONN_LUPUS_{name}", json.dumps(connection))
    monkeypatch.setenv("AIRFLOW_CONN_LUPUS_S3", s3_server.connection)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    monkeypatch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
    return LupusHook()


class Spy:
    """Looks at the arguments of all processes below this one, as anybody on the machine can."""

    def __init__(self):
        self.seen, self._ended = set(), threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def _look(self):
        while not self._ended.wait(0.05):
            for process in psutil.Process().children(recursive=True):
                with suppress(psutil.Error):
                    self.seen.update(process.cmdline())

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._thread.join()


def test_the_driver_stages_by_the_connections_keys_and_shows_them_to_nobody(stores, s3_server, tmp_path, caplog):
    write_source(tmp_path / "data", DAYS)
    target = Target(a_project(engine="spark"), METRIC_SET, Span(day(0), day(DAYS)))
    connections = SparkConnections("lupus_spark", lambda: stores.access("stage"))
    with Spy() as spy, caplog.at_level(logging.DEBUG):
        done = collect(target, stores.stage, tmp_path / "data", "run", datetime(2026, 1, 1, tzinfo=UTC), connections)
    assert done.points == DAYS * 2
    assert len(stores.stage.files(POINTS, PROJECT, METRIC_SET, target.span)) == DAYS
    assert any("collect_main.py" in word for word in spy.seen), "it was submitted"
    for shown in (*spy.seen, caplog.text, repr(done)):
        assert s3_server.secret not in shown
