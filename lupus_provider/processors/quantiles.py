"""Quantiles of columns of numbers from counts: no engine has to sort, or to send every value through the network.

One scan finds the range, one counts even cells of it, and further ones only cut cells that hold too many values for what is asked. Engines
count, numpy does the rest, so quantiles are the same in every engine.
"""

# Pyarrow makes its compute functions at run time, so its names say nothing to a type checker:
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from lupus_provider.engines import engine_for
from lupus_provider.metrics.base import Binned, BinsMetric, Kind, Metric, NumberMetric, Primitive, Values
from lupus_provider.metrics.bins import NumericBins, even_bins, next_value
from lupus_provider.metrics.grammar import MetricExpression
from lupus_provider.metrics.plan import Measure, Refused
from lupus_provider.processors.base import Processor
from lupus_provider.processors.histograms import ColumnKey

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lupus_provider.engines.base import Answer
    from lupus_provider.metrics.base import Floats
    from lupus_provider.metrics.plan import Subject

_CELLS = 1024
"""Cells of the first count."""
_FEWEST_CUTS = 4
_PASSES = 4
"""Further counts at most: the first cuts a normal column enough, one more a lognormal one, two a Cauchy one or a value of many rows."""
_ENDS = {"low": Primitive("min"), "high": Primitive("max")}
_LARGEST = float(np.finfo(float).max)


class _Range(NumberMetric):
    """Smallest and largest value."""

    name = "quantiles"
    accepts = Kind.NUMERIC | Kind.TIME

    @property
    def state(self) -> Mapping[str, Primitive]:
        return _ENDS

    def finish(self, **state: Floats) -> Floats:
        return state["high"] - state["low"]


class _Cells(BinsMetric):
    """Count, smallest and largest value of each bin."""

    name = "quantiles"
    accepts = Kind.NUMERIC | Kind.TIME

    @property
    def state(self) -> Mapping[str, Primitive]:
        return {"count": Primitive("count"), **_ENDS}

    def of_bins(self, binned: Binned) -> Values:
        return Values(binned.state["count"].sum(axis=1), binned.state["count"].sum(axis=1))


@dataclass(frozen=True, slots=True)
class Cells:
    """Values of a column by cells that do not overlap, in order, none of them empty.

    Attributes
    ----------
    count, low, high
        How many values a cell has, the smallest and the largest of them; shape (cells,).
    """

    count: Floats
    low: Floats
    high: Floats

    def quantiles(self, fractions: Floats) -> Floats:
        """Return quantiles: exact (linear, as NumPy's) where they fall on an end of a cell, else between its ends by their rank.

        NaN where there is no value, or the quantile is infinite.
        """
        finite = np.isfinite(self.low)
        before, total = self.count[np.isneginf(self.low)].sum(), self.count.sum()
        count = self.count[finite]
        if not len(count):
            return np.full(len(fractions), np.nan)
        ends = before + np.cumsum(count)
        ranks = np.stack([ends - count, ends - 1], axis=1).ravel()
        values = np.stack([self.low[finite], self.high[finite]], axis=1).ravel()
        place = (total - 1) * fractions
        with np.errstate(all="ignore"):
            found = np.fmax.accumulate(np.interp(place, ranks, values))
        return np.where((place < ranks[0]) | (place > ranks[-1]), np.nan, found)

    def heavy(self, most: float) -> np.ndarray:
        """Return the indices of cells of several values that hold more than a share of all."""
        return np.flatnonzero((self.count > most * self.count.sum()) & (self.low < self.high) & np.isfinite(self.low))

    def cut(self, heavy: np.ndarray, most: float, *, again: bool) -> NumericBins:
        """Return bins that cut cells further, each into twice as many as its values need where they lie evenly.

        Cells that were cut before hold a value of many rows more likely than not, often at an end; so their ends are set apart.
        """
        parts = np.maximum(2 * self.count[heavy] / (most * self.count.sum()), _FEWEST_CUTS).astype(int)
        edges = []
        for cell, number in zip(heavy, parts):
            low, high = float(self.low[cell]), float(self.high[cell])
            behind = self.low[cell + 1] if cell + 1 < len(self.low) else np.inf
            ends = [low, behind if np.isfinite(behind) else next_value(high)]
            edges += [ends, even_bins(low, high, int(number)).edges, [next_value(low), high] if again else []]
        return NumericBins(tuple(np.unique(np.concatenate(edges)).tolist()))

    def refined(self, heavy: np.ndarray, found: Cells) -> Cells:
        """Replace cells by those that they were cut into."""
        inside = np.zeros(len(found.count), bool)
        for cell in heavy:
            inside |= (found.low >= self.low[cell]) & (found.high <= self.high[cell])
        kept = np.ones(len(self.count), bool)
        kept[heavy] = False
        parts = [np.concatenate([getattr(self, n)[kept], getattr(found, n)[inside]]) for n in ("count", "low", "high")]
        order = np.argsort(parts[1], kind="stable")
        return Cells(*(part[order] for part in parts))


