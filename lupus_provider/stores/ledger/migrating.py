"""Brings the schema of a SQL ledger to its newest form when it is opened, by one process at a time.

Whoever opens a ledger must find the tables that his release writes to, and nobody should have to run a command for that.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from lupus_provider.stores.ledger.errors import LedgerTooNewError
from lupus_provider.stores.sql import lock_schema

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy.engine import Connection

HEAD = "0002"
"""Newest migration (a test compares it with the folder)."""
VERSION_TABLE = "lupus_alembic_version"


def migration_of(connection: Connection) -> str | None:
    """Return the migration that the schema is at; None where there is no ledger yet."""
    if not sa.inspect(connection).has_table(VERSION_TABLE):
        return None
    version = sa.table(VERSION_TABLE, sa.column("version_num"))
    return connection.execute(sa.select(version.c.version_num)).scalar()


def migrate(connection: Connection) -> None:
    """Bring the schema to its newest form, in the caller's writing transaction: whole or not at all.

    Raises
    ------
    LedgerTooNewError
        If a newer release made it: what this one writes could be wrong there.
    """
    lock_schema(connection)
    found = migration_of(connection)
    if found == HEAD:
        return
    if found is not None and found > HEAD:
        raise LedgerTooNewError(found, HEAD)
    from alembic import command

    command.upgrade(alembic_config(connection), HEAD)


def alembic_config(connection: Connection) -> Config:
    """Return what Alembic's commands need to work over a connection."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
