"""Objects as files of a folder: whole by rename, durable by fsync, one writer at a time by a lock that dies with its process."""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from lupus_provider.errors import StoreUrlError
from lupus_provider.stores.files import TEMPORARY, locked, replacing, sweep_temporary, sync_folder
from lupus_provider.stores.objects.base import Stored
from lupus_provider.stores.objects.errors import ConflictError, StorageFullError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_FULL = (errno.ENOSPC, errno.EDQUOT)


def folder_of(store: str, url: str) -> Path:
    """Return the folder of a `file:` address. Raises StoreUrlError if it is not an absolute folder of this machine."""
    parts = urlsplit(url)
    if parts.scheme != "file" or parts.netloc not in ("", "localhost") or not parts.path.startswith("/"):
        raise StoreUrlError(store, url, "Give an absolute folder, such as file:///var/lib/lupus.")
    return Path(unquote(parts.path))


class LocalObjects:
    """Objects in a folder; see `stores.objects.base.Objects` for the laws.

    Parameters
    ----------
    root
        Absolute folder; made at the first write. Names that start with a dot are the storage's own.
    """

    is_exclusive = True
    parallel = 1

    def __init__(self, root: Path) -> None:
        self.root = root
        self.url = root.as_uri()

    def get(self, key: str) -> tuple[bytes, Stored]:
        """Read an object; see the protocol."""
        with (self.root / key).open("rb") as file:
            return file.read(), _stored(key, os.fstat(file.fileno()))

    def head(self, key: str) -> Stored | None:
        """Say what there is under a key; None: nothing."""
        try:
            return _stored(key, (self.root / key).stat())
        except FileNotFoundError:
            return None

    def put(
        self,
        key: str,
        data: bytes | memoryview,
        metadata: Mapping[str, str] | None = None,
        *,
        if_match: str | None = None,
        if_absent: bool = False,
    ) -> str:
        """Write an object, whole and durable; see the protocol."""
        del metadata  # a file has no place for it
        path = self.root / key
        found = self.head(key) if if_absent or if_match is not None else None
        if (if_absent and found) or (if_match is not None and (found is None or found.etag != if_match)):
            raise ConflictError(str(path))
        made = [folder for folder in path.parents if not folder.exists()]
        try:
            with replacing(self.root, path) as file:
                file.write(data)
            for folder in made:
                sync_folder(folder.parent)
        except OSError as err:
            if err.errno in _FULL:
                raise StorageFullError(str(path), err.errno) from err
            raise
        return _stored(key, path.stat()).etag

    def list(self, prefix: str, start_after: str = "") -> Iterator[Stored]:
        """List objects by key; see the protocol."""
        return self._list(prefix.rpartition("/")[0], prefix, start_after)

    def _list(self, folder: str, prefix: str, start_after: str) -> Iterator[Stored]:
        try:
            with os.scandir(self.root / folder) as entries:
                # A bucket sorts whole keys, so a folder sorts with the slash that follows it.
                found = sorted((f"{e.name}/" if e.is_dir() else e.name, e) for e in entries if e.name[0] != ".")
        except FileNotFoundError:
            return
        for name, entry in found:
            key = f"{folder}/{name}" if folder else name
            if not name.endswith("/"):
                if key.startswith(prefix) and key > start_after:
                    with suppress(FileNotFoundError):  # deleted since
                        yield _stored(key, entry.stat())
            elif key[: len(prefix)] == prefix[: len(key)] and key > start_after[: len(key) - 1]:
                yield from self._list(key[:-1], prefix, start_after)

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects, and the folders that become empty."""
        for key in keys:
            path = self.root / key
            path.unlink(missing_ok=True)
            _remove_if_empty(path.parent)

    @contextmanager
    def exclusive(self, key: str) -> Iterator[None]:
        """Keep other writers of this machine out."""
        with locked(self.root / key):
            yield

    def check_conditions(self, key: str) -> None:
        """Do nothing: the lock keeps them."""
        del key

    def path(self, key: str) -> str:
        """Return the object's file."""
        return str(self.root / key)

    def arrow(self) -> tuple[Any, str]:
        """Return Arrow's local file system, and the folder."""
        from pyarrow.fs import LocalFileSystem

        return LocalFileSystem(), str(self.root)

    def sweep(self, prefix: str) -> int:
        """Delete temporary files whose writer is dead, and empty folders."""
        for folder, folders, files in os.walk(self.root / prefix, topdown=False):
            if not folders and not files and Path(folder).name != TEMPORARY:
                _remove_if_empty(Path(folder))
        return sweep_temporary(self.root)

    def explained(self, error: Exception) -> Exception:
        """Return the error as it is."""
        return error


def _stored(key: str, stat: os.stat_result) -> Stored:
    etag = f"{stat.st_ino:x}-{stat.st_mtime_ns:x}-{stat.st_size:x}"
    return Stored(key, etag, stat.st_size, datetime.fromtimestamp(stat.st_mtime, UTC))


def _remove_if_empty(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError as err:
        if err.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT):
            raise
