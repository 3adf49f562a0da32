"""Anomalies → episodes: consecutive flagged periods of a series are one thing to tell.

Pure: a re-run of the same span finds the same episodes (tests/property/test_episodes.py: episodes partition anomalies).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any

from lupus_provider.detectors import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

GAP = 1
"""Quiet periods in a row that do not end an episode."""
SEVERITIES = tuple(str(severity) for severity in Severity)


@dataclass(frozen=True, slots=True)
class Found:
    """Consecutive anomalies of one series, whoever flagged them."""

    series_id: str
    first_period: datetime
    last_period: datetime
    worst: Mapping[str, Any]
    """Record of the strangest anomaly."""

    @property
    def episode_id(self) -> str:
        """Hash of the series and the first period: the same however often, and in whatever zone, it is found."""
        text = f"{self.series_id} {self.first_period.astimezone(UTC).isoformat()}"
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def strangeness(record: Mapping[str, Any]) -> tuple[int, float]:
    """Rank of an anomaly, greater is stranger: by severity, then by how improbable it is."""
    score = record["score"]
    return SEVERITIES.index(record["severity"]), -(1.0 if score is None else score)


def find_episodes(anomalies: Iterable[Mapping[str, Any]], axis: Sequence[datetime], gap: int = GAP) -> list[Found]:
    """Merge anomalies into episodes.

    Parameters
    ----------
    anomalies
        Records of `records.ANOMALIES`, in any order; several detectors may flag one point.
    axis
        Every period start, oldest first; anomalies beside it are left out.
    gap
        So many quiet periods in a row do not end an episode; one more does.

    Returns
    -------
    list of Found
        Ordered by first period, then series.
    """
    place = {start: i for i, start in enumerate(axis)}
    known = [record for record in anomalies if record["period_start"] in place]
    by_series = sorted(known, key=lambda record: (record["series_id"], record["period_start"], record["detector"]))
    found: list[Found] = []
    for series_id, records in groupby(by_series, key=lambda record: record["series_id"]):
        run: list[Mapping[str, Any]] = []
        for record in records:
            if run and place[record["period_start"]] - place[run[-1]["period_start"]] > gap + 1:
                found.append(_episode(series_id, run))
                run = []
            run.append(record)
        found.append(_episode(series_id, run))
    return sorted(found, key=lambda episode: (episode.first_period, episode.series_id))


def _episode(series_id: str, run: Sequence[Mapping[str, Any]]) -> Found:
    """Make an episode of its records in order of time; of equally strange ones the first is the worst."""
    return Found(series_id, run[0]["period_start"], run[-1]["period_start"], max(run, key=strangeness))
