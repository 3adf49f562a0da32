"""Whatever kept a load from its end, what it left waits on the stage, is told, and `reconcile` loads it: the end is an undisturbed one."""

from __future__ import annotations

import socket
import struct
import threading
import uuid
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from lupus_provider import clock
from lupus_provider.errors import CatalogError, LupusError, Terminal, Transient
from lupus_provider.steps.rebuild_index import rebuild_index
from lupus_provider.steps.reconcile import mend, reconcile
from lupus_provider.stores.history.hive_session import HiveSession
from lupus_provider.stores.index.elastic import ElasticAccess, bulk
from lupus_provider.stores.index.elastic.mappings import body
from lupus_provider.stores.index.elastic.names import Names
from lupus_provider.stores.objects.access import S3Access
from lupus_provider.stores.objects.errors import StorageRefusedError
from lupus_provider.testing.proxy import Fault, FaultProxy
from lupus_provider.testing.servers import S3_REGION
from lupus_provider.testing.way import STEPS, Places, Way, write_source

pytestmark = pytest.mark.timeout(300)
SLOW = 10.0
"""Seconds that a slow server takes for a request."""


@pytest.fixture(scope="module")
def wanted(folder):
    """What an undisturbed way in a folder says before anything is judged."""
    home = folder / "wanted"
    write_source(home / "data", 2)
    way = Way(home)
    for step in STEPS[:3]:
        way.run(step)
    return way.known()


@pytest.fixture
def s3(s3_server):
    s3_server.make_bucket("reconciled")
    with FaultProxy(s3_server.url) as proxy:
        yield proxy


@pytest.fixture
def elastic(elasticsearch_server):
    with FaultProxy(elasticsearch_server.url) as proxy:
        yield proxy


@pytest.fixture
def way(s3, elastic, s3_server, tmp_path):
    """A way whose every request passes a proxy, collected; its loaders have little patience."""
    name = f"r{uuid.uuid4().hex[:10]}"
    access = S3Access(
        s3_server.key, s3_server.secret, region=S3_REGION, endpoint_url=s3.url, read_timeout=5.0, max_attempts=2
    )
    places = Places(
        f"s3://reconciled/{name}/stage", f"s3://reconciled/{name}/history", f"{elastic.url}/{name}",
        access, ElasticAccess(lease=0.6, patience=3.0, request_timeout=5.0),
    )  # fmt: skip
    write_source(tmp_path / "data", 2)
    patient = replace(places, elastic=ElasticAccess(patience=60.0))
    Way(tmp_path, places=patient).index.close()  # indices are made without haste
    way = Way(tmp_path, places=places)
    way.run("collect")
    yield way
    way.close()


def into_history(request):
    return request.method == "PUT" and "/history/" in request.path


def into_index(request):
    return request.method in ("PUT", "POST") and "_bulk" in request.path


def s3_error(code, status=403):
    return {
        "status": status,
        "body": f"<Error><Code>{code}</Code></Error>".encode(),
        "headers": {"Content-Type": "application/xml"},
    }


