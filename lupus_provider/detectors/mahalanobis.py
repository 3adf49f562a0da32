"""Mahalanobis: metrics that are each within their own range, but not together.

An average that rises while the median stays, or fewer rows with the usual sum, is invisible to detectors of single series. One
period of one column and group is a point with a coordinate for each metric; what is judged is its distance from the past points.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from lupus_provider.detectors.base import DETECTORS, Bools, Detector, Floats, Judgement, Outcome, Panel, SeriesInfo
from lupus_provider.detectors.judging import LEAST_SCALE, bounds, spread_rows
from lupus_provider.detectors.order import median_rows
from lupus_provider.detectors.season import SEASON_LENGTH, phases

Ints = NDArray[np.int64]

LEAST_SHRINKAGE = 0.001
"""Part of the correlations that is always given up: metrics of one column can be copies of each other (avg and sum)."""
CLIPPED = 2.5
"""Scales beyond which a past coordinate counts no more for the correlations."""
WILDEST = 8.0
"""Scales beyond which a past coordinate says no more about the tails."""
TAILS = (3.0, 5.0, 10.0)
"""Degrees of freedom that noise with heavy tails may have; normal noise is tried too."""
DISBELIEF = (5.0, 4.0, 3.0)
"""Log likelihood that each must gain over normal noise: medians make past distances more peaked than they are."""
FARTHEST = 1e15
"""Scales up to which coordinates are told apart; beyond, their squares would be all that counts."""
PERIODS_PER_METRIC = 4
MEDIAN_VARIANCE = np.pi / 2
"""Variance of a median of n normal values, times n."""


@dataclass(frozen=True, slots=True)
class Distances:
    """How far out the judged periods are; arrays of shape (n, judged periods) like the panel's series."""

    probability: Floats
    """Of a point so far out if nothing is wrong, the same for all metrics of a bundle; NaN where not judged."""
    contribution: Floats
    """Part of the squared distance that would go if this metric were what the others let expect."""
    expected: Floats
    """What the other metrics let expect, in the metric's unit."""
    contributes_most: Bools
    """The one metric of the bundle that contributes most."""


