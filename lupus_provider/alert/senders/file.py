"""Tells a file of JSON lines: one line a message, whole, also with several writers."""

from __future__ import annotations

import fcntl
import json
import os
from typing import IO, TYPE_CHECKING, Any

from lupus_provider.errors import DeliveryError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class FileSender:
    """Appends messages to a file.

    A message that is there already is not written again, so a repeat after a crash leaves one line.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def send(self, message_id: str, body: Mapping[str, Any]) -> None:
        """Append the message; DeliveryError if the file cannot be written."""
        line = json.dumps({**body, "message_id": message_id}, sort_keys=True, ensure_ascii=False).encode() + b"\n"
        mark = f'"message_id": {json.dumps(message_id)}'.encode()  # no text can forge it: its quotes are escaped
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                self._repair(file)
                file.seek(0)
                if any(mark in known for known in file):
                    return
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
        except OSError as err:
            place = f"file {self.path}"
            raise DeliveryError(place, str(err)) from err

    @staticmethod
    def _repair(file: IO[bytes]) -> None:
        """Cut off a line that a killed writer left half-written."""
        end = file.seek(0, os.SEEK_END)
        whole = end
        while whole:  # backwards in blocks: the file may be long, a line is not
            start = max(0, whole - 65_536)
            file.seek(start)
            found = file.read(whole - start).rfind(b"\n")
            if found >= 0:
                whole = start + found + 1
                break
            whole = start
        if whole < end:
            file.truncate(whole)
