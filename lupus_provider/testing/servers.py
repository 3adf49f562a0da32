"""Real Elasticsearch, Hive, PostgreSQL, Spark Thrift Server and S3 for tests, without Docker: started, broken and started again at will.

A store is proven against the server that people run, not against a double of it. The programs come from package registries by the
recipes of tests/servers, once; each server listens on 127.0.0.1 and keeps all its files in one folder:

    with S3Server() as s3, HiveServer(s3=s3) as hive:
        hive.kill()
        hive.start()
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
import uuid
from typing import TYPE_CHECKING, Any

from lupus_provider.testing.server_process import STOP_SECONDS, ServerProcess, listens, quiet_port
from lupus_provider.testing.server_recipes import install_once, java_for, recipe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = [
    "ElasticsearchServer",
    "HiveServer",
    "PostgresServer",
    "RecipeServer",
    "S3Server",
    "SparkThriftServer",
    "listens",
    "quiet_port",
]

S3_REGION = "us-east-1"
_SECONDS = 5.0


class RecipeServer(ServerProcess):
    """A server that a recipe of tests/servers installs and runs.

    Attributes
    ----------
    connection_id, connection
        Airflow connection that leads to it: the id that the examples of Lupus use, and its URI or JSON.
    """

    script: str
    connection_id: str

    def command(self) -> Sequence[str]:
        """Install what is missing from the cache, then return the recipe's call."""
        install_once(self.script, *sorted(self.environment().items()))
        return "bash", str(recipe(self.script)), "run", str(self.data), str(self.port)

    def environment(self) -> Mapping[str, str]:
        """Return the Python that recipes use."""
        return {"LUPUS_PYTHON": sys.executable}

    @property
    def connection(self) -> str:
        """URI of an Airflow connection to it."""
        raise NotImplementedError

    @property
    def airflow_variables(self) -> dict[str, str]:
        """Environment variables that give Airflow a connection to it."""
        return {f"AIRFLOW_CONN_{self.connection_id.upper()}": self.connection}


class ElasticsearchServer(RecipeServer):
    """One node of Elasticsearch 9.5.3, without security; Java 21 or newer, 450 MB of memory with the usual heap.

    It has no scripts, no `_reindex`, no data streams, no ILM, no ES|QL, no pipeline aggregations: no registry has those modules.

    Parameters
    ----------
    data, port
        See ServerProcess.
    heap
        Of its Java, such as `2g`; loading millions of documents with less than that meets the circuit breaker (429), as it would
        in production.
    """

    name, script, connection_id = "elasticsearch", "elasticsearch.sh", "lupus_elasticsearch"

    def __init__(self, data: Path | None = None, port: int | None = None, heap: str = "512m") -> None:
        super().__init__(data, port)
        self.heap = heap

    def environment(self) -> Mapping[str, str]:
        """Return its Java and heap."""
        return {**java_for("Elasticsearch", 21), "LUPUS_HEAP": self.heap}

    def answers(self) -> bool:
        """Say whether the cluster is ready to search and to index."""
        return _is_ok(f"{self.url}/_cluster/health?wait_for_status=yellow&timeout=1s")

    @property
    def connection(self) -> str:
        """URI of an Airflow connection to it."""
        return f"elasticsearch://{self.address}/?http_scheme=http"


class S3Server(RecipeServer):
    """MinIO, or moto in memory where `light`.

    Parameters
    ----------
    data, port
        See ServerProcess.
    light
        Starts moto: quicker to install, but it takes any key, and forgets everything when it ends.
    """

    name, script, connection_id = "s3", "minio.sh", "lupus_s3"
    key, secret = "lupus", "lupussecret"

    def __init__(self, data: Path | None = None, port: int | None = None, *, light: bool = False) -> None:
        super().__init__(data, port)
        self.light = light
        self.script = "moto.sh" if light else "minio.sh"

    def environment(self) -> Mapping[str, str]:
        """Return its keys."""
        return {**super().environment(), **self.keys}

    def answers(self) -> bool:
        """Say whether it serves."""
        return listens(self.port) if self.light else _is_ok(f"{self.url}/minio/health/ready")

    @property
    def keys(self) -> dict[str, str]:
        """Environment variables that give a program its keys."""
        return {"AWS_ACCESS_KEY_ID": self.key, "AWS_SECRET_ACCESS_KEY": self.secret, "AWS_REGION": S3_REGION}

    @property
    def connection(self) -> str:
        """Airflow connection to it, as JSON: in a URI the options of the client would be text."""
        extra = {
            "endpoint_url": self.url,
            "region_name": S3_REGION,
            "config_kwargs": {"s3": {"addressing_style": "path"}},
        }
        return json.dumps({"conn_type": "aws", "login": self.key, "password": self.secret, "extra": extra})

    def make_bucket(self, name: str) -> str:
        """Make a bucket unless it exists, and return its name; needs boto3."""
        client = self.client()
        if name not in {bucket["Name"] for bucket in client.list_buckets()["Buckets"]}:
            client.create_bucket(Bucket=name)
        return name

    def client(self):
        """Return a boto3 client of it: paths, one try a call, so that a test sees each failure."""
        import boto3
        from botocore.config import Config

        config = Config(signature_version="s3v4", s3={"addressing_style": "path"}, retries={"max_attempts": 1})
        return boto3.client(
            "s3", endpoint_url=self.url, aws_access_key_id=self.key, aws_secret_access_key=self.secret,
            region_name=S3_REGION, config=config,
        )  # fmt: skip


