"""How a table gets bins, and histograms over bins: the scans behind a reference.

Ranges, counts and categories are asked for as ordinary metrics, so every engine can make a reference.
"""

# Pyarrow makes its compute functions at run time, so its names say nothing to a type checker:
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.compute as pc

from lupus_provider import clock
from lupus_provider.engines import engine_for
from lupus_provider.metrics.base import Family
from lupus_provider.metrics.bins import REST, Bins, CategoryBins, NumericBins, quantile_bins
from lupus_provider.metrics.grammar import parse_metric
from lupus_provider.metrics.plan import Measure
from lupus_provider.periods import Period
from lupus_provider.processors.assemble import Stamp, points
from lupus_provider.processors.base import Processor
from lupus_provider.processors.histograms import ColumnKey, Histograms, full_state
from lupus_provider.processors.quantiles import quantiles_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import pyarrow as pa

    from lupus_provider.metrics.base import Floats
    from lupus_provider.metrics.bins import CountedBins
    from lupus_provider.processors.base import RowOptions

FULL, COUNT_ONLY = "wasserstein_normed", "psi"
"""Drift metrics whose state is everything that a histogram holds of numbers, and of categories."""
_TEXT_TYPE = re.compile(r"(^|[ =])(large_)?(string|utf8)(_view)?\b")
_ON_THE_WHOLE = ("slices", "min_group_rows", "model_version_column", "group_columns", "group_sets", "table_metrics")


def bins_of(
    df: Any,
    keys: Sequence[ColumnKey],
    categorical: Collection[str],
    max_categories: int,
    resolution: int,
    rows: RowOptions,
) -> dict[ColumnKey, Bins | str]:
    """Choose bins for columns by a few scans of the whole; a text says why a column has none.

    Columns whose type nobody knows before they are read, such as fields of structs, are tried as numbers and then as categories.
    """
    texts = {name for name, kind in engine_for(df).schema().items() if _TEXT_TYPE.search(kind)}
    as_text = [key for key in keys if key.column in texts or key.column in categorical]
    options: Any = {name: value for name, value in rows.items() if name not in _ON_THE_WHOLE}
    periods = options.get("periods")
    if periods:
        options["periods"] = [Period(periods[0].start, periods[-1].end)]
    found = _numeric_bins(df, [key for key in keys if key not in as_text], resolution, options)
    again = [key for key, bins in found.items() if isinstance(bins, str)]
    categories = _category_bins(df, [*as_text, *again], max_categories, options)
    found |= {key: bins for key, bins in categories.items() if key in as_text or not isinstance(bins, str)}
    return {key: found[key] for key in keys}


def _numeric_bins(
    df: Any, keys: Sequence[ColumnKey], resolution: int, options: Mapping[str, Any]
) -> dict[ColumnKey, Bins | str]:
    if not keys:
        return {}
    # A bin between two quantiles that are each wrong by half a bin's share still holds less than two shares.
    found = quantiles_of(df, keys, np.arange(1, resolution) / resolution, 0.5 / resolution, options)
    return {key: item if isinstance(item, str) else quantile_bins(item) for key, item in found.items()}


def _category_bins(
    df: Any, keys: Sequence[ColumnKey], max_categories: int, options: Mapping[str, Any]
) -> dict[ColumnKey, Bins | str]:
    if not keys:
        return {}
    metrics: dict[str, list[str]] = {}
    for key in keys:
        metrics.setdefault(key.column, []).append(key.metric("count"))
    table = Processor(df, column_metrics=metrics, **{**options, "max_entities": max_categories}).points(_stamp())
    return {key: _categories(table, key) for key in keys}


def _stamp() -> Stamp:
    return Stamp("reference", "reference", "reference", clock.utc_now())


def _name(key: ColumnKey, metric: str) -> str:
    return parse_metric(key.metric(metric), Family.DISTRIBUTION).name


def _categories(table: pa.Table, key: ColumnKey) -> Bins | str:
    rows = table.filter(
        pc.and_(pc.equal(table["column_name"], key.column), pc.equal(table["metric"], _name(key, "count")))
    )
    errors = rows["error"].drop_null()
    if len(errors):
        return errors[0].as_py()
    rows = rows.filter(pc.and_(pc.is_valid(rows["entity"]), pc.not_equal(rows["entity"], REST)))
    rows = rows.sort_by([("value", "descending"), ("entity", "ascending")])
    return CategoryBins(tuple(rows["entity"].to_pylist()))


class Recorder:
    """Keeps the histograms that pass through; compares with nothing."""

    def __init__(self, periods: Sequence[Period]) -> None:
        self.starts, self.ends = (_microseconds(periods, name) for name in ("start", "end"))
        self.found: dict[ColumnKey, Histograms] = {}

    def of(
        self, columns: tuple[str, ...], k: int | None, bins: Bins, counted: CountedBins
    ) -> Mapping[str, Floats] | None:
        """Remember the histograms of a column."""
        start, end = self.starts[counted.period], self.ends[counted.period]
        state = full_state(counted.state)
        self.found[ColumnKey(columns[0], k)] = Histograms(bins, counted.group_keys, counted.group, start, end, state)
        return None


def _microseconds(periods: Sequence[Period], name: str) -> np.ndarray:
    moments = [getattr(period, name).replace(tzinfo=None) for period in periods]
    return np.array(moments, "datetime64[us]").astype(np.int64)


def counted_histograms(
    df: Any, bins: Mapping[ColumnKey, Bins], rows: RowOptions, metric: str = FULL
) -> tuple[dict[ColumnKey, Histograms], dict[ColumnKey, str]]:
    """Count columns by their bins in one scan, by group and period; and why some cannot be counted.

    Parameters
    ----------
    metric
        Drift metric whose state is taken of columns of numbers.
    """
    measures = [
        _measure(key, metric if isinstance(item, NumericBins) else COUNT_ONLY, item) for key, item in bins.items()
    ]
    processor = Processor(df, measures=measures, **rows)
    recorder = Recorder(processor.periods)
    answers = engine_for(df).answers(processor.plan)
    table = points(processor.plan, answers, _stamp(), processor.periods, recorder)
    failed = table.filter(pc.is_valid(table["error"]))
    names = {(measure.column, measure.expression.name): key for key, measure in zip(bins, measures)}
    pairs = zip(*(failed[name].to_pylist() for name in ("column_name", "metric", "error")))
    reasons = {names[column, metric]: error for column, metric, error in pairs if (column, metric) in names}
    return recorder.found, {key: error for key, error in reasons.items() if key not in recorder.found}


def _measure(key: ColumnKey, metric: str, bins: Bins) -> Measure:
    return Measure((key.column,), parse_metric(key.metric(metric), Family.DRIFT), bins=bins)
