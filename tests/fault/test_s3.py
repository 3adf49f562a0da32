"""A bucket on a bad day: lost answers, storms, cuts, slowness, kills of either side; the end is that of a good day."""

from __future__ import annotations

import os
import signal
import threading
import uuid
from functools import partial

import pytest
from servers_fixtures import running

from lupus_provider.periods import Span
from lupus_provider.records import POINTS
from lupus_provider.stores import open_history, open_stage
from lupus_provider.stores.objects import open_objects
from lupus_provider.stores.objects.access import S3Access
from lupus_provider.stores.objects.errors import ConflictError, StorageAwayError, StorageFullError, StorageRefusedError
from lupus_provider.testing.builders import METRIC_SET, PROJECT, a_point, day, incoming, points
from lupus_provider.testing.history import load, values
from lupus_provider.testing.processes import finish, run_together, start
from lupus_provider.testing.proxy import Fault, FaultProxy
from lupus_provider.testing.servers import S3_REGION, S3Server

BUCKET = "faults"
KEY = (POINTS, PROJECT, METRIC_SET)
KILLED = -signal.SIGKILL


def access_to(url, server=S3Server, **given):
    keys = {"access_key": server.key, "secret_key": server.secret, "region": S3_REGION}
    return S3Access(**{**keys, "endpoint_url": url, "read_timeout": 20.0, **given})


@pytest.fixture
def proxy(s3_server):
    s3_server.make_bucket(BUCKET)
    with FaultProxy(s3_server.url) as proxy:
        yield proxy


@pytest.fixture
def url():
    return f"s3://{BUCKET}/{uuid.uuid4().hex}"


@pytest.fixture
def objects(proxy, url):
    return open_objects("test", url, access_to(proxy.url))


def puts(request):
    return request.method == "PUT"


def gets(request):
    return request.method == "GET" and "list-type" not in request.path


def completes(request):
    return request.method == "POST" and "uploadId" in request.path


# -- answers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("condition", ["if_absent", "if_match"])
def test_a_put_whose_answer_got_lost_is_no_conflict_with_itself(objects, proxy, condition):
    etag = objects.put("k", b"before") if condition == "if_match" else None
    lost = proxy.cut("response", 0, matches=puts)
    put = objects.put("k", b"after", if_match=etag, if_absent=etag is None)
    assert lost.struck == 1
    assert objects.get("k") == (b"after", objects.get("k")[1])
    assert objects.head("k").etag == put


def test_a_large_put_whose_last_answer_got_lost_is_no_conflict_with_itself(objects, proxy):
    content = os.urandom(20 << 20)
    lost = proxy.cut("response", 0, matches=completes)
    objects.put("k", content, if_absent=True)
    assert lost.struck == 1
    assert objects.get("k")[0] == content


def test_a_put_that_lost_is_a_conflict_even_if_its_answer_got_lost(objects, proxy):
    objects.put("k", b"somebody else's")
    proxy.cut("response", 0, matches=puts)
    with pytest.raises(ConflictError):
        objects.put("k", b"mine", if_absent=True)
    assert objects.get("k")[0] == b"somebody else's"


@pytest.mark.parametrize("status", [503, 429, 500])
def test_a_storm_of_refusals_is_waited_out(objects, proxy, status):
    storm = proxy.answer(status, times=4)
    objects.put("k", b"content", if_absent=True)
    assert storm.struck == 4
    assert objects.get("k")[0] == b"content"


def test_a_storm_that_does_not_end_is_an_error_that_a_retry_may_help(proxy, url):
    proxy.answer(503, times=-1)
    objects = open_objects("test", url, access_to(proxy.url, max_attempts=2))
    with pytest.raises(StorageAwayError, match=r"k on 127\.0\.0\.1.*503"):
        objects.put("k", b"content")


def test_a_connection_cut_in_the_middle_of_a_body_is_read_again(objects, proxy):
    content = os.urandom(300_000)
    objects.put("k", content)
    cuts = proxy.cut("response", 100_000, times=2, matches=gets)
    assert objects.get("k")[0] == content
    assert cuts.struck == 2


def test_a_connection_cut_in_the_middle_of_an_upload_is_sent_again(objects, proxy):
    content = os.urandom(300_000)
    cuts = proxy.cut("request", 100_000, times=2, matches=puts)
    objects.put("k", content, if_absent=True)
    assert cuts.struck == 2
    assert objects.get("k")[0] == content


def test_a_part_that_fails_for_good_leaves_nothing(objects, proxy):
    proxy.answer(403, matches=lambda r: "partNumber=2" in r.path, body=b"<Error><Code>AccessDenied</Code></Error>")
    with pytest.raises(StorageRefusedError):
        objects.put("k", os.urandom(20 << 20))
    assert list(objects.list("")) == []
    assert any(r.method == "DELETE" and "uploadId" in r.path for r in proxy.requests)


