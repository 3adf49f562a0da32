"""Telling a history's catalogue of new versions, so that a crash anywhere leaves it untold rather than wrongly told.

The manifest says of every day which version the catalogue was told last. A day whose version is another one is told, and only then noted;
whoever finds it untold tells it again.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from lupus_provider.stores.history.catalog import Version
from lupus_provider.stores.history.errors import DaysUntoldError
from lupus_provider.stores.history.manifest import Days, Manifest, version_of
from lupus_provider.stores.history.merging import Merging
from lupus_provider.stores.history.switching import TRIES
from lupus_provider.stores.objects.base import pause
from lupus_provider.stores.objects.errors import ConflictError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lupus_provider.records import RecordKind
    from lupus_provider.stores.history.catalog import Catalog
    from lupus_provider.stores.objects.base import Objects

AT_ONCE = 200
"""Days told before they are noted: what a broken-off telling does again at most."""
_NO_GRACE = timedelta(0)  # giving days files of their own retires nothing


def publish(objects: Objects, catalog: Catalog, kind: RecordKind, project: str, metric_set: str, folder: str) -> None:
    """Tell the catalogue every day that it does not know as it is now, and those that are gone.

    Raises
    ------
    CatalogError, DaysUntoldError
        If it cannot be told; the history is loaded, what was told is noted, and the next load tells the rest.
    """
    told = 0
    while (untold := _untold(now := Manifest.read(objects, folder))) or now.dropped:
        if now.dropped:
            gone = sorted(now.dropped)[:AT_ONCE]
            catalog.drop(kind, project, metric_set, [date.fromisoformat(day) for day in gone])
            _note(objects, folder, lambda found, gone=gone: _forgotten(found, gone))
        elif lacking := [day for day in untold if "path" not in now.days[day]]:
            Merging(objects, kind, project, metric_set, _NO_GRACE).split(lacking[:AT_ONCE])
        else:
            _tell(objects, catalog, (kind, project, metric_set), folder, dict(sorted(untold.items())[:AT_ONCE]))
        told += 1
        if told > TRIES * 100:  # somebody switches as fast as we tell
            raise ConflictError(f"{objects.url}/{folder}")


def _tell(objects: Objects, catalog: Catalog, of: tuple[RecordKind, str, str], folder: str, batch: Days) -> None:
    versions = [
        Version(date.fromisoformat(day), f"{objects.url}/{entry['path'].rpartition('/')[0]}/", entry["rows"])
        for day, entry in batch.items()
    ]
    known = {day: version_of(entry["path"]) for day, entry in batch.items()}
    try:
        catalog.publish(*of, versions)
    except DaysUntoldError as err:
        known = {day: version for day, version in known.items() if date.fromisoformat(day) not in err.untold}
        raise
    except BaseException:
        known = {}
        raise
    finally:
        if known:
            _note(objects, folder, lambda found: _noted(found, known))


def _untold(manifest: Manifest) -> Days:
    return {
        day: entry
        for day, entry in manifest.days.items()
        if "path" not in entry or entry.get("published") != version_of(entry["path"])
    }


def _noted(manifest: Manifest, told: dict[str, str]) -> Manifest:
    days = {day: entry | {"published": told[day]} if day in told else entry for day, entry in manifest.days.items()}
    gone = {day: version for day, version in told.items() if day not in days}  # dropped while the catalogue was told
    return replace(manifest, days=days, dropped=manifest.dropped | gone)


def _forgotten(manifest: Manifest, gone: Sequence[str]) -> Manifest:
    """Note that the catalogue shows these days no more; one that was loaded again in the meantime is told again."""
    days = dict(manifest.days)
    for day in set(gone) & set(days):
        days[day] = {key: value for key, value in days[day].items() if key != "published"}
    return replace(manifest, days=days, dropped={d: v for d, v in manifest.dropped.items() if d not in gone})


def _note(objects: Objects, folder: str, change: Callable[[Manifest], Manifest]) -> None:
    """Write into the manifest what the catalogue knows, whatever else has become of it."""
    for attempt in range(TRIES):
        try:
            change(Manifest.read(objects, folder)).write(objects, folder)
        except ConflictError:
            pause(attempt)
        else:
            return
    raise ConflictError(f"{objects.url}/{folder}")
