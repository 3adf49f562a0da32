"""Real Spark for tests: a Connect server and a standalone cluster out of the installed PySpark, on loopback and free ports.

Processes are told to stop should the test run die without a word, and are killed at the end of the block, so that none is left.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import psutil

from lupus_provider.engines.java import find_java

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SECONDS = 120.0
"""Longest wait for a server's port; cold, on a busy machine."""
LOOPBACK = "127.0.0.1"
_PR_SET_PDEATHSIG = 1


@contextlib.contextmanager
def connect_server(conf: Mapping[str, str] | None = None) -> Iterator[str]:
    """Run a Spark Connect server with an embedded master; yields its address, `sc://127.0.0.1:PORT`."""
    port = free_port()
    settings = {
        "spark.connect.grpc.binding.address": LOOPBACK,
        "spark.connect.grpc.binding.port": str(port),
        "spark.ui.enabled": "false",
        "spark.driver.host": LOOPBACK,
        "spark.sql.shuffle.partitions": "2",
        **(conf or {}),
    }
    options = [word for name, value in settings.items() for word in ("--conf", f"{name}={value}")]
    main = "org.apache.spark.sql.connect.service.SparkConnectServer"
    with _server("spark-submit", "--class", main, "--master", "local[2]", "--driver-memory", "1g", *options,
                 "spark-internal", port=port):  # fmt: skip
        yield f"sc://{LOOPBACK}:{port}"


@contextlib.contextmanager
def standalone_cluster(cores: int = 2, memory: str = "2g") -> Iterator[str]:
    """Run a master and a worker; yields the master's address, `spark://127.0.0.1:PORT`.

    Parameters
    ----------
    cores, memory
        What the worker may give to executors.
    """
    port, worker_port = free_port(), free_port()
    address = f"spark://{LOOPBACK}:{port}"
    options = ("--host", LOOPBACK, "--webui-port", "0")
    with (
        _server("spark-class", "org.apache.spark.deploy.master.Master", *options, "--port", str(port), port=port),
        _server("spark-class", "org.apache.spark.deploy.worker.Worker", *options, "--port", str(worker_port),
                "--cores", str(cores), "--memory", memory, address, port=worker_port),
    ):  # fmt: skip
        yield address


def free_port() -> int:
    """Return a port of this machine that nobody listens at."""
    with socket.socket() as listener:
        listener.bind((LOOPBACK, 0))
        return listener.getsockname()[1]


@contextlib.contextmanager
def _server(script: str, *arguments: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    spec = find_spec("pyspark")
    assert spec is not None, "PySpark is not installed"
    assert spec.origin is not None
    home = Path(spec.origin).parent
    with TemporaryDirectory(prefix="lupus-spark-") as folder:
        env = {name: value for name, value in os.environ.items() if not name.startswith(("SPARK_", "PYSPARK_"))}
        env |= {"SPARK_HOME": str(home), "JAVA_HOME": str(find_java().home), "SPARK_LOCAL_IP": LOOPBACK,
                "SPARK_LOCAL_DIRS": folder, "SPARK_WORKER_DIR": folder}  # fmt: skip
        log = Path(folder) / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603
                [str(home / "bin" / script), *arguments], env=env, cwd=folder, stdin=subprocess.DEVNULL, stdout=output,
                stderr=output, start_new_session=True, preexec_fn=die_with_parent,
            )  # fmt: skip
        try:
            _wait(process, port, log)
            yield process
        finally:
            _kill(process)


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + SECONDS
    while not _listens(port):
        last = log.read_text(errors="replace")[-4000:]
        assert process.poll() is None, f"Spark ended: {last}"
        assert time.monotonic() < deadline, f"Spark does not listen at {port}: {last}"
        time.sleep(0.05)


def _listens(port: int) -> bool:
    with socket.socket() as client:
        client.settimeout(1.0)
        return client.connect_ex((LOOPBACK, port)) == 0


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a server and what it started: executors of a worker are processes of their own."""
    with contextlib.suppress(psutil.NoSuchProcess):
        children = psutil.Process(process.pid).children(recursive=True)
        for child in (process, *children):
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()
        psutil.wait_procs(children, timeout=10)
    process.wait()


def die_with_parent() -> None:
    """Ask the kernel to kill this process when the thread that started it ends; for `preexec_fn`."""
    with contextlib.suppress(OSError, AttributeError):  # Linux only
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
