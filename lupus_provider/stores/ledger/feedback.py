"""Feedback: what people say about an anomaly or episode, so that detectors and their owners learn from it.

Laws (lupus_provider.testing.ledger_people): one statement is current for a subject, a series and the first period of what is
strange there · a new statement about the subject supersedes the current one, whoever gave it, and history keeps both · saying the
same again records nothing · statements given at once are all kept, and one is current.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

Label = Literal["real_problem", "expected", "new_normal", "false_alarm", "data_problem"]


@dataclass(frozen=True, slots=True)
class Feedback:
    """What somebody says about an anomaly (one period) or an episode (several)."""

    project: str
    metric_set: str
    series_id: str
    first_period: datetime
    """Start of the anomaly, or of the episode's first one; with the series it is the subject."""
    last_period: datetime
    label: Label | None
    """None takes the statement back."""
    given_by: str
    given_at: datetime
    note: str = ""


class FeedbackLedger(Protocol):
    """Keeps feedback."""

    def give_feedback(self, feedback: Feedback) -> bool:
        """Record a statement, which supersedes the current one about the same subject; False if that says the same already."""
        ...

    def feedback(
        self,
        projects: Collection[str],
        metric_set: str | None = None,
        series_ids: Collection[str] | None = None,
        since: datetime | None = None,
    ) -> Sequence[Feedback]:
        """Return current statements about what lasted to `since` or longer, by first period; none that was taken back."""
        ...

    def feedback_history(self, series_id: str, first_period: datetime) -> Sequence[Feedback]:
        """Return everything that was said about a subject, oldest first; the last one is current."""
        ...
