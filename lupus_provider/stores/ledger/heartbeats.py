"""Heartbeats: what jobs outside Airflow say about their runs, so that deadlines can be judged for them, too.

Laws (lupus_provider.testing.ledger_deadlines): recording twice equals recording once · nothing that a job said replaces what it
said before: a run that failed and then succeeded has both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime, timedelta

JobState = Literal["started", "succeeded", "failed"]


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What a job says about one of its runs."""

    project: str
    job: str
    state: JobState
    at: datetime
    """When it happened, by the job's own clock."""
    run_key: str = ""
    """Tells runs apart, such as the date that a run is about; empty where the job has no name for them."""
    message: str = ""
    duration: timedelta | None = None


class HeartbeatLedger(Protocol):
    """Keeps heartbeats."""

    def record_heartbeats(self, heartbeats: Collection[Heartbeat]) -> int:
        """Record heartbeats, all or nothing; return how many were new."""
        ...

    def heartbeats(
        self, projects: Collection[str], since: datetime, until: datetime | None = None, job: str | None = None
    ) -> Sequence[Heartbeat]:
        """Return heartbeats from `since` to before `until`, oldest first."""
        ...

    def purge_heartbeats(self, before: datetime) -> int:
        """Forget heartbeats before a moment; return how many."""
        ...
