"""Short links: a page with all its filters under a name that fits into a message.

Laws (lupus_provider.testing.ledger_people): the same target has the same link, whoever shortens it, however often.
"""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime


def link_id_of(target: str) -> str:
    """Return the name of a target's link: 16 base32 characters of its hash, 80 bits."""
    digest = hashlib.blake2b(target.encode(), digest_size=10).digest()
    return base64.b32encode(digest).decode().lower()


class LinkLedger(Protocol):
    """Keeps short links."""

    def shorten(self, target: str, user: str, now: datetime) -> str:
        """Keep a target, such as `/discover?q=age`, and return its link's name."""
        ...

    def link_target(self, link_id: str) -> str | None:
        """Return the target of a link; None if nobody made it."""
        ...
