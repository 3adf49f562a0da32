"""Stored points, bands and anomalies → the columns that a chart gets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lupus_provider.server.thinning import thin
from lupus_provider.stores.index.base import Band, StoredPoints
from lupus_provider.wire import AnomalyPoint, SeriesPoints


def best_band(bands: Sequence[Band], anomalies: Sequence[AnomalyPoint]) -> Band | None:
    """Return the band to draw: of the detector that expects something, the one that flagged most first."""
    flags: dict[str, int] = {}
    for anomaly in anomalies:
        flags[anomaly.detector] = flags.get(anomaly.detector, 0) + 1
    expecting = [band for band in bands if np.isfinite(band.expected).any()]
    return max(expecting or bands, key=lambda band: (len(band.t), flags.get(band.detector, 0), band.detector), default=None)


def to_list(values: np.ndarray) -> list[float | None]:
    """Plain JSON numbers with seven significant digits; NaN and infinities become null."""
    return [float(f"{x:.7g}") if ok else None for x, ok in zip(values.tolist(), np.isfinite(values).tolist())]


def series_points(
    series_id: str, points: StoredPoints | None, bands: Sequence[Band], anomalies: Sequence[AnomalyPoint], max_points: int, *, with_band: bool
) -> SeriesPoints:
    """Return one series as columns, thinned to `max_points`; a series without points in the range has empty columns."""
    if points is None:
        empty = np.empty(0)
        points = StoredPoints(empty.astype(np.int64), empty, empty.astype(np.int64), {})
    flagged = np.flatnonzero(np.isin(points.t, [a.t for a in anomalies]))
    kept = thin(points.value, max_points, flagged)
    t = points.t[kept]
    columns: dict[str, Any] = {}
    band = best_band(bands, anomalies) if with_band else None
    if band is not None:
        columns = {"detector": band.detector, **{name: to_list(_at(band, name, t)) for name in ("expected", "lower", "upper")}}
    if points.errors:
        columns["error"] = [points.errors.get(at) for at in t.tolist()]
    return SeriesPoints(
        series_id=series_id, t=t.tolist(), value=to_list(points.value[kept]),
        n_rows=[None if n < 0 else n for n in points.n_rows[kept].tolist()],
        anomalies=list(anomalies), n_raw=len(points.t), method="raw" if len(kept) == len(points.t) else "minmax", **columns,
    )  # fmt: skip


def _at(band: Band, name: str, t: np.ndarray) -> np.ndarray:
    """Band column at the instants of the points; NaN where it has none."""
    out = np.full(len(t), np.nan)
    place = np.searchsorted(band.t, t)
    inside = place < len(band.t)
    hit = inside & (band.t[np.minimum(place, max(len(band.t) - 1, 0))] == t) if len(band.t) else np.zeros(len(t), bool)
    out[hit] = getattr(band, name)[place[hit]]
    return out