@DETECTORS.register("mahalanobis")
class Mahalanobis(Detector):
    """Distance of a period from the past ones, over all metrics of one column and group together (kind `joint`).

    Each metric is taken relative to the median of its place in the season and divided by its robust scale. Correlations are those of
    clipped coordinates, shrunk towards 0 by their own sampling error (Schäfer and Strimmer 2005), so that single wild days move
    neither. The squared distance is judged by an F distribution: that of normal noise, or of Student's t with 3, 5 or 10 degrees of
    freedom where the past distances are more likely so. Of a bundle one metric is flagged, the one that contributes most;
    `distances` has the contributions of all.

    Examples
    --------
    >>> Mahalanobis(metrics=["avg", "p50", "row_count"], across_columns=True).alpha
    0.0005
    """

    scope: ClassVar[Literal["series", "group"]] = "group"

    detector: Literal["mahalanobis"] = "mahalanobis"  # pyright: ignore[reportIncompatibleVariableOverride]
    across_columns: bool = False
    """Put the selected metrics of all columns of a group into one bundle, not those of one column."""
    season_length: Annotated[int | None, Field(ge=1, le=744)] = None
    """Periods in a season; empty = by period: day 7, hour 24, week and month none (1)."""
    window: Annotated[int, Field(ge=14, le=2000)] = 84
    """Past periods to compare with."""
    least_periods: Annotated[int, Field(ge=7, le=2000)] = 28
    """Past periods with a value for every metric that are needed, and at least four for each metric; else `too_short`."""
    alpha: Annotated[float, Field(gt=0, lt=0.5)] = 0.0005
    """Probability below which a period is an anomaly."""

    def detect(self, panel: Panel, judged: slice) -> Judgement:
        """Judge each period of each bundle; see the base class."""
        distances = self.distances(panel, judged)
        value = panel.observed[:, judged]
        strange = distances.contributes_most & (distances.probability < self.alpha)
        outcome = np.select(
            [~np.isfinite(value), np.isnan(distances.probability), strange],
            [Outcome.NO_DATA, Outcome.TOO_SHORT, Outcome.ANOMALY], Outcome.NORMAL,
        ).astype(np.int8)  # fmt: skip
        nothing = Judgement.empty(*value.shape)
        return Judgement(
            outcome, np.clip(distances.expected, *bounds(panel)), nothing.lower, nothing.upper,
            distances.probability, np.where(strange, "joint", "").astype(object),
        )  # fmt: skip

    def distances(self, panel: Panel, judged: slice) -> Distances:
        """Measure every judged period of every bundle, and what each metric contributes."""
        everything = panel if panel.beside is None else panel.beside
        length = self.season_length or {**SEASON_LENGTH, "hour": 24}[panel.period]
        place = phases(panel.local_start, panel.period, length)
        shape = (len(everything), judged.stop - judged.start)
        found = [np.full(shape, np.nan) for _ in range(3)]
        most = np.zeros(shape, bool)
        observed = everything.observed
        for rows in self._bundles(everything, {series.series_id for series in panel.series}):
            value = observed[rows]
            for column, t in enumerate(range(judged.start, judged.stop)):
                begin = max(0, t - self.window)
                if begin < t:
                    past = np.ascontiguousarray(value[:, :, begin:t])
                    *parts, top = self._measure(past, value[:, :, t], place[begin:t] - place[t], length)
                    for array, part in zip((*found, most), (*parts, top), strict=True):
                        array[rows, column] = part
        mine = _rows_of(panel, everything)
        return Distances(found[0][mine], found[1][mine], found[2][mine], most[mine])

    def _bundles(self, panel: Panel, wanted: set[str]) -> Iterator[Ints]:
        """Yield the bundles with series that are wanted: row numbers, shape (bundles, metrics), by number of metrics."""
        bundles: dict[tuple[object, ...], list[int]] = {}
        for row, series in enumerate(panel.series):
            if self.selects(series):
                column = () if self.across_columns else (series.column_name,)
                key = (series.entity, *column, *sorted(series.group_key.items()))
                bundles.setdefault(key, []).append(row)
        by_size: dict[int, list[list[int]]] = {}
        for rows in bundles.values():
            if len(rows) > 1 and any(panel.series[row].series_id in wanted for row in rows):
                ordered = sorted(rows, key=lambda row: _name(panel.series[row]))
                by_size.setdefault(len(rows), []).append(ordered)
        yield from (np.array(bundles_of_size, np.int64) for bundles_of_size in by_size.values())

    def _measure(self, past: Floats, now: Floats, steps: Ints, length: int) -> tuple[Floats, Floats, Floats, Bools]:
        """Measure one period of bundles of one size.

        Parameters
        ----------
        past, now
            Shape (bundles, metrics, periods) and (bundles, metrics).
        steps
            Shape (periods,), places of the past periods relative to the judged one.
        """
        used = np.isfinite(now) & (np.isfinite(past).sum(axis=2) >= self.least_periods)
        complete = (np.isfinite(past) | ~used[:, :, None]).all(axis=1)
        n, metrics = complete.sum(axis=1), used.sum(axis=1)
        enough = (metrics > 1) & (n >= np.maximum(self.least_periods, PERIODS_PER_METRIC * metrics))
        past = np.where(complete[:, None, :] & used[:, :, None], past, np.nan)
        with np.errstate(all="ignore"):
            z, scale, coordinates = _standardise(past, now, steps % length, length)
            z, coordinates = (
                np.where(used.reshape(used.shape + (1,) * (a.ndim - 2)), a, 0.0) for a in (z, coordinates)
            )
            correlations = _correlations(np.clip(coordinates, -CLIPPED, CLIPPED), n)
            precision = np.linalg.inv(correlations).astype(np.float64)
            pull = _times(precision, z[:, :, None])[:, :, 0]
            own = np.diagonal(precision, axis1=1, axis2=2)
            contribution, expected = pull**2 / own, now - scale * pull / own
            seen = (coordinates * _times(precision, coordinates)).sum(axis=1)
            free = np.minimum(n - metrics, _tail(seen, complete, metrics))
            probability = _probability((z * pull).sum(axis=1), n, metrics, free)
        judgeable = used & enough[:, None]
        top = judgeable & (np.arange(used.shape[1]) == np.argmax(np.where(used, contribution, -1.0), axis=1)[:, None])
        parts = (np.broadcast_to(probability[:, None], used.shape), contribution, expected)
        first, second, third = (np.where(judgeable, part, np.nan) for part in parts)
        return first, second, third, top


