"""Tries a store as the steps will use it, and says what was seen or what to do: for Airflow's *Test* button and for `lupus doctor`.

Nothing stays of it but the tables that a first load would make.
"""

from __future__ import annotations

import uuid
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from lupus_provider import clock
from lupus_provider.stores.objects.errors import StorageRefusedError

if TYPE_CHECKING:
    from datetime import datetime

    from lupus_provider.hooks.addresses import StoreKind

_PATIENCE = {"patience": 3.0, "request_timeout": 10.0, "max_attempts": 2, "connect_timeout": 5.0, "read_timeout": 10.0}
"""Seconds and tries, by the fields of the accesses."""
SKEW_SECONDS = 60.0
"""Clocks that differ by more are a finding; S3 itself refuses from 15 minutes on."""


def try_store(kind: StoreKind, url: str, access: Any, *, is_read: bool = False, is_deep: bool = False) -> str:
    """Use a store, and say what was done.

    Parameters
    ----------
    kind
        What the store is used as.
    is_read
        Only read: a page's server needs no more of the history.
    is_deep
        Also make the tables that are missing, compare them with what Lupus wants, and write to them.

    Raises
    ------
    LupusError, OSError
        What is wrong, with what to do.
    """
    from lupus_provider.hooks.addresses import check_address

    check_address(kind, url)
    access = _impatient(access)
    if url.startswith(("s3://", "file:")):
        return _try_objects(kind, url, access, is_read=is_read)
    if url.startswith(("http://", "https://")):
        from lupus_provider.hooks.trying_elastic import try_elastic

        return try_elastic(url, access)
    from lupus_provider.hooks.trying_sql import try_database

    return try_database(kind, url, is_deep=is_deep)


def check_clock(place: str, theirs: datetime) -> None:
    """Compare a server's clock with this machine's.

    Raises
    ------
    StorageRefusedError
        If they differ by more than a minute.
    """
    seconds = (theirs - clock.utc_now()).total_seconds()
    if abs(seconds) > SKEW_SECONDS:
        way = "ahead of" if seconds > 0 else "behind"
        hint = "Set both clocks by NTP: which content is newest, and what is old enough to go, is judged by them."
        raise StorageRefusedError(place, f"its clock is {abs(seconds):.0f} s {way} this machine's", hint)


def _impatient(access: Any) -> Any:
    """Return the same access with little patience: somebody waits for the answer."""
    if access is None:
        return None
    known = {field.name for field in fields(access)}
    return replace(access, **{name: value for name, value in _PATIENCE.items() if name in known})


def _try_objects(kind: StoreKind, url: str, access: Any, *, is_read: bool) -> str:
    from lupus_provider.stores.objects import open_objects

    objects = open_objects(kind, url, access)
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
        check_clock(objects.url, objects.get(key)[1].modified)
    finally:
        objects.delete([key])
    return f"{seen}; an object was put, read and deleted"
