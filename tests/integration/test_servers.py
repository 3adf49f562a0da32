"""The real servers of the tests: each answers a real client, survives a power cut with its data, and leaves no process."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
import uuid

import psutil
import pyarrow as pa
import pyarrow.fs as pa_fs
import pyarrow.parquet as pq
import pytest

from lupus_provider.testing.server_process import ServerIsRunningError, ServerNotReadyError, ServerProcess, quiet_port
from lupus_provider.testing.servers import ElasticsearchServer, HiveServer, S3Server

pytestmark = [pytest.mark.timeout(2400), pytest.mark.filterwarnings("ignore::DeprecationWarning")]
DOCUMENTS = [{"metric": f"m{number % 5}", "value": number / 7} for number in range(1000)]


def processes_of(server):
    """Processes whose command line or working folder is the server's data: its children too, whoever their parent is now."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.status() != psutil.STATUS_ZOMBIE and process.cwd().startswith(str(server.data)):
                found.append(process.pid)
    return found


def search_client(server, seconds=30):
    from elasticsearch import Elasticsearch

    return Elasticsearch(server.url, request_timeout=seconds, max_retries=0)


def ask(server, *statements):
    """Rows of the last statement, in a session of its own."""
    from pyhive import hive

    connection = hive.connect(host="127.0.0.1", port=server.port, username="lupus", auth="NONE")
    with contextlib.closing(connection), contextlib.closing(connection.cursor()) as cursor:
        for statement in statements:
            cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


def put_parquet(s3, bucket, folder, rows):
    files = pa_fs.S3FileSystem(
        access_key=s3.key, secret_key=s3.secret, endpoint_override=s3.url, scheme="http", region="us-east-1"
    )
    table = pa.table({"id": pa.array(range(rows), pa.int64()), "value": [number / 7 for number in range(rows)]})
    pq.write_table(table, f"{bucket}/{folder}/points.parquet", filesystem=files)


@pytest.fixture
def own(tmp_path):
    """Makes servers of this test alone: they may be broken at will."""
    made = []

    def make(kind, **settings):
        server = kind(tmp_path / f"{kind.name}-{len(made)}", **settings)
        made.append(server)
        return server.start(300)

    yield make
    for server in made:
        server.stop()
        assert processes_of(server) == []


def test_elasticsearch_finds_what_was_indexed_and_keeps_it_over_a_power_cut(own, elasticsearch_server):
    from elasticsearch import helpers

    server = own(ElasticsearchServer)
    assert server.port != elasticsearch_server.port, "two stand side by side"
    client = search_client(server)
    assert client.info()["version"]["number"] == "9.5.3"
    client.indices.create(
        index="points", mappings={"properties": {"metric": {"type": "keyword"}, "value": {"type": "double"}}}
    )
    helpers.bulk(client, ({"_index": "points", "_id": str(n), **d} for n, d in enumerate(DOCUMENTS)), refresh=True)
    port, first = server.port, server.pid
    server.kill()
    assert not server.is_alive
    server.start()
    assert server.port == port
    assert server.pid != first
    found = client.search(index="points", query={"term": {"metric": "m3"}}, size=1000, sort=["value"])["hits"]["hits"]
    assert [hit["_source"] for hit in found] == [one for one in DOCUMENTS if one["metric"] == "m3"]
    assert not search_client(elasticsearch_server).indices.exists(index="points"), "they share nothing"


def test_elasticsearch_deletes_by_query(elasticsearch_server):
    from elasticsearch import helpers

    client, index = search_client(elasticsearch_server), f"points-{uuid.uuid4().hex}"
    settings = {"index.codec": "best_compression"}
    client.indices.create(index=index, settings=settings, mappings={"properties": {"metric": {"type": "keyword"}}})
    helpers.bulk(client, ({"_index": index, **one} for one in DOCUMENTS), refresh=True)
    done = client.delete_by_query(index=index, query={"term": {"metric": "m1"}}, refresh=True)
    assert done["deleted"] == 200
    assert client.count(index=index)["count"] == 800
    client.indices.delete(index=index)


def test_a_paused_server_answers_nothing_and_then_goes_on(own):
    from elastic_transport import ConnectionTimeout

    server = own(ElasticsearchServer)
    server.pause()
    with pytest.raises(ConnectionTimeout):
        search_client(server, seconds=1).info()
    assert server.is_alive
    server.resume()
    assert search_client(server).ping()
    server.pause()
    server.stop()
    assert not server.is_alive


@pytest.mark.parametrize("light", [False, True], ids=["minio", "moto"])
def test_s3_puts_gets_and_refuses_to_overwrite(own, s3_server, light):
    from botocore.exceptions import ClientError

    server = own(S3Server, light=True) if light else s3_server
    client, bucket = server.client(), server.make_bucket(f"b-{uuid.uuid4().hex[:12]}")
    client.put_object(Bucket=bucket, Key="a/b", Body=b"first", IfNoneMatch="*")
    with pytest.raises(ClientError, match="PreconditionFailed"):
        client.put_object(Bucket=bucket, Key="a/b", Body=b"second", IfNoneMatch="*")
    assert client.get_object(Bucket=bucket, Key="a/b")["Body"].read() == b"first"


def test_s3_keeps_its_objects_over_a_power_cut_and_knows_its_keys(own):
    import boto3
    from botocore.exceptions import ClientError

    server = own(S3Server)
    client, bucket = server.client(), server.make_bucket("kept")
    client.put_object(Bucket=bucket, Key="a", Body=b"x" * 3_000_000)
    server.kill()
    server.start()
    assert client.get_object(Bucket=bucket, Key="a")["Body"].read() == b"x" * 3_000_000
    stranger = boto3.client("s3", endpoint_url=server.url, aws_access_key_id="other", aws_secret_access_key="other-key",
                            region_name="us-east-1")  # fmt: skip
    with pytest.raises(ClientError, match="InvalidAccessKeyId"):
        stranger.list_objects_v2(Bucket=bucket)


