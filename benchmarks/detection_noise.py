"""Real daily series, injected faults, scoring by event: what a detector costs and finds on noise that nobody made up.

Abrupt faults are found on their first or second day, slow ones until their deadline. Alerts are runs of flagged days with gaps of at
most one day; an alert that touches an injected event, a known strange day or a missing value is not false.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lupus_provider.detectors.calendars import special_days

DATA = Path(__file__).parent / "detection_data"
ABRUPT = ("missing", "partial", "duplicate", "spike", "shift", "shift_pct", "unit")
MENU = {
    "volume": {"missing": 2, "partial": 3, "duplicate": 1, "spike": 1, "shift": 1.5, "shift_pct": 1, "drift": 1, "stale": 1, "unit": 0.3},
    "ratio": {"missing": 1, "spike": 2, "shift": 3, "drift": 1.5, "stale": 1, "unit": 0.3},
    "mean": {"missing": 1, "spike": 2, "shift": 3, "shift_pct": 1, "drift": 1.5, "stale": 1, "unit": 0.5},
    "quantile": {"missing": 1, "spike": 2, "shift": 2, "shift_pct": 1, "drift": 1, "stale": 1, "unit": 0.5},
    "sensor": {"missing": 1, "spike": 2, "shift": 3, "drift": 1.5, "stale": 1.5, "unit": 0.5},
}  # fmt: skip
LENGTHS = {"partial": (1, 1, 2, 3), "missing": (1, 1, 2, 3)}
NEUTRAL = {"shift": 7, "shift_pct": 7, "drift": 28, "stale": 2, "unit": 7}
DAYS_PER_EVENT = 75


@dataclass
class RealSet:
    """Series of one source over one axis of days."""

    name: str
    calendar: str
    kinds: list[str]
    value: np.ndarray
    dates: pd.DatetimeIndex
    first: np.ndarray
    stop: np.ndarray
    known: np.ndarray
    """Days that are strange in truth."""
    no_fault: np.ndarray
    """Special days on which no fault is injected."""

    @property
    def judged(self) -> np.ndarray:
        """First scored day of every series."""
        n = self.stop - self.first
        return self.first + np.where(n >= 730, 365, np.where(n >= 400, 90, 35))


@lru_cache(1)
def _tables() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    known = pd.read_csv(DATA / "known.csv", parse_dates=["start", "end"])
    return pd.read_csv(DATA / "series.csv.gz"), pd.read_csv(DATA / "sets.csv").fillna(""), known


def names() -> list[str]:
    """Return the sets that there are."""
    return _tables()[1].dataset.tolist()


@lru_cache(8)
def load(name: str) -> RealSet:
    """Read one set."""
    series, sets, known = _tables()
    rows = series[series.dataset == name]
    dates = pd.date_range(rows.date.min(), rows.date.max())
    keys = rows.drop_duplicates(["metric", "group"])
    wide = rows.assign(date=pd.to_datetime(rows.date)).pivot_table(
        index=["metric", "group"], columns="date", values="value", dropna=False
    )
    wide = wide.reindex(index=pd.MultiIndex.from_frame(keys[["metric", "group"]]), columns=dates)
    value = wide.to_numpy(float)
    there = np.isfinite(value)
    calendar = sets.set_index("dataset").calendar[name]
    special = special_days(dates.to_numpy().astype("datetime64[us]"), calendar or None)
    strange = np.zeros(len(dates), bool)
    for span in known[known.dataset == name].itertuples():
        strange |= (dates >= span.start - pd.Timedelta(days=1)) & (dates <= span.end + pd.Timedelta(days=1))
    return RealSet(
        name, calendar, keys.kind.tolist(), value, dates, there.argmax(axis=1), value.shape[1] - there[:, ::-1].argmax(axis=1),
        strange, np.array([bool(day) and not day.endswith("december") for day in special]),
    )  # fmt: skip


def _local_noise(value: np.ndarray, weekday: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centred median of the same weekday (nine weeks) and robust sigma (17 weeks), for sizing faults only."""
    middle = np.full(len(value), np.nan)
    for day in range(7):
        at = np.flatnonzero(weekday == day)
        middle[at] = pd.Series(value[at]).rolling(9, center=True, min_periods=3).median().to_numpy()
    off = pd.Series(value - middle).abs()
    return middle, 1.4826 * off.rolling(119, center=True, min_periods=20).median().to_numpy()


