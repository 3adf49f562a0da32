"""Mutes: what nobody wants to be told about for a while.

Laws (lupus_provider.testing.ledger_people): a mute is in force from when it was made until it ends or is lifted · making or lifting
one twice equals once, and the first who lifted it remains · mutes do not change what is recorded, only what is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

MuteScope = Literal["project", "metric_set", "series", "deadline", "owner"]


@dataclass(frozen=True, slots=True)
class Mute:
    """Silence about something, for a time."""

    mute_id: str
    """Given by whoever makes it, at most 32 characters."""
    scope: MuteScope
    target: str
    """Name of the project, `project.metric_set`, series id, deadline id, or name of the owner."""
    muted_by: str
    muted_at: datetime
    until: datetime
    """Exclusive."""
    reason: str = ""
    project: str | None = None
    """Project that it belongs to, for permissions; None for owners."""
    lifted_by: str | None = None
    lifted_at: datetime | None = None

    def is_in_force(self, at: datetime) -> bool:
        """Say whether it silences at a moment."""
        return self.muted_at <= at < self.until and (self.lifted_at is None or at < self.lifted_at)


def find_mute(
    mutes: Iterable[Mute], at: datetime, *, project: str | None = None, metric_set: str | None = None,
    series_id: str | None = None, deadline_id: str | None = None, owner: str | None = None,
) -> Mute | None:  # fmt: skip
    """Return the mute that silences longest something of these names at a moment; None if it may be told.

    Parameters
    ----------
    metric_set
        Its own name, without that of the project.
    """
    names = {
        "project": project, "metric_set": f"{project}.{metric_set}" if metric_set else None, "series": series_id,
        "deadline": deadline_id, "owner": owner,
    }  # fmt: skip
    found = [mute for mute in mutes if mute.target == names[mute.scope] and mute.is_in_force(at)]
    return max(found, key=lambda mute: (mute.until, mute.mute_id), default=None)


class MuteLedger(Protocol):
    """Keeps mutes."""

    def mute(self, mute: Mute) -> bool:
        """Record a mute; False if there is one of this id."""
        ...

    def lift_mute(self, mute_id: str, user: str, now: datetime) -> bool:
        """End a mute; False if it was lifted or has ended already. Raises NoSuchRecordError if there is none."""
        ...

    def mutes(self, at: datetime | None = None) -> Sequence[Mute]:
        """Return the mutes in force at a moment, or all, oldest first."""
        ...

    def purge_mutes(self, before: datetime) -> int:
        """Forget mutes that ended before a moment; return how many."""
        ...
