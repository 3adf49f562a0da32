"""Airflow's Spark connection → a session of this process, or `spark-submit`: which of the two, the connection says.

No connection: Spark inside the task's own process. Type `spark_connect`: a session of that server. Type `spark`: a session whose driver
is the task's process, or `spark-submit` where the connection's extra says `"submit": true` or `"deploy-mode": "cluster"`.
Secrets are in no argument, log or XCom. Where `spark-submit` needs the keys of the stage's bucket, they go by a file that only its owner reads
and that is gone with the task, as Spark itself does with a keytab; a driver on the cluster gets it by `--files`.
"""

from __future__ import annotations

import os
import sys
import tempfile
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException

from lupus_provider.errors import BadSparkConnectionError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow.sdk import Connection

    from lupus_provider.steps.connections import Submission
    from lupus_provider.stores.objects.access import S3Access

CLUSTER, CONNECT = "spark", "spark_connect"
_SUBMIT, _MODE, _SETTING = "submit", "deploy-mode", "spark."


class SparkConnections:
    """What a collection may ask of Airflow's connections; see `steps.connections.Connections`.

    Parameters
    ----------
    conn_id
        Connection of type `spark` or `spark_connect`; one that does not exist means Spark inside this process.
    stage_access
        Returns how to get at the stage (`S3Access`), None where its address says it all; asked only for `spark-submit`.
    """

    def __init__(self, conn_id: str = "lupus_spark", stage_access: Callable[[], S3Access | None] | None = None) -> None:
        self.conn_id = conn_id
        self._stage_access = stage_access or (lambda: None)

    @cached_property
    def _connection(self) -> Connection | None:
        try:
            found = BaseHook.get_connection(self.conn_id)
        except AirflowNotFoundException:
            return None
        if found.conn_type not in (CLUSTER, CONNECT):
            raise BadSparkConnectionError(self.conn_id, f"is of type {found.conn_type!r}")
        if not found.host:
            raise BadSparkConnectionError(self.conn_id, "has no host")
        return found

    @property
    def submits_spark(self) -> bool:
        """Whether the connection wants `spark-submit`."""
        connection = self._connection
        if connection is None or connection.conn_type != CLUSTER:
            return False
        extra = connection.extra_dejson
        return bool(extra.get(_SUBMIT)) or extra.get(_MODE) == "cluster"

    def spark(self) -> Any:
        """Return the session that the connection describes.

        Raises
        ------
        BadSparkConnectionError
            If it is of another type, or has no host.
        MissingExtraError, JavaMissingError, EngineFailedError
            See `engines.spark_session.spark_session`.
        """
        from lupus_provider.engines.spark_session import spark_session

        connection = self._connection
        if connection is None:
            return spark_session()
        if connection.conn_type == CONNECT:
            return spark_session(remote=connect_url(connection), conf=settings_of(connection))
        return spark_session(master_of(connection), conf=settings_of(connection))

    def submit_spark(self, submission: Submission) -> None:
        """Run `steps/collect_main.py` by `spark-submit` and wait for its end; its log goes to the task's log.

        Raises
        ------
        MissingExtraError
            If Airflow's Spark provider is not installed.
        AirflowException
            If the application fails; the task's log has its reason.
        """
        hook_class = _submit_hook()
        from lupus_provider.config import dump_project
        from lupus_provider.steps import collect_main

        connection = self._connection
        assert connection is not None
        is_remote = connection.extra_dejson.get(_MODE) == "cluster"
        with tempfile.TemporaryDirectory(prefix="lupus-") as folder:
            project_file = Path(folder) / f"{submission.target.project.project}.yaml"
            project_file.write_text(dump_project(submission.target.project), encoding="utf-8")
            access_file = _access_file(Path(folder), self._stage_access())
            # A driver on this machine reads the keys where they lie; executors need none, and they would be sent what is in --files.
            files = [project_file, access_file] if is_remote and access_file else [project_file]
            hook = hook_class(
                conn_id=self.conn_id,
                conf=settings_of(connection),
                name=str(submission.target),
                files=",".join(map(str, files)),
                application_args=[collect_main.arguments_of(submission, str(project_file), access_file)],
                env_vars=None if is_remote else _driver_environment(),
            )
            try:
                hook.submit(str(Path(collect_main.__file__).absolute()))
            except BaseException:  # Airflow ends a task by an exception, too
                hook.on_kill()
                raise

    def tracking_uri(self, conn_id: str) -> str:
        """Return the address of a tracking store that a connection holds; it may hold a password.

        Raises
        ------
        BadStoreConnectionError
            If the connection has no address.
        """
        from lupus_provider.hooks.tracking import tracking_uri

        return tracking_uri(BaseHook.get_connection(conn_id))


def master_of(connection: Connection) -> str:
    """Return Spark's address of a cluster: the connection's host with its port, and `spark://` where no scheme is given.

    `local[2]`, `yarn` and `k8s://…` stay as they are.
    """
    host = str(connection.host)
    if connection.port is None:
        return host
    return f"{host}:{connection.port}" if "://" in host else f"spark://{host}:{connection.port}"


def connect_url(connection: Connection) -> str:
    """Return the address of a Spark Connect server, with user and token, as Airflow's Spark provider spells it.

    Raises
    ------
    MissingExtraError
        If the provider is not installed.
    """
    try:
        from airflow.providers.apache.spark.hooks.spark_connect import SparkConnectHook
    except ImportError as err:
        raise MissingExtraError("Spark Connect from Airflow", "spark") from err  # noqa: TRY003  (a name, not a message)
    return SparkConnectHook(conn_id=str(connection.conn_id)).get_connection_url()


def settings_of(connection: Connection) -> dict[str, str]:
    """Return Spark's settings in a connection's extra: its keys that start with `spark.`."""
    return {key: str(value) for key, value in connection.extra_dejson.items() if key.startswith(_SETTING)}


def _submit_hook() -> Any:
    try:
        from airflow.providers.apache.spark.hooks.spark_submit import SparkSubmitHook
    except ImportError as err:
        raise MissingExtraError("spark-submit from Airflow", "spark") from err  # noqa: TRY003  (a name, not a message)
    return SparkSubmitHook


def _access_file(folder: Path, access: S3Access | None) -> str | None:
    """Write the keys of the stage for their owner only; return the file's path, None where there are none to write."""
    if access is None:
        return None
    from lupus_provider.steps.collect_main import access_text

    path = folder / "stage-access.json"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(access_text(access))
    return str(path)


def _driver_environment() -> dict[str, str]:
    """Return what a driver on this machine needs: Java, and the Python that Lupus is installed in."""
    from lupus_provider.engines.java import find_java

    return {
        "JAVA_HOME": str(find_java().home),
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
    }
