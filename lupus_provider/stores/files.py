"""Files of a local folder, whole or absent, with locks that die with their process.

A temporary file stands in a folder of its own and is locked by its writer, so that a killed writer's leavings are told from a
living writer's file and swept; nothing half-written ever has a final name.
"""

from __future__ import annotations

import fcntl
import os
import time
import uuid
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, BinaryIO

from lupus_provider.errors import StoreBusyError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TEMPORARY = ".tmp"
LOCK_SECONDS = 600.0
"""How long a writer waits for another one; a stopped process must not stop all that come after it."""
_POLL_SECONDS = 0.02


@contextmanager
def locked(path: Path, seconds: float = LOCK_SECONDS) -> Iterator[None]:
    """Hold an exclusive lock on a file, made if need be; the kernel frees it when the process dies, however it dies.

    Raises
    ------
    StoreBusyError
        If another process holds it for longer than `seconds`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        deadline = time.monotonic() + seconds
        while not _try_lock(handle):
            if time.monotonic() > deadline:
                raise StoreBusyError(str(path), seconds)
            time.sleep(_POLL_SECONDS)
        yield
    finally:
        os.close(handle)


def _try_lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def replacing(root: Path, path: Path) -> Iterator[BinaryIO]:
    """Write a file that appears under `path` whole and durable, or not at all.

    Parameters
    ----------
    root
        Folder of the store: the temporary file lies in `root/.tmp`, on the same file system as `path`.
    path
        Final name; replaced if it is there.
    """
    file, temporary = _open_temporary(root / TEMPORARY)
    with file:
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
            path.parent.mkdir(parents=True, exist_ok=True)
            os.replace(temporary, path)
        except BaseException:
            with suppress(FileNotFoundError):
                temporary.unlink()
            raise
    sync_folder(path.parent)


def _open_temporary(folder: Path) -> tuple[BinaryIO, Path]:
    """Open a new file and lock it; again if a sweeper took it in the moment between."""
    folder.mkdir(parents=True, exist_ok=True)
    while True:
        temporary = folder / uuid.uuid4().hex
        file = temporary.open("xb")
        fcntl.flock(file, fcntl.LOCK_EX)
        if os.fstat(file.fileno()).st_nlink:
            return file, temporary
        file.close()


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sweep_temporary(root: Path) -> int:
    """Delete temporary files whose writer is dead; return how many."""
    return sum(_sweep(file) for file in (root / TEMPORARY).glob("*"))


def _sweep(file: Path) -> bool:
    try:
        handle = os.open(file, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        # Its writer may have finished since: then the name is gone, and what the handle shows is a good file.
        if not _try_lock(handle):
            return False
        file.unlink()
    except FileNotFoundError:
        return False
    finally:
        os.close(handle)
    return True