@pytest.mark.parametrize("after", [10, 200, 900])
def test_an_answer_that_breaks_off_anywhere_is_asked_for_again(objects, proxy, after):
    names = [f"many/{n:04d}" for n in range(9)]
    for name in names:
        objects.put(name, name.encode(), {"lupus-says": "all"})
    for use, wanted in [
        (lambda: [s.key for s in objects.list("many/")], names),
        (lambda: objects.get(names[0])[0], names[0].encode()),
        (lambda: objects.head(names[0]).metadata.get("lupus-says", "all"), "all"),  # the stage reads the file then
        (lambda: objects.put("new", b"x", if_absent=True), '"9dd4e461268c8034f5c8564e155c67a6"'),
        (lambda: objects.delete(names), None),
        (lambda: [s.key for s in objects.list("")], ["new"]),
    ]:
        proxy.clear()
        proxy.cut("response", after)
        assert use() == wanted


@pytest.mark.parametrize(
    ("status", "code", "kind", "says"),
    [
        (403, "InvalidAccessKeyId", StorageRefusedError, "access key"),
        (403, "SignatureDoesNotMatch", StorageRefusedError, "secret key"),
        (403, "AccessDenied", StorageRefusedError, "may not"),
        (403, "RequestTimeTooSkewed", StorageRefusedError, "clock"),
        (404, "NoSuchBucket", StorageRefusedError, "no such bucket"),
        (507, "XMinioStorageFull", StorageFullError, "No space left"),
        (400, "ExpiredToken", StorageAwayError, "ExpiredToken"),
    ],
)
def test_a_refusal_says_what_to_do_and_no_secret(objects, proxy, status, code, kind, says):
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>lupussecret</Message></Error>".encode()
    proxy.answer(status, times=-1, matches=puts, body=body, headers={"Content-Type": "application/xml"})
    with pytest.raises(kind, match=says) as caught:
        objects.put("k", b"content")
    assert "lupussecret" not in str(caught.value)
    assert "lupussecret" not in repr(objects.access)


@pytest.mark.parametrize(
    ("given", "says"),
    [({"access_key": "nobody"}, "access key is unknown"), ({"secret_key": "wrong-secret"}, "secret key")],
)
def test_wrong_keys_are_told_by_the_real_server(s3_server, url, given, says):
    s3_server.make_bucket(BUCKET)
    objects = open_objects("test", url, access_to(s3_server.url, **given))
    with pytest.raises(StorageRefusedError, match=says) as caught:
        objects.put("k", b"")
    assert "wrong-secret" not in str(caught.value)


def test_a_missing_bucket_is_told_by_the_real_server(s3_server):
    objects = open_objects("test", "s3://no-such-bucket-here/x", access_to(s3_server.url))
    for use in (lambda: objects.put("k", b""), lambda: list(objects.list(""))):
        with pytest.raises(StorageRefusedError, match="no such bucket"):
            use()


def test_nobody_there_is_an_error_that_a_retry_may_help(url):
    objects = open_objects("test", url, access_to("http://127.0.0.1:9", max_attempts=2, connect_timeout=2.0))
    with pytest.raises(StorageAwayError, match="EndpointConnectionError"):
        objects.put("k", b"")


# -- stores ----------------------------------------------------------------------------------------------------------


def test_a_slow_server_is_waited_for_by_all_clients(proxy, url):
    history = open_history(url, access_to(proxy.url))
    load(history, {day(): 1.0})
    slow = proxy.delay(5.0)  # more than the three seconds that Arrow's client waits by itself
    assert values(history) == {day(): 1.0}
    assert slow.struck >= 2


def test_a_scan_survives_storms_and_cuts(proxy, url):
    history = open_history(url, access_to(proxy.url))
    load(history, {day(n): float(n) for n in range(5)})
    storm = proxy.answer(503, times=3, matches=lambda r: "part.parquet" in r.path)
    cuts = proxy.cut("response", 400, times=2, matches=lambda r: "part.parquet" in r.path)
    assert values(history) == {day(n): float(n) for n in range(5)}
    assert (storm.struck, cuts.struck) == (3, 2)


def test_a_load_whose_switch_lost_its_answer_is_loaded_once(proxy, url):
    history = open_history(url, access_to(proxy.url))
    lost = proxy.cut("response", 0, matches=lambda r: r.method == "PUT" and "manifest" in r.path)
    assert load(history, {day(): 1.0}).periods == 1
    assert lost.struck == 1
    assert values(history) == {day(): 1.0}
    assert len([s for s in history.objects.list("") if "/v=" in s.key]) == 1


def test_a_storage_that_ignores_conditions_is_refused_before_anything_is_switched(proxy, url, monkeypatch):
    history = open_history(url, access_to(proxy.url))
    real = history.objects.put
    monkeypatch.setattr(history.objects, "put", lambda *args, if_absent=False, **kw: real(*args, **kw))
    with pytest.raises(StorageRefusedError, match="ignores the condition"):
        load(history, {day(): 1.0})
    assert values(history) == {}