@dataclass
class Fault:
    """One injected event of one series; days are positions."""

    row: int
    kind: str
    start: int
    end: int
    deadline: int
    neutral_end: int


def inject(real: RealSet, seed: int) -> tuple[np.ndarray, list[Fault]]:
    """Return the values with faults at clean places, and the faults."""
    value, faults = real.value.copy(), list[Fault]()
    weekday = np.asarray(real.dates.dayofweek)
    for row in range(len(value)):
        rng = np.random.default_rng([seed, row, sum(map(ord, real.name))])
        faults += _inject_row(real, row, value[row], rng, weekday)
    return value, faults


def _inject_row(
    real: RealSet, row: int, target: np.ndarray, rng: np.random.Generator, weekday: np.ndarray
) -> list[Fault]:
    original = real.value[row]
    begin, stop = real.judged[row] + 3, real.stop[row] - 3
    want = int(np.clip((stop - begin) / DAYS_PER_EVENT, 0.6, 9) + rng.random())
    middle, sigma = _local_noise(original, weekday)
    menu = MENU[real.kinds[row]]
    chance = np.array(list(menu.values())) / sum(menu.values())
    taken: list[tuple[int, int]] = []
    faults: list[Fault] = []
    for _ in range(want * 15):
        if len(faults) >= want or stop - begin < 10:
            break
        kind = str(rng.choice(list(menu), p=chance))
        start = int(rng.integers(begin, stop))
        fault = _draw(kind, row, start, rng, int(real.stop[row]))
        span = (start - 14, fault.neutral_end + 14)
        free = all(span[1] < a or span[0] > b for a, b in taken)
        if (
            free
            and _is_clean(real, original, middle, sigma, fault)
            and _apply(real, row, target, original, sigma, fault, rng)
        ):
            taken.append(span)
            faults.append(fault)
    return faults


def _draw(kind: str, row: int, start: int, rng: np.random.Generator, stop: int) -> Fault:
    ranges = {"shift": (14, 46), "shift_pct": (14, 46), "drift": (20, 46), "stale": (3, 9), "unit": (3, 15)}
    length = int(rng.integers(*ranges[kind])) if kind in ranges else int(rng.choice(LENGTHS.get(kind, (1,))))
    end = min(start + length - 1, stop - 1)
    deadline = start + 1 if kind in ABRUPT else end + 7 if kind == "drift" else min(end, start + 3)
    return Fault(row, kind, start, end, deadline, end + NEUTRAL.get(kind, 1))


def _is_clean(real: RealSet, value: np.ndarray, middle: np.ndarray, sigma: np.ndarray, fault: Fault) -> bool:
    start, end = fault.start, fault.end
    near, span = slice(max(0, start - 2), start + 3), value[start : end + 1]
    if not np.isfinite(value[start - 1 : start + 2]).all() or real.known[near].any() or real.no_fault[near].any():
        return False
    if not np.isfinite(sigma[start]) or sigma[start] <= 1e-12:
        return False
    if np.nanmax(np.abs(value[near] - middle[near]) / np.maximum(sigma[near], 1e-300)) > 3.5:
        return False
    if fault.kind in ("shift", "shift_pct", "drift") and (
        end - start < 6 or np.isnan(span).mean() > 0.2 or real.known[start : end + 1].any()
    ):
        return False
    if fault.kind == "stale":
        there = value[np.isfinite(value)]
        return end - start >= 2 and len(np.unique(span)) >= 3 and (np.diff(there) == 0).mean() <= 0.1
    by_factor = fault.kind in ("unit", "partial", "duplicate", "shift_pct")
    return not by_factor or abs(np.nanmedian(span)) >= 3 * sigma[start]


