"""What a period is expected to be, and how sure that is: level + profile + special day, with every reason to widen the band.

Reads memory, changes nothing in it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lupus_provider.detectors.seasonal.lanes import Bools, Floats
from lupus_provider.detectors.seasonal.level import SETTLE, SETTLE_VARIANCE, candidates, mix
from lupus_provider.detectors.seasonal.memory import Memory
from lupus_provider.detectors.seasonal.noise import sigma, volatility
from lupus_provider.detectors.seasonal.plan import Day, Plan, Traits
from lupus_provider.detectors.seasonal.sampling import drawing_noise, rows_variance
from lupus_provider.detectors.seasonal.special import special_effect

PROFILE_GAIN = 0.08
STEADY_SEASONS, STEADY_VARIANCE = 12, 0.05
UNSURE_AFTER_JUMP = 8
COLD, COLD_AGE = 10.0, 6.0
"""A series that is judged for `a` periods has COLD / (a + COLD_AGE) more variance: two weeks tell little of the noise."""
ODD = 0.3
"""A day whose effect is this uncertain, in sigmas, teaches nothing but its effect."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """All arrays on the scale of the series, shapes (n,) unless said."""

    candidates: Floats
    """(forecasters, n): levels."""
    level: Floats
    profile: Floats
    """(phases, n): the believed part of the profile."""
    season: Floats
    plain: Floats
    """Level and season."""
    effect: Floats
    """Of the special day."""
    sigma: Floats
    width: Floats
    """Scale of this period over sigma."""
    rows: Floats
    """Part of the width that comes from the number of rows."""
    odd: Bools
    """A special day that teaches only its own effect."""

    @property
    def expected(self) -> Floats:
        """The forecast."""
        return self.plain + self.effect


def believed_profile(memory: Memory, noise: Floats) -> Floats:
    """Deviation of every phase, shrunk where noise explains it (James and Stein), shape (phases, n)."""
    phases = len(memory.profile)
    if phases == 1:
        return np.zeros_like(memory.profile)
    n = np.maximum(memory.profile_n, 1)
    variance = np.where(n < STEADY_SEASONS, 1 / n, STEADY_VARIANCE).sum(axis=0) / phases
    centred = memory.profile - memory.profile.sum(axis=0) / phases
    energy = np.maximum((centred**2).sum(axis=0), 1e-18)
    return centred * np.maximum(0.0, 1 - max(phases - 2, 1) * variance * noise**2 / energy)


def forecast(memory: Memory, day: Day, traits: Traits, plan: Plan) -> Forecast:
    """Forecast one period of a block of series."""
    noise = sigma(memory)
    profile = believed_profile(memory, noise)
    levels = candidates(memory, plan.period)
    level = mix(memory, levels)
    season = profile[day.phase]
    plain = level + season
    effect, error = special_effect(memory, day, noise, season)
    young = np.where(memory.rebased_age < UNSURE_AFTER_JUMP, 1 / (memory.rebased_age + 2.0), 0.0)
    young = np.maximum(
        young, np.where(memory.since_split < SETTLE, SETTLE_VARIANCE / np.maximum(memory.since_split, 1), 0.0)
    )
    few = np.maximum(1 / np.maximum(memory.profile_n[day.phase], 1) - PROFILE_GAIN, 0.0) if plan.phases > 1 else 0.0
    rows = np.sqrt(rows_variance(memory, day, traits))
    cold = 1 + COLD / (np.maximum(memory.judged_age, 0) + COLD_AGE)
    width = np.sqrt(cold + (error / noise) ** 2 + young + few) * rows * volatility(memory)
    width = np.maximum(width, drawing_noise(memory, day, traits, plain + effect) / noise)
    odd = (error > ODD * noise) | (np.abs(effect) > noise)
    return Forecast(levels, level, profile, season, plain, effect, noise, width, rows, odd)
