"""Metrics of rankings: whether the items that a list predicts are those that people chose, and how wide a choice it shows.

`@k` cuts the predicted list to its first k items; without it the whole list counts. The order of the list decides, so there are no ties.
A repeated item counts where it comes first and is dropped after that, before the cut; truths count once; null items are none. A row whose
truth is null is not yet judged; one whose truth is empty cannot be judged: both are left out, and counted by `label_coverage` and
`empty_truth_ratio`. A null prediction is an empty one: misses count. With r_i = 1 where the i-th predicted item is a truth, else 0, and T
truths, each metric is the mean of its formula over the judged rows; undefined without such rows.
"""

# ruff: noqa: D102  (`state`, `finish` and `of_counts` are documented once, in `metrics.base`)

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from lupus_provider.metrics.base import (
    Counts,
    CountsMetric,
    Family,
    Floats,
    Kind,
    Metric,
    NumberMetric,
    Over,
    Primitive,
    Role,
    Shape,
    Unit,
    Values,
    Worse,
    ratio,
)
from lupus_provider.metrics.registry import register

if TYPE_CHECKING:
    from collections.abc import Mapping


class RankingMetric(Metric):
    """What metrics of a predicted list and a list of truths share."""

    family = Family.RANKING
    over = Over.RANKINGS
    roles = (Role("predicted", Kind.DISCRETE, is_list=True), Role("truth", Kind.DISCRETE, is_list=True))
    unit = Unit.RATIO
    bounds = (0, 1)
    worse = Worse.LOWER
    cuts = True
    needs_cut: ClassVar[bool] = False
    """Whether it means nothing without `@k`."""
    needs_catalog: ClassVar[bool] = False
    """Whether it needs the parameter `catalog_size`."""
    takes_catalog: ClassVar[bool] = False
    """Whether it uses the parameter `catalog_size` where it is given."""


class _RowMean(RankingMetric, NumberMetric):
    """Mean of a function of the row."""

    of: ClassVar[str]

    @property
    def state(self) -> Mapping[str, Primitive]:
        return {"total": Primitive("sum", of=self.of), "count": Primitive("count", of=self.of)}

    def finish(self, **state: Floats) -> Floats:
        return ratio(state["total"], state["count"])


@register
class Recall(_RowMean):
    """Share of the truths among the first k items: sum of r_i / T, over all truths, not over min(T, k).

    Source: trec_eval `recall`, ranx.
    """

    name = "recall"
    of = "recall"
    stands_on = Primitive("count", of="recall")


@register
class Precision(_RowMean):
    """Share of the first k places that hold a truth: sum of r_i / k, also where the list is shorter. Source: trec_eval `P`."""

    name = "precision"
    of = "precision"
    needs_cut = True
    stands_on = Primitive("count", of="precision")


@register
class Ndcg(_RowMean):
    """Normalised discounted cumulative gain: (sum of r_i / log2(i + 1)) / (the same of the best list, cut at k, too).

    Gains are 0 or 1. Source: Järvelin and Kekäläinen 2002, as trec_eval `ndcg_cut`.
    """

    name = "ndcg"
    of = "ndcg"
    stands_on = Primitive("count", of="ndcg")


@register
class MeanAveragePrecision(_RowMean):
    """Mean average precision: (1/T) sum over hits i of (hits in the first i) / i, over all truths, not over min(T, k).

    Source: trec_eval `map`, `map_cut`, ranx.
    """

    name = "map"
    of = "average_precision"
    stands_on = Primitive("count", of="average_precision")


@register
class Mrr(_RowMean):
    """Mean reciprocal rank: 1 / place of the first hit, 0 without a hit; `mrr` looks at the whole list, `mrr@k` at k items.

    Source: trec_eval `recip_rank`.
    """

    name = "mrr"
    of = "reciprocal_rank"
    stands_on = Primitive("count", of="reciprocal_rank")


@register
class HitRate(_RowMean):
    """Share of rows with a truth among the first k items. Source: trec_eval `success`."""

    name = "hit_rate"
    of = "hit"
    needs_cut = True
    stands_on = Primitive("count", of="hit")


@register
class EmptyTruthRatio(_RowMean):
    """Share of rows without any truth among the rows whose truth is known; they are left out of the other metrics."""

    name = "empty_truth_ratio"
    of = "empty_truth"
    worse = Worse.HIGHER
    cuts = False
    stands_on = Primitive("count", of="empty_truth")


@register
class LabelCoverage(RankingMetric, NumberMetric):
    """Share of rows whose truth is known: truths that come late are missing at first. Undefined without rows."""

    name = "label_coverage"
    cuts = False
    stands_on = Primitive("rows")

    @property
    def state(self) -> Mapping[str, Primitive]:
        return {"known": Primitive("count", of="empty_truth"), "rows": Primitive("rows")}

    def finish(self, **state: Floats) -> Floats:
        return ratio(state["known"], state["rows"])