def quantiles_of(
    df: Any, keys: Sequence[ColumnKey], fractions: Floats, most: float, options: Mapping[str, Any]
) -> dict[ColumnKey, Floats | str]:
    """Return quantiles of columns; a text says why a column has none.

    Parameters
    ----------
    fractions
        0…1, rising; shape (n,).
    most
        Share of the values that a cell of several values may hold: what a quantile may be wrong by, in rank.
    options
        Which rows: keyword arguments of `Processor`.
    """
    spans = _spans(df, keys, options)
    found: dict[ColumnKey, Floats | str] = {key: span for key, span in spans.items() if isinstance(span, str)}
    bins = {key: _grid(*span) for key, span in spans.items() if not isinstance(span, str)}
    cells: dict[ColumnKey, Cells] = {}
    heavy: dict[ColumnKey, np.ndarray] = {}
    for number in range(1 + _PASSES):
        for key, item in _counted(df, bins, options).items() if bins else ():
            if isinstance(item, str):
                found[key] = item
            else:
                cells[key] = cells[key].refined(heavy[key], item) if key in heavy else item
        heavy = {key: cells[key].heavy(most) for key in bins if key in cells and key not in found}
        heavy = {key: places for key, places in heavy.items() if len(places)}
        bins = {key: cells[key].cut(places, most, again=number > 0) for key, places in heavy.items()}
    return found | {key: item.quantiles(fractions) for key, item in cells.items() if key not in found}


def _grid(low: float, high: float) -> NumericBins:
    """Even cells of a span; where its ends are infinite, only what is finite is told from what is not, and cut later."""
    if np.isfinite(low) and np.isfinite(high):
        return even_bins(low, high, _CELLS)
    return NumericBins((-_LARGEST, _LARGEST))


def _spans(
    df: Any, keys: Sequence[ColumnKey], options: Mapping[str, Any]
) -> dict[ColumnKey, tuple[float, float] | str]:
    found: dict[ColumnKey, tuple[float, float] | str] = {}
    for key, subject, answer in _answers(df, dict.fromkeys(keys), _Range(), options):
        if isinstance(answer, str):
            found[key] = answer
        else:
            low, high = (_floats(answer, subject, name) for name in ("min", "max"))
            known = len(low) and not np.isnan(low[0])
            found[key] = (float(low[0]), float(high[0])) if known else (0.0, 0.0)
    return found


def _counted(
    df: Any, bins: Mapping[ColumnKey, NumericBins], options: Mapping[str, Any]
) -> dict[ColumnKey, Cells | str]:
    found: dict[ColumnKey, Cells | str] = {}
    for key, subject, answer in _answers(df, bins, _Cells(), options):
        if isinstance(answer, str):
            found[key] = answer
        else:
            count, low, high = (_floats(answer, subject, name) for name in ("count", "min", "max"))
            order = np.argsort(answer.table["bin"].to_numpy(), kind="stable")
            found[key] = Cells(count[order], low[order], high[order])
    return found


def _floats(answer: Answer, subject: Subject | None, name: str) -> Floats:
    assert subject is not None
    return answer.table[answer.columns[subject][name]].cast(pa.float64()).to_numpy().astype(float)


def _answers(
    df: Any, bins: Mapping[ColumnKey, NumericBins | None], metric: Metric, options: Mapping[str, Any]
) -> Iterator[tuple[ColumnKey, Subject | None, Answer | str]]:
    """Measure columns; yield what an engine says of each, or why it refused."""
    expressions = {key: MetricExpression(key.metric(metric.name), metric, key.k) for key in bins}
    measures = [Measure((key.column,), expressions[key], bins=item) for key, item in bins.items()]
    processor = Processor(df, measures=measures, **options)
    for answer in engine_for(df).answers(processor.plan):
        if isinstance(answer, Refused):
            yield ColumnKey(answer.measure.column, answer.measure.expression.k), None, answer.reason
            continue
        for subject in answer.measures:
            if subject.columns:
                yield ColumnKey(subject.column, subject.k), subject, answer
