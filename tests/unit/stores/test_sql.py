"""SQL databases: several processes write without errors, and nothing is left open."""

from __future__ import annotations

import gc
import os
import sqlite3
import warnings
from contextlib import suppress
from pathlib import Path

import pytest
import sqlalchemy as sa

from lupus_provider.errors import StoreUrlError
from lupus_provider.stores import open_index, open_ledger
from lupus_provider.stores.ledger import sql as ledger_sql
from lupus_provider.stores.ledger.tables import metadata
from lupus_provider.stores.sql import open_engine, reading, writing
from lupus_provider.testing.ledger import NOW, a_message, an_episode
from lupus_provider.testing.processes import run_together


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'deep' / 'x.db'}"


def test_a_writing_transaction_holds_the_lock_from_its_first_moment(url):
    engine = open_engine(url)
    other = None
    with writing(engine):
        other = sqlite3.connect(engine.url.database, timeout=0, isolation_level=None)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
    other.close()


def test_a_reading_transaction_sees_one_state_and_stops_nobody(url):
    engine = open_engine(url)
    with writing(engine) as connection:
        connection.exec_driver_sql("CREATE TABLE x (n)")
    with reading(engine) as reader:
        assert reader.exec_driver_sql("SELECT count(*) FROM x").scalar() == 0
        with writing(engine) as writer:
            writer.exec_driver_sql("INSERT INTO x VALUES (1)")
        assert reader.exec_driver_sql("SELECT count(*) FROM x").scalar() == 0


def test_an_error_rolls_the_transaction_back(url):
    engine = open_engine(url)
    with suppress(RuntimeError), writing(engine) as connection:
        connection.exec_driver_sql("CREATE TABLE x (n)")
        raise RuntimeError
    with reading(engine) as connection:
        assert not sa.inspect(connection).has_table("x")


def test_no_connection_stays_open_behind_a_store(url):
    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        ledger = open_ledger(url)
        ledger.record([an_episode()], [], [a_message()], NOW)
        assert ledger.engine.pool.status() == "NullPool"
        del ledger
        gc.collect()
    open_files = [
        os.readlink(f"/proc/self/fd/{fd}")
        for fd in os.listdir("/proc/self/fd")
        if os.path.islink(f"/proc/self/fd/{fd}")
    ]
    assert not [name for name in open_files if name.startswith(str(Path(sa.make_url(url).database).parent))]


@pytest.mark.parametrize("opened", [open_index, open_ledger])
def test_processes_that_open_a_new_database_at_once_all_succeed(opened, url):
    assert run_together(*((opened, url),) * 6) == [0] * 6


@pytest.mark.parametrize("opened", [open_index, open_ledger])
def test_opening_a_ready_database_does_not_wait_for_a_writer(opened, url):
    store = opened(url)
    with writing(store.engine):
        opened(url)


def test_forked_children_have_engines_of_their_own(url):
    engine = open_engine(url)
    pool, pipe = engine.pool, os.pipe()
    child = os.fork()
    if not child:
        os.write(pipe[1], b"new" if engine.pool is not pool else b"old")
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(pipe[0], 3) == b"new"
    for end in pipe:
        os.close(end)


@pytest.mark.parametrize(
    "url", ["nonsense", "sqlite://", "sqlite:///:memory:", "oracle9://x/y", "sqlite+nodriver:///x.db"]
)
def test_an_address_that_is_none_is_refused_with_a_hint(url):
    with pytest.raises(StoreUrlError, match="Give"):
        open_engine(url)


def test_a_refused_address_does_not_tell_its_password():
    with pytest.raises(StoreUrlError) as caught:
        open_engine("nosuchdb://user:s3cret@host/db")
    assert "s3cret" not in str(caught.value)


def test_the_migrations_make_what_the_tables_say(url):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    ledger = open_ledger(url)
    with ledger.engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "version_table": "lupus_alembic_version"}
        )
        assert compare_metadata(context, metadata) == []


def test_the_newest_migration_is_the_one_that_the_ledger_asks_for():
    folder = Path(ledger_sql.__file__).parent / "migrations" / "versions"
    assert max(file.name for file in folder.glob("[0-9]*.py")).partition("_")[0] == ledger_sql.HEAD


def test_an_index_of_another_format_is_made_anew(url):
    index = open_index(url)
    with writing(index.engine) as connection:
        connection.exec_driver_sql("UPDATE lupus_index SET format = 0")
        connection.exec_driver_sql("INSERT INTO lupus_loaded VALUES ('points', 'p', 'm', 1, 'x')")
    again = open_index(url)
    with reading(again.engine) as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM lupus_loaded").scalar() == 0
        assert connection.exec_driver_sql("SELECT format FROM lupus_index").scalar() > 0
