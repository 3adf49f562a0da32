"""A series as CSV: one row a period, exact numbers, with band and verdict, for spreadsheets and notebooks."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from lupus_provider.wire import AnomalyPoint, SeriesPoints

HEADER = (
    *("period_start", "local_start", "value", "n_rows", "expected", "lower", "upper"),
    *("kind", "detector", "score", "error"),
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def to_csv(points: SeriesPoints, zone: ZoneInfo) -> str:
    """Return the text of the file; a flagged period without a point has a row, too.

    Parameters
    ----------
    zone
        The project's, for the column `local_start`.
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")  # Python quotes a carriage return only where it ends lines
    writer.writerow(HEADER)
    writer.writerows(_rows(points, zone))
    return file.getvalue()


def plain_text(text: str | None) -> str | None:
    """Text that no spreadsheet runs as a formula: an apostrophe stands before what would begin one.

    Examples
    --------
    >>> plain_text("=HYPERLINK(1)"), plain_text("spike")
    ("'=HYPERLINK(1)", 'spike')
    """
    return f"'{text}" if text is not None and text.startswith(_FORMULA) else text


def _rows(points: SeriesPoints, zone: ZoneInfo) -> Iterator[list[Any]]:
    at = {t: i for i, t in enumerate(points.t)}
    numbers = (points.value, points.n_rows, points.expected, points.lower, points.upper)
    verdicts = _verdicts(points.anomalies)
    for t in sorted({*at, *verdicts}):
        i, verdict = at.get(t), verdicts.get(t)
        moment = datetime.fromtimestamp(t, UTC)
        row: list[Any] = [moment.isoformat(), moment.astimezone(zone).isoformat()]
        row += [None if column is None or i is None else column[i] for column in numbers]
        row += (
            [plain_text(verdict.kind), plain_text(verdict.detector), verdict.score] if verdict else [None, None, None]
        )
        error = points.error[i] if points.error is not None and i is not None else None
        yield [*row, plain_text(error)]


def _verdicts(anomalies: list[AnomalyPoint]) -> dict[int, AnomalyPoint]:
    """Period → its strangest verdict, where several detectors flagged it."""
    found: dict[int, AnomalyPoint] = {}
    for anomaly in sorted(anomalies, key=lambda a: (1.0 if a.score is None else a.score, a.detector)):
        found.setdefault(anomaly.t, anomaly)
    return found
