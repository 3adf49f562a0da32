"""Acknowledgements: who has seen an episode or a missed deadline and takes care of it.

Laws (lupus_provider.testing.ledger_people): a person acknowledges something once, and the first moment remains · taking back what was
not acknowledged changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

AcknowledgedKind = Literal["episode", "deadline"]


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Somebody's word that he has seen something."""

    kind: AcknowledgedKind
    target: str
    """Episode id, or deadline id and due time as the caller joins them; at most 255 characters."""
    acknowledged_by: str
    acknowledged_at: datetime
    note: str = ""


class AcknowledgementLedger(Protocol):
    """Keeps acknowledgements."""

    def acknowledge(self, acknowledgement: Acknowledgement) -> bool:
        """Record an acknowledgement; False if this person did before."""
        ...

    def take_back_acknowledgement(self, kind: AcknowledgedKind, target: str, user: str) -> bool:
        """Forget an acknowledgement; False if there is none."""
        ...

    def acknowledgements(
        self, kind: AcknowledgedKind, targets: Collection[str]
    ) -> Mapping[str, Sequence[Acknowledgement]]:
        """Return target → acknowledgements, oldest first; targets without any are left out."""
        ...
