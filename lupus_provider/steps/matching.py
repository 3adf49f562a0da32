"""Matches the episodes that are found now with those that the ledger knows: what was told stays told, whatever moved.

An episode is found anew at every run, in a window that moves on and from verdicts that may have been judged again, so its first
period may change. People have heard of it under its old name; they must not hear of it again.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from lupus_provider.alert.episodes import Found
    from lupus_provider.periods import Span
    from lupus_provider.stores.ledger.base import Episode


@dataclass(frozen=True, slots=True)
class Match:
    """A found episode, and who it is."""

    found: Found
    episode_id: str
    first_period: datetime
    last_period: datetime
    known: Episode | None
    """What the ledger says of it; None: it is new there."""
    is_told: bool


def match(found: Sequence[Found], known: Iterable[Episode], window: Span) -> list[Match]:
    """Give every found episode the identity of the known one that it continues.

    Two are the same if they are of one series and share a period. Where one known episode has come apart, its first part keeps
    the identity, and the others count as told with it.

    Parameters
    ----------
    found
        Ordered by first period.
    window
        Outside it nothing was looked at: an episode that reaches over its ends keeps what the ledger says of them.
    """
    by_series: dict[str, list[Episode]] = {}
    for episode in sorted(known, key=lambda e: (e.first_period, e.episode_id)):
        by_series.setdefault(episode.series_id, []).append(episode)
    taken: set[str] = set()
    matches = []
    for one in found:
        shared = [e for e in by_series.get(one.series_id, []) if _overlap(one, e)]
        free = [e for e in shared if e.episode_id not in taken]
        heir = next(iter(sorted(free, key=lambda e: not e.is_told)), None)
        episode_id = heir.episode_id if heir else _unused(one.episode_id, taken)
        taken.add(episode_id)
        first, last = one.first_period, one.last_period
        if heir is not None:
            first = heir.first_period if heir.first_period < window.start else first
            last = heir.last_period if heir.last_period >= window.end else last
        matches.append(Match(one, episode_id, first, last, heir, any(e.is_told for e in shared)))
    return matches


def _overlap(found: Found, episode: Episode) -> bool:
    return episode.first_period <= found.last_period and found.first_period <= episode.last_period


def _unused(episode_id: str, taken: set[str]) -> str:
    while episode_id in taken:
        episode_id = hashlib.blake2b(episode_id.encode(), digest_size=16).hexdigest()
    return episode_id
