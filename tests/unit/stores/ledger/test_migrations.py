"""The ledger's schema moves forward and back with what is in it, once, however many processes open it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from lupus_provider.stores import open_ledger
from lupus_provider.stores.ledger import migrating
from lupus_provider.stores.ledger.errors import LedgerTooNewError
from lupus_provider.stores.ledger.migrating import HEAD, VERSION_TABLE, alembic_config, migrate, migration_of
from lupus_provider.stores.ledger.tables import metadata
from lupus_provider.stores.sql import open_engine, reading, writing
from lupus_provider.testing.builders import METRIC_SET, PROJECT, day
from lupus_provider.testing.ledger import NOW, a_message, an_episode
from lupus_provider.testing.ledger_people import a_feedback
from lupus_provider.testing.processes import run_together

OLD_TABLES = {"lupus_episode", "lupus_outbox", VERSION_TABLE}


@pytest.fixture(params=["sqlite", "postgres"])
def url(request, tmp_path):
    if request.param == "postgres":
        return request.getfixturevalue("postgres_database")
    return f"sqlite:///{tmp_path / 'ledger.db'}"


def tables_of(engine):
    with reading(engine) as connection:
        return set(sa.inspect(connection).get_table_names())


def make_old(url):
    """A ledger as the first release left it, with an episode and a message in it."""
    engine = open_engine(url)
    with writing(engine) as connection:
        command.upgrade(alembic_config(connection), "0001")
        times = {"first_period": day(), "last_period": day(), "worst_period": day()}
        episode = an_episode(name="größe")
        row = {name: getattr(episode, name) for name in episode.__dataclass_fields__}
        row |= {name: int(at.timestamp()) * 1_000_000 for name, at in times.items()}
        names = ", ".join(row)
        connection.execute(
            sa.text(f"INSERT INTO lupus_episode ({names}) VALUES ({', '.join(f':{name}' for name in row)})"), row
        )
        connection.execute(
            sa.text(
                "INSERT INTO lupus_outbox (message_id, channel, project, body, state, attempts, created_at, due_at)"
                " VALUES ('old', 'log', 'shop', '{\"n\": 1}', 'pending', 0, 1, 1)"
            )
        )
    return engine


def test_the_migrations_make_what_the_tables_say(url):
    ledger = open_ledger(url)
    with reading(ledger.engine) as connection:
        options = {"compare_type": True, "compare_server_default": True, "version_table": VERSION_TABLE}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), metadata) == []
        assert migration_of(connection) == HEAD
        for table in metadata.tables.values():
            keys = sa.inspect(connection).get_pk_constraint(table.name)["constrained_columns"]
            assert keys == [column.name for column in table.primary_key], table.name


def test_the_newest_migration_is_the_one_that_the_ledger_asks_for():
    folder = Path(migrating.__file__).parent / "migrations" / "versions"
    assert max(file.name for file in folder.glob("[0-9]*.py")).partition("_")[0] == HEAD


def test_an_old_ledger_moves_on_with_all_that_is_in_it(url):
    assert tables_of(make_old(url)) == OLD_TABLES
    ledger = open_ledger(url)
    assert ledger.episodes(PROJECT, METRIC_SET, day()) == [an_episode(name="größe")]
    assert [message.message_id for message in ledger.messages("pending")] == ["old"]
    assert ledger.give_feedback(a_feedback())


def test_a_ledger_moves_back_with_episodes_and_messages_and_on_again(url):
    ledger = open_ledger(url)
    ledger.record([an_episode()], [], [a_message()], NOW)
    ledger.give_feedback(a_feedback())
    with writing(ledger.engine) as connection:
        command.downgrade(alembic_config(connection), "0001")
    assert tables_of(ledger.engine) == OLD_TABLES
    again = open_ledger(url)
    assert again.episodes(PROJECT, METRIC_SET, day()) == [an_episode()]
    assert len(again.messages()) == 1
    assert again.feedback([PROJECT]) == []
    with writing(ledger.engine) as connection:
        command.downgrade(alembic_config(connection), "base")
    assert tables_of(ledger.engine) == {VERSION_TABLE}


@pytest.mark.parametrize("prepare", [open_engine, make_old], ids=["new", "old"])
def test_processes_that_open_a_ledger_at_once_all_succeed(url, prepare):
    engine = prepare(url)
    assert run_together(*((partial(open_and_write, url), n) for n in range(6))) == [0] * 6
    ledger = open_ledger(url)
    assert len(ledger.feedback_history("s1", day())) == 6
    with reading(engine) as connection:
        assert connection.execute(sa.text(f"SELECT count(*) FROM {VERSION_TABLE}")).scalar() == 1


def open_and_write(url, n):
    assert open_ledger(url).give_feedback(a_feedback(given_by=f"user{n}"))


def test_a_migration_that_breaks_off_leaves_the_old_schema(url, monkeypatch):
    engine = make_old(url)

    def broken(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("alembic.runtime.migration.HeadMaintainer.update_to_step", broken)
        with pytest.raises(OSError, match="space"):
            open_ledger(url)
    assert tables_of(engine) == OLD_TABLES
    assert open_ledger(url).episodes(PROJECT, METRIC_SET, day()) != []


def test_a_ledger_of_a_newer_release_is_refused(url):
    ledger = open_ledger(url)
    with writing(ledger.engine) as connection:
        connection.execute(sa.text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    with pytest.raises(LedgerTooNewError, match="9999"):
        open_ledger(url)


def test_the_schema_moves_under_a_lock(url):
    """Who comes while another process moves the schema waits, and then finds it done."""
    engine = make_old(url)
    with writing(engine) as connection:
        migrate(connection)
        migrate(connection)
        assert migration_of(connection) == HEAD
