"""Where stores of objects lie: a folder, moto (quick, in memory) and a real MinIO, a prefix of its own for every test."""

from __future__ import annotations

import uuid

import pytest
from servers_fixtures import running

from lupus_provider.stores.objects.access import S3Access
from lupus_provider.testing.servers import S3_REGION, S3Server

BUCKET = "contract"


def access_to(server, **given):
    """Access to a test server."""
    keys = {"access_key": server.key, "secret_key": server.secret}
    return S3Access(**{**keys, "region": S3_REGION, "endpoint_url": server.url, **given})


@pytest.fixture(scope="session")
def moto_server():
    with running(S3Server(light=True)) as server:
        yield server


@pytest.fixture(params=["local", "moto", "minio"])
def place(request, tmp_path):
    """Address and access."""
    if request.param == "local":
        return (tmp_path / "objects").as_uri(), None
    server = request.getfixturevalue({"moto": "moto_server", "minio": "s3_server"}[request.param])
    server.make_bucket(BUCKET)
    return f"s3://{BUCKET}/{uuid.uuid4().hex}", access_to(server)
