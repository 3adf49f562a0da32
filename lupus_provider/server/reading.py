"""Reads series out of the index: points, bands and anomalies in one question each, however many series."""

from __future__ import annotations

from collections.abc import Sequence

from lupus_provider.server.columns import NO_POINTS, best_band, series_points
from lupus_provider.server.parameters import TimeRange
from lupus_provider.stores.index.base import IndexStore
from lupus_provider.wire import AnomalyPoint, SeriesPoints

PAGE = 5_000
"""Flagged points that are asked for at once."""


def read_points(
    index: IndexStore,
    projects: frozenset[str],
    ids: Sequence[str],
    asked: TimeRange,
    *,
    max_points: int | None,
    with_band: bool,
) -> list[SeriesPoints]:
    """Return series that the caller may see, in the order of `ids`.

    Parameters
    ----------
    ids
        Series that exist and that the caller may see: nothing is checked here.
    max_points
        Thin each to so many; None: all points, and exact numbers.
    """
    if not ids:
        return []
    points = index.points(ids, asked.start, asked.end)
    bands = index.bands(ids, asked.start, asked.end) if with_band else {}
    flagged = _anomalies(index, projects, ids, asked)
    found = []
    for sid in ids:
        anomalies = sorted(flagged.get(sid, []), key=lambda a: (a.t, a.detector))
        band = best_band(bands.get(sid, ()), anomalies)
        found.append(series_points(sid, points.get(sid, NO_POINTS), band, anomalies, max_points))
    return found


def _anomalies(
    index: IndexStore, projects: frozenset[str], ids: Sequence[str], asked: TimeRange
) -> dict[str, list[AnomalyPoint]]:
    """Return flagged points by series: all of them, because a chart without some would say that those were normal."""
    found: dict[str, list[AnomalyPoint]] = {}
    cursor: str | None = None
    while True:
        page = index.anomalies(
            projects, series_ids=ids, start=asked.start, end=asked.end, sort="recent", cursor=cursor, limit=PAGE
        )
        for row in page.items:
            found.setdefault(row.series_id, []).append(AnomalyPoint(**row.model_dump(exclude={"series"})))
        cursor = page.next_cursor
        if cursor is None:
            return found
