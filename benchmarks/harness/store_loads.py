"""Questions about writing: each store's load against the bare act that it cannot do without, on the same content."""

from __future__ import annotations

import io
import tempfile
import uuid
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
from make_points import FIRST, WRITTEN, Series
from pyarrow import fs

from harness.cost import costs_in_turn
from lupus_provider.records import POINTS
from lupus_provider.stores import open_history, open_index, open_stage, parquet
from lupus_provider.stores.history import hive_sql
from lupus_provider.stores.history.catalog import Version
from lupus_provider.stores.history.hive import HiveCatalog, HiveOptions
from lupus_provider.stores.history.hive_upload import Uploads
from lupus_provider.stores.index.base import MetricSetInfo
from lupus_provider.stores.objects.access import S3Access
from lupus_provider.testing.servers import S3_REGION

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.store_servers import Servers

Rows = list[dict[str, Any]]
SETTLED = 1.0
"""Seconds for merges that a load leaves to Elasticsearch."""


def elastic_load(servers: Servers, series: int, days: int, repeat: int) -> Rows:
    """Load a year into Elasticsearch: through the index, and its very documents by the client's own bulk helper."""
    from elasticsearch import helpers

    server, number = servers.elasticsearch, count()
    made = Series(MetricSetInfo("bench", "year", "day", "UTC"), series, days)
    incoming = made.incoming(POINTS)
    url = f"{server.url}/load{uuid.uuid4().hex[:8]}"
    index: Any = open_index(url)
    client, name = index.door.client, url.rpartition("/")[2]

    def ours() -> None:
        about = MetricSetInfo("bench", f"year_{next(number)}", "day", "UTC")
        index.load(POINTS, about, lambda: incoming)

    ours()
    documents = []
    for room in ("points", "series"):
        about = next(iter(client.indices.get(index=f"{name}-{room}").values()))
        client.indices.create(
            index=f"bare-{room}",
            settings={"number_of_replicas": 0, "refresh_interval": "-1"},
            mappings=about["mappings"],
        )
        documents += [
            {"_index": f"bare-{room}", "_id": hit["_id"], "_routing": hit.get("_routing"), "_source": hit["_source"]}
            for hit in helpers.scan(
                client, index=f"{name}-{room}", query={"query": {"terms": {"doc": ["slots", "series"]}}}, size=2_000
            )
        ]

    def bare() -> None:  # beside what is there already, as the other
        n = next(number)
        mine = ({**document, "_id": f"{n}|{document['_id']}"} for document in documents)
        for _ in helpers.parallel_bulk(client, mine, thread_count=3, chunk_size=2_000, max_chunk_bytes=2_000_000):
            pass
        client.indices.refresh(index="bare-*")

    costs = costs_in_turn([ours, bare], [server], repeat, SETTLED)
    drop_indices(client, "bare")
    drop_indices(client, name)
    index.close()
    more = {"points": series * days, "documents": len(documents)}
    return [costs[0].row("index.load", **more), costs[1].row("helpers.parallel_bulk", **more)]


def drop_indices(client: Any, prefix: str) -> None:
    """Delete the indices of a prefix."""
    for index in client.indices.get(index=f"{prefix}-*", allow_no_indices=True):
        client.indices.delete(index=index)


def another_day(servers: Servers, series: int, repeat: int, stores: list[str]) -> Rows:
    """Load one more day of many series into a month that is there."""
    rows = []
    for store in stores:
        url, server = servers.index(store)
        index: Any = open_index(url)
        made = Series(MetricSetInfo("bench", "large", "day", "UTC"), series, repeat + 12)
        index.load(POINTS, made.about, lambda made=made: made.incoming(POINTS, range(10)))
        days = iter([made.incoming(POINTS, range(n, n + 1)) for n in range(10, 11 + repeat)])
        (cost,) = costs_in_turn(
            [lambda index=index, days=days, made=made: index.load(POINTS, made.about, partial(next, days))],
            server,
            repeat,
        )
        rows.append(cost.row(f"index.load on {store}", points=series))
    return rows


