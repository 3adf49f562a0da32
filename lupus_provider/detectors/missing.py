"""Missing: nothing was stored, or no value, on a weekday (or day of the month) that usually has one.

What is usual is learnt from the time before the outage, so that an outage does not teach absence; after `patience` periods the
series is taken for gone and is not told again.
"""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from lupus_provider.detectors.base import DETECTORS, Bools, Detector, Floats, Judgement, Outcome, Panel
from lupus_provider.detectors.season import SEASON_LENGTH, phases

Ints = NDArray[np.int64]

CHANCE = 1e-5
"""A rarer schedule (every second week, the 29th, the last of the month) is believed where chance makes it so seldom."""
MONTH = 31


@DETECTORS.register("missing")
class Missing(Detector):
    """Periods without a value (no point, an undefined value, or an error) that usually have one.

    A schedule is learnt for each series: the places of the season (weekdays) that usually have a value; and for series that come
    more rarely, every second season, the day of the month, and the day counted from the month's end.

    Examples
    --------
    >>> Missing(usual_ratio=1.0).patience
    28
    """

    detector: Literal["missing"] = "missing"  # pyright: ignore[reportIncompatibleVariableOverride]
    season_length: Annotated[int | None, Field(ge=1, le=744)] = None
    """Periods in a season; empty = by period: day 7, hour 168, week and month none (1)."""
    seasons: Annotated[int, Field(ge=2, le=500)] = 12
    """Past seasons that say what is usual."""
    least_seasons: Annotated[int, Field(ge=1, le=500)] = 4
    """Past seasons since the series began that are needed; with fewer the outcome is `too_short`."""
    usual_ratio: Annotated[float, Field(gt=0, le=1)] = 0.85
    """Part of the past seasons that must have had a value at this place for its absence to be strange."""
    patience: Annotated[int, Field(ge=1, le=5000)] = 28
    """Missing periods in a row after which a series is taken for gone; a rare schedule gets one of its rounds more."""

    def detect(self, panel: Panel, judged: slice) -> Judgement:
        """Judge each period without a value by what was usual before the outage; see the base class."""
        has = np.isfinite(panel.observed)[:, : judged.stop]
        outage, began = _runs(has)
        season, *rare = self._schedules(panel)
        hits, tries = self._usual(has, season[0], outage, began, judged)
        long_enough = tries >= self.least_seasons
        usual = long_enough & (hits >= self.usual_ratio * tries) & (outage[:, judged] <= self.patience)
        share = _share(has, outage, began)[:, judged]
        for place, length in rare:
            # few series come so rarely: only their rows are counted
            rows = np.flatnonzero((~has[:, judged] & ~usual & (share**self.seasons <= CHANCE)).any(axis=1))
            more, chances = self._usual(has[rows], place, outage[rows], began[rows], judged)
            scheduled = (chances >= self.least_seasons) & (more >= self.usual_ratio * chances)
            scheduled &= (share[rows] ** more <= CHANCE) & ~usual[rows]
            scheduled &= outage[rows, judged] <= self.patience + length
            hits[rows], tries[rows] = np.where(scheduled, more, hits[rows]), np.where(scheduled, chances, tries[rows])
            usual[rows] |= scheduled
        recent = outage[:, judged] <= self.patience
        return _judge(has[:, judged], usual, long_enough, recent, hits, tries)

    def _schedules(self, panel: Panel) -> list[tuple[Ints, int]]:
        """Return ways of numbering the periods (place of each period, periods in a round), the usual one first."""
        length = self.season_length or SEASON_LENGTH[panel.period]
        schedules = [(phases(panel.local_start, panel.period, length), length)]
        if length > 1:
            schedules.append((phases(panel.local_start, panel.period, 2 * length), 2 * length))
        if panel.period == "day":
            day, month = panel.local_start.astype("datetime64[D]"), panel.local_start.astype("datetime64[M]")
            schedules.append(((day - month.astype("datetime64[D]")).astype(np.int64), MONTH))
            schedules.append(((day - (month + 1).astype("datetime64[D]")).astype(np.int64), MONTH))
        return schedules

    def _usual(self, has: Bools, place: Ints, outage: Ints, began: Ints, judged: slice) -> tuple[Floats, Floats]:
        """Count values and chances of each judged period's place in the rounds before the outage, the latest `seasons`."""
        hits, tries = (np.zeros((len(has), judged.stop - judged.start)) for _ in range(2))
        for column, t in enumerate(range(judged.start, judged.stop)):
            past = np.flatnonzero(place[:t] == place[t])
            last, first = (t - outage[:, t])[:, None], began[:, t][:, None]
            chance = (past[None, :] <= last) & (past[None, :] >= first)
            newest_first = np.cumsum(chance[:, ::-1], axis=1)[:, ::-1]
            chance &= newest_first <= self.seasons
            hits[:, column], tries[:, column] = (chance & has[:, past]).sum(axis=1), chance.sum(axis=1)
        return hits, tries


def _judge(has: Bools, usual: Bools, long_enough: Bools, recent: Bools, hits: Floats, tries: Floats) -> Judgement:
    strange = ~has & usual
    judgement = Judgement.empty(*has.shape)
    outcome = np.select(
        [strange, ~has & ~long_enough & recent, ~has],
        [Outcome.ANOMALY, Outcome.TOO_SHORT, Outcome.NO_DATA], Outcome.NORMAL,
    ).astype(np.int8)  # fmt: skip
    # a value that came counts as certain; absence has the (smoothed) share of seasons without one
    score = np.where(has, 1.0, np.where(long_enough | strange, (tries - hits + 0.5) / (tries + 1), np.nan))
    nan = judgement.expected
    return Judgement(outcome, nan, nan.copy(), nan.copy(), score, np.where(strange, "missing", "").astype(object))


def _runs(has: Bools) -> tuple[Ints, Ints]:
    """Length of the outage up to each period (0 where there is a value), and the index of the first value so far."""
    index = np.arange(has.shape[1])[None, :]
    latest = np.maximum.accumulate(np.where(has, index, -1), axis=1)
    never = latest < 0
    first = np.where(never, index + 1, np.argmax(has, axis=1)[:, None])
    return np.where(never, 0, index - latest), first


def _share(has: Bools, outage: Ints, began: Ints) -> Floats:
    """Part of the periods with a value, from the first value to the last before the outage."""
    length = np.arange(has.shape[1])[None, :] - outage - began + 1
    return np.cumsum(has, axis=1) / np.maximum(length, 1)
