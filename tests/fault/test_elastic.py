"""Whatever happens to the loader, the network or the node, the index ends equal to an undisturbed one, and readers see periods whole."""

from __future__ import annotations

import random
import threading
import time
from itertools import count

import pytest

from lupus_provider.records import ANOMALIES, EVALUATIONS, POINTS
from lupus_provider.stores.index.base import CatalogQuery
from lupus_provider.stores.index.elastic import ElasticAccess, ElasticIndex, bulk, indices, lease
from lupus_provider.stores.index.elastic.errors import (
    DocumentsRefusedError,
    ElasticRefusedError,
    ElasticUnavailableError,
)
from lupus_provider.stores.index.elastic.mappings import body
from lupus_provider.stores.index.elastic.names import Names
from lupus_provider.stores.index.sql import SqlIndex
from lupus_provider.testing.builders import PROJECT, a_point, day, incoming, points
from lupus_provider.testing.elastic import (
    ABOUT,
    PERIODS,
    load_and_die,
    load_many_versions,
    load_version,
    series_of,
    wipe,
)
from lupus_provider.testing.processes import finish, start
from lupus_provider.testing.proxy import Fault, FaultProxy
from lupus_provider.testing.servers import ElasticsearchServer

MINE = frozenset({PROJECT})
ACCESS = ElasticAccess(lease=0.6, patience=60.0, request_timeout=20.0)
EVERY = series_of(1)
KINDS = (POINTS, EVALUATIONS, ANOMALIES)


@pytest.fixture
def url(elasticsearch_server):
    url = f"{elasticsearch_server.url}/fault"
    index = ElasticIndex(url, ACCESS)
    wipe(index)
    index.close()
    return url


@pytest.fixture
def index(url):
    index = ElasticIndex(url, ACCESS)
    yield index
    index.close()


@pytest.fixture
def proxy(elasticsearch_server):
    with FaultProxy(elasticsearch_server.url) as proxy:
        yield proxy


@pytest.fixture
def through(url, proxy):
    """An index whose every request passes the proxy."""
    index = ElasticIndex(f"{proxy.url}/fault", ACCESS)
    yield index
    index.close()


def answers(index):
    """All that an index says."""
    page = index.search(CatalogQuery(MINE, limit=100)).model_dump()
    found = index.points(EVERY, None, None)
    bands = index.bands(EVERY, None, None)
    return (
        page,
        {sid: (p.t.tolist(), p.value.tolist()) for sid, p in found.items()},
        {sid: [(b.detector, b.t.tolist(), b.expected.tolist()) for b in every] for sid, every in bands.items()},
        index.anomalies(MINE, limit=100).model_dump(),
        [dict(index.periods(kind, ABOUT.project, ABOUT.metric_set)) for kind in KINDS],
    )


def undisturbed(tmp_path, version):
    reference = SqlIndex(f"sqlite:///{tmp_path / f'reference{version}.db'}")
    load_version(reference, version)
    return answers(reference)


def assert_whole(index):
    """Every period is of one version, with all its series: in points, bands and anomalies."""
    found = index.points(EVERY, None, None)
    for n in PERIODS:
        at = int(day(n).timestamp())
        values = {sid: p.value[p.t == at].tolist() for sid, p in found.items() if at in p.t.tolist()}
        versions = {value for (value,) in values.values()}
        assert len(versions) <= 1, values
        assert not versions or set(values) == set(series_of(int(versions.pop()))), values
    flagged = index.anomalies(MINE, limit=100).items
    for n in PERIODS:
        assert len({row.value for row in flagged if row.t == int(day(n).timestamp())}) <= 1


def test_a_loader_killed_at_any_request_leaves_whole_periods_and_the_next_load_mends_them(url, index, tmp_path):
    load_version(index, 1)
    for at in count(1):
        version = at + 1
        code = finish(start(load_and_die, url, ACCESS, version, at))
        assert_whole(index)
        if code == 0:
            break
        assert code == -9
        if at % 4 == 0:
            load_version(index, version)
            assert answers(index) == undisturbed(tmp_path, version)
    assert at > 40
    assert answers(index) == undisturbed(tmp_path, version)


