"""backtest: what detectors would have said of stored series, each period judged with only the periods before it.

Nothing is stored and nobody is told. A rule that selects no series is an error, and what could not be judged is counted, so that
silence always means "looked at, and nothing found".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from lupus_provider.alert.episodes import GAP
from lupus_provider.detectors import Detector, Judgement, Outcome, Panel
from lupus_provider.errors import BadSpanError, Terminal, did_you_mean
from lupus_provider.periods import Span, days_span
from lupus_provider.records import POINTS
from lupus_provider.steps.panel import alive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import date

    from lupus_provider.config import Project
    from lupus_provider.stores.history.base import HistoryStore

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
JUDGED = (Outcome.NORMAL, Outcome.ANOMALY, Outcome.EXCUSED)
"""Outcomes of a period that was looked at."""


class NothingSelectedError(Terminal, ValueError):
    """A rule selects no series: most likely a typo."""

    def __init__(self, detector: str, patterns: str, metrics: Sequence[str]) -> None:
        self.detector, self.patterns, self.metrics = detector, patterns, tuple(metrics)
        known = ", ".join(sorted(set(metrics))[:20])
        super().__init__(
            f"detector {detector} with {patterns} selects none of the series. Their metrics are: {known}. "
            f"{did_you_mean(patterns.split('=')[-1], metrics)}".strip()
        )


@dataclass(frozen=True, slots=True)
class Trial:
    """What one detector said of the series that it selects."""

    detector: Detector
    panel: Panel
    """The series that it selects."""
    judged: slice
    judgement: Judgement
    counted: np.ndarray
    """Shape (n, judged periods), bool: where a series has begun and has not long ended."""

    @property
    def anomalies(self) -> np.ndarray:
        """Shape (n, judged periods), bool."""
        return self.counted & (self.judgement.outcome == Outcome.ANOMALY)

    @property
    def evaluated(self) -> np.ndarray:
        """Shape (n, judged periods), bool: looked at, whatever was found."""
        return self.counted & np.isin(self.judgement.outcome, JUDGED)

    @property
    def alarms(self) -> int:
        """Episodes: anomalies of a series in a row, one message each."""
        return int(self.alarms_of_series.sum())

    @property
    def alarms_of_series(self) -> np.ndarray:
        """Shape (n,): episodes of each series."""
        strange = self.anomalies
        recent = np.zeros_like(strange)
        for back in range(1, GAP + 2):
            recent[:, back:] |= strange[:, :-back]
        return (strange & ~recent).sum(axis=1)

    def by_kind(self) -> dict[str, int]:
        """Return anomalies by kind, most first."""
        kinds, counts = np.unique(self.judgement.kind[self.anomalies].astype(str), return_counts=True)
        return dict(sorted(zip(kinds.tolist(), counts.tolist(), strict=True), key=lambda item: -item[1]))

    def unjudged(self) -> dict[str, int]:
        """Return periods that were not looked at, by outcome, most first."""
        outcomes, counts = np.unique(self.judgement.outcome[self.counted & ~self.evaluated], return_counts=True)
        found = {Outcome(int(o)).word: int(c) for o, c in zip(outcomes, counts, strict=True)}
        return dict(sorted(found.items(), key=lambda item: -item[1]))

    def rows(self, labels: Sequence[str], axis_name: str = "date") -> Iterator[dict[str, object]]:
        """Yield the anomalies, by series and period.

        Parameters
        ----------
        labels
            Spelling of each period of the panel's axis.
        """
        told = self.judgement
        for i, j in np.argwhere(self.anomalies):
            at = self.judged.start + int(j)
            yield {
                "series_id": self.panel.series[i].series_id, axis_name: labels[at], "value": _number(self.panel.value[i, at]),
                "expected": _number(told.expected[i, j]), "lower": _number(told.lower[i, j]), "upper": _number(told.upper[i, j]),
                "score": _number(told.score[i, j]), "kind": str(told.kind[i, j]), "detector": self.detector.key,
            }  # fmt: skip


def backtest(
    panel: Panel, detectors: Sequence[Detector], judged: slice, progress: Callable[[Detector], None] = lambda _: None
) -> list[Trial]:
    """Judge the periods of `judged` by each detector, with only the periods before each.

    Parameters
    ----------
    progress
        Told of each detector before it begins.

    Raises
    ------
    NothingSelectedError
        If a detector selects no series.
    """
    return [_trial(panel, detector, judged, detector.detect, progress) for detector in detectors]


def span_in(
    project: Project, metric_set: str, history: HistoryStore, first: date | None = None, last: date | None = None
) -> Span:
    """Return the span from one local day to another, both inclusive; an end that is not given is that of the stored points."""
    if first is None or last is None:
        starts = history.periods(POINTS, project.project, metric_set)
        if not starts:
            return Span(_NEVER, _NEVER)
        stored = (min(starts).astimezone(project.zone).date(), max(starts).astimezone(project.zone).date())
        first, last = first or stored[0], last or stored[1]
    if last < first:
        raise BadSpanError(
            f"{project.project}.{metric_set}", f"the last day {last} is before the first {first}", "Swap them."
        )
    return days_span(first, last, project.zone)


def judge_whole(panel: Panel, detector: Detector) -> Trial:
    """Judge all periods of a finished series at once: each may be compared with what came after it.

    Detectors that have no such form judge each period by those before it.

    Raises
    ------
    NothingSelectedError
        If the detector selects no series.
    """
    whole = slice(0, len(panel.period_start))
    at_once = getattr(detector, "detect_whole", None)
    return _trial(panel, detector, whole, (lambda mine, _: at_once(mine)) if at_once else detector.detect)


def _trial(
    panel: Panel,
    detector: Detector,
    judged: slice,
    judge: Callable[[Panel, slice], Judgement],
    progress: Callable[[Detector], None] = lambda _: None,
) -> Trial:
    progress(detector)
    rows = np.array([i for i, series in enumerate(panel.series) if detector.selects(series)], np.intp)
    if not len(rows):
        patterns = detector.model_dump(
            mode="json", include={"metrics", "columns", "groups", "entities"}, exclude_defaults=True
        )
        told = ", ".join(f"{name}={','.join(values)}" for name, values in patterns.items()) or "no patterns"
        raise NothingSelectedError(detector.detector, told, [series.metric for series in panel.series])
    mine = panel.select(rows)
    return Trial(detector, mine, judged, judge(mine, judged), alive(mine)[:, judged])


def _number(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None
