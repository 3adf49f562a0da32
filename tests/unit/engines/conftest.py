from __future__ import annotations

import pytest

from lupus_provider.engines.spark_session import spark_session
from lupus_provider.testing.spark import connect_server


@pytest.fixture(scope="session")
def local(tmp_path_factory):
    """Spark inside this process."""
    warehouse = str(tmp_path_factory.mktemp("warehouse"))  # else Spark makes one where the tests are run
    session = spark_session(
        conf={"spark.driver.memory": "1g", "spark.sql.shuffle.partitions": "2", "spark.sql.warehouse.dir": warehouse}
    )
    yield session
    session.stop()


@pytest.fixture(scope="session")
def remote():
    """A session of a Spark Connect server."""
    with connect_server() as address:
        session = spark_session(remote=address)
        yield session
        session.stop()


@pytest.fixture(params=["local", "remote"])
def spark(request):
    return request.getfixturevalue(request.param)
