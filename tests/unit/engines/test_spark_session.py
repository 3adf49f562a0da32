from __future__ import annotations

import os
import subprocess
import sys

import psutil
import pytest

from lupus_provider.engines.spark_session import embedded_conf, spark_session
from lupus_provider.errors import EngineFailedError, Terminal, Transient
from lupus_provider.testing.spark import connect_server, free_port, standalone_cluster


def test_the_embedded_session_is_seen_by_nobody_else_and_works_in_utc(local):
    assert {
        name: local.conf.get(name) for name in ("spark.ui.enabled", "spark.driver.host", "spark.driver.bindAddress")
    } == {
        "spark.ui.enabled": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
    }
    assert local.conf.get("spark.sql.session.timeZone") == "UTC"
    assert local.conf.get("spark.sql.ansi.enabled") == "true"
    (java,) = (child for child in psutil.Process().children(recursive=True) if child.name() == "java" and "SparkSubmit" in " ".join(child.cmdline()) and "SparkConnectServer" not in " ".join(child.cmdline()))  # fmt: skip
    addresses = {
        c.laddr.ip.removeprefix("::ffff:") for c in java.net_connections("tcp") if c.status == psutil.CONN_LISTEN
    }
    assert addresses == {"127.0.0.1"}


def test_a_session_that_runs_keeps_its_settings(local, caplog):
    assert spark_session(conf={"spark.sql.session.timeZone": "Asia/Tokyo"}) is local
    assert local.conf.get("spark.sql.session.timeZone") == "UTC"
    assert "not set: spark.sql.session.timeZone" in caplog.text


def test_the_environment_is_as_before(local):
    assert "SPARK_LOCAL_IP" not in os.environ
    assert "SPARK_CONNECT_MODE_ENABLED" not in os.environ


def test_a_server_and_an_embedded_session_live_side_by_side(local, remote):
    assert local.range(3).count() == remote.range(3).count() == 3
    assert type(remote).__module__.startswith("pyspark.sql.connect.")
    assert spark_session() is local


def test_an_address_has_one_session_until_it_is_stopped():
    with connect_server() as address:
        session = spark_session(remote=address)
        assert spark_session(remote=address) is session
        session.stop()
        again = spark_session(remote=address, conf={"spark.sql.session.timeZone": "Asia/Tokyo"})
        assert again is not session
        assert again.conf.get("spark.sql.session.timeZone") == "Asia/Tokyo"
        again.stop()


def test_a_server_that_is_not_there_is_told_at_once():
    address = f"sc://127.0.0.1:{free_port()}"
    with pytest.raises(EngineFailedError, match="refused") as caught:
        spark_session(remote=address)
    assert isinstance(caught.value, Transient)
    assert not isinstance(caught.value, Terminal)


def test_memory_and_cores_of_the_machine_are_used_within_bounds():
    asked = embedded_conf(cores=8, memory=2048)
    assert (asked["spark.driver.memory"], asked["spark.sql.shuffle.partitions"]) == ("2048m", "16")
    assert 1024 <= int(embedded_conf()["spark.driver.memory"].removesuffix("m")) <= 8192


def test_a_cluster_runs_the_work_and_nothing_is_left_of_it():
    code = (
        "import sys\nfrom lupus_provider.engines.spark_session import spark_session\n"
        "conf = {'spark.executor.memory': '512m', 'spark.driver.host': '127.0.0.1', 'spark.ui.enabled': 'false'}\n"
        "session = spark_session(sys.argv[1], conf=conf)\n"
        "print(session.conf.get('spark.master'), session.range(1000).selectExpr('sum(id)').collect()[0][0])\n"
        "session.stop()\n"
    )
    before = {p.pid for p in psutil.Process().children(recursive=True)}
    with standalone_cluster() as master:
        done = subprocess.run(
            [sys.executable, "-c", code, master], capture_output=True, text=True, timeout=240, check=False
        )
        assert done.returncode == 0, done.stderr[-4000:]
        assert done.stdout.split() == [master, "499500"]
    assert {p.pid for p in psutil.Process().children(recursive=True)} <= before


ON_CLUSTER = """
import sys
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from lupus_provider.engines.spark_session import spark_session
from lupus_provider.processors import DistributionProcessor, DriftProcessor

master, folder = sys.argv[1:]
draw, n = np.random.default_rng(3), 3_000
table = pa.table({
    "region": draw.choice(["a", "b", "c"], n), "age": draw.integers(0, 90, n), "score": draw.normal(size=n),
    "tags": [draw.choice(list("vwxyz"), k).tolist() for k in draw.integers(0, 5, n)],
})
training = pa.table({"score": draw.normal(0.3, 1.0, n)})
for i in range(3):
    pq.write_table(table.slice(i * 1_000, 1_000), f"{folder}/part-{i}.parquet")
conf = {"spark.executor.memory": "512m", "spark.driver.host": "127.0.0.1", "spark.ui.enabled": "false", "spark.sql.shuffle.partitions": "4"}
session = spark_session(master, conf=conf)
frame = session.read.parquet(folder)
assert frame.sparkSession.conf.get("spark.master") == master


def calls(data):
    yield DistributionProcessor(
        data, group_sets=[[], ["region"]], column_metrics={"age": ["avg", "p95", "stddev"], "tags": ["count", "unique@2"], "score": ["p50", "sum"]}
    )
    yield DriftProcessor(data, reference=training, column_metrics={"score": ["psi", "ks", "wasserstein"]})


for here, there in zip(calls(table), calls(frame), strict=True):
    here, there = (made.get_metrics().to_arrow().drop_columns(["collected_at"]) for made in (here, there))
    assert here.equals(there), [pair for pair in zip(here.to_pylist(), there.to_pylist()) if pair[0] != pair[1]][:3]
    print(here.num_rows, sum(here["error"].is_valid().to_pylist()))
session.stop()
"""


def test_executors_of_a_cluster_give_the_points_of_duckdb(tmp_path):
    with standalone_cluster() as master:
        done = subprocess.run(
            [sys.executable, "-c", ON_CLUSTER, master, str(tmp_path)],
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
    assert done.returncode == 0, done.stderr[-4000:]
    told = [[int(word) for word in line.split()] for line in done.stdout.splitlines()]
    assert [errors for _, errors in told] == [0, 0]
    assert [points > 3 for points, _ in told] == [True, True]


def test_spark_submit_decides_master_and_settings(tmp_path):
    script = tmp_path / "job.py"
    script.write_text(
        "from lupus_provider.engines.spark_session import spark_session\n"
        "session = spark_session()\n"
        "print('master', session.conf.get('spark.master'), session.conf.get('spark.sql.session.timeZone'))\n"
    )
    submit = os.path.join(os.path.dirname(__import__("pyspark").__file__), "bin", "spark-submit")
    options = [
        "--master",
        "local[1]",
        "--conf",
        "spark.sql.session.timeZone=Asia/Tokyo",
        "--conf",
        "spark.ui.enabled=false",
    ]
    env = {**os.environ, "PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"}
    done = subprocess.run(
        [submit, *options, str(script)], env=env, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert "master local[1] Asia/Tokyo" in done.stdout
