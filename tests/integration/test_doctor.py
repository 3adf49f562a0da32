"""`lupus doctor` before the real servers: what is well is said to be, and what is wrong is told with what to do."""

from __future__ import annotations

import json
import uuid

import pytest
from typer.testing import CliRunner

import lupus_provider.cli.stores  # noqa: F401  (registers the commands)
from lupus_provider.cli.app import app
from lupus_provider.stores.index.elastic.names import Names
from lupus_provider.testing.proxy import FaultProxy

SECRETS = ("lupussecret", "hunter2")
YAML = "project: shop\nmetric_sets:\n  orders:\n    source: {path: orders.parquet}\n"


@pytest.fixture
def connections(tmp_path, monkeypatch, s3_server, elasticsearch_server, hive_server):
    """All connections, as people give them; a test changes some."""
    bucket, name = s3_server.make_bucket("doctor"), f"d{uuid.uuid4().hex[:10]}"
    (tmp_path / "shop.yaml").write_text(YAML)
    monkeypatch.setenv("AIRFLOW__LUPUS__HOME", str(tmp_path / "home"))
    monkeypatch.setenv("AIRFLOW__LUPUS__PROJECTS_FOLDER", str(tmp_path))
    keys = {"aws_conn_id": "lupus_s3"}
    return {
        "LUPUS_STAGE": {"conn_type": "lupus", "host": f"s3://{bucket}/{name}/stage", "extra": keys},
        "LUPUS_HISTORY": {
            "conn_type": "lupus", "host": f"s3://{bucket}/{name}/history",
            "extra": keys | {"hive_conn_id": "lupus_hive", "database": name},
        },
        "LUPUS_INDEX": {"conn_type": "lupus", "host": f"{elasticsearch_server.url}/{name}"},
        "LUPUS_S3": json.loads(s3_server.connection),
        "LUPUS_HIVE": {"conn_type": "hiveserver2", "host": "127.0.0.1", "port": hive_server.port, "login": "lupus",
                       "extra": {"auth_mechanism": "NONE"}},
    }  # fmt: skip


@pytest.fixture
def doctor(connections, monkeypatch):
    def doctor():
        for name, connection in connections.items():
            monkeypatch.setenv(f"AIRFLOW_CONN_{name}", json.dumps(connection))
        result = CliRunner().invoke(app, ["doctor"])
        assert not [secret for secret in SECRETS if secret in result.output]
        return result.exit_code, " ".join(result.output.split())

    return doctor


def test_what_is_well_is_tried_and_said(doctor, s3_server, connections):
    code, said = doctor()
    assert code == 0, said
    assert said.count("an object was put, read and deleted") == 2
    assert "Elasticsearch 9" in said
    assert "a document was written, read and deleted" in said
    assert "release 4" in said
    assert "a table was made, read and dropped at 's3a://" in said
    bucket, _, prefix = connections["LUPUS_STAGE"]["host"].removeprefix("s3://").partition("/")
    found = s3_server.client().list_objects_v2(Bucket=bucket, Prefix=prefix.partition("/")[0])
    assert found.get("Contents", []) == [], "nothing stays"


def test_wrong_keys_hurt_what_needs_them_and_nothing_else(doctor, connections):
    connections["LUPUS_S3"]["password"] = "hunter2"
    connections["LUPUS_HIVE"]["port"] = 9
    connections["LUPUS_LEDGER"] = {"conn_type": "lupus", "host": "ftp://files/ledger"}
    code, said = doctor()
    assert code == 1
    assert said.count("the secret key does not belong to the access key") == 2
    assert "catalogue: catalogue lupus_hive" in said
    assert "cannot be reached" in said
    assert "ledger store: address 'ftp://files/ledger' cannot be used. Give sqlite:" in said
    assert "4 things to fix" in said


@pytest.mark.parametrize(
    ("path", "body", "says"),
    [
        ("/", {"name": "n", "cluster_name": "c", "version": {"number": "8.19.0"}}, "it is 8.19.0, and the client"),
        ("/_nodes/stats/os", {"nodes": {"a": {"name": "n", "timestamp": 1_000}}}, "s behind this machine's"),
    ],
)
def test_an_elasticsearch_that_is_too_old_or_lives_in_the_past_is_told(
    doctor, connections, elasticsearch_server, path, body, says
):
    with FaultProxy(elasticsearch_server.url) as proxy:
        connections["LUPUS_INDEX"]["host"] = f"{proxy.url}/doctor"
        answer = {
            "Content-Type": "application/vnd.elasticsearch+json;compatible-with=9",
            "X-Elastic-Product": "Elasticsearch",
        }
        proxy.answer(200, -1, lambda r: r.path == path, answer, json.dumps(body).encode())
        code, said = doctor()
    assert code == 1
    assert says in said


def test_an_index_whose_fields_have_other_types_is_told(doctor, connections, elasticsearch_server):
    from elasticsearch import Elasticsearch

    assert doctor()[0] == 0
    prefix, client = connections["LUPUS_INDEX"]["host"].rpartition("/")[2], Elasticsearch(elasticsearch_server.url)
    (old,) = client.indices.get_alias(name=f"{prefix}-points")
    other = Names(prefix).index("points", "wrong")
    client.indices.create(index=other, mappings={"properties": {"value": {"type": "keyword"}}})
    client.indices.update_aliases(actions=[
        {"remove_index": {"index": old}}, {"add": {"index": other, "alias": f"{prefix}-points"}},
    ])  # fmt: skip
    code, said = doctor()
    assert code == 1
    assert "has fields of other types or none" in said
    assert "lupus rebuild-index" in said
