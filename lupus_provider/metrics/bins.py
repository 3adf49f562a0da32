"""Bins of a column's values: the same for every engine, so that two histograms can be compared bin by bin.

Bins are chosen once and then stored with what was counted: bins that move between periods would show drift where there is none.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lupus_provider.metrics.base import Floats, Indices

REST = "…other"
"""The bin of every value that no category names; also the entity that `max_entities` folds values into."""
_TINY = float(np.finfo(float).tiny)
_DIGITS = 15


@dataclass(frozen=True, slots=True)
class NumericBins:
    """Bins of numbers: bin 0 lies below `edges[0]`, bin i in [edges[i-1], edges[i]), the last one from `edges[-1]` on.

    Edges are finite and rise strictly; -inf falls into the first bin, +inf into the last, null and NaN into none.

    Attributes
    ----------
    shares
        About which share of the values that the edges were taken from lies in each bin; None: not known.
    kept
        Indices of the edges that remain where a metric wants few bins; None: all of them.
    even
        Low end and bins per unit, where bins are even: x falls into bin floor((x - low) * scale), or into the first or last one.
    """

    edges: tuple[float, ...]
    shares: tuple[float, ...] | None = None
    kept: tuple[int, ...] | None = None
    even: tuple[float, float] | None = None

    def __len__(self) -> int:
        return len(self.edges) + 1


@dataclass(frozen=True, slots=True)
class CategoryBins:
    """Bins of texts, integers and booleans by their text: bin i holds `categories[i]`, the last one everything else that is not null."""

    categories: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.categories) + 1


Bins = NumericBins | CategoryBins


@dataclass(frozen=True, slots=True)
class CountedBins:
    """What an engine counted by bin of one column, for all periods and groups of a call.

    Attributes
    ----------
    period
        Shape (rows,): index into the plan's periods.
    group
        Shape (rows,): index into `group_keys`.
    group_keys
        Group column → value; empty: the whole.
    state
        Alias of a primitive → shape (rows, bins); counts are 0 and the rest NaN where a bin has no value.
    """

    period: Indices
    group: Indices
    group_keys: Sequence[Mapping[str, str | None]]
    state: Mapping[str, Floats]


class References(Protocol):
    """What counted bins are compared with."""

    def of(
        self, columns: tuple[str, ...], k: int | None, bins: Bins, counted: CountedBins
    ) -> Mapping[str, Floats] | None:
        """Return the reference of every row of `counted`: alias → shape (rows, bins), rows of NaN where there is none."""
        ...


def same_bins(left: Bins, right: Bins) -> bool:
    """Whether two histograms can be compared bin by bin."""
    if isinstance(left, NumericBins) and isinstance(right, NumericBins):
        return left.edges == right.edges
    return left == right


def quantile_bins(quantiles: Floats) -> NumericBins:
    """Return a fine grid of bins from a column's quantiles.

    Parameters
    ----------
    quantiles
        Shape (n,), rising, of the shares 1/(n + 1) … n/(n + 1); NaN (no values) and infinite ones are left out.

    Returns
    -------
    NumericBins
        An edge at each distinct quantile. One that comes more than once is a value of many rows and gets a bin of its own,
        `[v, next double)`, so that ties cost no resolution: a bin of more than one value holds less than 2/(n + 1) of the rows, and about
        1/(n + 1) where values do not repeat.

    Examples
    --------
    >>> quantile_bins(np.array([1.0, 2.0, 3.0])).edges
    (1.0, 2.0, 3.0)
    """
    parts = len(quantiles) + 1
    finite = np.isfinite(quantiles)
    rank = np.arange(1, parts)[finite]
    values, first, repeats = np.unique(quantiles[finite] + 0.0, return_index=True, return_counts=True)
    ties = repeats > 1
    after = np.array([next_value(value) for value in values[ties]])
    edges = np.concatenate([values, after])
    below = np.concatenate([rank[first] - 0.5 * ties, (rank[first] + repeats - 0.5)[ties]]) / parts
    edges, order = np.unique(edges, return_index=True)  # the next double may be a quantile itself
    shares = np.diff(below[order], prepend=0.0, append=1.0)
    return NumericBins(tuple(edges.tolist()), tuple(shares.tolist()))


def next_value(value: float) -> float:
    """Return the next larger double; of zero not a denormal one, because not every reader of numbers keeps those."""
    return _TINY if value == 0 else float(np.nextafter(value, np.inf))


def even_bins(low: float, high: float, number: int) -> NumericBins:
    """Return bins of equal width from `low` to `high`, both finite; fewer where doubles lie too far apart for that many.

    Edges are the doubles at which the arithmetic of `NumericBins.even` steps, so that counting by either is the same.
    """
    with np.errstate(all="ignore"):
        scale = float(number / (np.float64(high) - low))
    if not 0 < scale < np.inf:
        middle = low + (high / 2 - low / 2)
        return NumericBins(tuple(sorted({low, middle, high})))
    steps = np.arange(1.0, number)
    below, above = _places(np.full(number - 1, low)), _places(np.full(number - 1, high))
    while (below + 1 < above).any():
        middle = (below >> 1) + (above >> 1) + (below & above & 1)
        reached = np.floor((_at_places(middle) - low) * scale) >= steps
        below, above = np.where(reached, below, middle), np.where(reached, middle, above)
    edges = _at_places(above)
    if (np.diff(edges) > 0).all():
        return NumericBins(tuple(edges.tolist()), even=(low, scale))
    return NumericBins(tuple(np.unique(edges).tolist()))


def _places(values: Floats) -> Indices:
    """Place of doubles among all doubles: the next double has the next place."""
    bits = (values + 0.0).view(np.int64)
    return np.where(bits < 0, -(bits & np.iinfo(np.int64).max), bits)


def _at_places(places: Indices) -> Floats:
    return np.where(places < 0, -np.abs(places).view(np.float64), np.abs(places).view(np.float64))


def coarsened(bins: Bins, number: int) -> Bins:
    """Return the bins with those edges marked as kept that cut them into about `number` equal shares.

    Fewer parts come out where single values are more frequent than a part. Categories, and bins whose shares are not known, stay.
    """
    if isinstance(bins, CategoryBins) or bins.shares is None or not bins.edges:
        return bins
    below = np.cumsum(bins.shares)[:-1]
    wanted = np.arange(1, number) / number
    # Rounded, so that shares that differ in the last bit choose the same of two edges that are equally near.
    nearest = np.abs(below[None, :] - wanted[:, None]).round(9).argmin(axis=1)
    return replace(bins, kept=tuple(np.unique(nearest).tolist()))


def merged(bins: Bins, counts: Floats) -> Floats:
    """Add up the bins between kept edges: shape (groups, bins) → (groups, kept edges + 1)."""
    if isinstance(bins, CategoryBins) or bins.kept is None:
        return counts
    return np.add.reduceat(counts, [0, *(i + 1 for i in bins.kept)], axis=1)


def labels(bins: Bins) -> list[str]:
    """Text of each bin: the category, or the half-open span.

    Examples
    --------
    >>> labels(NumericBins((0.0, 10.0)))
    ['[-inf, 0)', '[0, 10)', '[10, inf]']
    """
    if isinstance(bins, CategoryBins):
        return [*bins.categories, REST]
    ends = [f"{edge + 0.0:.{_DIGITS}g}" for edge in bins.edges]
    return [f"[{low}, {high})" for low, high in zip(["-inf", *ends], ends)] + [f"[{ends[-1] if ends else '-inf'}, inf]"]


def _nice_edges(smallest: int, largest: int) -> tuple[float, ...]:
    positive = [float(f"{digit}e{power}") for power in range(smallest, largest + 1) for digit in (1, 2, 5)]
    return (*(-edge for edge in reversed(positive)), 0.0, *positive)


NICE = NumericBins(_nice_edges(-6, 12))
"""Bins of 1, 2 and 5 times every power of ten from 1e-6 to 1e12, both signs: fixed for all columns, so they never move."""
