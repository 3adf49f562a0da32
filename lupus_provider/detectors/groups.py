"""New and vanished groups: a group (or entity) that is seen for the first time, or that stopped coming.

One series speaks for its group, so that forty metrics of a new region are one anomaly and not forty: `row_count` where there is
one, else the first by name. The series of the whole never appears or vanishes; that is for `missing`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from lupus_provider.detectors.base import DETECTORS, Bools, Detector, Judgement, Outcome, Panel, SeriesInfo

Rows = NDArray[np.intp]


class _Groups(Detector):
    """Base of both: who belongs together, and who speaks."""

    scope: ClassVar[Literal["series", "group"]] = "group"

    least_history: Annotated[int, Field(ge=1, le=5000)] = 14
    """Periods that a history must have: of the metric set before a group counts as new, of the group before it is missed."""

    def _judge(self, panel: Panel, judged: slice, kind: str) -> Judgement:
        present = panel.present & ~panel.failed
        everything = panel if panel.beside is None else panel.beside
        told = np.zeros(present.shape, bool)
        mine = {series.series_id: row for row, series in enumerate(panel.series)}
        stored = everything.present & ~everything.failed
        for rows in self._members(everything):
            if any(everything.series[row].series_id in mine for row in rows):
                for at, speaker in self._events(stored[rows], judged):
                    row = mine.get(everything.series[rows[speaker]].series_id)
                    if row is not None:
                        told[row, at] = True
        judgement = Judgement.empty(*present[:, judged].shape)
        strange, has = told[:, judged], np.isfinite(panel.observed)[:, judged]
        outcome = np.select([strange, has], [Outcome.ANOMALY, Outcome.NORMAL], Outcome.NO_DATA).astype(np.int8)
        nan = judgement.expected
        return Judgement(
            outcome, nan, nan.copy(), nan.copy(), nan.copy(), np.where(strange, kind, "").astype(object)
        )  # fmt: skip

    def _members(self, panel: Panel) -> Iterator[Rows]:
        """Yield the rows of each group that this detector selects, the speaker first."""
        groups: dict[tuple[object, ...], list[int]] = {}
        for row, series in enumerate(panel.series):
            if (series.group_key or series.entity is not None) and self.selects(series):
                groups.setdefault(_group(series), []).append(row)
        for rows in groups.values():
            yield np.array(sorted(rows, key=lambda row: _rank(panel.series[row])), np.intp)

    def _events(self, stored: Bools, judged: slice) -> Iterator[tuple[int, int]]:
        """Yield what happened to one group: period, and which of its series speaks."""
        raise NotImplementedError


@DETECTORS.register("new_group")
class NewGroup(_Groups):
    """The first period of a group or entity after the metric set already had `least_history` periods (kind `new_group`).

    A group that returns is not new, unless it stayed away for `forgotten_after` periods.

    Examples
    --------
    >>> NewGroup(groups=["region"], severity="low").key
    'new_group:a0edf317'
    """

    detector: Literal["new_group"] = "new_group"  # pyright: ignore[reportIncompatibleVariableOverride]
    forgotten_after: Annotated[int | None, Field(ge=1, le=5000)] = None
    """Periods without it after which a group is new again; empty = never."""

    def detect(self, panel: Panel, judged: slice) -> Judgement:
        """Judge each period by whether a group is seen for the first time; see the base class."""
        return self._judge(panel, judged, "new_group")

    def _events(self, stored: Bools, judged: slice) -> Iterator[tuple[int, int]]:
        seen = np.flatnonzero(stored[:, : judged.stop].any(axis=0))
        gap = np.diff(seen, prepend=-1) - 1
        new = (gap >= self.forgotten_after) if self.forgotten_after is not None else np.zeros(len(seen), bool)
        new[:1] = True
        for at in seen[new & (seen >= max(self.least_history, judged.start))]:
            yield int(at), int(np.argmax(stored[:, at]))


@DETECTORS.register("vanished_group")
class VanishedGroup(_Groups):
    """The moment when a group or entity has stayed away longer than it ever did, told once (kind `vanished_group`).

    A group that returns may vanish again. Groups that come now and then are given `patience` times their longest gap so far.

    Examples
    --------
    >>> VanishedGroup(groups=["region"]).least_gap
    3
    """

    detector: Literal["vanished_group"] = "vanished_group"  # pyright: ignore[reportIncompatibleVariableOverride]
    least_gap: Annotated[int, Field(ge=1, le=1000)] = 3
    """Periods without the group after which it has vanished, where it never had a gap; a weekly group needs more by itself."""
    patience: Annotated[float, Field(ge=1, le=100)] = 2.0
    """So many times its longest gap so far a group may stay away."""

    def detect(self, panel: Panel, judged: slice) -> Judgement:
        """Judge each period by whether a group has stopped coming; see the base class."""
        return self._judge(panel, judged, "vanished_group")

    def _events(self, stored: Bools, judged: slice) -> Iterator[tuple[int, int]]:
        seen = np.flatnonzero(stored[:, : judged.stop].any(axis=0))
        if not len(seen):
            return
        gaps = np.diff(seen) - 1
        longest = np.maximum.accumulate(np.concatenate([[0], gaps]))
        allowed = np.maximum(self.least_gap, np.ceil(self.patience * longest)).astype(np.int64)
        at = seen + allowed
        until = np.append(seen[1:], judged.stop)
        known = (np.arange(1, len(seen) + 1) >= self.least_history) & (at < until) & (at >= judged.start)
        for last, when in zip(seen[known], at[known], strict=True):
            yield int(when), int(np.argmax(stored[:, last]))


def _group(series: SeriesInfo) -> tuple[object, ...]:
    """Return what makes a group: its key; and, for per-entity metrics, the column and its value."""
    of_entity = (series.column_name, series.entity) if series.entity is not None else ()
    return (*of_entity, *sorted(series.group_key.items()))


def _rank(series: SeriesInfo) -> tuple[object, ...]:
    return series.metric != "row_count", series.column_name, series.metric, series.series_id
