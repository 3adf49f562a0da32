"""The manifest of a metric set's history: which version of each day is valid, and which were until lately.

Replacing it is the switch of readers: atomic in a folder by rename, in a bucket by a put that fails if the manifest is not the one that was
read. It names every loaded period with its digest, so that a load knows what is new without reading a file.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from lupus_provider.errors import CorruptStoreError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lupus_provider.stores.objects.base import Objects

NAME = "manifest.json"
FORMAT = 1
PLAIN_BYTES = 64 << 10
"""A larger manifest is compressed; years of hours are some hundred kilobytes then."""
_GZIP = b"\x1f\x8b"

Entry = dict[str, Any]
"""A day: `path` of its file, `rows`, `bytes`, `periods` (start → digest), and `published`, the version that the catalogue was told last."""
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
        return cls(days, retired, found.get("swept"), stored.etag)

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
        text = json.dumps(found | ({"swept": self.swept} if self.swept else {}), indent=0).encode()
        return text if len(text) <= PLAIN_BYTES else gzip.compress(text, 6, mtime=0)

    def switched(self, written: Mapping[str, Entry], now: datetime, grace: timedelta) -> Manifest:
        """Return the manifest with these days replaced; what they replace is kept for its readers, until the grace has passed."""
        days = self.days | {day: self._told(day) | entry for day, entry in written.items()}
        told = {entry["published"] for entry in days.values() if entry.get("published")}
        kept = {
            path: since
            for path, since in self.retired.items()
            if datetime.fromisoformat(since) > now - grace or version_of(path) in told
        }
        kept |= {self.days[day]["path"]: now.isoformat() for day in written if day in self.days}
        return replace(self, days=days, retired=kept)

    def _told(self, day: str) -> Entry:
        entry = self.days.get(day, {})
        return {"published": entry["published"]} if "published" in entry else {}

    def versions(self) -> set[str]:
        """Return the versions that readers of the manifest or of the catalogue may have open."""
        paths = {entry["path"] for entry in self.days.values()} | set(self.retired)
        return {version_of(path) for path in paths} | {e["published"] for e in self.days.values() if e.get("published")}

    def is_same(self, other: Manifest) -> bool:
        """Whether both say the same to readers."""
        return (self.days, self.retired) == (other.days, other.retired)


def version_of(path: str) -> str:
    """Return the version's name, `v=…`, of a file's path."""
    return next((part for part in reversed(path.split("/")) if part.startswith("v=")), path)
