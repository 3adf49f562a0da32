"""Missing: nothing was stored, or no value, on a weekday that usually has one.

What is usual is learnt from the weeks before the outage, so that an outage does not teach absence; after `patience` periods the
series is taken for gone and is not told again.
"""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from lupus_provider.detectors.base import DETECTORS, Bools, Detector, Floats, Judgement, Outcome, Panel
from lupus_provider.detectors.season import SEASON_LENGTH, phases


@DETECTORS.register("missing")
class Missing(Detector):
    """Periods without a value (no point, an undefined value, or an error) that usually have one.

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
    """Missing periods in a row after which a series is taken for gone."""

    def detect(self, panel: Panel, judged: slice) -> Judgement:
        """Judge each period without a value by what was usual before the outage; see the base class."""
        length = self.season_length or SEASON_LENGTH[panel.period]
        place = phases(panel.local_start, panel.period, length)
        has = np.isfinite(panel.observed)[:, : judged.stop]
        outage, began = _runs(has)
        hits, tries = (np.zeros((len(panel), judged.stop - judged.start)) for _ in range(2))
        for column, t in enumerate(range(judged.start, judged.stop)):
            past = np.flatnonzero(place[:t] == place[t])
            hits[:, column], tries[:, column] = self._usual(has, past, t - outage[:, t], began[:, t])
        return self._judge(has[:, judged], outage[:, judged], hits, tries)

    def _usual(
        self, has: Bools, past: NDArray[np.intp], last: NDArray[np.int64], began: NDArray[np.int64]
    ) -> tuple[Floats, Floats]:
        """Count values and chances of the same place in the seasons up to index `last`, the latest first."""
        chance = (past[None, :] <= last[:, None]) & (past[None, :] >= began[:, None])
        newest_first = np.cumsum(chance[:, ::-1], axis=1)[:, ::-1]
        chance &= newest_first <= self.seasons
        return (chance & has[:, past]).sum(axis=1), chance.sum(axis=1)

    def _judge(self, has: Bools, outage: NDArray[np.int64], hits: Floats, tries: Floats) -> Judgement:
        long_enough = tries >= self.least_seasons
        usual = long_enough & (hits >= self.usual_ratio * tries)
        strange = ~has & usual & (outage <= self.patience)
        judgement = Judgement.empty(*has.shape)
        outcome = np.select(
            [strange, ~has & ~long_enough & (outage <= self.patience), ~has],
            [Outcome.ANOMALY, Outcome.TOO_SHORT, Outcome.NO_DATA], Outcome.NORMAL,
        ).astype(np.int8)  # fmt: skip
        # a value that came counts as certain; absence has the (smoothed) share of seasons without one
        score = np.where(has, 1.0, np.where(long_enough, (tries - hits + 0.5) / (tries + 1), np.nan))
        nan = judgement.expected
        return Judgement(outcome, nan, nan.copy(), nan.copy(), score, np.where(strange, "missing", "").astype(object))


def _runs(has: Bools) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Length of the outage up to each period (0 where there is a value), and the index of the first value so far."""
    index = np.arange(has.shape[1])[None, :]
    latest = np.maximum.accumulate(np.where(has, index, -1), axis=1)
    never = latest < 0
    first = np.where(never, index + 1, np.argmax(has, axis=1)[:, None])
    return np.where(never, 0, index - latest), first