def load_one(url, access, n):
    load(open_history(url, access), {day(n): float(n)})


def test_eight_loaders_of_one_metric_set_lose_nothing(s3_server, url):
    s3_server.make_bucket(BUCKET)
    access = access_to(s3_server.url)
    assert run_together(*((load_one, url, access, n) for n in range(8))) == [0] * 8
    assert values(open_history(url, access)) == {day(n): float(n) for n in range(8)}


# -- kills -----------------------------------------------------------------------------------------------------------


def put_one(url, access, megabytes):
    open_objects("test", url, access).put("k", b"x" * (megabytes << 20))


@pytest.mark.parametrize("megabytes", [4, 24])
def test_a_writer_killed_in_the_middle_of_an_upload_leaves_nothing_to_see(proxy, url, objects, megabytes):
    victim = []
    strike = Fault(lambda r: r.method == "PUT" and "partNumber=1&" not in r.path, cut="request", after_bytes=1 << 20)
    strike.then = lambda: os.kill(victim[0], signal.SIGKILL)
    proxy.add(strike)
    process = start(put_one, url, access_to(proxy.url), megabytes)
    victim.append(process.pid)
    assert finish(process) == KILLED
    assert strike.struck == 1
    assert list(objects.list("")) == []
    objects.put("k", b"again", if_absent=True)


def stage_one(url, access, value):
    assert open_stage(url, access).write(*KEY, day(), points(a_point(value)), day(1))


def test_a_staged_file_is_whole_or_absent_whenever_its_writer_is_killed(proxy, url):
    stage = open_stage(url, access_to(proxy.url))
    victim = []
    for after in (0, 200, 1_500):
        strike = Fault(puts, cut="request", after_bytes=after, then=lambda: os.kill(victim[-1], signal.SIGKILL))
        proxy.add(strike)
        process = start(stage_one, url, access_to(proxy.url), 1.0)
        victim.append(process.pid)
        assert finish(process) == KILLED
        assert stage.files(*KEY, Span(day(), day(1))) == []
    stage_one(url, access_to(proxy.url), 2.0)
    (file,) = stage.files(*KEY, Span(day(), day(1)))
    assert stage.read(POINTS, file)["value"].to_pylist() == [2.0]


@pytest.mark.parametrize("megabytes", [4, 24])
def test_a_server_killed_during_an_upload_and_started_again_has_the_object_whole(tmp_path, megabytes):
    with running(S3Server(tmp_path / "minio")) as server, FaultProxy(server.url) as proxy:
        server.make_bucket(BUCKET)
        objects = open_objects("test", f"s3://{BUCKET}/x", access_to(proxy.url, max_attempts=12))
        objects.put("k", b"old")
        restarts = []

        def kill():
            server.kill()
            restarts.append(threading.Thread(target=partial(server.start, 120.0)))
            restarts[0].start()

        strike = proxy.add(Fault(puts, cut="request", after_bytes=1 << 20, then=kill))
        content = os.urandom(megabytes << 20)
        objects.put("k", content, if_match=objects.head("k").etag)
        restarts[0].join()
        assert strike.struck == 1
        assert objects.get("k")[0] == content


def test_a_load_during_which_the_server_is_killed_ends_like_one_undisturbed(tmp_path):
    with running(S3Server(tmp_path / "minio")) as server, FaultProxy(server.url) as proxy:
        server.make_bucket(BUCKET)
        history = open_history(f"s3://{BUCKET}/x", access_to(proxy.url, max_attempts=3))
        load(history, {day(0): 0.0})
        for at, place in enumerate(("part.parquet", "manifest.json"), 1):
            proxy.add(
                Fault(
                    lambda r, p=place: r.method == "PUT" and p in r.path,
                    cut="request",
                    after_bytes=300,
                    then=server.kill,
                )
            )
            with pytest.raises(StorageAwayError):
                load(history, {day(n): float(at) for n in range(2)})
            server.start(120.0)
            assert len(values(history)) in (1, 2)
            load(history, {day(n): float(at) for n in range(2)})
            assert values(history) == {day(0): float(at), day(1): float(at)}


def test_what_a_slow_loader_wrote_is_not_swept_before_it_switches(proxy, url, monkeypatch):
    history = open_history(url, access_to(proxy.url))
    load(history, {day(): 1.0})

    def gather():
        load(open_history(url, access_to(proxy.url)), {day(1): 2.0})  # another loader switches, and sweeps
        return [incoming(day(2), points(a_point(3.0, day(2))))]

    history.load(*KEY, gather)
    assert values(history) == {day(): 1.0, day(1): 2.0, day(2): 3.0}
