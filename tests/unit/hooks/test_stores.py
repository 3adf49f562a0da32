from __future__ import annotations

import json
from pathlib import Path

import pytest
from airflow.sdk import BaseHook, Connection
from airflow.sdk.exceptions import AirflowNotFoundException

from lupus_provider.errors import BadStoreConnectionError, StoreUrlError
from lupus_provider.get_provider_info import get_provider_info
from lupus_provider.hooks.stores import STORE_KINDS, LupusHook, connection_url, default_conn_id, embedded_url
from lupus_provider.stores.sql import open_engine


@pytest.fixture
def connections(monkeypatch):
    known: dict[str, Connection] = {}

    def get(conn_id: str) -> Connection:
        if conn_id not in known:
            raise AirflowNotFoundException(conn_id)
        return known[conn_id]

    monkeypatch.setattr(BaseHook, "get_connection", staticmethod(get))
    return known


def lupus(conn_id: str = "lupus_index", extra: dict | None = None, **fields) -> Connection:
    text = json.dumps(extra) if extra else None
    return Connection(conn_id=conn_id, extra=text, **{"conn_type": "lupus", **fields})


def test_a_missing_connection_means_the_embedded_store(connections, monkeypatch):
    monkeypatch.setenv("AIRFLOW__LUPUS__HOME", "/var/lupus")
    hook = LupusHook()
    assert [hook.url(kind) for kind in STORE_KINDS] == [
        "file:///var/lupus/stage",
        "file:///var/lupus/history",
        "sqlite:////var/lupus/index.db",
        "sqlite:////var/lupus/ledger.db",
    ]


def test_a_connections_address_is_taken_as_it_is(connections):
    connections["lupus_stage"] = lupus("lupus_stage", host="file:///srv/stage")
    assert LupusHook().url("stage") == "file:///srv/stage"


def test_login_and_password_get_into_the_address_escaped():
    url = connection_url(lupus(host="postgresql+psycopg2://db:5433/lupus", login="me", password="p@ss/word"))
    assert url == "postgresql+psycopg2://me:p%40ss%2Fword@db:5433/lupus"


def test_another_connection_id_is_used_where_it_is_given(connections):
    connections["other"] = lupus("other", host="file:///elsewhere")
    assert LupusHook(history_conn_id="other").url("history") == "file:///elsewhere"


@pytest.mark.parametrize("fields", [{"conn_type": "postgres", "host": "db"}, {"host": "db"}, {}])
def test_a_connection_that_is_no_address_is_one_sentence_without_its_password(fields):
    with pytest.raises(BadStoreConnectionError) as caught:
        connection_url(lupus(password="hunter2", **fields))
    assert "lupus_index" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_the_test_button_says_what_it_tried(connections, tmp_path):
    assert LupusHook(conn_id="absent").test_connection()[0] is False
    connections["lupus_stage"] = lupus("lupus_stage", host=tmp_path.as_uri())
    said = (
        f"connection 'lupus_stage': {tmp_path.as_uri()} can be listed, it is empty; an object was put, read and deleted"
    )
    assert LupusHook().test_connection() == (True, said)
    assert list(tmp_path.rglob("*.*/*")) == []


def test_a_history_is_only_read_by_the_test_button(connections, tmp_path):
    connections["lupus_history"] = lupus("lupus_history", host=tmp_path.as_uri())
    assert LupusHook(conn_id="lupus_history").test_connection()[0]
    assert list(tmp_path.iterdir()) == []


def test_the_test_button_tries_a_database_and_hides_its_password(connections, tmp_path):
    connections["lupus_index"] = lupus("lupus_index", host=f"sqlite:///{tmp_path / 'index.db'}")
    assert LupusHook(conn_id="lupus_index").test_connection()[0]
    connections["lupus_index"] = lupus(
        "lupus_index", host="postgresql+nosuch://db/lupus", login="me", password="hunter2"
    )
    works, said = LupusHook(conn_id="lupus_index").test_connection()
    assert not works
    assert "hunter2" not in said


