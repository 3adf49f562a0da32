"""What a sender does: deliver one message, or say whether trying again can help."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping


class Sender(Protocol):
    """Delivers messages of one channel."""

    def send(self, message_id: str, body: Mapping[str, Any]) -> None:
        """Deliver a message.

        Raises
        ------
        DeliveryError
            If it was not delivered and may be tried again.
        DeliveryRefusedError
            If the receiver will never take it.
        """
        ...
