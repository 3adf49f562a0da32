"""The world behind the demo's recommender: a catalogue, its visitors, what they want, and what two models believe they want.

Wishes and beliefs are built from the same parts, so that a model is wrong in a way that has a name, not by plain noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Reals = NDArray[np.float64]
    Singles = NDArray[np.float32]
    Integers = NDArray[np.int64]

N_ITEMS = 2_000
N_TOPICS = 40
N_USERS = 6_000
REGIONS = {"JP": 0.50, "TH": 0.25, "TW": 0.20, "ID": 0.05}
DEVICES = {"iOS": 0.45, "Android": 0.42, "Web": 0.13}
_ZIPF = 0.7
"""Exponent of the popularity of items: weight = rank to the power of minus this."""
_N_POPULAR = 100
_FAVOURITES = (3.2, 2.6, 2.0)
"""How much more a visitor wants items of the first, second and third favourite topic; natural logarithm of a factor."""
_ACTIVITY = 0.5
"""Exponent of the visitors' activity."""


@dataclass(frozen=True, slots=True)
class Belief:
    """What a model believes of visitors' wishes."""

    popularity: float
    """Weight of an item's popularity; visitors' own is 1."""
    taste: Mapping[str, float]
    """Weight of a visitor's favourite topics by region; visitors' own is 1."""
    noise: float
    """Standard deviation of its error."""
    bias: float
    """Added to every score before it becomes a probability."""


BELIEFS = {
    "v1": Belief(popularity=0.9, taste=dict.fromkeys(REGIONS, 0.9), noise=0.5, bias=-2.6),
    "v2": Belief(popularity=1.1, taste=dict.fromkeys(REGIONS, 0.55) | {"TH": 0.2}, noise=0.5, bias=-1.5),
}
"""The update brings another architecture: it leans on popularity, hardly reads the taste of visitors (least in TH, whose feature
arrives under another name), and its scores have another level. No row is missing and nothing fails."""


@dataclass(frozen=True, slots=True)
class World:
    """Catalogue and visitors."""

    log_popularity: Singles
    """Logarithm of each item's weight."""
    topic: Integers
    favourites: Integers
    """Favourite topics, one row a visitor, the dearest first."""
    region: Integers
    """Place among REGIONS, one entry a visitor."""
    device: Integers
    activity: Reals
    """Cumulated probability that a request is by one of the first visitors."""

    @classmethod
    def make(cls, rng: np.random.Generator) -> World:
        """Draw a world."""
        rank = rng.permutation(N_ITEMS) + 1
        topic = rng.permutation(np.arange(N_ITEMS) % N_TOPICS)
        favourites = np.argsort(rng.random((N_USERS, N_TOPICS)), axis=1)[:, : len(_FAVOURITES)]
        activity = (rng.permutation(N_USERS) + 1.0) ** -_ACTIVITY
        return cls(
            (-_ZIPF * np.log(rank)).astype(np.float32),
            topic,
            favourites,
            draw(rng, list(REGIONS.values()), N_USERS),
            draw(rng, list(DEVICES.values()), N_USERS),
            activity.cumsum() / activity.sum(),
        )

    def candidates(self, users: Integers) -> tuple[Integers, Singles]:
        """Return the items that come into question for each visitor: the favourite topics', and the most popular.

        Returns
        -------
        items
            One row a visitor.
        fondness
            Logarithm of how much more the visitor wants the item than its popularity says; -inf for an item that is there twice.
        """
        by_topic = np.argsort(self.topic, kind="stable").reshape(N_TOPICS, -1)
        favourites = self.favourites[users]
        own = by_topic[favourites].reshape(len(users), -1)
        popular = np.argsort(-self.log_popularity, kind="stable")[:_N_POPULAR]
        is_own = (self.topic[popular][None, :, None] == favourites[:, None, :]).any(axis=2)
        fondness = np.repeat(np.array(_FAVOURITES, np.float32), by_topic.shape[1])
        twice = np.where(is_own, np.float32(-np.inf), np.float32(0))
        items = np.concatenate([own, np.broadcast_to(popular, (len(users), _N_POPULAR))], axis=1)
        return items, np.concatenate([np.broadcast_to(fondness, own.shape), twice], axis=1)


def wished(rng: np.random.Generator, popularity: Singles, fondness: Singles, n: int) -> Integers:
    """Draw `n` items a row without putting back, each with probability proportional to popularity times fondness, as places in the row.

    An exponential race: the smallest of E / weight come first (Efraimidis and Spirakis 2006, Weighted random sampling with a reservoir).
    """
    # In double precision and rounded after, because the last bit of `exp` differs between processors.
    inverse = np.exp(-(popularity + fondness).astype(np.float64)).astype(np.float32)
    return _smallest(rng.standard_exponential(popularity.shape, dtype=np.float32) * inverse, n)


def ranked(
    rng: np.random.Generator, belief: Belief, taste: Reals, popularity: Singles, fondness: Singles, n: int
) -> tuple[Integers, Reals]:
    """Return the `n` items a row that a model ranks first, best first, as places in the row, and their scores (0 to 1).

    Parameters
    ----------
    rng
        Source of the model's errors.
    belief
        The model.
    taste
        Weight that the model gives to fondness, one entry a row.
    popularity, fondness
        Logarithms, one row a request and one column a candidate.
    n
        Length of the list.
    """
    error = rng.standard_normal(popularity.shape, dtype=np.float32) * np.float32(belief.noise)
    weight = np.maximum(taste, 1e-6).astype(np.float32)[:, None]
    utility = np.float32(belief.popularity) * popularity + weight * fondness + error
    places = _smallest(-utility, n)
    best = np.take_along_axis(utility, places, axis=1).astype(np.float64)
    return places, np.round(1 / (1 + np.exp(-(best + belief.bias))), 4)


def draw(rng: np.random.Generator, probabilities: list[float], n: int) -> Integers:
    """Draw `n` places among options of the given probabilities."""
    return np.searchsorted(np.cumsum(probabilities)[:-1], rng.random(n), side="right")


def _smallest(values: NDArray, n: int) -> Integers:
    """Return the places of the `n` smallest values of each row, smallest first, and among equals in the order of the row."""
    some = np.sort(np.argpartition(values, n, axis=1)[:, :n], axis=1)
    order = np.argsort(np.take_along_axis(values, some, axis=1), axis=1, kind="stable")
    return np.take_along_axis(some, order, axis=1)
