"""From statistics to a verdict: which rule speaks, under which name, and how long it is quiet afterwards.

Nothing here changes what is learnt, so sensitivity can be changed without learning anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from lupus_provider.detectors.seasonal.lanes import Bools, Floats, NDArray
from lupus_provider.detectors.seasonal.memory import LONG_AGO, RULES, Memory
from lupus_provider.detectors.seasonal.slow import Slow

PAIR, PAIR_LEAST = 3.55, 1.2
STEP, RAMP, BURST, COLLAPSE, COLLAPSE_Z, SEASON, STALE = 6.0, 4.9, 6.8, 4.0, 4.0, 6.0, 1e-4
QUIET = 14
QUIET_SLOW = 10
"""Periods after which another slow rule may speak."""
QUIET_SHAPE = 45
"""Periods in which a change stays visible to steps and ramps: told once."""
QUIET_POINT = 3
ECHO_MOST = 0.8
UNITS = (1e-3, 1e-2, 1e2, 1e3)
UNIT_ERROR = 0.25


class Kind(IntEnum):
    """Names of what is strange."""

    NOTHING = 0
    SPIKE = 1
    DIP = 2
    LEVEL_SHIFT = 3
    TREND = 4
    MISSING = 5
    STALE = 6
    VARIANCE = 7
    SMOOTHING = 8
    SEASON_BREAK = 9
    UNIT_CHANGE = 10


WORDS = np.array(["" if kind == Kind.NOTHING else kind.name.lower() for kind in Kind], dtype=object)


@dataclass(frozen=True, slots=True)
class Points:
    """What is known of the judged points, shapes (n,)."""

    seen: Bools
    """Judged and there."""
    high: Bools
    low: Bools
    missing: Bools
    surprise: Floats
    """As a normal deviate, 0 where nothing was judged."""
    surprise_before: Floats
    ratio: Floats
    """Value over what was expected."""
    may_be_unit: Bools
    """Whether a factor of 100 or 1000 may be another unit: not for a share that is still one."""
    special: Bools
    after_special: bool
    jumped: Bools
    """Third strange period of one sign."""
    recovered: Bools


def decide(memory: Memory, points: Points, slow: Slow, factor: float) -> NDArray[np.int8]:
    """Return the kind of every series, `NOTHING` where all is well, and remember who spoke."""
    kind = np.select([points.high, points.low], [Kind.SPIKE, Kind.DIP], Kind.NOTHING)
    unit = np.zeros(len(kind), bool)
    for ratio in UNITS:
        unit |= np.abs(np.log(np.maximum(points.ratio, 1e-300) / ratio)) < UNIT_ERROR
    unit &= points.may_be_unit
    kind = np.where((kind > 0) & unit, Kind.UNIT_CHANGE, kind)
    kind = np.where((kind > 0) & points.jumped & ~unit, Kind.LEVEL_SHIFT, kind)
    repeats = (slow.stale < STALE ** (factor * factor)) & points.seen
    kind = np.where(repeats & (points.seen), Kind.STALE, kind)
    kind = np.where(points.missing, Kind.MISSING, kind)
    for since in (memory.since_point, memory.since_slow, memory.since_rule, memory.rebased_age):
        np.minimum(since + 1, LONG_AGO, out=since)
    pair = _pair(memory, points, factor) & (kind == Kind.NOTHING) & (memory.since_point > QUIET_POINT)
    kind = np.where(pair, Kind.LEVEL_SHIFT, kind)
    memory.since_point[kind != Kind.NOTHING] = 0
    memory.rebased_age[points.jumped | points.recovered] = 0
    return _slow_rules(memory, points, slow, kind, factor).astype(np.int8)


def _pair(memory: Memory, points: Points, factor: float) -> Bools:
    """Two strange periods in a row, neither strange enough alone."""
    echo = np.clip(memory.echo, 0, ECHO_MOST)
    together = np.abs(points.surprise + points.surprise_before) / np.sqrt(2 + 2 * echo)
    least = np.minimum(np.abs(points.surprise), np.abs(points.surprise_before))
    alike = np.sign(points.surprise) == np.sign(points.surprise_before)
    usual = ~points.special & ~points.recovered
    if points.after_special:
        return np.zeros(len(usual), bool)
    return (together > PAIR * factor) & alike & (least > PAIR_LEAST * factor) & usual & points.seen


def _slow_rules(memory: Memory, points: Points, slow: Slow, kind: NDArray, factor: float) -> NDArray:
    size = np.abs(slow.shapes)
    told_long_ago = memory.since_rule[:2].min(axis=0) > QUIET_SHAPE
    found = (
        (Kind.LEVEL_SHIFT, told_long_ago & (size[:2] > STEP * factor).any(axis=0), QUIET, 10, 10),
        (Kind.TREND, told_long_ago & (size[2:] > RAMP * factor).any(axis=0), QUIET, 21, 21),
        (Kind.VARIANCE, slow.burst > BURST * factor, QUIET, 6, -1),
        (
            Kind.SMOOTHING,
            (slow.collapse < -COLLAPSE * factor) & (slow.collapse_z < -COLLAPSE_Z * factor),
            QUIET,
            -1,
            10,
        ),
        (Kind.SEASON_BREAK, slow.season < -SEASON * factor, QUIET, QUIET, 5),
    )
    assert len(found) == RULES
    for rule, (name, there, quiet, after_jump, after_point) in enumerate(found):
        speaks = there & (kind == Kind.NOTHING) & ~points.special & (points.seen | (name != Kind.SMOOTHING))
        speaks &= (memory.since_rule[rule] > quiet) & (memory.since_slow > QUIET_SLOW)
        speaks &= (memory.rebased_age > after_jump) & (memory.since_point > after_point)
        kind = np.where(speaks, name, kind)
        memory.since_rule[rule][speaks] = 0
        memory.since_slow[speaks] = 0
    return kind
