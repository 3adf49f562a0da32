"""Tries a SQL database as index or ledger: its release, clock, tables, and whether its user may write."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from lupus_provider.stores.objects.errors import StorageRefusedError

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

    from lupus_provider.hooks.addresses import StoreKind

OLDEST = {"sqlite": (3, 35), "postgresql": (12,)}
"""SQLite: RETURNING and upserts; Postgres: the oldest that its makers maintained when Lupus was made."""


def try_database(kind: StoreKind, url: str, *, is_deep: bool) -> str:
    """Use a database, and say what was done; see `trying.try_store`."""
    from sqlalchemy.exc import SQLAlchemyError

    from lupus_provider.stores.sql import open_engine

    engine = open_engine(url)
    place = engine.url.render_as_string(hide_password=True)
    try:
        release = _look(engine, place)
        if not is_deep:
            return f"{place} answers ({release})"
        _write(kind, url, engine)
    except SQLAlchemyError as err:
        reason = str(getattr(err, "orig", None) or err).strip().splitlines()[0]
        raise StorageRefusedError(place, reason, _hint(reason)) from err
    return f"{place} answers ({release}); its tables are there, a row was written, read and deleted"


def _look(engine: Engine, place: str) -> str:
    """Check release and clock."""
    from datetime import UTC

    from lupus_provider.hooks.trying import check_clock

    name = engine.dialect.name
    with engine.connect() as connection:
        connection.exec_driver_sql("SELECT 1")
        found: tuple[int, ...] = tuple(getattr(engine.dialect, "server_version_info", None) or ())
        if name == "sqlite":
            import sqlite3

            found = sqlite3.sqlite_version_info
        else:
            moment = connection.exec_driver_sql("SELECT clock_timestamp()").scalar_one()
            check_clock(place, moment.astimezone(UTC))
    release = ".".join(map(str, found))
    if found < OLDEST.get(name, ()):
        oldest = ".".join(map(str, OLDEST[name]))
        raise StorageRefusedError(place, f"it is {name} {release}", f"Lupus needs {name} {oldest} or newer.")
    return f"{name} {release}"


def _write(kind: StoreKind, url: str, engine: Engine) -> None:
    """Make what is missing, then write, read and delete a row in one transaction that nobody else sees."""
    import sqlalchemy as sa

    from lupus_provider.stores import open_index, open_ledger
    from lupus_provider.stores.sql import writing

    probe = f"probe_{uuid.uuid4().hex[:12]}"
    row: dict[str, Any]
    if kind == "ledger":
        open_ledger(url)
        from lupus_provider.stores.ledger.tables import outbox as table

        row = {"message_id": probe, "channel": probe, "project": probe, "body": "{}", "state": "sent", "attempts": 0,
               "created_at": 0, "due_at": 0}  # fmt: skip
    else:
        open_index(url)
        from lupus_provider.stores.index.tables import metric_set as table

        row = {"project": probe, "metric_set": probe, "period": "day", "timezone": "UTC"}
    mine = table.c.project == probe
    with writing(engine) as connection:
        connection.execute(sa.insert(table).values(row))
        connection.execute(sa.select(table).where(mine)).one()
        connection.execute(sa.delete(table).where(mine))


def _hint(reason: str) -> str:
    if "denied" in reason or "readonly" in reason:
        return "Let the connection's user make tables there, and read and write them."
    return "Correct the address, the login or the password of the connection, or start the database."
