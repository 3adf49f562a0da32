"""Fixtures of the real servers: each is started when the first test asks for it, and shared by all tests of the run.

A test that breaks a server starts it again before it ends, or makes one of its own. In CI a server that cannot start fails the
tests that need it; elsewhere they are skipped, and say why.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from lupus_provider.engines.java import JavaMissingError
from lupus_provider.stores.sql import open_engine
from lupus_provider.testing.server_process import ServerNotReadyError
from lupus_provider.testing.server_recipes import RecipeFailedError, RecipesMissingError
from lupus_provider.testing.servers import (
    ElasticsearchServer,
    HiveServer,
    PostgresServer,
    RecipeServer,
    S3Server,
    SparkThriftServer,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

START_SECONDS = 300.0


@contextmanager
def running(server: RecipeServer) -> Iterator[RecipeServer]:
    """Run a server over a block."""
    try:
        server.start(START_SECONDS)
    except (ServerNotReadyError, RecipeFailedError, RecipesMissingError, JavaMissingError) as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"no {server.name}: {error}")
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def elasticsearch_server() -> Iterator[ElasticsearchServer]:
    with running(ElasticsearchServer()) as server:
        yield server


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    with running(S3Server()) as server:
        yield server


@pytest.fixture(scope="session")
def hive_server(s3_server) -> Iterator[HiveServer]:
    with running(HiveServer(s3=s3_server)) as server:
        yield server


@pytest.fixture(scope="session")
def spark_thrift_server(s3_server) -> Iterator[SparkThriftServer]:
    with running(SparkThriftServer(s3=s3_server)) as server:
        yield server


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    with running(PostgresServer()) as server:
        yield server


@pytest.fixture
def postgres_database(postgres_server) -> Iterator[str]:
    """SQLAlchemy address of a database that only this test uses."""
    url = postgres_server.make_database()
    yield url
    open_engine(url).dispose()  # connections of the pool would be told to be left open
    postgres_server.drop_database(url)
