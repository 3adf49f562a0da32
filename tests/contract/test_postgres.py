"""What only Postgres can do to a store: go away in the middle, refuse texts that SQLite keeps, sort by another language."""

from __future__ import annotations

import signal
from functools import partial

import psutil
import pytest
import sqlalchemy as sa
from servers_fixtures import running

from lupus_provider.records import ANOMALIES, EVALUATIONS, POINTS
from lupus_provider.stores import open_index, open_ledger
from lupus_provider.stores.index.base import CatalogQuery
from lupus_provider.stores.sql import LOST_AFTER, insert_new, open_engine, reading, writing
from lupus_provider.testing.builders import (
    METRIC_SET,
    PROJECT,
    a_point,
    an_anomaly,
    an_evaluation,
    anomalies,
    day,
    evaluations,
    incoming,
    points,
)
from lupus_provider.testing.index import ABOUT, MINE, load, slots
from lupus_provider.testing.ledger import LEASE, NOW, a_message, an_episode
from lupus_provider.testing.processes import finish, run_together, start
from lupus_provider.testing.servers import PostgresServer
from lupus_provider.testing.threads import at_once

AWAY = (sa.exc.OperationalError, sa.exc.InterfaceError)


@pytest.fixture
def ledger(postgres_database):
    return open_ledger(postgres_database)


@pytest.fixture
def index(postgres_database):
    return open_index(postgres_database)


def break_off(server, engine, statement):
    """Kill the server in the middle of a transaction, and start it again on the same data."""
    with writing(engine) as connection:
        connection.execute(statement)
        server.kill()
        server.start()
        connection.execute(sa.text("SELECT 1"))


def test_a_transaction_that_the_server_died_in_leaves_nothing_and_the_next_one_works(postgres_server, ledger):
    ledger.record([an_episode("e1")], [], [a_message("m1")], NOW)
    with pytest.raises(AWAY):
        break_off(postgres_server, ledger.engine, sa.text("UPDATE lupus_outbox SET state = 'sent'"))
    assert ledger.record([an_episode("e2")], [], [a_message("m2")], NOW) == 1
    assert [m.message_id for m in ledger.messages("pending")] == ["m1", "m2"]
    assert len(ledger.claim("log", NOW, LEASE, 9)) == 2


def test_connections_that_lay_in_the_pool_while_the_server_was_away_are_not_used(postgres_server, ledger):
    at_once(4, lambda n: ledger.record([], [], [a_message(f"m{n}")], NOW))
    postgres_server.restart()
    assert at_once(4, lambda _: len(ledger.messages())) == [4] * 4


def test_an_index_load_that_the_server_died_in_is_loaded_again(postgres_server, index):
    load(index, {day(): 1.0})
    died = []

    def gather():
        if not died:
            died.append(postgres_server.kill())
            postgres_server.start()
        return [incoming(day(), points(a_point(2.0)))]

    with pytest.raises(AWAY):
        index.load(POINTS, ABOUT, gather)
    assert list(slots(index).values()) == [1.0]
    index.load(POINTS, ABOUT, gather)
    assert list(slots(index).values()) == [2.0]


def test_a_server_that_is_away_is_an_error_without_its_password(postgres_server, ledger):
    url = str(ledger.engine.url).replace("lupus@", "lupus:s3cret@")
    open_ledger(url).messages()
    postgres_server.stop()
    try:
        with pytest.raises(AWAY) as caught:
            open_ledger(url)
        assert "s3cret" not in str(caught.value)
    finally:
        postgres_server.start()
        open_engine(url).dispose()
    assert ledger.messages() == []


def claim_and_stall(url):
    """Claim in an open transaction until somebody kills this process."""
    engine = open_engine(url)
    with writing(engine) as connection:
        connection.execute(sa.text("SELECT * FROM lupus_outbox WHERE message_id < 'm2' FOR UPDATE")).all()
        connection.execute(sa.text("CREATE TABLE stalled (n int)"))
        connection.execute(sa.text("SELECT pg_sleep(60)"))


def test_a_claimer_passes_by_what_another_one_is_taking_and_takes_it_when_that_one_is_killed(ledger, postgres_database):
    ledger.record([], [], [a_message(f"m{n}") for n in range(4)], NOW)
    other = start(partial(claim_and_stall, postgres_database))
    asleep = sa.text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
    )
    waiting = 0
    while not waiting:
        with reading(ledger.engine) as connection:
            waiting = connection.execute(asleep).scalar()
    assert [m.message_id for m in ledger.claim("log", NOW, LEASE, 9)] == ["m2", "m3"]
    other.kill()
    assert finish(other) == -signal.SIGKILL
    end = sa.text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
    with writing(ledger.engine) as connection:
        connection.execute(end)
    assert [m.message_id for m in ledger.claim("log", NOW, LEASE, 9)] == ["m0", "m1"]