class _OfShown(RankingMetric, CountsMetric):
    """Metrics of how often each item stands among the first k of all lists, whatever the truths."""

    shape = Shape.SPECTRUM
    combines = False
    needs_cut = True
    worse = Worse.UNKNOWN


@register
class UniqueItems(_OfShown):
    """Number of distinct items among the first k of all lists; 0 where nothing is shown."""

    name = "unique"
    unit = Unit.COUNT
    bounds = (0, np.inf)

    def of_counts(self, counts: Counts, **_: float) -> Values:
        return Values(counts.total(counts["values"]), _shown(counts))


@register
class Coverage(_OfShown):
    """Share of the catalogue among the first k of all lists: distinct items / `catalog_size`; undefined where nothing is shown.

    1 at most: a catalogue smaller than what is shown is taken to be what is shown. Source: Ge et al. 2010, catalogue coverage.
    """

    name = "coverage"
    worse = Worse.LOWER
    needs_catalog = takes_catalog = True

    def of_counts(self, counts: Counts, **parameters: float) -> Values:
        unique, shown = counts.total(counts["values"]), _shown(counts)
        return Values(np.where(shown > 0, ratio(unique, _catalog(unique, parameters)), np.nan), shown)


@register
class Gini(_OfShown):
    """Gini index of how often items are shown: 0 where all are shown equally, towards 1 where a few take all places.

    (sum of (2 j - m - 1) x_j) / (m sum of x_j), x_j = places of the j-th item in rising order, m = items. With `catalog_size`, items that
    are never shown count as x = 0; without it only shown items count. Undefined where nothing is shown. Source: Gini 1912; Fleder and
    Hosanagar 2009 for recommenders.
    """

    name = "gini"
    worse = Worse.HIGHER
    takes_catalog = True

    def of_counts(self, counts: Counts, **parameters: float) -> Values:
        size, values = counts["size"].astype(float), counts["values"].astype(float)
        unique, shown = counts.total(values), _shown(counts)
        items = _catalog(unique, parameters)
        before = _running(counts, values) + (items - unique)[counts.group]  # items that are shown less often
        # The sum of 2 j - m - 1 over the `values` items of one size, j = before + 1 … before + values.
        rank_sum = values * (2 * before + values - items[counts.group])
        return Values(np.maximum(ratio(counts.total(size * rank_sum), items * shown), 0.0), shown)


class _OfChoices(RankingMetric, CountsMetric):
    """Metrics of how popular the shown items are: an item's share p among all truths of the group says so.

    Undefined where nothing is shown or no truth is known. Items that no truth holds count as though one did in `novelty`.
    """

    shape = Shape.POPULARITY
    combines = False
    needs_cut = True
    worse = Worse.UNKNOWN


@register
class Popularity(_OfChoices):
    """Mean of p over the shown places: 0.03 says that the items shown make up 3 percent of all choices, each, on average.

    p = truths that are this item / all truths, of the same group and period. Source: Yin et al. 2012, average recommendation
    popularity, as a share so that busy days do not raise it.
    """

    name = "popularity"

    def of_counts(self, counts: Counts, **_: float) -> Values:
        chosen, shown = counts.total(counts["truths"] * counts["items"]), counts.total(counts["shown"])
        return Values(ratio(counts.total(counts["shown"] * counts["truths"].astype(float)), chosen * shown), shown)


@register
class Novelty(_OfChoices):
    """Mean self-information of the shown places, in bits: mean of -log2 p; higher where rarely chosen items are shown.

    p as in `popularity`; an item that nobody chose counts as chosen once. Source: Zhou et al. 2010; Castells and Vargas 2011, free
    discovery.
    """

    name = "novelty"
    unit = Unit.BITS
    bounds = (0, np.inf)

    def of_counts(self, counts: Counts, **_: float) -> Values:
        chosen, shown = counts.total(counts["truths"] * counts["items"]), counts.total(counts["shown"])
        bits = counts.total(counts["shown"] * np.log2(np.maximum(counts["truths"], 1)))
        value = np.log2(np.maximum(chosen, 1)) - ratio(bits, shown)
        return Values(np.where(chosen > 0, np.maximum(value, 0.0), np.nan), shown)


def _shown(counts: Counts) -> Floats:
    """Places among the first k of all lists, of each group."""
    return counts.total(counts["size"] * counts["values"])


def _catalog(unique: Floats, parameters: dict[str, float]) -> Floats:
    """Items that could be shown, of each group."""
    return np.maximum(unique, parameters.get("catalog_size", 0.0))


def _running(counts: Counts, values: Floats) -> Floats:
    """Sum of `values` over the earlier rows of the same group; rows are sorted by group and size."""
    before = np.concatenate([[0.0], np.cumsum(values)])
    first = np.searchsorted(counts.group, np.arange(counts.n_groups))
    return before[:-1] - before[first][counts.group]
