"""Sums by group and entity, cut to the largest entities: what metrics per label are made of.

Cutting happens after summing, so that what is cut off still adds up in one entity.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lupus_provider.metrics.bins import REST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lupus_provider.metrics.base import Floats, Indices, Texts


@dataclass(frozen=True, slots=True)
class Tally:
    """Sums of each entity in each group, sorted by group and entity.

    Attributes
    ----------
    n_groups
        Number of groups; a group may have no entity.
    group, entity
        Shape (entities,).
    sums
        Shape (n, entities): n sums of each entity.
    """

    n_groups: int
    group: Indices
    entity: Texts
    sums: Floats

    def total(self, weights: Floats) -> Floats:
        """Sum of `weights` (entities,) in each group; 0 where a group has no entity."""
        return np.bincount(self.group, weights=weights, minlength=self.n_groups).astype(float)

    def largest(self, limit: int, size: Floats) -> Tally:
        """Keep the `limit` largest entities of each group, ties by name, and add the others up in the entity `…other`.

        Parameters
        ----------
        size
            Shape (entities,).
        """
        order = np.lexsort((np.arange(len(size)), -size, self.group))
        first = np.searchsorted(self.group, np.arange(self.n_groups))
        place = np.empty(len(size), np.int64)
        place[order] = np.arange(len(size)) - first[self.group]  # the sort keeps groups where they are
        if (place < limit).all():
            return self
        entity = np.where(place < limit, self.entity, REST)
        return tally(self.n_groups, self.group, entity, list(self.sums))


def tally(n_groups: int, group: Indices, entity: Texts, weights: Sequence[Floats]) -> Tally:
    """Sum weights by group and entity.

    Parameters
    ----------
    group, entity
        Shape (rows,); entities are texts.
    weights
        Shape (rows,) each.

    Examples
    --------
    >>> groups, texts = np.array([0, 0, 1]), np.array(["a", "a", "b"], object)
    >>> found = tally(2, groups, texts, [np.array([1.0, 2.0, 4.0])])
    >>> found.entity.tolist(), found.sums.tolist()
    (['a', 'b'], [[3.0, 4.0]])
    """
    names, code = np.unique(entity, return_inverse=True)
    width = max(len(names), 1)
    distinct, place = np.unique(group * width + code, return_inverse=True)
    sums = [np.bincount(place, weights=weight, minlength=len(distinct)) for weight in weights]
    return Tally(n_groups, distinct // width, names[distinct % width], np.array(sums, float))
