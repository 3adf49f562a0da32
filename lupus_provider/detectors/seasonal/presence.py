"""Whether a value should have come: how often each place of the season has had one, learnt outside long outages.

A weekly job in a daily set is not missing on the other six days, and an outage does not teach absence.
"""

from __future__ import annotations

import numpy as np

from lupus_provider.detectors.seasonal.lanes import Bools
from lupus_provider.detectors.seasonal.memory import Memory

FORGET = 0.93
USUAL, USUAL_OF_ALL = 0.88, 0.93
LEAST_CHANCES, LEAST_OF_ALL = 5, 7
IN_OUTAGE = 0.2
"""Within an outage less is usual enough: its own first day has taught absence."""
PATIENCE = 14
"""Missing periods in a row after which a series is not told again."""


def missing(memory: Memory, there: Bools, excluded: Bools, phase: int) -> Bools:
    """Return which series miss a value that usually comes, and learn from whether it came."""
    started = memory.age >= 0
    rate = (memory.present[phase] + 0.5) / (memory.chances[phase] + 1)
    all_chances = memory.chances.sum(axis=0)
    rate_of_all = (memory.present.sum(axis=0) + 0.5) / (all_chances + 1)
    lower = np.where(memory.missing_run > 0, IN_OUTAGE, 0.0)
    usual = np.where(memory.chances[phase] >= LEAST_CHANCES, rate > USUAL - lower, rate_of_all > USUAL_OF_ALL - lower)
    absent = started & ~there & (all_chances >= LEAST_OF_ALL) & usual & ~excluded
    taught = started & ~excluded & ~(absent & (memory.missing_run > 0))
    memory.missing_run = np.where(absent, memory.missing_run + 1, 0).astype(np.int32)
    memory.present[phase] = np.where(taught, memory.present[phase] * FORGET + there, memory.present[phase])
    memory.chances[phase] = np.where(taught, memory.chances[phase] * FORGET + 1, memory.chances[phase])
    return absent & (memory.missing_run <= PATIENCE)
