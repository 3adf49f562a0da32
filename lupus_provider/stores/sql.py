"""Opens SQL databases for the index and the ledger; SQLite so that several processes write without errors."""

from __future__ import annotations

import hashlib
import os
from contextlib import contextmanager
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.pool import NullPool

from lupus_provider.errors import StoreUrlError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

BUSY_SECONDS = 60
CHUNK = 900
"""Values in one IN list; SQLite takes at least 999 parameters."""
CONNECT_SECONDS = 30
LOST_AFTER = {
    "tcp_keepalives_idle": 60, "tcp_keepalives_interval": 10, "tcp_keepalives_count": 6,  # seconds, seconds, times
    "idle_in_transaction_session_timeout": 1_800_000,  # milliseconds: a load reads its files inside its transaction
}  # fmt: skip
"""Settings of a Postgres session."""
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
            engine = sa.create_engine(_with_driver(parsed), pool_pre_ping=True, connect_args=_patience(parsed))
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as err:
        hint = f"Give an SQLAlchemy address, such as sqlite:////var/lib/lupus/index.db ({err})."
        raise StoreUrlError("SQL", _masked(url), hint) from err
    if engine.dialect.name == "sqlite":
        _prepare_file(parsed.database, url)
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", _begin)
    else:
        event.listen(engine, "before_cursor_execute", _without_nul, retval=True)
    if engine.dialect.name == "postgresql":
        event.listen(engine, "connect", _give_up_on_the_lost)
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


def _with_driver(url: URL) -> URL:
    """Take psycopg 3 for Postgres where an address names no driver and it is installed."""
    return url.set(drivername="postgresql+psycopg") if url.drivername == "postgresql" and find_spec("psycopg") else url


def _patience(url: URL) -> dict[str, int]:
    is_given = "connect_timeout" in url.query or url.get_backend_name() != "postgresql"
    return {} if is_given else {"connect_timeout": CONNECT_SECONDS}


def _give_up_on_the_lost(connection: Any, _record: Any) -> None:
    """Let the server end the transaction of a machine that is gone or stands still, whose locks would stop all others."""
    cursor = connection.cursor()
    for setting, value in LOST_AFTER.items():
        cursor.execute(f"SET {setting} = {value}")
    cursor.close()
    connection.commit()


def _without_nul(
    _connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool
) -> tuple[str, Any]:
    """Replace NUL in texts by U+FFFD: Postgres has no text with NUL in it, while tables and search words may."""
    return statement, [_clean(row) for row in parameters] if many else _clean(parameters)


def _clean(parameters: Any) -> Any:
    values = parameters.values() if isinstance(parameters, dict) else parameters
    if not any(isinstance(value, str) and "\0" in value for value in values):
        return parameters
    if isinstance(parameters, dict):
        return {name: _clean_value(value) for name, value in parameters.items()}
    return tuple(map(_clean_value, parameters))


def _clean_value(value: Any) -> Any:
    return value.replace("\0", "\ufffd") if isinstance(value, str) else value


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


def lock_name(connection: Connection, *names: str) -> None:
    """Be the only one who decides about something, until the transaction ends; SQLite's write lock is that already.

    Rows can be locked only where they exist, and the first of several writers finds none.
    """
    if connection.dialect.name == "postgresql":
        digest = hashlib.blake2b("\0".join(names).encode(), digest_size=8).digest()
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(int.from_bytes(digest, signed=True))))


def insert_new(connection: Connection, table: sa.Table, row: dict[str, Any]) -> bool:
    """Insert a row unless its primary key is taken; return whether it was new."""
    statement = insert(connection, table).values(row).on_conflict_do_nothing().returning(*table.primary_key)
    return connection.execute(statement).first() is not None  # drivers count rows differently, where rows are returned


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
