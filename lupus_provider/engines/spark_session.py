"""Opens a Spark session where nobody passes one in: embedded in this process, on a cluster, or a Spark Connect server.

A session that already runs here, a notebook's or that of `spark-submit`, is used as it is: its settings belong to somebody else, and
our SQL does not depend on them.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import psutil

from lupus_provider.engines.java import find_java
from lupus_provider.engines.spark_errors import one_line
from lupus_provider.errors import EngineFailedError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pyspark.sql import SparkSession

log = logging.getLogger(__name__)

LOCAL, APP_NAME = "local[*]", "lupus"
_MEBIBYTE = 1 << 20
_LEAST_MEMORY, _MOST_MEMORY = 1024, 8192
"""Bounds of an embedded session's heap, in MiB."""
_LOOPBACK = "127.0.0.1"
_CONNECT_PORT, _SECONDS = 15002, 20.0
_STARTING = threading.Lock()
_CONNECTED: dict[str, Any] = {}
"""Address of a server → the session that was opened there."""
_SUBMITTED = "PYSPARK_GATEWAY_PORT"
"""Set where `spark-submit` has started the Java side already."""


def spark_session(
    master: str | None = None, *, remote: str | None = None, conf: Mapping[str, str] | None = None
) -> SparkSession:
    """Return the session that runs in this process, else a new one.

    Parameters
    ----------
    master
        Spark's address of a cluster, such as `spark://host:7077` or `yarn`; by default what `spark-submit` says, else embedded.
    remote
        Address of a Spark Connect server, `sc://host:15002`, instead of a master.
    conf
        Settings of a new session; they go before the defaults of the embedded one. A session that runs already keeps its own.

    Raises
    ------
    MissingExtraError
        If PySpark is not installed.
    JavaMissingError
        If a session in this process is needed and there is no Java.
    EngineFailedError
        If the cluster or server does not answer, or Java breaks off.
    """
    try:
        from pyspark.errors import PySparkException
    except ImportError as err:
        raise MissingExtraError("Spark", "spark") from err
    with _STARTING:
        try:
            if remote is not None:
                return _connect(remote, conf or {})
            return _running(conf or {}) or _start(master, conf or {})
        except PySparkException as err:
            place = f"Spark at {remote or master or LOCAL}"
            raise EngineFailedError(place, one_line(err)) from err


def _running(conf: Mapping[str, str]) -> SparkSession | None:
    from pyspark.sql import SparkSession

    session = SparkSession.getActiveSession()
    if session is not None and conf:
        log.warning("a Spark session runs already and keeps its settings; not set: %s", ", ".join(sorted(conf)))
    return session


def _start(master: str | None, conf: Mapping[str, str]) -> SparkSession:
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.appName(APP_NAME)
    if _SUBMITTED in os.environ:
        return builder.config(map={**conf}).getOrCreate()
    master = master or LOCAL
    settings = {**(embedded_conf() if master.startswith("local") else {}), **conf}
    with _java_environment(loopback=master.startswith("local")):
        return builder.master(master).config(map={**settings}).getOrCreate()


def _connect(remote: str, conf: Mapping[str, str]) -> SparkSession:
    """Open a session of a server. Not by the common builder: that one turns this whole process to Spark Connect, for good."""
    from pyspark.sql.connect.session import SparkSession as RemoteSession

    session: Any = _CONNECTED.get(remote)
    if session is None or session.is_stopped:
        _check_listening(remote)
        session = RemoteSession.builder.remote(remote).config(map={**conf}).create()
        session.version  # noqa: B018  (asks the server; otherwise a wrong address would show at the first query)
        _CONNECTED[remote] = session
    return session


def _check_listening(remote: str) -> None:
    """Refuse a wrong address at once: Spark's own client would try it for ten minutes."""
    address = urlsplit(remote)
    try:
        socket.create_connection((address.hostname or "", address.port or _CONNECT_PORT), timeout=_SECONDS).close()
    except OSError as err:
        place = f"Spark at {remote}"
        raise EngineFailedError(place, one_line(err)) from err


def embedded_conf(cores: int | None = None, memory: int | None = None) -> dict[str, str]:
    """Return the settings of a session that runs inside this process: seen by nobody else, in UTC, sized for this machine.

    Parameters
    ----------
    cores
        By default those that this process may use.
    memory
        MiB of heap; by default half of what the machine or the container has, within 1 to 8 GiB.
    """
    cores = cores or len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    heap = memory or min(max(_machine_memory() // 2, _LEAST_MEMORY), _MOST_MEMORY)
    return {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "FATAL",  # queries that fail are told in points
        "spark.driver.host": _LOOPBACK,
        "spark.driver.bindAddress": _LOOPBACK,
        "spark.driver.memory": f"{heap}m",
        "spark.sql.shuffle.partitions": str(max(2, 2 * cores)),
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        # The first of two hash tables holds 65,536 groups; counts of values are more, and look everything up twice.
        "spark.sql.codegen.aggregate.map.twolevel.enabled": "false",
    }


def _machine_memory() -> int:
    """MiB of the machine, or of the container where that has less."""
    limits = [psutil.virtual_memory().total]
    for file in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        if Path(file).is_file():
            text = Path(file).read_text(encoding="ascii").strip()
            limits += [int(text)] if text.isdigit() else []
    return min(limits) // _MEBIBYTE


@contextmanager
def _java_environment(*, loopback: bool) -> Iterator[None]:
    """Say to the Java that is started inside where Java is and which address to use; this process's environment is as before then."""
    wanted = {"JAVA_HOME": str(find_java().home), **({"SPARK_LOCAL_IP": _LOOPBACK} if loopback else {})}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