class PostgresServer(RecipeServer):
    """PostgreSQL 17.7 with the user `lupus`, whose password is not asked; 40 MB of memory.

    It runs as `nobody` where root starts it, with the right to reach root's files, because it refuses to run as root. Nothing is
    forced to the disk: what is committed survives `kill`, but not a power cut.
    """

    name, script, connection_id = "postgres", "postgres.sh", "lupus_postgres"
    user = database = "lupus"

    def answers(self) -> bool:
        """Say whether it takes statements; needs psycopg."""
        import psycopg

        try:
            self._execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """End it as an administrator would, without waiting for clients to leave, which SIGTERM alone would do."""
        if self._process is not None and self.is_alive:
            self.resume()
            os.kill(self._process.pid, signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(seconds)
        super().stop(seconds)

    @property
    def url(self) -> str:
        """SQLAlchemy address of its first database."""
        return self.url_of(self.database)

    def url_of(self, database: str) -> str:
        """SQLAlchemy address of a database."""
        return f"postgresql+psycopg://{self.user}@{self.address}/{database}"

    @property
    def connection(self) -> str:
        """URI of an Airflow connection to it."""
        return f"postgres://{self.user}@{self.address}/{self.database}"

    def make_database(self) -> str:
        """Make an empty database and return its SQLAlchemy address; needs psycopg."""
        name = f"lupus_{uuid.uuid4().hex}"
        self._execute(f"CREATE DATABASE {name}")
        return self.url_of(name)

    def drop_database(self, url: str) -> None:
        """Drop a database of `make_database`, whoever is in it."""
        self._execute(f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")

    def _execute(self, statement: str) -> Any:
        import psycopg

        host, _, port = self.address.partition(":")
        with psycopg.connect(
            host=host, port=port, user=self.user, dbname=self.database, autocommit=True, connect_timeout=int(_SECONDS)
        ) as connection:
            return connection.execute(statement.encode())


class _ThriftServer(RecipeServer):
    """What speaks HiveServer2's protocol: SASL PLAIN that checks nothing.

    Parameters
    ----------
    data, port
        See ServerProcess.
    heap
        Of its Java.
    s3
        Where its tables at `s3a://BUCKET/…` lie.
    """

    def __init__(
        self, data: Path | None = None, port: int | None = None, heap: str = "1g", s3: S3Server | None = None
    ) -> None:
        super().__init__(data, port)
        self.heap, self.s3 = heap, s3

    def environment(self) -> Mapping[str, str]:
        """Return its Java, its heap and its way to S3."""
        s3 = {} if self.s3 is None else {"LUPUS_S3_ENDPOINT": self.s3.url, **self.s3.keys}
        return {**self._java(), "LUPUS_HEAP": self.heap, **s3}

    @property
    def url(self) -> str:
        """URI of an Airflow connection to it."""
        return self.connection

    @property
    def connection(self) -> str:
        """URI of an Airflow connection to it."""
        return f"hiveserver2://lupus@{self.address}/default?auth_mechanism=NONE"

    def _java(self) -> Mapping[str, str]:
        raise NotImplementedError


class HiveServer(_ThriftServer):
    """HiveServer2 of Hive 4.0.1 with its metastore (Derby) and Tez in one Java 17; 400 MB to 1.1 GB of memory.

    After a query of which a task failed with an I/O error, later aggregates silently return no rows until it is restarted: a trait of
    Tez in local mode, not of Hive on a cluster.
    """

    name, script, connection_id = "hive", "hive.sh", "lupus_hive"

    def _java(self) -> Mapping[str, str]:
        return java_for("Hive", 17, 17)


class SparkThriftServer(_ThriftServer):
    """Spark's Thrift Server out of the installed PySpark, metastore in Derby; Java 17 or newer, about 1.2 GB of memory."""

    name, script, connection_id = "spark-thrift", "spark_thrift.sh", "lupus_spark_thrift"

    def _java(self) -> Mapping[str, str]:
        return java_for("Spark", 17)


def _is_ok(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=_SECONDS) as answer:  # noqa: S310  the address is ours
            return answer.status == 200
    except (OSError, urllib.error.URLError):
        return False
