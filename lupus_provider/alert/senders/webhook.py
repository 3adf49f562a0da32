"""Tells a webhook: JSON by POST, with the message's id so that the receiver can drop repeats.

Address and token are secrets. httpx logs the address of every request, and both libraries quote headers that they refuse, so
neither their log lines nor their exceptions leave this file.
"""

from __future__ import annotations

import logging
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import httpx

from lupus_provider.errors import DeliveryError, DeliveryRefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMEOUT_SECONDS = 10.0
REFUSALS = frozenset({400, 401, 403, 404, 405, 410, 413, 415, 422})
"""Answers that a repeat will not change."""

LOUD = ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.http2", "httpcore.proxy", "httpcore.socks")
"""Loggers that would tell."""

_posting: ContextVar[bool] = ContextVar("lupus_posting", default=False)


def _is_not_ours(_record: logging.LogRecord) -> bool:
    return not _posting.get()


for _name in LOUD:  # a filter of a logger is not asked for its children
    logging.getLogger(_name).addFilter(_is_not_ours)


class WebhookSender:
    """Posts messages; does not follow redirects, because the token is for one receiver.

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
        receiver = f"webhook of channel {self.channel!r}"
        answer = self._post(message_id, body)
        if isinstance(answer, str):
            raise DeliveryError(receiver, answer)
        if answer in REFUSALS:
            raise DeliveryRefusedError(receiver, f"answered {answer}")
        if not 200 <= answer < 300:
            raise DeliveryError(receiver, f"answered {answer}")

    def _post(self, message_id: str, body: Mapping[str, Any]) -> int | str:
        """Return the answer's status, or in a word why there was none; the answer's body is not read."""
        headers = {"Idempotency-Key": message_id}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        quiet = _posting.set(True)
        try:
            content = {"message_id": message_id, **body}
            with httpx.stream("POST", self._url, json=content, headers=headers, timeout=TIMEOUT_SECONDS) as response:
                return response.status_code
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeEncodeError) as err:
            return type(err).__name__  # not raised from it: it may quote the address or the token
        finally:
            _posting.reset(quiet)
