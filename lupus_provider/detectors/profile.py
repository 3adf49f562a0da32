"""Forecast of the next period from what came before: a robust level plus the usual deviation of its weekday (or hour, month).

One pass over time with a small memory per series, all series at once; the period being forecast is learnt only after it was
forecast, so nothing ever stands in its own baseline (test_the_judged_point_is_never_in_its_own_baseline).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lupus_provider.detectors.order import MAD_TO_SIGMA, median_rows, middle_mean_rows

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

RECENT = 14
"""Observed values that make the level."""
HALF_LIFE = 7.0
"""Values after which the weight in the level halves."""
CLIP = 2.0
"""Recent values count at most so many robust deviations away from their median."""
SEASONS = 8
"""Seasons that make the profile."""
SEASONS_LEAST = 2
"""Seasons of a phase before it is forecast."""
VALUES_LEAST = 5
"""Recent values before anything is forecast."""
FORGET_SEASONS = 4
FORGET_PERIODS = 28
"""A series without values for both of these starts anew when it returns."""


@dataclass(frozen=True, slots=True)
class Forecasts:
    """Forecast of every period; arrays of shape (n, t)."""

    expected: Floats
    """NaN where there was too little to forecast from."""
    uncertainty: Floats
    """Factor >= 1 on the noise of a residual: forecasts from few seasons are worse."""
    magnitude: Floats
    """Mean size of the recent values: what rounding errors are measured against."""
    began: Ints
    """Index of the period at which the series began, or began anew after a long gap."""


class ProfileMemory:
    """What is remembered of n series between one period and the next."""

    def __init__(self, n: int, season_length: int) -> None:
        self.season_length = season_length
        self.weight = 0.5 ** (np.arange(RECENT)[::-1] / HALF_LIFE)
        self.recent = np.full((n, RECENT), np.nan)
        self.recent_phase = np.zeros((n, RECENT), np.int64)
        self.season = np.full((n, season_length), np.nan)
        self.deviations = np.full((n, season_length, SEASONS), np.nan)
        self.profile = np.full((n, season_length), np.nan)
        self.noise = np.full((n, season_length), np.nan)
        self.seen = np.zeros((n, season_length), np.int64)
        self.age = np.zeros(n, np.int64)
        self.gap = np.zeros(n, np.int64)
        self.began = np.zeros(n, np.int64)

    def effects(self) -> tuple[Floats, Floats]:
        """Return the deviation of every phase, shrunk where noise explains it (James and Stein), and the part that was kept."""
        if self.season_length == 1:
            return np.zeros_like(self.profile), np.zeros(len(self.profile))
        known = np.isfinite(self.profile)
        deviation = np.nan_to_num(self.profile - _mean_rows(self.profile, known)[:, None])
        size = _mean_rows(np.abs(deviation), known)
        seasons = np.maximum(_mean_rows(np.minimum(self.seen, SEASONS).astype(float), known), 1.0)
        with np.errstate(all="ignore"):
            noise = _mean_rows(self.noise, np.isfinite(self.noise)) / np.sqrt(seasons) / size
            kept = np.nan_to_num(np.where(size > 0, np.clip(1 - noise**2, 0, 1), 0.0))
        return deviation * kept[:, None], kept

    def is_gone(self) -> Bools:
        """Whether a series was away for so long that its past says nothing."""
        return self.gap >= max(FORGET_SEASONS * self.season_length, FORGET_PERIODS)

    def forecast(self, phase: int) -> tuple[Floats, Floats, Floats]:
        """Return the expected value, the factor of its uncertainty, and the mean size of the recent values, each (n,)."""
        effects, kept = self.effects()
        values = self.recent - np.take_along_axis(effects, self.recent_phase, axis=1)
        observed = np.isfinite(values)
        middle = median_rows(values)[:, None]
        reach = CLIP * MAD_TO_SIGMA * median_rows(np.abs(values - middle))[:, None]
        weight = np.where(observed, self.weight, 0.0)
        clipped = np.where(observed, np.clip(values, middle - reach, middle + reach), 0.0)
        level = (clipped * weight).sum(axis=1) / np.maximum(weight.sum(axis=1), 1e-12)
        ready = (observed.sum(axis=1) >= VALUES_LEAST) & ~self.is_gone()
        if self.season_length > 1:
            ready &= self.seen[:, phase] >= SEASONS_LEAST
        expected = np.where(ready, level + effects[:, phase], np.nan)
        uncertainty = np.sqrt(1 + kept**2 / np.clip(self.seen[:, phase], 1, SEASONS))
        return expected, uncertainty, _mean_rows(np.abs(self.recent), np.isfinite(self.recent))

    def learn(self, value: Floats, phase: int, index: int) -> None:
        """Take in the values of one period, NaN where there are none."""
        observed = np.isfinite(value)
        self._forget(observed & self.is_gone(), index)
        self.gap = np.where(observed, 0, self.gap + 1)
        self.age += observed | (self.age > 0)
        self.recent = _push(self.recent, value, observed)
        self.recent_phase = _push(self.recent_phase, np.full(len(value), phase), observed)
        self.season = np.concatenate([self.season[:, 1:], value[:, None]], axis=1)
        self._learn_phase(value, phase, observed & (self.age >= self.season_length))

    def _learn_phase(self, value: Floats, phase: int, taken: Bools) -> None:
        # the mean of one whole season holds every phase once, so the profile does not move it
        deviation = value - _mean_rows(self.season, np.isfinite(self.season))
        self.deviations[:, phase] = _push(self.deviations[:, phase], deviation, taken)
        self.seen[:, phase] += taken
        middle = middle_mean_rows(self.deviations[:, phase])
        distance = np.abs(self.deviations[:, phase] - middle[:, None])
        known = self.seen[:, phase] >= SEASONS_LEAST
        self.profile[:, phase] = np.where(known, middle, np.nan)
        self.noise[:, phase] = np.where(known, _mean_rows(distance, np.isfinite(distance)), np.nan)

    def _forget(self, returned: Bools, index: int) -> None:
        for memory in (self.recent, self.season, self.deviations, self.profile, self.noise):
            memory[returned] = np.nan
        self.seen[returned] = 0
        self.age[returned] = 0
        self.began[returned] = index


def forecast_all(value: Floats, phase: Ints, season_length: int) -> Forecasts:
    """Forecast every period of every series from the periods before it.

    Parameters
    ----------
    value
        Shape (n, t), NaN where nothing was observed.
    phase
        Shape (t,), place in the season.
    season_length
        Number of phases; 1 = no season.

    Returns
    -------
    Forecasts
        Arrays of shape (n, t).
    """
    shape = value.shape
    expected, uncertainty, magnitude = np.full(shape, np.nan), np.ones(shape), np.zeros(shape)
    began = np.zeros(shape, np.int64)
    memory = ProfileMemory(shape[0], season_length)
    with np.errstate(invalid="ignore", over="ignore"):
        for t, place in enumerate(phase.tolist()):
            expected[:, t], uncertainty[:, t], magnitude[:, t] = memory.forecast(place)
            began[:, t] = memory.began
            memory.learn(value[:, t], place, t)
    return Forecasts(expected, uncertainty, magnitude, began)


def _mean_rows(rows: Floats, kept: Bools) -> Floats:
    count = kept.sum(axis=1)
    return np.where(count > 0, np.where(kept, rows, 0.0).sum(axis=1) / np.maximum(count, 1), np.nan)


def _push(memory: NDArray, value: NDArray, taken: Bools) -> NDArray:
    return np.where(taken[:, None], np.concatenate([memory[:, 1:], value[:, None]], axis=1), memory)
