"""Telling a history's catalogue of new versions, so that a crash anywhere leaves it untold rather than wrongly told.

The manifest says of every day which version the catalogue was told last. A day whose version is another one is told, and only then noted;
whoever finds it untold tells it again.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from lupus_provider.stores.history.catalog import Version
from lupus_provider.stores.history.manifest import Days, Manifest, version_of
from lupus_provider.stores.objects.base import pause
from lupus_provider.stores.objects.errors import ConflictError

if TYPE_CHECKING:
    from lupus_provider.records import RecordKind
    from lupus_provider.stores.history.catalog import Catalog
    from lupus_provider.stores.objects.base import Objects

AT_ONCE = 200
"""Days told before they are noted: what a broken-off telling does again at most."""
TRIES = 40


def publish(objects: Objects, catalog: Catalog, kind: RecordKind, project: str, metric_set: str, folder: str) -> None:
    """Tell the catalogue every day that it does not know as it is now.

    Raises
    ------
    CatalogError
        If it cannot be told; the history is loaded, and the next load tells it.
    """
    told = 0
    while untold := _untold(Manifest.read(objects, folder).days):
        batch = dict(sorted(untold.items())[:AT_ONCE])
        versions = [
            Version(date.fromisoformat(day), f"{objects.url}/{entry['path'].rpartition('/')[0]}/", entry["rows"])
            for day, entry in batch.items()
        ]
        catalog.publish(kind, project, metric_set, versions)
        _note(objects, folder, {day: version_of(entry["path"]) for day, entry in batch.items()})
        told += 1
        if told > TRIES * 100:  # somebody switches as fast as we tell
            raise ConflictError(f"{objects.url}/{folder}")


def _untold(days: Days) -> Days:
    return {day: entry for day, entry in days.items() if entry.get("published") != version_of(entry["path"])}


def _note(objects: Objects, folder: str, told: dict[str, str]) -> None:
    """Write into the manifest which versions the catalogue knows, whatever else has become of it."""
    for attempt in range(TRIES):
        now = Manifest.read(objects, folder)
        days = {day: entry | {"published": told[day]} if day in told else entry for day, entry in now.days.items()}
        try:
            replace(now, days=days).write(objects, folder)
        except ConflictError:
            pause(attempt)
        else:
            return
    raise ConflictError(f"{objects.url}/{folder}")
