"""Favourites: what a person wants to find again at once.

Laws (lupus_provider.testing.ledger_people): adding or removing twice equals once · nobody sees those of others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

FavouriteKind = Literal["project", "metric_set", "series", "dashboard", "deadline", "search"]


@dataclass(frozen=True, slots=True)
class Favourite:
    """Something that a person marked."""

    user: str
    kind: FavouriteKind
    target: str
    """What it is called: a series id, `project.metric_set`, the query of a search; at most 255 characters; a longer search by its short link."""
    added_at: datetime


class FavouriteLedger(Protocol):
    """Keeps favourites."""

    def add_favourite(self, favourite: Favourite) -> bool:
        """Mark something; False if it is marked."""
        ...

    def remove_favourite(self, user: str, kind: FavouriteKind, target: str) -> bool:
        """Unmark something; False if it was not marked."""
        ...

    def favourites(self, user: str, kind: FavouriteKind | None = None) -> Sequence[Favourite]:
        """Return what a person marked, newest first."""
        ...