def _standardise(past: Floats, now: Floats, places: Ints, length: int) -> tuple[Floats, Floats, Floats]:
    """Coordinates of the judged period, their scales, and the clipped coordinates of the past (0 where there is none)."""
    bundles, metrics, t = past.shape
    rows, point = past.reshape(-1, t), now.reshape(-1)
    centre = median_rows(rows)
    middle, rest, at_place = centre, rows - centre[:, None], np.isfinite(rows).sum(axis=1)
    if length > 1:
        rest = np.full(rows.shape, np.nan)
        for place in range(length):
            same = np.ascontiguousarray(rows[:, places == place])
            of_place = median_rows(same) if same.shape[1] else np.full(len(rows), np.nan)
            of_place = np.where(np.isfinite(of_place), of_place, centre)
            rest[:, places == place] = same - of_place[:, None]
            if place == 0:
                middle, at_place = of_place, np.isfinite(same).sum(axis=1)
    # past values are nearer to a median that they made than the next value will be
    wider = np.sqrt((1 + MEDIAN_VARIANCE / np.maximum(at_place, 1)) / (1 - 1 / np.maximum(at_place, 2)))
    scale = np.maximum(spread_rows(rest, np.zeros(len(rest))), LEAST_SCALE * np.abs(centre))
    distance = point - middle
    z = np.where(distance == 0, 0.0, np.clip(distance / (scale * wider), -FARTHEST, FARTHEST))
    coordinates = np.clip(np.nan_to_num(rest / scale[:, None]), -WILDEST, WILDEST)
    return z.reshape(now.shape), (scale * wider).reshape(now.shape), coordinates.reshape(bundles, metrics, t)


def _correlations(coordinates: Floats, n: Ints) -> Floats:
    """Shrunk correlations of each bundle, shape (bundles, metrics, metrics)."""
    metrics = coordinates.shape[1]
    both = np.stack([(coordinates[:, [i], :] * coordinates).sum(axis=2) for i in range(metrics)], axis=1)
    length = np.sqrt(np.maximum(np.diagonal(both, axis1=1, axis2=2), 1e-300))
    r = np.clip(both / (length[:, :, None] * length[:, None, :]), -1.0, 1.0)
    apart = ~np.eye(metrics, dtype=bool)
    error = ((1 - r**2) ** 2)[:, apart].sum(axis=1) / np.maximum(n - 1, 1)
    shrinkage = np.clip(error / np.maximum((r**2)[:, apart].sum(axis=1), 1e-12), LEAST_SHRINKAGE, 1.0)
    return np.where(apart, r * (1 - shrinkage[:, None, None]), 1.0)


def _times(precision: Floats, coordinates: Floats) -> Floats:
    """Product of the matrices of each bundle; summed by hand, because libraries sum otherwise for other numbers of bundles."""
    terms = (precision[:, :, [i]] * coordinates[:, [i], :] for i in range(precision.shape[2]))
    return sum(terms, np.zeros_like(coordinates))


def _tail(squared: Floats, complete: Bools, metrics: Ints) -> Floats:
    """Degrees of freedom under which the past squared distances are likeliest, shape (bundles,); infinite = normal.

    Parameters
    ----------
    squared, complete
        Shape (bundles, periods).
    """
    from scipy.special import betaln, gammaln

    k = np.maximum(metrics, 1)[:, None]
    parts = [-squared / 2 - gammaln(k / 2) - k / 2 * np.log(2)]
    parts += [
        -(k + free) / 2 * np.log1p(squared / free) - betaln(k / 2, free / 2) - k / 2 * np.log(free) for free in TAILS
    ]
    likelihood = np.stack([np.where(complete, part, 0.0).sum(axis=1) for part in parts])
    likelihood[1:] -= np.array(DISBELIEF)[:, None]
    return np.array([np.inf, *TAILS])[np.argmax(likelihood, axis=0)]


def _probability(squared: Floats, n: Ints, metrics: Ints, free: Floats) -> Floats:
    """Probability of a squared distance, or a larger one, of a new point from the mean of n points."""
    from scipy.special import fdtrc  # here, not above: DAG files import this module

    k = np.maximum(metrics, 1)
    loss = np.maximum(n - metrics, 1) * n / np.maximum(n**2 - 1, 1)
    return fdtrc(k, np.maximum(free, 1.0), squared * loss / k)


def _rows_of(panel: Panel, everything: Panel) -> Ints:
    place = {series.series_id: row for row, series in enumerate(everything.series)}
    return np.array([place[series.series_id] for series in panel.series], np.int64)


def _name(series: SeriesInfo) -> tuple[str, str, str]:
    return series.column_name, series.metric, series.series_id