@pytest.mark.parametrize("name", ["hive_server", "spark_thrift_server"])
def test_an_external_table_over_parquet_on_s3_is_counted_also_after_a_power_cut(request, s3_server, name):
    server, database = request.getfixturevalue(name), f"d_{uuid.uuid4().hex}"
    bucket = s3_server.make_bucket(f"b-{uuid.uuid4().hex[:12]}")
    for day, rows in (("2026-01-01", 700), ("2026-01-02", 300)):
        put_parquet(s3_server, bucket, f"points/dt={day}", rows)
    count = f"select dt, count(*) as n, max(id) as last from {database}.points group by dt order by dt"
    expected = [("2026-01-01", 700, 699), ("2026-01-02", 300, 299)]
    partitions = " ".join(
        f"partition (dt='{day}') location 's3a://{bucket}/points/dt={day}'" for day in ("2026-01-01", "2026-01-02")
    )
    rows = ask(
        server,
        f"create database {database}",
        f"create external table {database}.points (id bigint, value double) partitioned by (dt string) stored as parquet "
        f"location 's3a://{bucket}/points'",
        f"alter table {database}.points add {partitions}",
        count,
    )
    assert [tuple(row) for row in rows] == expected
    server.kill()
    assert processes_of(server) == []
    server.start()
    assert [tuple(row) for row in ask(server, count)] == expected


@pytest.mark.parametrize("name", ["hive_server", "spark_thrift_server"])
def test_the_shared_servers_keep_what_is_inserted(request, name):
    server, table = request.getfixturevalue(name), f"t_{uuid.uuid4().hex}"
    ask(server, f"create table {table} (x bigint) partitioned by (dt string) stored as parquet",
        f"insert overwrite table {table} partition (dt='2026-01-01') select 41")  # fmt: skip
    ask(server, f"insert overwrite table {table} partition (dt='2026-01-01') select 42")
    assert [tuple(row) for row in ask(server, f"select x, dt from {table}")] == [(42, "2026-01-01")]
    ask(server, f"drop table {table}")


def test_no_server_outlives_a_run_that_was_killed(tmp_path):
    code = (
        "import pathlib, threading, time; from lupus_provider.testing.servers import S3Server\n"
        f"server = S3Server(pathlib.Path({str(tmp_path)!r}))\n"
        "thread = threading.Thread(target=server.start); thread.start(); thread.join(); time.sleep(1)\n"
        "assert server.is_alive, 'a server lives longer than the thread that started it'\n"
        "print(server.pid, flush=True); time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as run:
        pid = int(run.stdout.readline())
        assert psutil.pid_exists(pid)
        run.kill()
    deadline = time.monotonic() + 30
    while psutil.pid_exists(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not psutil.pid_exists(pid)


class Talker(ServerProcess):
    """Says a word and ends, or says a word and never listens."""

    name = "talker"

    def __init__(self, data, *, ends):
        super().__init__(data)
        self.ends = ends

    def command(self):
        return "bash", "-c", "echo no such luck; " + ("exit 3" if self.ends else "sleep 600 & sleep 600")


@pytest.mark.parametrize("ends", [True, False])
def test_a_server_that_does_not_answer_is_ended_and_its_last_words_are_told(tmp_path, ends):
    server = Talker(tmp_path, ends=ends)
    why = "ended with 3" if ends else "does not answer at 127.0.0.1:.* after 1 s"
    with pytest.raises(ServerNotReadyError, match=rf"talker {why}(?s:.*)no such luck"):
        server.start(seconds=30 if ends else 1)
    assert not server.is_alive
    assert processes_of(server) == []
    assert not server.pid_file.exists()


def test_a_server_is_not_started_twice(own):
    server = own(S3Server)
    assert int(server.pid_file.read_text()) == server.pid
    with pytest.raises(ServerIsRunningError, match=str(server.pid)):
        server.start()
    with server:
        assert server.is_alive
    assert not server.is_alive


def test_a_quiet_port_is_none_that_the_kernel_gives_to_clients():
    with open("/proc/sys/net/ipv4/ip_local_port_range") as file:
        first, last = map(int, file.read().split())
    assert not first <= quiet_port() <= last


def test_airflow_reads_the_connections_that_the_servers_name(tmp_path):
    from airflow.models import Connection

    s3 = Connection.from_json(S3Server(tmp_path, 9000).connection)
    assert (s3.conn_type, s3.login, s3.password) == ("aws", "lupus", "lupussecret")
    assert s3.extra_dejson["endpoint_url"] == "http://127.0.0.1:9000"
    hive = Connection(uri=HiveServer(tmp_path, 10000).connection)
    assert (hive.conn_type, hive.host, hive.port, hive.schema) == ("hiveserver2", "127.0.0.1", 10000, "default")
    assert hive.extra_dejson == {"auth_mechanism": "NONE"}
    search = Connection(uri=ElasticsearchServer(tmp_path, 9200).connection)
    assert (search.host, search.port) == ("127.0.0.1", 9200)
    assert list(ElasticsearchServer(tmp_path, 1).airflow_variables) == ["AIRFLOW_CONN_LUPUS_ELASTICSEARCH"]
    assert not [name for name in os.environ if name.startswith("AIRFLOW_CONN_LUPUS_")]
