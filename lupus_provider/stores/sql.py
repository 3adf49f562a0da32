"""Opens SQL databases for the index and the ledger; SQLite so that several processes write without errors."""

from __future__ import annotations

import os
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.pool import NullPool

from lupus_provider.errors import StoreUrlError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

BUSY_SECONDS = 60
CHUNK = 900
"""Values in one IN list; SQLite takes at least 999 parameters."""
_MIGRATION_LOCK = 7_116_117

_engines: WeakSet[Engine] = WeakSet()


@lru_cache(maxsize=32)
def open_engine(url: str) -> Engine:
    """Open a database; a SQLite file is made with its folder, in WAL mode, with immediate transactions.

    SQLite connections live as long as one transaction: none is left open behind a store, and none is carried over a fork, which
    SQLite forbids.

    Raises
    ------
    StoreUrlError
        If the address is no SQLAlchemy URL or its driver is not installed.
    """
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            engine = sa.create_engine(parsed, poolclass=NullPool, connect_args={"timeout": BUSY_SECONDS})
        else:
            engine = sa.create_engine(parsed, pool_pre_ping=True)
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as err:
        hint = f"Give an SQLAlchemy address, such as sqlite:////var/lib/lupus/index.db ({err})."
        raise StoreUrlError("SQL", _masked(url), hint) from err
    if engine.dialect.name == "sqlite":
        _prepare_file(parsed.database, url)
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", _begin)
    _engines.add(engine)
    return engine


def _forget_inherited() -> None:
    """Leave the parent's connections alone in a forked child; the next transaction opens its own."""
    for engine in list(_engines):
        engine.dispose(close=False)


os.register_at_fork(after_in_child=_forget_inherited)


def _prepare_file(database: str | None, url: str) -> None:
    if not database or database == ":memory:":
        raise StoreUrlError("SQL", url, "Give a file: a database in memory is gone with its connection.")
    Path(database).parent.mkdir(parents=True, exist_ok=True)


def _masked(url: str) -> str:
    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return url.rsplit("@", maxsplit=1)[-1]


def _prepare(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we begin ourselves: the driver would begin too late, without the write lock
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.close()


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("lupus_write") else "BEGIN")


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Transaction that writes: in SQLite it holds the write lock from its first moment, so what it reads is the newest."""
    with engine.connect().execution_options(lupus_write=True) as connection, connection.begin():
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Transaction that reads one consistent state."""
    with engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
        with connection.begin():
            yield connection


def lock_schema(connection: Connection) -> None:
    """Be the only one who makes or changes tables, until the transaction ends; SQLite's write lock is that already."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))


def insert(connection: Connection, table: sa.Table) -> Any:
    """Dialect's INSERT, which knows ON CONFLICT."""
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as postgres_insert

        return postgres_insert(table)
    from sqlalchemy.dialects.sqlite import insert as sqlite_insert

    return sqlite_insert(table)


def upsert(connection: Connection, table: sa.Table, rows: list[dict[str, Any]]) -> None:
    """Insert rows, or overwrite those with the same primary key."""
    if not rows:
        return
    statement = insert(connection, table)
    keys = [column.name for column in table.primary_key]
    given = [name for name in rows[0] if name not in keys]
    if given:
        values = {name: statement.excluded[name] for name in given}
        statement = statement.on_conflict_do_update(index_elements=keys, set_=values)
    else:
        statement = statement.on_conflict_do_nothing(index_elements=keys)
    connection.execute(statement, rows)


def chunks(values: Iterable[Any], size: int = CHUNK) -> Iterator[list[Any]]:
    """Cut a sequence into lists that fit one statement."""
    items = list(values)
    for start in range(0, len(items), size):
        yield items[start : start + size]
