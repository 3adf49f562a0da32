"""Opens SQL databases for the index and the ledger; SQLite so that several processes write without errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from lupus_provider.errors import StoreUrlError

BUSY_SECONDS = 30
CHUNK = 900
"""Values in one IN list; SQLite takes at least 999 parameters."""


@lru_cache(maxsize=32)
def open_engine(url: str) -> Engine:
    """Open a database; a SQLite file is made with its folder, in WAL mode, with immediate transactions.

    Raises
    ------
    StoreUrlError
        If the address is no SQLAlchemy URL or its driver is not installed.
    """
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() != "sqlite":
            return sa.create_engine(parsed, pool_pre_ping=True)
        if parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = sa.create_engine(parsed, connect_args={"timeout": BUSY_SECONDS})
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as err:
        raise StoreUrlError("SQL", _masked(url), f"Give an SQLAlchemy address, such as sqlite:////var/lib/lupus/index.db ({err}).") from err
    sa.event.listen(engine, "connect", _prepare)
    sa.event.listen(engine, "begin", _begin)
    return engine


def _masked(url: str) -> str:
    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return url.split("@")[-1]


def _prepare(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we begin ourselves: the driver would begin too late, without the write lock
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
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
    with engine.connect() as connection, connection.begin():
        yield connection


def insert(connection: Connection, table: sa.Table) -> Any:
    """Dialect's INSERT, which knows ON CONFLICT."""
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as dialect_insert
    else:
        from sqlalchemy.dialects.sqlite import insert as dialect_insert  # type: ignore[assignment]
    return dialect_insert(table)


def upsert(connection: Connection, table: sa.Table, rows: list[dict[str, Any]]) -> None:
    """Insert rows, or overwrite those with the same primary key."""
    if not rows:
        return
    statement = insert(connection, table)
    keys = [column.name for column in table.primary_key]
    given = [name for name in rows[0] if name not in keys]
    if given:
        statement = statement.on_conflict_do_update(index_elements=keys, set_={name: statement.excluded[name] for name in given})
    else:
        statement = statement.on_conflict_do_nothing(index_elements=keys)
    connection.execute(statement, rows)


def chunks(values: Any, size: int = CHUNK) -> Iterator[list[Any]]:
    """Cut a sequence into lists that fit one statement."""
    items = list(values)
    for start in range(0, len(items), size):
        yield items[start : start + size]
