"""The demo's results: the strangest days of the flights, and what first said that the recommender's update went wrong.

Both are read from the index, as the page does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import groupby
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lupus_provider.stores.index.base import IndexStore
    from lupus_provider.wire import AnomalyRow

ROWS, SIGNS = 12, 8
_PAGE = 100
_SEVERITIES = ("critical", "high", "medium", "low")


@dataclass(frozen=True, slots=True)
class Finding:
    """One flagged point, as the table shows it."""

    day: date
    series: str
    value: float | None
    expected: float | None
    detector: str
    severity: str
    score: float | None
    """Probability of a value this strange if nothing is wrong: smaller is worse; None where the rule knows none."""

    @property
    def rank(self) -> tuple[int, float]:
        """Order of badness: smaller is worse."""
        return _SEVERITIES.index(self.severity), 1.0 if self.score is None else self.score


def worst_days(findings: Iterable[Finding], rows: int = ROWS) -> list[Finding]:
    """Return one finding a day, worst day first.

    A day ranks by its gravest finding; it is shown by the strangest one that knows what was expected, because a number alone tells less.
    """
    days = [
        list(group)
        for _, group in groupby(sorted(findings, key=lambda finding: finding.day), key=lambda finding: finding.day)
    ]
    shown = [(min(f.rank[0] for f in day), min(day, key=_telling)) for day in days]
    return [finding for _, finding in sorted(shown, key=lambda pair: (pair[0], pair[1].rank[1], pair[1].day))[:rows]]


def _telling(finding: Finding) -> tuple[bool, int, float, str]:
    return (finding.expected is None, *finding.rank, finding.series)


def read_findings(index: IndexStore, project: str) -> list[Finding]:
    """Return all flagged points of a project."""
    found: list[Finding] = []
    cursor: str | None = None
    while True:
        page = index.anomalies(frozenset({project}), sort="recent", cursor=cursor, limit=_PAGE)
        found += [_finding(row) for row in page.items]
        cursor = page.next_cursor
        if cursor is None:
            return found


def _finding(row: AnomalyRow) -> Finding:
    day = datetime.fromtimestamp(row.t, UTC).astimezone(ZoneInfo(row.series.timezone)).date()
    detector = row.detector.partition(":")[0]
    return Finding(day, row.series.name, row.value, row.expected, detector, row.severity, row.score)


def first_signs(findings: Iterable[Finding], rows: int = SIGNS) -> list[Finding]:
    """Return the first finding of each series, in the order of days: what an incident's report begins with.

    Of a day's findings the gravest come first; a series is told once, because it says the same every day after.
    """
    first: dict[str, Finding] = {}
    for finding in sorted(findings, key=lambda finding: (finding.day, *finding.rank, finding.series)):
        first.setdefault(finding.series, finding)
    return list(first.values())[:rows]


def as_table(findings: Iterable[Finding]) -> Table:
    """Return the table of the worst days."""
    return _table("The worst days", findings)


def signs_table(findings: Iterable[Finding]) -> Table:
    """Return the table of the first signs."""
    return _table("The recommender: v2 serves a tenth from 10 Oct, all from 15 Oct", findings)


def _table(title: str, findings: Iterable[Finding]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, header_style="dim")
    for name in ("date", "series", "value", "expected", "detector"):
        table.add_column(name, justify="right" if name in ("value", "expected") else "left", no_wrap=True)
    for finding in findings:
        day = f"{finding.day:%Y-%m-%d %a}"
        table.add_row(
            day, finding.series.replace("[", r"\["), _number(finding.value), _number(finding.expected), finding.detector
        )
    return table


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