def history_load(servers: Servers, series: int, days: int, repeat: int) -> Rows:
    """Load days into the history and Hive, in both modes, and the same file by one bare INSERT OVERWRITE."""
    from pyhive import hive

    server = servers.hive
    connect = partial(hive.connect, host="127.0.0.1", port=server.port, username="lupus", auth="NONE")
    made = Series(MetricSetInfo("bench", "days", "day", "UTC"), series, days)
    incoming = made.incoming(POINTS)
    with tempfile.TemporaryDirectory() as folder:
        catalogs, calls = [], []
        for mode in ("managed", "external"):
            options = HiveOptions(database=f"bench_{mode}", mode=mode, upload_url=(Path(folder) / "uploads").as_uri())
            catalogs.append(HiveCatalog(connect, options))
            history = open_history((Path(folder) / mode).as_uri(), catalog=catalogs[-1])
            calls.append(partial(history.load, POINTS, "bench", "days", lambda: incoming, force=True))
        calls.append(_bare_insert(connect, Path(folder), made, incoming))
        costs = costs_in_turn(calls, [server], repeat)
        for catalog in catalogs:
            catalog._run(f"DROP DATABASE {catalog.options.database} CASCADE")
            catalog.close()
    names = ("history.load, managed", "history.load, external", "INSERT OVERWRITE")
    return [cost.row(name, points=series * days) for name, cost in zip(names, costs)]


def _bare_insert(connect: Callable[[], Any], folder: Path, made: Series, incoming: list[Any]) -> Callable[[], None]:
    versions = []
    for item in incoming:
        place = folder / "versions" / item.digest
        place.mkdir(parents=True)
        (place / "part.parquet").write_bytes(bytes(parquet.encoded(item.read(), POINTS, item.digest, WRITTEN)))
        versions.append(Version(item.period_start.date(), place.as_uri(), made.size))
    fetch = lambda url: (Path(fs.FileSystem.from_uri(url)[1]) / "part.parquet").read_bytes()  # noqa: E731
    file = Uploads((folder / "bare").as_uri()).put("file", POINTS, versions, fetch)
    types = hive_sql.column_types(POINTS.schema)
    cursor = connect().cursor()
    for statement in (
        "CREATE DATABASE IF NOT EXISTS bench_bare", "DROP TABLE IF EXISTS bench_bare.points", "DROP TABLE IF EXISTS bench_bare.file",
        hive_sql.create_table("bench_bare.points", types, "managed", None),
        hive_sql.create_upload("bench_bare.file", types | {"dt": "string"}, hive_sql.location(file, {})),
        "SET hive.exec.dynamic.partition.mode=nonstrict", "SET hive.vectorized.execution.enabled=false",
    ):  # fmt: skip
        cursor.execute(statement)
    columns = ", ".join(f"`{name}`" for name in types)
    insert = (
        "INSERT OVERWRITE TABLE bench_bare.points PARTITION (project='bench', metric_set='days', dt) "
        f"SELECT {columns}, `dt` FROM bench_bare.file"
    )
    return lambda: cursor.execute(insert)


def access_to(server: Any) -> S3Access:
    """Return the access to a test server."""
    return S3Access(access_key=server.key, secret_key=server.secret, region=S3_REGION, endpoint_url=server.url)


def staging(servers: Servers, series: int, days: int, repeat: int) -> Rows:
    """Stage days on S3: through the stage, and the same bytes by boto3 alone."""
    server, number = servers.s3, count()
    bucket, client = server.make_bucket("bench-stage"), server.client()
    stage = open_stage(f"s3://{bucket}/ours", access_to(server))
    made = Series(MetricSetInfo("bench", "days", "day", "UTC"), series, days)
    tables = [made.points(n) for n in range(days)]
    files = [bytes(parquet.encoded(table, POINTS, POINTS.digest(table), WRITTEN)) for table in tables]

    def ours() -> None:
        name = f"days_{next(number)}"
        for n, table in enumerate(tables):
            stage.write(POINTS, "bench", name, made.day(n), table, WRITTEN)

    def encoding_and_bare() -> None:
        name = next(number)
        for n, table in enumerate(tables):
            sink = io.BytesIO()
            pq.write_table(table, sink, compression="zstd")
            client.upload_fileobj(io.BytesIO(sink.getvalue()), bucket, f"encoded/{name}/{n}.parquet")

    def bare() -> None:
        name = next(number)
        for n, content in enumerate(files):
            client.upload_fileobj(io.BytesIO(content), bucket, f"bare/{name}/{n}.parquet")

    costs = costs_in_turn([ours, encoding_and_bare, bare], [server], repeat)
    names = ("stage.write", "pyarrow, then boto3 upload", "boto3 upload of ready bytes")
    more = {"points": series * days, "bytes": sum(map(len, files))}
    return [cost.row(name, **more) for name, cost in zip(names, costs)]


__all__ = ["FIRST", "access_to", "another_day", "drop_indices", "elastic_load", "history_load", "staging"]
