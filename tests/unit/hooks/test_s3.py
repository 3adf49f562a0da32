"""An AWS connection of Airflow becomes access to a bucket: what it says, nothing that it does not."""

from __future__ import annotations

import json
import pickle

import pytest
from airflow.sdk import BaseHook, Connection
from airflow.sdk.exceptions import AirflowNotFoundException

from lupus_provider.errors import BadStoreConnectionError
from lupus_provider.hooks.s3 import s3_access
from lupus_provider.stores.objects.access import S3Access


@pytest.fixture
def connections(monkeypatch):
    known: dict[str, Connection] = {}

    def get(conn_id: str) -> Connection:
        if conn_id not in known:
            raise AirflowNotFoundException(conn_id)
        return known[conn_id]

    monkeypatch.setattr(BaseHook, "get_connection", staticmethod(get))
    return known


def aws(conn_id="aws_default", login="key", password="hunter2", **extra):
    return Connection(conn_id=conn_id, conn_type="aws", login=login, password=password, extra=json.dumps(extra))


def test_keys_endpoint_region_tls_and_client_options_are_taken_over(connections):
    options = {"retries": {"max_attempts": 3}, "s3": {"addressing_style": "virtual"}}
    connections["minio"] = aws(
        "minio",
        endpoint_url="https://minio:9000",
        region_name="ap-northeast-1",
        verify="/ca.pem",
        config_kwargs=options,
    )
    access = s3_access("minio")
    assert (access.access_key, access.secret_key, access.region) == ("key", "hunter2", "ap-northeast-1")
    assert (access.endpoint_url, access.verify, access.path_style) == ("https://minio:9000", "/ca.pem", False)
    assert access.client(access.opened_session()).meta.config.retries["total_max_attempts"] == 4
    assert pickle.loads(pickle.dumps(access)) == access
    assert "hunter2" not in repr(access)
    assert "hunter2" not in str(access)


def test_an_endpoint_of_s3_alone_wins(connections):
    services = {"s3": {"endpoint_url": "http://s3:1"}}
    connections["aws_default"] = aws(endpoint_url="http://all:1", service_config=services, verify=False)
    access = s3_access()
    assert (access.endpoint_url, access.verify) == ("http://s3:1", False)


def test_a_role_is_left_to_the_providers_session_which_renews_it(connections, monkeypatch):
    from airflow.providers.amazon.aws.hooks.s3 import S3Hook

    connections["aws_default"] = aws(role_arn="arn:aws:iam::1:role/lupus", region_name="us-east-1")
    access = s3_access()
    assert (access.access_key, access.secret_key, access.region) == (None, None, "us-east-1")
    monkeypatch.setattr(S3Hook, "get_session", lambda hook: f"session of {hook.aws_conn_id}")
    assert pickle.loads(pickle.dumps(access)).opened_session() == "session of aws_default"


def test_no_connection_means_botos_own_search_but_a_named_one_must_exist(connections):
    assert s3_access() == S3Access()
    with pytest.raises(BadStoreConnectionError, match="nobody"):
        s3_access("nobody")
