"""Tries a history's catalogue: its release, zone, clock, and whether its user may make a table where the history lies."""

from __future__ import annotations

import uuid
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lupus_provider.errors import CatalogError

if TYPE_CHECKING:
    from lupus_provider.stores.history.hive import HiveCatalog
    from lupus_provider.stores.history.hive_session import HiveSession
    from lupus_provider.stores.objects.base import Objects

OLDEST = (3,)
"""Hive 3 and Spark 3: what they know and older ones do not is an instant that is one."""
_SECONDS = 60.0


def try_catalogue(conn_id: str, catalog: HiveCatalog, objects: Objects) -> str:
    """Use a catalogue, and say what was done.

    Parameters
    ----------
    conn_id
        Connection of HiveServer2.
    catalog
        The catalogue of the history.
    objects
        The history's storage, which Hive reads itself in the external mode.

    Raises
    ------
    LupusError
        What is wrong, with what to do.
    """
    from lupus_provider.hooks.hive import connector
    from lupus_provider.stores.history.hive_session import HiveSession

    checked = catalog.check()
    with closing(HiveSession(connector(conn_id), catalog.name, _SECONDS)) as session:
        release = _look(session)
        made = _make(session, catalog, objects)
    return f"{checked} ({release}); {made}"


def _look(session: HiveSession) -> str:
    """Check release and clock."""
    from lupus_provider.hooks.trying import check_clock

    ((text, seconds),) = session.run("SELECT version(), unix_timestamp()")
    check_clock(session.name, datetime.fromtimestamp(int(seconds), UTC))
    release = str(text).split()[0]
    if tuple(map(int, release.split(".")[: len(OLDEST)])) < OLDEST:
        raise CatalogError(session.name, "SELECT version()", f"it is {release}. Use {OLDEST[0]} or newer")
    return f"release {release}"


def _make(session: HiveSession, catalog: HiveCatalog, objects: Objects) -> str:
    """Make a table as a load would, describe it and drop it; in the external mode it lies beside the history."""
    from lupus_provider.stores.history import hive_sql as sql

    options, name = catalog.options, f"probe_{uuid.uuid4().hex[:12]}"
    database, table = sql.identifier(options.database, "database"), sql.qualified(options.database, name)
    session.run(f"CREATE DATABASE IF NOT EXISTS {database}")
    place = sql.location(f"{objects.url}/.probe/{name}", options.schemes) if options.mode == "external" else None
    where = f" LOCATION {place}" if place else ""
    try:
        kind = "EXTERNAL TABLE" if place else "TABLE"
        session.run(f"CREATE {kind} {table} (`x` int) STORED AS PARQUET{where}")
        session.run(f"SELECT count(*) FROM {table}" if place else f"DESCRIBE {table}")  # noqa: S608  (checked names)
    finally:
        session.run(f"DROP TABLE IF EXISTS {table}")
        objects.delete([item.key for item in objects.list(f".probe/{name}")])
    return "a table was made, read and dropped" + (f" at {place}" if place else "")
