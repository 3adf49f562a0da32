"""The manifest of a metric set's history: which version of each day is valid, and which were until lately.

Replacing it is the switch of readers: atomic in a folder by rename, in a bucket by a put that fails if the manifest is not the one that was
read. It names every loaded period with its digest, so that a load knows what is new without reading a file.
"""

from __future__ import annotations

import gzip
import json
import uuid
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from lupus_provider import clock
from lupus_provider.errors import CorruptStoreError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from lupus_provider.stores.objects.base import Objects

NAME = "manifest.json"
FORMAT = 1
PLAIN_BYTES = 64 << 10
"""A larger manifest is compressed; years of hours are some hundred kilobytes then."""
_GZIP = b"\x1f\x8b"

Entry = dict[str, Any]
"""A day: `rows` and `periods` (start → digest); `path` and `bytes` of its own file, `merged`, the path of its month's file, or both; and
`published`, the version that the catalogue was told last."""
Days = dict[str, Entry]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What readers of a metric set see."""

    days: Days = field(default_factory=dict)
    """ISO date → entry."""
    retired: dict[str, str] = field(default_factory=dict)
    """Path of a replaced file → when it was replaced."""
    swept: str | None = None
    """When leavings were last looked for, in a bucket."""
    etag: str | None = None
    """Of what was read; None: there is no manifest yet."""
    merged: dict[str, dict[str, int]] = field(default_factory=dict)
    """Path of a month's file → its `rows` and `bytes`. Rows of days that do not name it do not count any more."""
    dropped: dict[str, str] = field(default_factory=dict)
    """ISO date → version: days that are gone, and that the catalogue may still show."""

    @classmethod
    def read(cls, objects: Objects, folder: str) -> Manifest:
        """Read the manifest of a metric set's folder.

        Raises
        ------
        CorruptStoreError
            If it is not a manifest of this format.
        """
        key = f"{folder}/{NAME}"
        try:
            content, stored = objects.get(key)
        except FileNotFoundError:
            return cls()
        place = f"{objects.url}/{key}"
        try:
            found = json.loads(gzip.decompress(content) if content.startswith(_GZIP) else content)
            version, days, retired = found["format"], found["days"], found["retired"]
        except (ValueError, KeyError, TypeError, EOFError, OSError) as err:
            raise CorruptStoreError(place, f"is not a manifest of format {FORMAT}") from err
        if version != FORMAT:
            raise CorruptStoreError(place, f"is of format {version}, not {FORMAT}")
        merged, dropped = found.get("merged", {}), found.get("dropped", {})
        return cls(days, retired, found.get("swept"), stored.etag, merged, dropped)

    def write(self, objects: Objects, folder: str) -> Manifest:
        """Put it in the place of the manifest that was read.

        Raises
        ------
        ConflictError
            If that is no longer the one that is there.
        """
        key = f"{folder}/{NAME}"
        return replace(self, etag=objects.put(key, self.encoded(), if_match=self.etag, if_absent=self.etag is None))

    def encoded(self) -> bytes:
        """Return its text, compressed if it is long."""
        days, retired = dict(sorted(self.days.items())), dict(sorted(self.retired.items()))
        found: dict[str, Any] = {"format": FORMAT, "days": days, "retired": retired}
        rare = {"swept": self.swept, "merged": self.merged, "dropped": self.dropped}
        text = json.dumps(found | {name: value for name, value in rare.items() if value}, indent=0).encode()
        return text if len(text) <= PLAIN_BYTES else gzip.compress(text, 6, mtime=0)

    # -- what becomes of it ------------------------------------------------------------------------------------------

    def switched(self, written: Mapping[str, Entry], now: datetime, grace: timedelta) -> Manifest:
        """Return the manifest with these days replaced; what they replace is kept for its readers, until the grace has passed."""
        days = self.days | {day: self._told(day) | entry for day, entry in written.items()}
        dropped = {day: version for day, version in self.dropped.items() if day not in written}
        return self._retiring(replace(self, days=days, dropped=dropped), now, grace)

    def with_month(
        self, path: str, size: Mapping[str, int], of: Mapping[str, str], now: datetime, grace: timedelta, *, keep_days: bool
    ) -> Manifest:  # fmt: skip
        """Return the manifest with days read from their month's file.

        Parameters
        ----------
        size
            `rows` and `bytes` of the file.
        of
            ISO date → the file that the day was merged from; a day that another load has replaced since stays as it is.
        keep_days
            Whether the days keep files of their own: a catalogue reads those.
        """
        days = dict(self.days)
        for day, source in of.items():
            if day in days and file_of(days[day]) == source:
                own = ("path", "bytes") if not keep_days else ()
                days[day] = {key: value for key, value in days[day].items() if key not in own} | {"merged": path}
        return self._retiring(replace(self, days=days, merged=self.merged | {path: dict(size)}), now, grace)

    def without(self, gone: Collection[str], now: datetime, grace: timedelta) -> Manifest:
        """Return the manifest without these days; the catalogue is still to be told of those that it shows."""
        days = {day: entry for day, entry in self.days.items() if day not in gone}
        shown = {day: self.days[day]["published"] for day in gone if self.days.get(day, {}).get("published")}
        return self._retiring(replace(self, days=days, dropped=self.dropped | shown), now, grace)

    def _retiring(self, after: Manifest, now: datetime, grace: timedelta) -> Manifest:
        """Return `after` with what only this manifest names retired now, and what was retired long ago forgotten."""
        told, named = after._shown(), after._named()
        kept = {
            path: since
            for path, since in self.retired.items()
            if datetime.fromisoformat(since) > now - grace or version_of(path) in told
        }
        retired = kept | dict.fromkeys(self._named() - named, now.isoformat())
        merged = {path: size for path, size in after.merged.items() if path in named}
        return replace(after, retired=retired, merged=merged)

    def _told(self, day: str) -> Entry:
        version = self.days.get(day, {}).get("published") or self.dropped.get(day)
        return {"published": version} if version else {}

    # -- what it says ------------------------------------------------------------------------------------------------

    def _named(self) -> set[str]:
        return {entry[key] for entry in self.days.values() for key in ("path", "merged") if key in entry}

    def _shown(self) -> set[str]:
        """Return the versions that readers of the catalogue may have open."""
        return {e["published"] for e in self.days.values() if e.get("published")} | set(self.dropped.values())

    def versions(self) -> set[str]:
        """Return the versions that readers of the manifest or of the catalogue may have open."""
        return {version_of(path) for path in self._named() | set(self.retired)} | self._shown()

    def is_same(self, other: Manifest) -> bool:
        """Whether both say the same to readers."""
        return replace(self, swept=None, etag=None) == replace(other, swept=None, etag=None)


def file_of(entry: Entry) -> str:
    """Return the path of a file that holds a day: its own, else its month's."""
    return entry.get("path") or entry["merged"]


def new_version() -> str:
    """Return the name of a version that nobody else has, in the order of time."""
    return f"v={clock.utc_now():%Y%m%dT%H%M%S%f}-{uuid.uuid4().hex[:8]}"


def version_of(path: str) -> str:
    """Return the version's name, `v=…`, of a file's path."""
    return next((part for part in reversed(path.split("/")) if part.startswith("v=")), path)
