"""Verdicts of deadlines: whether a job met a due time, as it was judged last and first, and when people were told.

Laws (lupus_provider.testing.ledger_deadlines): there is one verdict a deadline and due time · of two judgements the one that was
judged later counts, in whatever order they are recorded · the first verdict, and the first moment when it was told, remain · an
excuse by a person outlasts every judgement until it is lifted · verdicts and the messages about them are recorded in one
transaction, and recording twice equals recording once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from lupus_provider.stores.ledger.base import Message

Verdict = Literal["MET", "LATE", "FAILED", "NOT_RUN", "RUNNING", "EXCUSED"]


@dataclass(frozen=True, slots=True)
class DeadlineVerdict:
    """What is known about one due time of a deadline."""

    deadline_id: str
    due_at: datetime
    project: str
    job: str
    verdict: Verdict
    """What the judge said last; EXCUSED where the deadline's own calendar excuses the day. See `counts_as`."""
    judged_at: datetime
    started_at: datetime | None = None
    """When the run that counts for the due time began and ended."""
    finished_at: datetime | None = None
    reason: str = ""
    told_at: datetime | None = None
    """When people were told; give it with the message, the earliest is kept."""
    first_verdict: Verdict | None = None
    """The last five are the ledger's: what is given for them is not recorded."""
    first_judged_at: datetime | None = None
    excused_by: str | None = None
    excused_at: datetime | None = None
    excuse: str = ""

    @property
    def counts_as(self) -> Verdict:
        """What counts for the attainment: EXCUSED if a person excused it, else the verdict."""
        return "EXCUSED" if self.excused_by is not None else self.verdict


def merge_verdicts(stored: DeadlineVerdict | None, new: DeadlineVerdict) -> DeadlineVerdict:
    """Return what is to be kept of a due time after another judgement of it."""
    first = replace(new, first_verdict=new.verdict, first_judged_at=new.judged_at)
    if stored is None:
        return replace(first, excused_by=None, excused_at=None, excuse="")
    later, earlier = (new, stored) if new.judged_at >= stored.judged_at else (stored, first)
    if stored.first_judged_at is not None and stored.first_judged_at <= new.judged_at:
        earlier = stored
    told = [moment for moment in (stored.told_at, new.told_at) if moment is not None]
    return replace(
        later, first_verdict=earlier.first_verdict, first_judged_at=earlier.first_judged_at, told_at=min(told, default=None),
        excused_by=stored.excused_by, excused_at=stored.excused_at, excuse=stored.excuse,
    )  # fmt: skip


class VerdictLedger(Protocol):
    """Keeps the verdicts of deadlines."""

    def record_verdicts(
        self, verdicts: Collection[DeadlineVerdict], messages: Collection[Message], now: datetime
    ) -> int:
        """Record judgements and queue messages about them, all or nothing; return how many messages were new."""
        ...

    def verdicts(
        self,
        projects: Collection[str],
        since: datetime,
        until: datetime | None = None,
        deadline_ids: Collection[str] | None = None,
    ) -> Sequence[DeadlineVerdict]:
        """Return verdicts of due times from `since` to before `until`, by due time."""
        ...

    def excuse(self, deadline_id: str, due_at: datetime, user: str, reason: str, now: datetime) -> DeadlineVerdict:
        """Excuse a due time; the newest excuse counts. Raises NoSuchRecordError if it was not judged yet."""
        ...

    def lift_excuse(self, deadline_id: str, due_at: datetime) -> DeadlineVerdict:
        """Take an excuse back; the judge's verdict counts again. Raises NoSuchRecordError if it was not judged yet."""
        ...

    def purge_verdicts(self, before: datetime) -> int:
        """Forget verdicts of due times before a moment; return how many."""
        ...