def _apply(
    real: RealSet,
    row: int,
    target: np.ndarray,
    original: np.ndarray,
    sigma: np.ndarray,
    fault: Fault,
    rng: np.random.Generator,
) -> bool:
    span = slice(fault.start, fault.end + 1)
    sign = int(rng.choice([-1, 1]))
    part = np.arange(1, fault.end - fault.start + 2)
    size = {"spike": rng.uniform(4, 12), "shift": rng.uniform(2.5, 6), "drift": rng.uniform(3, 6)}.get(fault.kind, 0.0)
    factor = {
        "partial": rng.uniform(0.4, 0.8), "duplicate": 2.0, "shift_pct": 1 + sign * rng.uniform(0.2, 0.5),
        "unit": float(rng.choice([100.0, 0.01])),
    }.get(fault.kind, 1.0)  # fmt: skip
    added = sign * size * sigma[fault.start] * (part / len(part) if fault.kind == "drift" else np.ones(len(part)))
    new = target.copy()
    new[span] = (
        np.nan
        if fault.kind == "missing"
        else new[fault.start - 1]
        if fault.kind == "stale"
        else new[span] * factor + added
    )
    if fault.kind == "drift":
        new[fault.end + 1 :] += added[-1]
    if np.nanmin(original) >= 0:
        new = np.maximum(new, 0)
    if real.kinds[row] == "ratio" and fault.kind != "unit":
        new[fault.start :] = np.minimum(new[fault.start :], max(1.0, np.nanmax(original)))
    there = original[np.isfinite(original)]
    if (there == np.round(there)).all():
        new = np.round(new)
    if size and np.nanmedian(np.abs(new[span] - target[span])) < 0.6 * np.nanmedian(np.abs(added)):
        return False  # clipped away
    target[:] = new
    return True


@dataclass
class Counts:
    """What came of one set; added up over seeds."""

    months: float = 0.0
    false: int = 0
    true: int = 0
    found: list[tuple[str, bool]] = field(default_factory=list)

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.months + other.months, self.false + other.false, self.true + other.true, self.found + other.found
        )


def evaluate(real: RealSet, flagged: np.ndarray, faults: list[Fault] | None = None) -> Counts:
    """Count found faults and false alerts of one set."""
    counts = Counts()
    by_row: dict[int, list[Fault]] = {}
    for fault in faults or []:
        by_row.setdefault(fault.row, []).append(fault)
    for row in range(len(flagged)):
        begin, stop = int(real.judged[row]), int(real.stop[row])
        days = np.flatnonzero(flagged[row, begin:stop]) + begin
        counts.months += (stop - begin) / 30.4375
        mine = by_row.get(row, [])
        counts.found += [(f.kind, bool(((days >= f.start) & (days <= f.deadline)).any())) for f in mine]
        for first, last in runs(days):
            if any(first <= f.neutral_end and last >= f.start for f in mine):
                counts.true += 1
            elif not real.known[first : last + 1].any() and not np.isnan(real.value[row, first : last + 1]).any():
                counts.false += 1
    return counts


def runs(days: np.ndarray) -> list[tuple[int, int]]:
    """Return first and last day of each alert."""
    if not len(days):
        return []
    cut = np.flatnonzero(np.diff(days) > 2)
    return list(zip(days[np.r_[0, cut + 1]].tolist(), days[np.r_[cut, len(days) - 1]].tolist(), strict=True))


def summary(natural: list[Counts], injected: list[Counts]) -> dict[str, Any]:
    """Macro over sets: each set weighs the same."""
    kinds: dict[str, list[bool]] = {}
    for counts in injected:
        for kind, found in counts.found:
            kinds.setdefault(kind, []).append(found)
    recalls = [np.mean([found for _, found in counts.found]) for counts in injected if counts.found]
    return {
        "false_alarms_per_series_month": float(np.mean([c.false / c.months for c in natural])),
        "recall": float(np.mean(recalls)),
        "recall_by_kind": {kind: round(float(np.mean(found)), 3) for kind, found in sorted(kinds.items())},
    }
