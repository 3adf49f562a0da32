"""What Airflow's *Test* button does with a store's connection: a little of what the steps will do, and nothing that stays."""

from __future__ import annotations

import uuid
from dataclasses import fields, replace
from typing import Any

_PATIENCE = {"patience": 3.0, "request_timeout": 10.0, "max_attempts": 2, "connect_timeout": 5.0, "read_timeout": 10.0}
"""Seconds and tries, by the fields of the accesses."""


def try_store(url: str, access: Any, *, is_read: bool = False) -> str:
    """Use a store, and say what was done.

    Parameters
    ----------
    is_read
        Only read: a page's server needs no more of the history.

    Raises
    ------
    LupusError, OSError
        What the store said, with what to do.
    """
    access = _impatient(access)
    if url.startswith(("s3://", "file:")):
        return _try_objects(url, access, is_read=is_read)
    if url.startswith(("http://", "https://")):
        return _try_index(url, access)
    return _try_database(url)


def _impatient(access: Any) -> Any:
    """Return the same access with little patience: somebody waits for the answer."""
    if access is None:
        return None
    known = {field.name for field in fields(access)}
    return replace(access, **{name: value for name, value in _PATIENCE.items() if name in known})


def _try_objects(url: str, access: Any, *, is_read: bool) -> str:
    from lupus_provider.stores.objects import open_objects

    objects = open_objects("object", url, access)
    first = next(iter(objects.list("")), None)
    seen = f"{objects.url} can be listed" + (", it is empty" if first is None else "")
    if is_read:
        if first is not None:
            objects.get(first.key)
        return f"{seen} and read" if first is not None else seen
    key = f".probe/{uuid.uuid4().hex}"
    objects.put(key, b"lupus", if_absent=True)
    try:
        objects.check_conditions(key)
        objects.get(key)
    finally:
        objects.delete([key])
    return f"{seen}; an object was put, read and deleted"


def _try_index(url: str, access: Any) -> str:
    from lupus_provider.records import POINTS
    from lupus_provider.stores import open_index

    index: Any = open_index(url, access)
    index.periods(POINTS, "probe", "probe")
    return f"{index.url} answers"


def _try_database(url: str) -> str:
    from sqlalchemy.exc import SQLAlchemyError

    from lupus_provider.stores.objects.errors import StorageRefusedError
    from lupus_provider.stores.sql import open_engine

    engine = open_engine(url)
    place = engine.url.render_as_string(hide_password=True)
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("SELECT 1")
    except SQLAlchemyError as err:
        reason = str(getattr(err, "orig", None) or err).strip().splitlines()[0]
        hint = "Correct the address, the login or the password of the connection, or start the database."
        raise StorageRefusedError(place, reason, hint) from err
    return f"{place} answers"
