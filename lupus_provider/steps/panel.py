"""History → panel: all series of a metric set as arrays over one gap-free axis of periods."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from lupus_provider.detectors import Panel, SeriesInfo
from lupus_provider.errors import UnknownMetricError
from lupus_provider.metrics import parse_metric

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from lupus_provider.periods import Period, PeriodName

COLUMNS = ("series_id", "column_name", "metric", "entity", "group_key", "period_start", "value", "n_rows", "error")


GONE_AFTER = 60
"""Periods after its last point that a silent series is still judged."""


def alive(panel: Panel) -> np.ndarray:
    """Return where a series is judged at all, shape (n, t): from its first point to some time after its last."""
    at = np.arange(panel.present.shape[1])
    last_seen = np.maximum.accumulate(np.where(panel.present, at, -1), axis=1)
    return (last_seen >= 0) & (at - last_seen <= GONE_AFTER)


def make_panel(points: pa.Table, axis: list[Period], period: PeriodName, zone: ZoneInfo) -> Panel:
    """Return a panel of the points.

    Parameters
    ----------
    points
        Columns `COLUMNS`, sorted by series and period.
    axis
        Every period of the panel, oldest first; points beside it are left out.
    zone
        The project's zone, for the local clock of the axis.
    """
    codes, first = _codes(points["series_id"])
    starts = np.array([int(p.start.timestamp()) for p in axis], np.int64)
    at = points["period_start"].cast(pa.int64()).to_numpy() // 1_000_000
    place = np.searchsorted(starts, at)
    on_axis = (place < len(starts)) & (starts[np.minimum(place, len(starts) - 1)] == at)
    rows, cols = codes[on_axis], place[on_axis]
    shape = (len(first), len(axis))
    value, n_rows = np.full(shape, np.nan), np.full(shape, np.nan)
    present, failed = np.zeros(shape, bool), np.zeros(shape, bool)
    value[rows, cols] = _floats(points["value"])[on_axis]
    n_rows[rows, cols] = _floats(points["n_rows"])[on_axis]
    present[rows, cols] = True
    failed[rows, cols] = points["error"].is_valid().to_numpy()[on_axis]
    identity = points.select(COLUMNS[:5]).take(pa.array(first))
    series = [
        series_info(row["series_id"], row["column_name"], row["metric"], row["entity"], dict(row["group_key"]))
        for row in identity.to_pylist()
    ]
    return Panel(series, period, _instants([p.start for p in axis]), _local(axis, zone), value, present, n_rows, failed)


def _codes(ids: pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray]:
    combined = pa.concat_arrays(ids.chunks) if ids.num_chunks else pa.array([], pa.string())
    codes = combined.dictionary_encode().indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return codes, np.unique(codes, return_index=True)[1]


def _floats(column: pa.ChunkedArray) -> np.ndarray:
    return column.cast(pa.float64()).to_numpy(zero_copy_only=False)


def _instants(moments: list[datetime]) -> np.ndarray:
    return np.array([m.replace(tzinfo=None) for m in moments], "datetime64[us]")


def _local(axis: list[Period], zone: ZoneInfo) -> np.ndarray:
    return np.array([p.start.astimezone(zone).replace(tzinfo=None) for p in axis], "datetime64[us]")


def series_info(
    series_id: str, column_name: str, metric: str, entity: str | None, group_key: Mapping[str, str | None]
) -> SeriesInfo:
    """Return what detectors may know of a series: its identity, and the bounds that its metric has by definition."""
    try:
        expression = parse_metric(metric)
        (low, high), is_count = expression.bounds, expression.metric.is_count
    except UnknownMetricError:  # measured elsewhere: training metrics have names of their own
        low, high, is_count = -np.inf, np.inf, False
    return SeriesInfo(series_id, column_name, metric, entity, group_key, low, high, is_count)
