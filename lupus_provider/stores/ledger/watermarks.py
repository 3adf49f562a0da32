"""Watermarks: up to which moment something was checked, so that the next check goes on from there, after a crash, too.

Laws (lupus_provider.testing.ledger_deadlines): who moves a watermark names what he read, and of several who read the same one moves
it (compare and set).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime


class WatermarkLedger(Protocol):
    """Keeps watermarks."""

    def checked_until(self, name: str) -> datetime | None:
        """Return the watermark of a name of at most 255 characters; None if it was never set."""
        ...

    def move_checked_until(self, name: str, seen: datetime | None, until: datetime) -> bool:
        """Set a watermark that is still what was seen; False, and nothing changes, if it is not."""
        ...
