"""Files of a local folder, whole or absent, with locks that die with their process.

A temporary file stands in a folder of its own and is locked by its writer, so that a killed writer's leavings are told from a
living writer's file and swept; nothing half-written ever has a final name.
"""

from __future__ import annotations

import fcntl
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

TEMPORARY = ".tmp"


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on a file, made if need be; the kernel frees it when the process dies, however it dies."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextmanager
def replacing(root: Path, path: Path) -> Iterator[BinaryIO]:
    """Write a file that appears under `path` whole, or not at all.

    Parameters
    ----------
    root
        Folder of the store: the temporary file lies in `root/.tmp`, on the same file system as `path`.
    path
        Final name; replaced if it is there.
    """
    folder = root / TEMPORARY
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / uuid.uuid4().hex
    with temporary.open("xb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
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


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sweep_temporary(root: Path) -> int:
    """Delete temporary files whose writer is dead; return how many."""
    swept = 0
    for file in (root / TEMPORARY).glob("*"):
        try:
            handle = os.open(file, os.O_RDWR)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with suppress(FileNotFoundError):
                file.unlink()
            swept += 1
        except BlockingIOError:
            continue
        finally:
            os.close(handle)
    return swept
