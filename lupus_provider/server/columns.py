"""Stored points, bands and anomalies → the columns that a chart gets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lupus_provider.server.thinning import thin
from lupus_provider.stores.index.base import Band, StoredPoints
from lupus_provider.wire import AnomalyPoint, SeriesPoints

NO_POINTS = StoredPoints(np.empty(0, np.int64), np.empty(0), np.empty(0, np.int64), {})
EXPECTATION = ("expected", "lower", "upper")


def best_band(bands: Sequence[Band], anomalies: Sequence[AnomalyPoint]) -> Band | None:
    """Return the band to draw.

    Of the detectors that expect something, the one with something to say of most points; of equals the one that flagged most.
    """
    flags: dict[str, int] = {}
    for anomaly in anomalies:
        flags[anomaly.detector] = flags.get(anomaly.detector, 0) + 1
    expecting = [band for band in bands if np.isfinite(band.expected).any()]
    return max(expecting or bands, key=lambda b: (len(b.t), flags.get(b.detector, 0), b.detector), default=None)


def to_list(values: np.ndarray, *, exact: bool = False) -> list[float | None]:
    """Plain JSON numbers; NaN and infinities become null. Fractions have seven significant digits, unless `exact`."""
    pairs = zip(values.tolist(), np.isfinite(values).tolist())
    return [(x if exact or x.is_integer() else float(f"{x:.7g}")) if ok else None for x, ok in pairs]


def series_points(
    series_id: str,
    points: StoredPoints,
    band: Band | None,
    anomalies: Sequence[AnomalyPoint],
    max_points: int | None,
) -> SeriesPoints:
    """Return one series as columns.

    Parameters
    ----------
    band
        What to draw around the points; None: nothing.
    anomalies
        All flagged points of the range, oldest first, also those whose point is missing.
    max_points
        Thin to so many; None: all points, and exact numbers.
    """
    flagged = np.flatnonzero(np.isin(points.t, [a.t for a in anomalies]))
    kept = thin(points.value, len(points.t) if max_points is None else max_points, flagged)
    t, exact = points.t[kept], max_points is None
    columns: dict[str, Any] = {}
    if band is not None:
        columns["detector"] = band.detector
        columns |= {name: to_list(_at(band, name, t), exact=exact) for name in EXPECTATION}
    if points.errors:
        columns["error"] = [points.errors.get(at) for at in t.tolist()]
    return SeriesPoints(
        series_id=series_id,
        t=t.tolist(),
        value=to_list(points.value[kept], exact=exact),
        n_rows=[None if n < 0 else n for n in points.n_rows[kept].tolist()],
        anomalies=list(anomalies),
        n_raw=len(points.t),
        method="raw" if len(kept) == len(points.t) else "minmax",
        **columns,
    )


def _at(band: Band, name: str, t: np.ndarray) -> np.ndarray:
    """Band column at the instants of the points; NaN where it has none."""
    out = np.full(len(t), np.nan)
    if not len(band.t):
        return out
    place = np.minimum(np.searchsorted(band.t, t), len(band.t) - 1)
    hit = band.t[place] == t
    out[hit] = getattr(band, name)[place[hit]]
    return out