def test_a_bucket_is_reached_through_the_aws_connection_that_it_names(connections):
    connections["lupus_stage"] = lupus("lupus_stage", host="s3://bucket/stage", extra={"aws_conn_id": "minio"})
    options = {"endpoint_url": "http://minio:9000", "region_name": "eu-west-1"}
    connections["minio"] = Connection(
        conn_id="minio", conn_type="aws", login="key", password="hunter2", extra=json.dumps(options)
    )
    hook = LupusHook()
    assert (hook.stage.url, hook.access("stage").endpoint_url) == ("s3://bucket/stage", "http://minio:9000")
    assert "hunter2" not in repr(hook.access("stage"))


def test_an_elasticsearch_gets_login_and_options_beside_its_address(connections):
    host, extra = "https://search:9200/lupus", {"ca_certs": "/ca.pem", "aws_conn_id": "", "request_timeout": 5}
    connections["lupus_index"] = lupus("lupus_index", host=host, login="me", password="hunter2", extra=extra)
    hook = LupusHook()
    assert hook.url("index") == host
    access = hook.access("index")
    assert (access.login, access.password, access.ca_certs, access.request_timeout) == ("me", "hunter2", "/ca.pem", 5)


def test_a_historys_catalogue_is_the_one_that_its_connection_names(connections, tmp_path):
    connections["lupus_history"] = lupus("lupus_history", host=tmp_path.as_uri(), extra={"hive_conn_id": "hive"})
    connections["hive"] = Connection(conn_id="hive", conn_type="hiveserver2", host="hive")
    assert LupusHook().history.catalog.name == "hive.lupus"
    connections["lupus_history"] = lupus("lupus_history", host=tmp_path.as_uri())
    assert LupusHook().history.catalog is None


def test_stores_open_once_and_close_after_use(connections, monkeypatch, tmp_path):
    monkeypatch.setenv("AIRFLOW__LUPUS__HOME", str(tmp_path))
    hook = LupusHook()
    stage = hook.stage
    assert hook.stage is stage
    hook.close()
    assert hook.stage is not stage


class Closes:
    """Counts its ends; one of them fails."""

    def __init__(self, error=None):
        self.closed, self.error = 0, error

    def close(self):
        self.closed += 1
        if self.error:
            raise self.error


def test_closing_closes_all_even_if_one_cannot_be_closed():
    hook, first, last = LupusHook(), Closes(OSError("gone")), Closes()
    hook.__dict__.update(stage=first, history=last)
    with pytest.raises(OSError, match="gone"):
        hook.close()
    assert (first.closed, last.closed) == (1, 1)
    hook.close()
    assert (first.closed, last.closed) == (1, 1), "what is closed is forgotten"


def test_closing_ends_the_historys_catalogue_and_the_databases_pool(connections, tmp_path, monkeypatch):
    monkeypatch.setenv("AIRFLOW__LUPUS__HOME", str(tmp_path))
    hook, catalog = LupusHook(), Closes()
    hook.history.catalog = catalog
    pool = hook.index.engine.pool
    hook.close()
    assert catalog.closed == 1
    assert open_engine(f"sqlite:///{tmp_path}/index.db").pool is not pool


@pytest.mark.parametrize(
    ("kind", "address"), [("stage", "ftp://files/x"), ("index", "mysql://db/x"), ("ledger", "http://es:9200")]
)
def test_an_address_that_no_store_is_behind_is_told_before_its_password_is_put_into_it(connections, kind, address):
    connections[f"lupus_{kind}"] = lupus(f"lupus_{kind}", host=address, login="me", password="hunter2")
    with pytest.raises(StoreUrlError, match=f"{kind} store: address .*{address}.* Give ") as caught:
        LupusHook().url(kind)
    assert "hunter2" not in str(caught.value)
    assert LupusHook(conn_id=f"lupus_{kind}").test_connection() == (False, str(caught.value))


def test_the_form_is_of_this_hook():
    (form,) = get_provider_info()["connection-types"]
    assert form["connection-type"] == LupusHook.conn_type
    assert form["hook-name"] == LupusHook.hook_name
    assert form["hook-class-name"] == f"{LupusHook.__module__}.{LupusHook.__name__}"


def test_provider_info_keeps_airflows_schema():
    import airflow
    import jsonschema

    schema = json.loads((Path(airflow.__path__[0]) / "provider_info.schema.json").read_text())
    jsonschema.validate(get_provider_info(), schema)


def test_names_are_those_of_the_documentation():
    assert default_conn_id("ledger") == "lupus_ledger"
    assert embedded_url("ledger", Path("/h")) == "sqlite:////h/ledger.db"
