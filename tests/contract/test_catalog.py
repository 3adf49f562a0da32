"""Every catalogue keeps the laws, on real servers; a new one adds a line."""

from __future__ import annotations

import uuid
from contextlib import suppress
from functools import partial

import pytest

from lupus_provider.errors import CatalogError
from lupus_provider.naming import day_path
from lupus_provider.stores import parquet
from lupus_provider.stores.history.catalog import Version
from lupus_provider.stores.history.errors import DaysUntoldError
from lupus_provider.stores.history.hive import HiveCatalog, HiveOptions
from lupus_provider.testing.builders import day
from lupus_provider.testing.catalog import KEY, CatalogLaws, counts, laid

SERVERS = {"hive": "hive_server", "spark": "spark_thrift_server"}
CASES = [f"{server}-{mode}" for server in SERVERS for mode in ("external", "managed")]


@pytest.fixture(params=CASES)
def case(request):
    server, mode = request.param.split("-")
    return request.getfixturevalue(SERVERS[server]), mode


@pytest.fixture
def switches(case):
    """How often the reader's test switches: an overwrite takes seconds."""
    return 20 if case[1] == "external" else 6


@pytest.fixture
def root(case, request, tmp_path):
    """Address of the history, and what writes into it."""
    if case[1] != "s3":
        yield (tmp_path / "history").as_uri(), lambda path, content: write(tmp_path / "history" / path, content)
        return
    s3 = request.getfixturevalue("s3_server")
    bucket, prefix, client = s3.make_bucket("catalog"), uuid.uuid4().hex, s3.client()
    put = partial(client.put_object, Bucket=bucket)
    yield f"s3://{bucket}/{prefix}", lambda path, content: put(Key=f"{prefix}/{path}", Body=content)
    client.close()


def write(file, content):
    file.parent.mkdir(parents=True)
    file.write_bytes(content)


@pytest.fixture
def reopen(case, tmp_path):
    from pyhive import hive

    server, mode = case
    connect = partial(hive.connect, host="127.0.0.1", port=server.port, username="lupus", auth="NONE")
    uploads = (tmp_path / "uploads").as_uri()
    options = HiveOptions(
        database=f"t{uuid.uuid4().hex[:12]}", mode="managed" if mode == "managed" else "external", upload_url=uploads
    )
    opened = []

    def reopen():
        opened.append(HiveCatalog(connect, options))
        return opened[-1]

    yield reopen
    with suppress(CatalogError):  # a test that publishes nothing makes no database
        for row in opened[0]._run(f"SHOW TABLES IN {options.database}"):
            opened[0]._run(f"DROP TABLE {options.database}.{row[:2][-1]}")
    for catalog in opened:
        catalog.close()


@pytest.fixture
def catalog(reopen):
    return reopen()


@pytest.fixture
def lay(root):
    url, put = root

    def lay(kind, project, metric_set, at, table):
        path = f"{kind.name}/{day_path(project, metric_set, at.date())}/v={uuid.uuid4().hex}"
        put(f"{path}/part.parquet", bytes(parquet.encoded(table, kind, "digest", day(400))))
        return Version(at.date(), f"{url}/{path}/", table.num_rows)

    return lay


SEPARATOR = "<~>"


@pytest.fixture
def read(reopen):
    def read(kind, project, metric_set):
        catalog = reopen()  # a session of Spark that has read a table does not see what another one overwrites
        names = [name for name in kind.schema.names if name != "group_key"]
        maps = [f"concat_ws('{SEPARATOR}', {part}(group_key))" for part in ("map_keys", "map_values")]
        chosen = ", ".join([*(f"`{name}`" for name in names), "size(group_key)", *maps])
        where = f"project = '{project}' AND metric_set = '{metric_set}'"
        found = catalog._run(f"SELECT {chosen} FROM {catalog.table(kind)} WHERE {where}")
        return [dict(zip(names, row)) | {"group_key": group(*row[-3:])} for row in found]

    return read


def group(size, keys, values):
    # Neither server escapes quotes when it writes a map as text, so maps come as their keys and values.
    return dict(zip(keys.split(SEPARATOR), values.split(SEPARATOR))) if size > 0 else {}


class TestCatalog(CatalogLaws):
    pass


@pytest.mark.parametrize("case", ["hive-s3", "spark-s3"], indirect=True)
def test_versions_in_a_bucket_are_switched(catalog, lay):
    old = laid(lay, {0: 3, 1: 4})
    catalog.publish(*KEY, old)
    new = laid(lay, {1: 2, 2: 5})
    catalog.publish(*KEY, new)
    assert catalog.row_counts(*KEY) == counts([*old, *new])
    assert [place.split("://")[0] for place in catalog.partitions(*KEY).values()] == ["s3a"] * 3


@pytest.mark.parametrize("case", ["hive-external", "spark-external"], indirect=True)
def test_days_that_are_refused_do_not_hold_up_the_others(catalog, lay):
    catalog.publish(*KEY, laid(lay, dict.fromkeys(range(12), 1)))
    newer = laid(lay, dict.fromkeys(range(12), 2))
    real = catalog._sessions.run_each
    at = f"`dt`='{newer[5].dt}'"
    catalog._sessions.run_each = lambda texts: real(
        [text.replace("SET LOC", "SOT LOC") if at in text else text for text in texts]
    )
    with pytest.raises(DaysUntoldError, match=r"11 days and not of 1; 2024-01-06") as caught:
        catalog.publish(*KEY, newer)
    assert list(caught.value.untold) == [newer[5].dt]
    assert isinstance(caught.value.untold[newer[5].dt], CatalogError)
    assert catalog.row_counts(*KEY) == {version.dt: 1 if version is newer[5] else 2 for version in newer}
