"""What is remembered of every series between one period and the next: arrays of a few KB a series, no history.

One flat class, so that keeping it, cutting it into blocks and starting a series anew are each one loop over its fields.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from lupus_provider.detectors.seasonal.lanes import Bools, Floats, Lanes, NDArray

WINDOW = 112
"""Cleaned periods that slow changes are looked for in; longer where two seasons are."""
RESIDUALS = 200
"""Deviations that make the scale."""
RECENT = 14
LEVELS, LINES, SHARES_OF_LAST = 3, 2, 4
FORECASTERS = (LEVELS + LINES) * SHARES_OF_LAST
TAILS = 3
SHAPES = 4
"""Slow shapes: two steps, two ramps."""
RULES = 5
LONG_AGO = 9999

Ints = NDArray[np.int32]
Float32s = NDArray[np.float32]


@dataclass(slots=True)
class Memory(Lanes):
    """Everything that is known of n series; all arrays end in the axis of series."""

    # life
    age: Ints
    """Periods since the first value; -1 before it."""
    seen: Ints
    gap: Ints
    """Periods since the last value."""
    missing_run: Ints
    """Periods in a row without a value that usually comes."""
    judged_age: Ints
    """Periods since there is a forecast; -1 before."""
    # scale of the values
    scale: NDArray[np.int8]
    unit: Floats
    centre: Floats
    spread: Floats
    # rings
    raw: Floats
    """(window, n): values as they came."""
    clean: Float32s
    """(window, n): values on the series' scale without what was strange in them."""
    residual: Float32s
    """(residuals, n): value minus forecast, on the scale."""
    ordinary: Bools
    """(residuals, n): whether the deviation counts for the scale."""
    recent_z: Float32s
    """(recent, n): deviation in scales."""
    recent_surprise: Float32s
    """(recent, n): deviation as a normal deviate."""
    recent_shapes: Float32s
    """(recent, shapes, n)"""
    recent_y: Floats
    """(8, n): values on the scale, special days left out."""
    recent_spread: Floats
    """(10, n): log variance of eight values."""
    # season
    profile: Floats
    profile_n: Floats
    present: Floats
    chances: Floats
    odd_run: NDArray[np.int8]
    """(phases, n): seasons in a row in which this phase was off, with the sign."""
    old_profile: Floats
    old_profile_age: Ints
    # level
    smooth: Floats
    """(levels + lines, n)"""
    smooth_twice: Floats
    """(lines, n)"""
    last: Floats
    loss: Floats
    losses: Floats
    since_split: Ints
    # noise
    sigma: Floats
    """(tails, n): scale of the noise under each tail."""
    tail: Floats
    """(tails, n): weight of each tail."""
    first_sigma: Floats
    floor: Floats
    reach: Floats
    """Deviation at which a point is strange."""
    fast_noise: Floats
    slow_noise: Floats
    last_surprise: Floats
    burst_power: Floats
    """Mean square of the burst statistic, as a normal deviate."""
    echo: Floats
    """Correlation of one deviation with the next."""
    rows_moments: Floats
    """(6, n): moments of squared deviation against one over the number of rows."""
    # calendar
    effect: Float32s
    """(special days, n): last deviation from the forecast without it."""
    effect_of_level: Float32s
    """(special days, n): the same from the level alone."""
    month_ends: Float32s
    """(12, n)"""
    special_energy: Floats
    special_n: Floats
    special_most: Floats
    # runs
    run: Ints
    run_sign: NDArray[np.int8]
    run_level: Floats
    """Level on the day before the run of strange days."""
    old_level: Floats
    """Level before the last jump, for as long as a way back to it is expected."""
    old_level_age: Ints
    recent_level: Floats
    """(3, n): the last values without season."""
    rebased_age: Ints
    # slow rules
    shape_size: Floats
    """(shapes, n): usual size of the shapes, as a normal deviate."""
    spread_mean: Floats
    spread_power: Floats
    spread_n: Floats
    # repeats
    same_run: Ints
    longest_run: Ints
    ties: Floats
    tie_chances: Floats
    last_value: Floats
    # quiet times
    since_point: Ints
    since_slow: Ints
    since_rule: Ints
    """(rules, n)"""

    @classmethod
    def fresh(cls, n: int, phases: int, window: int, specials: int) -> Memory:
        """Return the memory of series that have never had a value."""
        sizes = {
            "raw": window, "clean": window, "residual": RESIDUALS, "ordinary": RESIDUALS, "recent_z": RECENT, "recent_surprise": RECENT,
            "recent_shapes": (RECENT, SHAPES), "recent_y": 8, "recent_spread": 10, "profile": phases, "profile_n": phases,
            "present": phases, "chances": phases, "odd_run": phases, "old_profile": phases, "old_profile_age": phases,
            "smooth": LEVELS + LINES, "smooth_twice": LINES, "loss": FORECASTERS, "sigma": TAILS, "tail": TAILS, "rows_moments": 6,
            "effect": specials, "effect_of_level": specials, "month_ends": 12, "recent_level": 3, "shape_size": SHAPES, "since_rule": RULES,
        }  # fmt: skip
        fills = {
            "age": -1, "judged_age": -1, "unit": 1.0, "spread": 1.0, "loss": 1.0, "sigma": 1.0, "tail": 1 / TAILS, "first_sigma": 1.0,
            "reach": np.inf, "fast_noise": 0.8, "slow_noise": 0.8, "shape_size": 1.4, "burst_power": 1.0, "gap": LONG_AGO,
            **dict.fromkeys(("raw", "residual", "recent_z", "recent_surprise", "recent_shapes", "recent_y", "recent_spread"), np.nan),
            **dict.fromkeys(("old_profile", "old_level", "recent_level", "effect", "effect_of_level", "month_ends", "last_value"), np.nan),
            **dict.fromkeys(
                ("old_profile_age", "since_split", "old_level_age", "rebased_age", "since_point", "since_slow", "since_rule"), LONG_AGO
            ),
        }  # fmt: skip
        kinds = {"Ints": np.int32, "Floats": np.float64, "Float32s": np.float32, "Bools": np.bool_}
        arrays = {}
        for field in fields(cls):
            size = sizes.get(field.name, ())
            shape = (*(size if isinstance(size, tuple) else (size,)), n)
            kind = kinds.get(str(field.type), np.int8)
            arrays[field.name] = np.full(shape, fills.get(field.name, 0), kind)
        return cls(**arrays)
