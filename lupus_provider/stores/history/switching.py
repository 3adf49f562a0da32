"""The switch of a metric set's readers to another manifest, and the sweep of what nobody reads any more.

Loads, merges and expiries end in it. In a folder a lock keeps them apart, so what no manifest names is garbage at once; in a bucket somebody
may be about to switch to it, so it must be a day old (tests/unit/stores/test_loading.py).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from lupus_provider import clock
from lupus_provider.stores.history.manifest import Manifest, file_of, version_of

if TYPE_CHECKING:
    from lupus_provider.stores.objects.base import Objects

TRIES = 40
SWEPT_AFTER = timedelta(days=1)
"""In a bucket, how old a version that no manifest names must be: a loader may be about to switch to a younger one."""
SWITCH_WITHIN = SWEPT_AFTER / 2
"""Who took longer starts again: what it wrote may be swept before it switches."""


def is_too_old(objects: Objects, begun: datetime | None) -> bool:
    """Say whether what somebody began to write then may be swept before it is switched to."""
    return not objects.is_exclusive and begun is not None and clock.utc_now() - begun > SWITCH_WITHIN


def switch(objects: Objects, folder: str, before: Manifest, after: Manifest) -> None:
    """Put `after` in the place of `before`, delete what has been retired for long enough, and sweep where it is time to.

    Raises
    ------
    ConflictError
        If somebody else switched since `before` was read; nothing has changed.
    """
    now = clock.utc_now()
    swept = None if before.swept is None else datetime.fromisoformat(before.swept)
    is_due = objects.is_exclusive or swept is None or now - swept > SWEPT_AFTER
    if not after.is_same(before):
        after = replace(after, swept=before.swept if objects.is_exclusive or not is_due else now.isoformat())
        if before.etag is None and after.days:
            objects.check_conditions(file_of(next(iter(after.days.values()))))
        after.write(objects, folder)
    expired = [path for path in before.retired if path not in after.retired and "/" in path]
    living = after.versions()
    objects.delete(path for path in expired if version_of(path) not in living)
    if is_due:
        _sweep(objects, folder, living, now)


def _sweep(objects: Objects, folder: str, living: set[str], now: datetime) -> None:
    """Delete versions that are neither valid nor within their grace: the leavings of killed loads among them."""
    oldest = now if objects.is_exclusive else now - SWEPT_AFTER
    found = [item for item in objects.list(f"{folder}/") if version_of(item.key).startswith("v=")]
    dead = [
        item.key
        for item in found
        if version_of(item.key) not in living and (objects.is_exclusive or item.modified < oldest)
    ]
    objects.delete(dead)