def test_a_loader_killed_at_random_moments_leaves_whole_periods(url, index, tmp_path):
    rng = random.Random(5)
    load_version(index, 0)
    for turn in range(24):
        loader = start(load_many_versions, url, ACCESS, list(range(turn * 10, turn * 10 + 10)))
        time.sleep(rng.uniform(0.05, 2.5))
        loader.kill()
        loader.join()
        assert_whole(index)
    load_version(index, 7)
    assert answers(index) == undisturbed(tmp_path, 7)


def test_a_node_killed_during_bulk_and_started_again_loses_nothing(tmp_path):
    with ElasticsearchServer() as server, FaultProxy(server.url) as proxy:
        index = ElasticIndex(f"{proxy.url}/fault", ElasticAccess(lease=30.0, patience=120.0))
        load_version(index, 1)
        for version, skip in ((2, 0), (3, 2), (4, 5)):
            passed = iter(range(skip))
            dies = threading.Thread(target=server.start)

            def kill(dies=dies):
                server.kill()
                dies.start()

            proxy.add(Fault(lambda r, passed=passed: "_bulk" in r.path and next(passed, None) is None, then=kill))
            load_version(index, version)
            dies.join()
            assert_whole(index)
            assert answers(index) == undisturbed(tmp_path, version)
        index.close()


def test_a_storm_of_refusals_and_cut_connections_changes_nothing(through, proxy, tmp_path):
    rng = random.Random(3)
    load_version(through, 1)
    for _ in range(25):
        chance = rng.choice((429, 503, "request", "response", "lost"))
        matches = _at_random(rng)
        if isinstance(chance, int):
            proxy.answer(chance, times=3, matches=matches)
        else:
            proxy.cut(
                "response" if chance == "lost" else chance,
                0 if chance == "lost" else rng.randint(1, 300),
                matches=matches,
            )
    load_version(through, 2)
    load_version(through, 3)
    proxy.clear()
    assert answers(through) == undisturbed(tmp_path, 3)


def _at_random(rng):
    chosen = random.Random(rng.random())
    return lambda request: chosen.random() < 0.15


def test_a_lost_answer_to_any_write_is_not_taken_for_somebody_else(through, proxy, tmp_path):
    load_version(through, 1)
    lost = proxy.cut("response", 0, times=-1, matches=_first_time())
    load_version(through, 2)
    assert lost.struck > 10
    proxy.clear()
    assert answers(through) == undisturbed(tmp_path, 2)


def _first_time():
    """Every write once: its answer is lost, and the client asks again. Each address in turn, so that signs of life do not shift the others."""
    passes: dict[str, bool] = {}

    def matches(request):
        if request.method not in ("PUT", "POST") or "_search" in request.path:
            return False
        passes[request.path] = not passes.get(request.path, True)
        return not passes[request.path]

    return matches


def test_a_server_that_stays_away_is_told_after_our_patience(url, proxy):
    index = ElasticIndex(f"{proxy.url}/fault", ElasticAccess(lease=0.6, patience=1.0))
    proxy.answer(503, times=-1)
    with pytest.raises(ElasticUnavailableError, match="did not answer within 1 s"):
        load_version(index, 1)
    index.close()


@pytest.mark.parametrize(("status", "said"), [(401, "Check login"), (403, "right to read")])
def test_wrong_credentials_are_told_at_once_and_without_the_secret(proxy, url, status, said):
    proxy.answer(status, times=-1)
    with pytest.raises(ElasticRefusedError, match=said) as caught:
        ElasticIndex(f"{proxy.url}/fault", ElasticAccess("me", "hunter2"))
    assert "hunter2" not in str(caught.value)


