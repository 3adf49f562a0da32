"""Expiry: days that are older than people want to keep leave the manifest in one act; their files go after the grace of readers.

Rows of theirs in a month's file are no longer read at once, and leave the disk when the month is merged again
(tests/unit/stores/history/test_catalog_upkeep.py).
"""

from __future__ import annotations

import logging
from datetime import date
from typing import TYPE_CHECKING

from lupus_provider import clock
from lupus_provider.stores.history.base import Expired
from lupus_provider.stores.history.manifest import Manifest
from lupus_provider.stores.history.switching import TRIES, switch
from lupus_provider.stores.objects.base import pause
from lupus_provider.stores.objects.errors import ConflictError

if TYPE_CHECKING:
    from datetime import timedelta

    from lupus_provider.stores.objects.base import Objects

log = logging.getLogger(__name__)


def has_before(manifest: Manifest, before: date) -> bool:
    """Say whether an expiry has work: days to drop, or dropped ones that the catalogue is still to be told of."""
    return bool(manifest.dropped) or any(date.fromisoformat(day) < before for day in manifest.days)


def drop_days(objects: Objects, folder: str, before: date, grace: timedelta) -> Expired:
    """Let a metric set's readers see no day before a UTC date; the catalogue is told by `publishing.publish`."""
    for attempt in range(TRIES):
        now, found = clock.utc_now(), Manifest.read(objects, folder)
        gone = [day for day in found.days if date.fromisoformat(day) < before]
        try:
            switch(objects, folder, found, found.without(gone, now, grace))
        except ConflictError:
            pause(attempt)
            continue
        entries = [found.days[day] for day in gone]
        return Expired(len(gone), sum(len(e["periods"]) for e in entries), sum(e["rows"] for e in entries))
    raise ConflictError(f"{objects.url}/{folder}")
