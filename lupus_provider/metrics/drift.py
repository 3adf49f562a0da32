"""Drift: how far a column's values have moved from a reference, by the same bins on both sides.

Numbers are counted in a fine grid of about 100 quantile bins of the whole reference. `ks` and `wasserstein` read all of it; `psi`, `js`, `kl`,
`hellinger`, `chi2` and `linf` read it merged to a few bins (10), because chance alone makes them grow with the number of bins B. If nothing
moved, n current and m reference rows still give about

    psi  (B - 1) (1/n + 1/m)        kl  half of that        js  that / (8 ln 2)        hellinger  √(that / 8)

so 1,000 rows against many would show a `psi` of 0.1, the usual mark for "watch", at 100 bins, and of 0.009 at 10. Texts are counted by the
reference's most frequent categories and the rest. Values are undefined where either side has no rows; `n_rows` are the current rows.
"""

# ruff: noqa: D102  (`state` and `of_bins` are documented once, in `metrics.base`)

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

import numpy as np

from lupus_provider.metrics import distances
from lupus_provider.metrics.base import Binned, BinsMetric, Family, Floats, Kind, Primitive, Unit, Values, Worse, ratio
from lupus_provider.metrics.bins import merged
from lupus_provider.metrics.registry import register

if TYPE_CHECKING:
    from collections.abc import Mapping

COUNT = Primitive("count")
State = dict[str, Primitive]
_EXTREMES = {"count": COUNT, "min": Primitive("min"), "max": Primitive("max"), "sum": Primitive("sum")}


class DriftMetric(BinsMetric):
    """A comparison of the current bins with a reference's."""

    family = Family.DRIFT
    accepts = Kind.DISCRETE
    needs_reference = True
    unit = Unit.NONE
    bounds = (0, np.inf)
    worse = Worse.HIGHER
    ordered = False
    """Whether it needs to know which value is larger, so that categories cannot be compared."""

    @property
    def state(self) -> Mapping[str, Primitive]:
        return {"count": COUNT}

    def of_bins(self, binned: Binned) -> Values:
        count = np.nan_to_num(binned.state["count"])
        reference = binned.reference
        if reference is None:
            reference = {name: np.full(count.shape, np.nan) for name in self.state}
        value = self.distance(binned, reference)
        known = (count.sum(axis=1) > 0) & (reference["count"].sum(axis=1) > 0)
        return Values(np.where(known, value, np.nan), count.sum(axis=1))

    @abstractmethod
    def distance(self, binned: Binned, reference: Mapping[str, Floats]) -> Floats:
        """Return the distance of each group, shape (groups,); whatever it is where a side has no rows."""


def _coarse(binned: Binned, reference: Mapping[str, Floats]) -> tuple[Floats, Floats]:
    """Return the counts of both sides in few bins."""
    return merged(binned.bins, binned.state["count"]), merged(binned.bins, reference["count"])


@register
class Psi(DriftMetric):
    """Population stability index over few bins; empty bins count as half a row, at least as a share of 1e-4.

    Rule of thumb: 0.1 watch, 0.25 act. Source: Siddiqi 2006, chapter 9; its expectation by chance: Yurdakul 2018.
    """

    name = "psi"

    def distance(self, binned: Binned, reference: Mapping[str, Floats]) -> Floats:
        current, past = _coarse(binned, reference)
        return distances.psi(distances.floored_shares(current), distances.floored_shares(past))


@register
class Kl(DriftMetric):
    """Kullback-Leibler divergence of the current from the reference, in nats, over few bins; empty bins as in `psi`."""

    name = "kl"

    def distance(self, binned: Binned, reference: Mapping[str, Floats]) -> Floats:
        current, past = _coarse(binned, reference)
        return distances.kl(distances.floored_shares(current), distances.floored_shares(past))


@register
class Js(DriftMetric):
    """Jensen-Shannon divergence over few bins, base 2: 0 the same, 1 nothing in common."""

    name = "js"
    unit = Unit.BITS
    bounds = (0, 1)

    def distance(self, binned: Binned, reference: Mapping[str, Floats]) -> Floats:
        current, past = _coarse(binned, reference)
        return distances.js(distances.shares(current), distances.shares(past))


@register
class JsDistance(Js):
    """Jensen-Shannon distance, the root of `js`."""

    name = "js_distance"
    unit = Unit.NONE

    def distance(self, binned: Binned, reference: Mapping[str, Floats]) -> Floats:
        return np.sqrt(super().distance(binned, reference))