def test_an_address_without_a_driver_takes_the_one_that_is_installed(postgres_database):
    url = postgres_database.replace("+psycopg", "")
    engine = open_engine(url)
    with reading(engine) as connection:
        assert connection.execute(sa.text("SHOW transaction_isolation")).scalar() == "repeatable read"
    engine.dispose()


def test_the_server_gives_up_on_clients_that_are_lost(ledger):
    with reading(ledger.engine) as connection:
        shown = {name: connection.execute(sa.text(f"SHOW {name}")).scalar() for name in LOST_AFTER}
    assert shown == {
        "tcp_keepalives_idle": "60", "tcp_keepalives_interval": "10", "tcp_keepalives_count": "6",
        "idle_in_transaction_session_timeout": "30min",
    }  # fmt: skip


def test_processes_that_open_an_index_at_once_all_succeed(postgres_database):
    assert run_together(*((open_index, postgres_database),) * 6) == [0] * 6


def test_a_new_row_is_told_from_a_known_one(ledger):
    table = sa.Table("x", sa.MetaData(), sa.Column("n", sa.Integer, primary_key=True))
    with writing(ledger.engine) as connection:
        table.create(connection)
        assert [insert_new(connection, table, {"n": n}) for n in (1, 2, 1)] == [True, True, False]


LONG = "".join(map(chr, range(99, 9000)))
ODD = ["a\0b", LONG, "Zebra", "apple", "éclair", "_", "東京", "(null)", "", "a b", "a-b", "ab", "10", "9"]


def test_an_index_in_postgres_answers_as_one_in_sqlite(index, tmp_path):
    lite = open_index(f"sqlite:///{tmp_path / 'index.db'}")
    texts = [text.replace("\0", "\ufffd") for text in ODD]
    for one, names in ((index, ODD), (lite, texts)):
        groups = [{text[:250] or "e": text, "r": None} for text in texts]
        rows = [
            a_point(float(n), series_id=f"s{n:02}", entity=name, metric="loss" * 40, group_key=group)
            for n, (name, group) in enumerate(zip(names, groups))
        ]
        one.load(POINTS, ABOUT, lambda rows=rows: [incoming(day(), points(*rows))])
        found = [an_anomaly(series_id="s00"), an_anomaly(series_id="s03", score=None, value=float("inf"))]
        one.load(ANOMALIES, ABOUT, lambda found=found: [incoming(day(), anomalies(*found), ANOMALIES)])
        judged = [an_evaluation(series_id="s00"), an_evaluation(series_id="s03", detector="a:1", upper=None)]
        one.load(EVALUATIONS, ABOUT, lambda judged=judged: [incoming(day(), evaluations(*judged), EVALUATIONS)])
    for sort in ("attention", "name", "recent", "change"):
        for given in (
            {},
            {"q": "A"},
            {"q": "\ufffd"},
            {"filters": {"group.r": frozenset({"(null)"})}},
            {"only": "anomalous"},
        ):
            query = CatalogQuery(MINE, sort=sort, limit=100, **given)
            assert index.search(query) == lite.search(query), (sort, given)
    assert index.anomalies(MINE) == lite.anomalies(MINE)
    assert index.search(CatalogQuery(MINE, q="a\0b", filters={"column": frozenset({"\0"})})).total_all == len(ODD)
    assert index.periods(POINTS, PROJECT, METRIC_SET) == lite.periods(POINTS, PROJECT, METRIC_SET)


def test_a_server_keeps_what_was_committed_over_a_kill_runs_as_nobody_and_leaves_no_process(tmp_path):
    with running(PostgresServer(tmp_path / "postgres")) as server:
        assert psutil.Process(server.pid).uids().effective != 0
        url = server.make_database()
        open_ledger(url).record([an_episode()], [], [a_message()], NOW)
        server.kill()
        server.start()
        assert len(open_ledger(url).messages()) == 1
        open_engine(url).dispose()
        tree = psutil.Process(server.pid).children(recursive=True)
        assert tree
        server.stop()
        assert psutil.wait_procs(tree, timeout=10)[1] == []
        assert "database system is shut down" in server.last_words()
