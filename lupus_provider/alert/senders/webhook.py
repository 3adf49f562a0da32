"""Tells a webhook: JSON by POST, with the message's id so that the receiver can drop repeats."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from lupus_provider.errors import DeliveryError, DeliveryRefusedError

TIMEOUT_SECONDS = 10.0
REFUSALS = frozenset({400, 401, 403, 404, 405, 410, 413, 415, 422})
"""Answers that a repeat will not change."""


class WebhookSender:
    """Posts messages.

    Parameters
    ----------
    channel
        Name for messages about errors; the address itself is often a secret.
    url, token
        Where to post, and a bearer token if it needs one.
    """

    def __init__(self, channel: str, url: str, token: str | None = None) -> None:
        self.channel, self._url, self._token = channel, url, token

    def send(self, message_id: str, body: Mapping[str, Any]) -> None:
        """Post the message; see `Sender.send` for the errors."""
        headers = {"Idempotency-Key": message_id} | ({"Authorization": f"Bearer {self._token}"} if self._token else {})
        try:
            response = httpx.post(self._url, json={"message_id": message_id, **body}, headers=headers, timeout=TIMEOUT_SECONDS)
        except httpx.HTTPError as err:
            raise DeliveryError(f"webhook of channel {self.channel!r}", type(err).__name__) from err
        if response.status_code in REFUSALS:
            raise DeliveryRefusedError(f"webhook of channel {self.channel!r}", f"answered {response.status_code}")
        if not response.is_success:
            raise DeliveryError(f"webhook of channel {self.channel!r}", f"answered {response.status_code}")