FAULTS = {
    "wrong keys": ("s3", Fault(into_history, -1, **s3_error("InvalidAccessKeyId")), Terminal),
    "no right to write": ("s3", Fault(into_history, -1, **s3_error("AccessDenied")), Terminal),
    "a clock that is wrong": ("s3", Fault(into_history, -1, **s3_error("RequestTimeTooSkewed")), Terminal),
    "a full storage": ("s3", Fault(into_history, -1, **s3_error("XMinioStorageFull", 507)), Transient),
    "a storm of 503": ("s3", Fault(into_history, -1, **s3_error("SlowDown", 503)), Transient),
    "uploads cut off": ("s3", Fault(into_history, -1, cut="request", after_bytes=300), Transient),
    "a bucket that is too slow": ("s3", Fault(into_history, -1, delay=SLOW), Transient),
    "a wrong login": ("elastic", Fault(into_index, -1, status=401, body=b"{}"), Terminal),
    "no right to index": ("elastic", Fault(into_index, -1, status=403, body=b"{}"), Terminal),
    "a storm of 429": ("elastic", Fault(into_index, -1, status=429, body=b"{}"), Transient),
    "answers cut off": ("elastic", Fault(into_index, -1, cut="response", after_bytes=100), Transient),
    "an index that is too slow": ("elastic", Fault(into_index, -1, delay=SLOW), Transient),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_what_a_fault_kept_from_a_store_is_told_and_loaded_later(name, way, s3, elastic, wanted):
    server, fault, kind = FAULTS[name]
    {"s3": s3, "elastic": elastic}[server].add(replace(fault))
    behind = "history" if server == "s3" else "index"
    if server == "elastic":
        way.run("load_history")
    with pytest.raises(kind):
        way.run(f"load_{behind}")
    way.close()  # the step is over: what it had open is closed by its task
    for proxy in (s3, elastic):
        proxy.clear()
    check_left_and_mend(way, behind, wanted)


def check_left_and_mend(way, behind, wanted):
    """Compare: some periods are not where they should be, and that is told; mended, all are."""
    found = reconcile(way.target, way.stage, way.history, way.index, clock.utc_now())
    left = {str(difference.period_start.date()) for difference in found.differences if difference.store == behind}
    assert left, "the fault has kept something"
    assert left <= {"2024-01-01", "2024-01-02"}
    mend(way.target, found, way.stage, way.history, way.index)
    assert reconcile(way.target, way.stage, way.history, way.index, clock.utc_now(), deep=True).differences == ()
    assert way.known() == wanted


def test_a_document_that_was_too_large_is_loaded_when_it_may_be_as_large(way, wanted, monkeypatch):
    way.run("load_history")
    with monkeypatch.context() as patch:
        patch.setattr(bulk, "DOCUMENT_BYTES", 100)
        with pytest.raises(Terminal, match="that one document may have"):
            way.run("load_index")
    check_left_and_mend(way, "index", wanted)


def test_what_a_mapping_refused_is_loaded_by_a_rebuild(way, elasticsearch_server, wanted):
    from elasticsearch import Elasticsearch

    client, prefix = Elasticsearch(elasticsearch_server.url), way.places.index.rpartition("/")[2]
    other, wrong = Names(prefix).index("points", "wrong"), body("points")
    wrong["mappings"]["properties"]["metric"] = {"type": "boolean"}
    (old,) = client.indices.get_alias(name=f"{prefix}-points")
    client.indices.create(index=other, **wrong)
    client.indices.update_aliases(actions=[
        {"remove_index": {"index": old}}, {"add": {"index": other, "alias": f"{prefix}-points"}},
    ])  # fmt: skip
    way.run("load_history")
    with pytest.raises(Terminal, match=r"refused .*row_count"):
        way.run("load_index")
    assert reconcile(way.target, way.stage, way.history, way.index, clock.utc_now()).differences
    with way.index.rebuild() as fresh:
        rebuild_index(way.target.project, way.history, fresh, clock.utc_now())
    assert reconcile(way.target, way.stage, way.history, way.index, clock.utc_now(), deep=True).differences == ()
    assert way.known() == wanted
    client.close()


def test_a_clock_that_is_an_hour_late_is_told_by_the_real_storage(way, monkeypatch):
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda **_: late())
    with pytest.raises(StorageRefusedError, match=r"clock differs .* Set the clock of this machine"):
        way.stage.objects.put("k", b"")


def late():
    return clock.utc_now().replace(tzinfo=None) - timedelta(hours=1)  # naive, as botocore has it


def test_a_wrong_login_of_hive_is_told_and_shows_no_secret():
    from pyhive import hive

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=refuse_logins, args=(listener,), daemon=True).start()
        port = listener.getsockname()[1]
        connect = partial(hive.connect, "127.0.0.1", port, username="me", password="hunter2", auth="LDAP")
        session = HiveSession(connect, "hive.lupus", timeout=10)
        with pytest.raises(CatalogError, match="Error validating the login") as caught:
            session.run("SHOW DATABASES")
        session.close()
    assert "hunter2" not in str(caught.value)
    assert isinstance(caught.value, LupusError)


def refuse_logins(listener):
    """Answer as HiveServer2 does to a wrong password: SASL's status BAD, and a reason."""
    reason = b"Error validating the login"
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            with client:
                client.recv(4096)
                client.sendall(struct.pack(">BI", 3, len(reason)) + reason)
                client.recv(4096)
