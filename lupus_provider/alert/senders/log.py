"""Tells the log: the channel of those who have not chosen one."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

log = logging.getLogger("lupus.alerts")


class LogSender:
    """Writes messages as warnings."""

    def __init__(self, channel: str) -> None:
        self.channel = channel

    def send(self, message_id: str, body: Mapping[str, Any]) -> None:
        """Write the message."""
        log.warning("%s\n%s\n(message %s)", body["title"], body["text"], message_id)