@register
class Hellinger(DriftMetric):
    """Hellinger distance over few bins: 0 the same, 1 nothing in common."""

    name = "hellinger"
    bounds = (0, 1)

    def distance(self, binned: Binned, reference: Mapping[str, Floats]) -> Floats:
        current, past = _coarse(binned, reference)
        return distances.hellinger(distances.shares(current), distances.shares(past))


@register
class Linf(DriftMetric):
    """Largest change of a bin's or category's share."""

    name = "linf"
    unit = Unit.RATIO
    bounds = (0, 1)

    def distance(self, binned: Binned, reference: Mapping[str, Floats]) -> Floats:
        current, past = _coarse(binned, reference)
        return distances.linf(distances.shares(current), distances.shares(past))


@register
class Chi2(DriftMetric):
    """Pearson's chi-square statistic of the two samples being of one kind, over few bins; it grows with the rows."""

    name = "chi2"

    def distance(self, binned: Binned, reference: Mapping[str, Floats]) -> Floats:
        return distances.chi_square(*_coarse(binned, reference))[0]


@register
class Chi2PValue(DriftMetric):
    """Probability of a `chi2` at least this large if nothing moved. With many rows every difference is significant."""

    name = "chi2_pvalue"
    bounds = (0, 1)
    worse = Worse.LOWER

    def distance(self, binned: Binned, reference: Mapping[str, Floats]) -> Floats:
        from scipy.special import chdtrc

        statistic, freedom = distances.chi_square(*_coarse(binned, reference))
        with np.errstate(invalid="ignore"):
            return np.where(freedom > 0, chdtrc(np.maximum(freedom, 1), statistic), 1.0)


@register
class Ks(DriftMetric):
    """Kolmogorov-Smirnov statistic, the largest difference of the two distribution functions.

    Taken at the edges of the fine grid, so at most the largest share of the reference in one bin (about 1/100 of the whole
    reference; a group's own share may be larger) below the exact one, and never above it.
    """

    name = "ks"
    accepts = Kind.NUMERIC | Kind.TIME
    bounds = (0, 1)
    ordered = True

    def distance(self, binned: Binned, reference: Mapping[str, Floats]) -> Floats:
        return distances.kolmogorov_smirnov(
            distances.shares(binned.state["count"]), distances.shares(reference["count"])
        )


@register
class KsPValue(Ks):
    """Probability of a `ks` at least this large if nothing moved.

    By the limit law with the correction of Vrbik 2018, within 0.001 of SciPy's `asymp` where n m/(n + m), which SciPy rounds, is whole and at
    least 20, at a hundred-thousandth of its time.
    """

    name = "ks_pvalue"
    worse = Worse.LOWER

    def distance(self, binned: Binned, reference: Mapping[str, Floats]) -> Floats:
        from scipy.special import kolmogorov

        ours, theirs = binned.state["count"].sum(axis=1), reference["count"].sum(axis=1)
        n = ratio(ours * theirs, ours + theirs)
        scaled = np.sqrt(n) * super().distance(binned, reference)
        with np.errstate(divide="ignore", invalid="ignore"):
            return kolmogorov(np.maximum(scaled + 1 / (6 * np.sqrt(n)) + (scaled - 1) / (4 * n), 0.0))


@register
class Wasserstein(DriftMetric):
    """First Wasserstein (earth mover's) distance: how far, on average, values would have to be moved, in the column's unit.

    From count, minimum, maximum and sum of each bin of the fine grid; `metrics.distances.wasserstein` states the error. Undefined, with an
    error, where values are infinite.
    """

    name = "wasserstein"
    accepts = Kind.NUMERIC | Kind.TIME
    unit = Unit.COLUMN
    ordered = True

    @property
    def state(self) -> Mapping[str, Primitive]:
        return _EXTREMES

    def distance(self, binned: Binned, reference: Mapping[str, Floats]) -> Floats:
        return distances.wasserstein(binned.state, reference)


@register
class WassersteinNormed(Wasserstein):
    """`wasserstein` divided by the standard deviation of the reference; undefined where that is 0."""

    name = "wasserstein_normed"
    unit = Unit.NONE

    @property
    def state(self) -> Mapping[str, Primitive]:
        return {**_EXTREMES, "variance": Primitive("variance")}

    def distance(self, binned: Binned, reference: Mapping[str, Floats]) -> Floats:
        return ratio(super().distance(binned, reference), distances.deviation(reference))
