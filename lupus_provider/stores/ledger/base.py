"""The ledger: what people, jobs and the sender change, and what must never be lost or told twice.

Episodes and the outbox are here; every other theme has a file with its records, its protocol and its laws: feedback, dashboards,
favourites, mutes, acknowledgements, links, verdicts, heartbeats, watermarks. A ledger keeps them all.

Laws (lupus_provider.testing.ledger): episodes and the messages about them are recorded in one transaction · recording twice equals
recording once · who decided on episodes that have changed since records nothing · a message is claimed by one sender at a time, and again when its lease ends without an answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from lupus_provider.stores.ledger.acknowledgements import AcknowledgementLedger
from lupus_provider.stores.ledger.dashboards import DashboardLedger
from lupus_provider.stores.ledger.favourites import FavouriteLedger
from lupus_provider.stores.ledger.feedback import FeedbackLedger
from lupus_provider.stores.ledger.heartbeats import HeartbeatLedger
from lupus_provider.stores.ledger.links import LinkLedger
from lupus_provider.stores.ledger.mutes import MuteLedger
from lupus_provider.stores.ledger.verdicts import VerdictLedger
from lupus_provider.stores.ledger.watermarks import WatermarkLedger

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime, timedelta

EpisodeState = Literal["open", "over", "withdrawn"]


@dataclass(frozen=True, slots=True)
class Episode:
    """Consecutive anomalies of a series, told to people once."""

    episode_id: str
    """Hash of the series and the first period: the same however often it is found."""
    project: str
    metric_set: str
    series_id: str
    name: str
    """Human form of the series."""
    first_period: datetime
    last_period: datetime
    state: EpisodeState
    """`over`: the series was judged normal since; `withdrawn`: judged again, and not strange after all."""
    worst_period: datetime
    kind: str
    severity: str
    detector: str
    value: float | None
    """Value, expectation and score are those of the worst period."""
    expected: float | None
    score: float | None
    is_told: bool = False
    """Whether a message about it is in the outbox."""


@dataclass(frozen=True, slots=True)
class Message:
    """Something to tell, once."""

    message_id: str
    """Hash of what it tells: the same message is never queued twice."""
    channel: str
    project: str
    body: Mapping[str, Any]
    """Plain JSON; senders turn it into their own form."""
    attempts: int = 0


class LedgerStore(
    FeedbackLedger, DashboardLedger, FavouriteLedger, MuteLedger, AcknowledgementLedger, LinkLedger, VerdictLedger, HeartbeatLedger,
    WatermarkLedger, Protocol,
):  # fmt: skip
    """What people, jobs and the sender change."""

    def episodes(self, project: str, metric_set: str, since: datetime) -> Sequence[Episode]:
        """Return episodes whose last period is at or after `since`, oldest first."""
        ...

    def record(
        self,
        episodes: Collection[Episode],
        removed: Collection[str],
        messages: Collection[Message],
        now: datetime,
        seen: Collection[Episode] | None = None,
    ) -> int:
        """Write episodes, drop removed ones, and queue messages, all or nothing; return how many messages were new.

        Parameters
        ----------
        seen
            Episodes that the caller has decided on, as it read them.

        Raises
        ------
        LedgerMovedError
            If the episodes that are written, removed or seen are no longer what was seen; nothing is recorded then.
        """
        ...

    def claim(self, channel: str, now: datetime, lease: timedelta, limit: int) -> Sequence[Message]:
        """Take messages that are due, for the time of the lease."""
        ...

    def sent(self, message_id: str, now: datetime) -> None:
        """Mark a message as delivered."""
        ...

    def failed(self, message_id: str, error: str, retry_at: datetime | None) -> None:
        """Note a failed delivery; `retry_at` None: given up."""
        ...

    def messages(self, state: Literal["pending", "sent", "failed"] | None = None) -> Sequence[Message]:
        """Return messages of a state, oldest first; None: all."""
        ...