def test_a_mapping_conflict_names_the_document_loads_the_rest_and_ends_with_a_rebuild(index, tmp_path):
    load_version(index, 1)
    names, client = Names("fault"), index.door.client
    name = names.index("points", "wrong")
    wrong = body("points")
    wrong["mappings"]["properties"]["notes"] = {"type": "boolean"}
    old = indices.behind(index.door, names)["points"]
    client.indices.create(index=name, **wrong)
    client.indices.update_aliases(actions=[
        {"remove_index": {"index": old}}, {"add": {"index": name, "alias": "fault-points"}},
    ])  # fmt: skip
    good, bad = a_point(1.0, day(1)), a_point(None, day(1), entity="a", error="division by zero")
    with pytest.raises(DocumentsRefusedError) as caught:
        index.load(POINTS, ABOUT, lambda: [incoming(day(1), points(good, bad))])
    assert list(caught.value.refused) == [f"{EVERY[0]}|202401"]
    assert "boolean" in str(caught.value)
    assert set(index.points([good["series_id"], EVERY[0]], None, None)) == {good["series_id"]}
    assert index.periods(POINTS, ABOUT.project, ABOUT.metric_set) == {day(1): "refused"}
    with pytest.raises(ElasticRefusedError, match="boolean"):  # nothing of it can be loaded, so nothing is switched
        index.load(POINTS, ABOUT, lambda: [incoming(day(1), points(bad))])
    with index.rebuild() as fresh:
        load_version(fresh, 2)
    assert answers(index) == undisturbed(tmp_path, 2)


def test_a_document_that_is_too_large_is_refused_alone(index, monkeypatch):
    monkeypatch.setattr(bulk, "DOCUMENT_BYTES", 5_000)
    large = a_point(None, entity="large", error="x" * 9_000)
    with pytest.raises(DocumentsRefusedError, match="5000 that one document may have"):
        index.load(POINTS, ABOUT, lambda: [incoming(day(), points(a_point(1.0), large))])
    assert [item.n_points for item in index.search(CatalogQuery(MINE)).items] == [1]
    again = index.load(POINTS, ABOUT, lambda: [incoming(day(), points(a_point(1.0)))])
    assert (again.periods, again.unchanged) == (1, 0)


def test_a_request_that_is_too_large_is_sent_in_halves(through, proxy, tmp_path):
    taken = iter([True])  # the first bulk request takes the months, the next ones bring documents
    too_large = proxy.answer(413, 2, lambda r: "fault-bands/_bulk" in r.path and next(taken, None) is None)
    load_version(through, 1)
    assert too_large.struck == 2
    assert answers(through) == undisturbed(tmp_path, 1)


def test_a_loader_that_was_taken_for_dead_does_not_win(url, index, monkeypatch):
    monkeypatch.setattr(lease, "_beat", lambda lock, ended, every: ended.wait())
    sleeping, go = threading.Event(), threading.Event()
    content, calls = [1.0], []

    def gather():
        calls.append(content[0])
        found = [incoming(day(), points(a_point(content[0])))]
        if len(calls) == 1:
            sleeping.set()
            go.wait(30)
        return found

    slow = threading.Thread(target=lambda: index.load(POINTS, ABOUT, gather))
    slow.start()
    sleeping.wait(30)
    content[0] = 2.0
    other = ElasticIndex(url, ACCESS)
    other.load(POINTS, ABOUT, lambda: [incoming(day(), points(a_point(2.0)))])
    go.set()
    slow.join(60)
    other.close()
    sid = a_point()["series_id"]
    assert index.points([sid], None, None)[sid].value.tolist() == [content[0]]


def _break_a_rebuild(index):
    with index.rebuild() as fresh:
        load_version(fresh, 2)
        raise OSError("history")


def test_a_rebuild_serves_the_old_index_until_it_is_whole_and_drops_what_a_dead_one_left(index, url, tmp_path):
    load_version(index, 1)
    before = answers(index)
    with pytest.raises(OSError, match="history"):
        _break_a_rebuild(index)
    assert answers(index) == before
    indices.begin(index.door, Names("fault"))  # a rebuild that dies here
    assert len(indices.leftovers(index.door, Names("fault"))) == 4
    with index.rebuild() as fresh:
        assert answers(fresh) != before
        load_version(fresh, 2)
        assert answers(index) == before
    assert answers(index) == undisturbed(tmp_path, 2)
    assert indices.leftovers(index.door, Names("fault")) == []
