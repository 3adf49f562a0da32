"""Tells a file of JSON lines: one line a message, whole, also with several writers."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lupus_provider.errors import DeliveryError


class FileSender:
    """Appends messages to a file.

    A message that is there already is not written again, so a repeat after a crash leaves one line.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def send(self, message_id: str, body: Mapping[str, Any]) -> None:
        """Append the message; DeliveryError if the file cannot be written."""
        line = json.dumps({"message_id": message_id, **body}, sort_keys=True, ensure_ascii=False).encode() + b"\n"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                self._repair(file)
                file.seek(0)
                if any(json.loads(known)["message_id"] == message_id for known in file):
                    return
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
        except OSError as err:
            raise DeliveryError(f"file {self.path}", str(err)) from err

    @staticmethod
    def _repair(file: Any) -> None:
        """Cut off a line that a killed writer left half-written."""
        size = file.seek(0, os.SEEK_END)
        if not size:
            return
        file.seek(0)
        data = file.read()
        if not data.endswith(b"\n"):
            file.truncate(data.rfind(b"\n") + 1)
