"""Seasonal, the default detector: level, profile and calendar, judged by the tail of the series' own past deviations.

The parameters and the doors; `step` has one period, `run` has all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from lupus_provider.detectors.base import DETECTORS, Detector, Judgement, Outcome, Panel
from lupus_provider.detectors.season import SEASON_LENGTH
from lupus_provider.detectors.seasonal.plan import Plan, factor_of
from lupus_provider.detectors.seasonal.run import advance, new_state
from lupus_provider.detectors.seasonal.state import VERSION, State


@DETECTORS.register("seasonal")
class Seasonal(Detector):
    """Strange points, jumps, trends, bursts, repeats, lost rhythms and missing values against level, weekly profile and calendar.

    Each series is judged on the scale on which its noise is even, by the tail of its own past deviations. What is strange is kept out
    of the baseline; a jump that stays is learnt within three periods.

    Examples
    --------
    >>> Seasonal(false_alarms_per_series_year=4, holidays="US").plan("day").phases
    7
    """

    detector: Literal["seasonal"] = "seasonal"  # pyright: ignore[reportIncompatibleVariableOverride]
    season_length: Annotated[int | None, Field(ge=1, le=744)] = None
    """Periods in a season; empty = by period: day 7, hour 168 (24 = time of day only), week and month none (1)."""
    false_alarms_per_series_year: Annotated[float, Field(gt=0, le=365)] = 0.5
    """Sensitivity: false alarms that one well-behaved series may raise a year; 0.25, 0.5, 1, 2, 4 are usual. Heavy-tailed series raise two to three times as many."""
    false_discovery_rate: Annotated[float | None, Field(gt=0, lt=1)] = None
    """Part of the spikes and dips of one period that may be false, over all series judged together (Benjamini and Hochberg); empty = each series by itself."""
    holidays: Annotated[str | None, Field(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")] = None
    """Country (`US`) or region (`US-NY`) whose public holidays, and the days around them, are forecast from last year's."""
    special_days: dict[str, tuple[date, ...]] = Field(default_factory=dict[str, tuple[date, ...]])
    """Days of one's own by name, past and to come: `{sale: [2025-11-11, 2026-11-11]}`; the next one is forecast from the last."""
    month_ends: bool = True
    """Whether the last day of the month may be unlike others."""
    missing: bool = True
    """Whether a value that usually comes and does not is told, for two weeks; no, where the detector `missing` does it."""

    def plan(self, period: Literal["hour", "day", "week", "month"]) -> Plan:
        """Return what stays the same over a run."""
        length = self.season_length or SEASON_LENGTH[period]
        return Plan(period, length, factor_of(self.false_alarms_per_series_year), self.missing)

    @property
    def state_key(self) -> str:
        """Key and version under which a state is kept."""
        return f"{self.key}/{VERSION}"

    def start(self, panel: Panel) -> State:
        """Return a state that knows nothing, for panels with this one's period."""
        return new_state(self.state_key, self.plan(panel.period))

    def advance(self, state: State, panel: Panel) -> tuple[State, Judgement]:
        """Judge the periods that the state has not seen.

        Parameters
        ----------
        state
            From `start`, `State.load` or an earlier `advance`; used up by this call.
        panel
            Periods from the state's last one (or earlier) on, without a gap; new series may come, others may be absent.

        Returns
        -------
        State, Judgement
            The state after the panel's last period; arrays of shape (series, periods after the state's last).

        Raises
        ------
        GapInStateError
            If the panel does not contain the state's last period.
        """
        state, judgement = self._advance(state, panel, None)
        return state, judgement

    def detect(self, panel: Panel, judged: slice) -> Judgement:
        """Judge each period with what was learnt from the periods before it; see the base class."""
        return self._advance(self.start(panel), panel.before(judged.stop), judged)[1]

    def _advance(self, state: State, panel: Panel, judged: slice | None) -> tuple[State, Judgement]:
        state, judgement = advance(
            state, panel, self.plan(panel.period), self.holidays, self.special_days, self.month_ends, judged
        )
        if self.false_discovery_rate is not None:
            begin = len(panel.period_start) - judgement.outcome.shape[1] if judged is None else judged.start
            _control(judgement, panel.value[:, begin : begin + judgement.outcome.shape[1]], self.false_discovery_rate)
        return state, judgement


def _control(judgement: Judgement, value: np.ndarray, rate: float) -> None:
    """Let go of the spikes and dips of each period that the false-discovery rate does not allow; their band ends at them."""
    single = np.isin(judgement.kind, ("spike", "dip")) & (judgement.outcome == Outcome.ANOMALY)
    for column in np.flatnonzero(single.any(axis=0)):
        score = judgement.score[:, column]
        allowed = _benjamini_hochberg(score[np.isfinite(score)], rate)
        drop = single[:, column] & (score > allowed)
        judgement.outcome[drop, column] = Outcome.NORMAL
        judgement.kind[drop, column] = ""
        at = value[drop, column]
        judgement.lower[drop, column] = np.fmin(judgement.lower[drop, column], at)
        judgement.upper[drop, column] = np.fmax(judgement.upper[drop, column], at)


def _benjamini_hochberg(score: np.ndarray, rate: float) -> float:
    """Return the largest score that is still a discovery (Benjamini and Hochberg 1995), 0 if there is none."""
    ordered: Sequence[float] = np.sort(score).tolist()
    best = 0.0
    for rank, probability in enumerate(ordered, 1):
        if probability <= rate * rank / len(ordered):
            best = probability
    return best
