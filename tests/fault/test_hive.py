"""HiveServer2 away, killed, frozen, restarted and too slow: nothing is half told, and telling again mends it."""

from __future__ import annotations

import threading
import time
import uuid
from contextlib import suppress
from functools import partial

import pytest
from pyhive import hive
from TCLIService.ttypes import TGetOperationStatusReq, TOperationState

from lupus_provider.errors import CatalogAwayError, CatalogError, Transient
from lupus_provider.records import POINTS
from lupus_provider.stores import parquet
from lupus_provider.stores.history.catalog import Version
from lupus_provider.stores.history.hive import HiveCatalog, HiveOptions
from lupus_provider.stores.history.hive_session import HiveSession
from lupus_provider.testing.builders import METRIC_SET, PROJECT, a_point, day, points
from lupus_provider.testing.server_process import quiet_port

KEY = (POINTS, PROJECT, METRIC_SET)
SLOW = (
    "SELECT count(*) FROM {table} WHERE reflect('java.lang.Thread', 'sleep', cast(n_rows * 10 AS bigint)) IS NOT NULL"
)
"""One second a row; Hive's `sleep` gives null, Spark's the text `null`."""


def connector(port):
    return partial(hive.connect, host="127.0.0.1", port=port, username="lupus", auth="NONE")


@pytest.fixture
def options(tmp_path):
    return HiveOptions(
        database=f"f{uuid.uuid4().hex[:12]}", mode="managed", upload_url=(tmp_path / "up").as_uri(), timeout=120
    )


@pytest.fixture
def opened(options):
    """Open a catalogue that is closed after the test."""
    catalogs = []

    def opened(connect):
        catalogs.append(HiveCatalog(connect, options))
        return catalogs[-1]

    yield opened
    for catalog in catalogs:
        catalog.close()


@pytest.fixture
def versions(tmp_path):
    """Four days of five rows."""
    found = []
    for n in range(4):
        table = points(*(a_point(i / 7, day(n), entity=str(i)) for i in range(5)))
        folder = tmp_path / f"points/project={PROJECT}/metric_set={METRIC_SET}/dt={day(n).date()}/v={n}"
        folder.mkdir(parents=True)
        (folder / "part.parquet").write_bytes(parquet.encoded(table, POINTS, "digest", day(400)))
        found.append(Version(day(n).date(), folder.as_uri(), table.num_rows))
    return found


def told(catalog, metric_set=METRIC_SET):
    where = f"metric_set = '{metric_set}' ORDER BY dt, series_id"
    return catalog._run(f"SELECT dt, series_id, value, n_rows, period_start FROM {catalog.table(POINTS)} WHERE {where}")


@pytest.mark.parametrize("seconds", [0.0, 0.4, 1.2])
def test_a_server_killed_in_an_overwrite_is_told_again(hive_server, opened, versions, seconds):
    opened(connector(hive_server.port)).publish(*KEY, versions[:2])
    catalog = opened(connector(hive_server.port))
    run, killers = catalog._run, []

    def killed_while_inserting(statement):
        if statement.startswith("INSERT"):
            killers.append(threading.Timer(seconds, hive_server.kill))
            killers[-1].start()
        return run(statement)

    catalog._run = killed_while_inserting
    try:
        with suppress(CatalogAwayError):  # the latest kill may come after the end
            catalog.publish(*KEY, versions[1:])
    finally:
        for killer in killers:
            killer.join()
        hive_server.kill()
        hive_server.start()
    mended = opened(connector(hive_server.port))
    mended.publish(*KEY, versions)
    mended.publish(POINTS, PROJECT, "undisturbed", versions)
    assert told(mended) == told(mended, "undisturbed")
    assert len(told(mended)) == 20


def test_a_restarted_server_is_found_again_without_an_error(hive_server, opened, versions):
    catalog = opened(connector(hive_server.port))
    catalog.publish(*KEY, versions[:1])
    hive_server.restart()
    catalog.publish(*KEY, versions[1:2])
    assert catalog.row_counts(*KEY) == {version.dt: 5 for version in versions[:2]}


def test_a_server_that_is_not_there_is_away():
    session = HiveSession(connector(quiet_port()), "hive.lupus", timeout=5)
    with pytest.raises(CatalogAwayError, match=r"hive\.lupus .*cannot be reached") as caught:
        session.run("SHOW DATABASES")
    assert isinstance(caught.value, Transient)


def test_a_frozen_server_is_away_and_comes_back(hive_server):
    session = HiveSession(connector(hive_server.port), "hive.lupus", timeout=60, connect_timeout=1.0)
    hive_server.pause()
    try:
        with pytest.raises(CatalogAwayError, match="did not answer in time"):
            session.run("SHOW DATABASES")
    finally:
        hive_server.resume()
    patient = HiveSession(connector(hive_server.port), "hive.lupus", timeout=60)
    assert patient.run("SHOW DATABASES")
    patient.close()


@pytest.fixture(params=["hive_server", "spark_thrift_server"])
def slow(request, opened, versions):
    """A table whose rows take a second each, and how to connect to it."""
    connect = connector(request.getfixturevalue(request.param).port)
    catalog = opened(connect)
    catalog.publish(*KEY, versions)
    return connect, SLOW.format(table=catalog.table(POINTS))


def running(session):
    """Wait until a statement runs, and return its handle."""
    until = time.monotonic() + 60
    while getattr(session._cursor, "_operationHandle", None) is None:
        assert time.monotonic() < until
        time.sleep(0.01)
    return session._cursor._operationHandle


def state(connect, handle):
    """Return what the server says of an operation; None: it does not know it any more."""
    with connect() as other:
        answer = other.client.GetOperationStatus(TGetOperationStatusReq(operationHandle=handle))
        return answer.operationState


def refused(session, statement, into):
    try:
        session.run(statement)
    except (CatalogAwayError, CatalogError) as err:
        into.append(err)


@pytest.mark.parametrize("ending", ["time-out", "cancel"])
def test_a_statement_is_ended_on_the_server(slow, ending):
    connect, statement = slow
    session, errors = HiveSession(connect, "hive.lupus", timeout=3 if ending == "time-out" else 120), []
    session.run("SET hive.vectorized.execution.enabled=false")  # opens the session, so that the time is the statement's
    worker = threading.Thread(target=refused, args=(session, statement, errors))
    worker.start()
    handle = running(session)
    if ending == "cancel":
        time.sleep(1)
        session.cancel()
    worker.join(30)
    assert not worker.is_alive()
    assert "cancelled" in str(errors[0])
    assert isinstance(errors[0], CatalogAwayError)
    assert state(connect, handle) in (None, TOperationState.CANCELED_STATE, TOperationState.CLOSED_STATE)
    if ending == "cancel":
        with pytest.raises(CatalogAwayError, match="cancelled"):
            session.run("SHOW DATABASES")
    else:
        assert session.run("SHOW DATABASES")
    session.close()
