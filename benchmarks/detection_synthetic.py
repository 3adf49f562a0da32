"""Synthetic histories of the metrics of machine-learning products with labelled events, and their score by event.

Seven families (volumes, ratios, score means, latencies, sparse counts, drift statistics, revenue), eleven kinds of events, two years of
which the second is judged. A series with the same seed and number is always the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

ABRUPT = ("missing_partition", "partial_data", "duplicate_load", "spike", "level_shift", "unit_change")
SLOW = ("drift", "smoothing", "stale", "seasonality_break", "variance_burst")
FAMILIES = {
    "volume": 0.30, "ratio": 0.20, "score_mean": 0.20, "latency": 0.10, "sparse": 0.08, "drift_stat": 0.05, "revenue": 0.07,
}  # fmt: skip
LOADS = {"missing_partition": 2, "partial_data": 3, "duplicate_load": 1.5}
MENU: dict[str, dict[str, float]] = {
    "volume": {**LOADS, "spike": 1, "level_shift": 1.5, "drift": 1, "stale": 1, "seasonality_break": 1, "variance_burst": 0.5},
    "revenue": {**LOADS, "spike": 1, "level_shift": 1, "drift": 1, "stale": 1, "seasonality_break": 1, "variance_burst": 0.5},
    "ratio": {
        "missing_partition": 1, "spike": 2, "level_shift": 3, "drift": 2, "stale": 1, "smoothing": 1, "variance_burst": 1, "unit_change": 0.7,
    },
    "score_mean": {
        "missing_partition": 1, "spike": 1.5, "level_shift": 4, "drift": 2.5, "stale": 1, "smoothing": 2, "variance_burst": 1,
    },
    "latency": {"missing_partition": 1, "spike": 3, "level_shift": 2, "drift": 1.5, "variance_burst": 1.5},
    "sparse": {"missing_partition": 1.5, "spike": 3, "level_shift": 2},
    "drift_stat": {"missing_partition": 1, "spike": 2, "level_shift": 3, "drift": 2},
}  # fmt: skip
RANGES = {  # of the weekly amplitude, the noise, and the level
    "volume": ((0.05, 0.35), (0.01, 0.06)), "revenue": ((0.1, 0.4), (0.02, 0.08)), "ratio": ((0.02, 0.15), (0.02, 0.08)),
    "score_mean": ((0.005, 0.04), (0.004, 0.02)), "latency": ((0.03, 0.2), (0.04, 0.12)), "sparse": ((0.1, 0.5), (0.0, 0.0)),
    "drift_stat": ((0.02, 0.1), (0.15, 0.3)),
}  # fmt: skip
WEEKLY = {
    "volume": 0.95,
    "revenue": 0.95,
    "ratio": 0.5,
    "score_mean": 0.45,
    "latency": 0.6,
    "sparse": 0.5,
    "drift_stat": 0.2,
}
FOREVER = 10**6


@dataclass
class Event:
    """One labelled event; days are positions on the axis."""

    kind: str
    start: int
    end: int
    deadline: int
    neutral_end: int


@dataclass
class Synthetic:
    """Many series over one axis."""

    dates: pd.DatetimeIndex
    value: np.ndarray
    judged: np.ndarray
    heavy: np.ndarray
    events: list[list[Event]]
    holidays: dict[str, tuple[Any, ...]] = field(default_factory=dict)


def holidays(years: range) -> list[tuple[pd.Timestamp, str]]:
    """Return the holidays that move the series, known beforehand."""
    found = []
    for year in years:
        november = pd.Timestamp(year, 11, 1)
        thanksgiving = november + pd.Timedelta(days=(3 - november.weekday()) % 7 + 21)
        may, september = pd.Timestamp(year, 5, 31), pd.Timestamp(year, 9, 1)
        found += [
            (pd.Timestamp(year, 1, 1), "new_year"), (may - pd.Timedelta(days=may.weekday()), "memorial_day"),
            (pd.Timestamp(year, 7, 4), "independence_day"), (september + pd.Timedelta(days=-september.weekday() % 7), "labor_day"),
            (thanksgiving, "thanksgiving"), (thanksgiving + pd.Timedelta(days=1), "black_friday"),
            (thanksgiving + pd.Timedelta(days=4), "cyber_monday"), (pd.Timestamp(year, 12, 24), "xmas_eve"),
            (pd.Timestamp(year, 12, 25), "xmas"), (pd.Timestamp(year, 12, 31), "new_years_eve"),
        ]  # fmt: skip
    return found


def make(seed: int, n: int = 200, days: int = 730, judged_days: int = 365) -> Synthetic:
    """Make `n` series; a quarter of them begin only 150 to 220 days before the end."""
    dates = pd.date_range("2023-01-01", periods=days)
    special = holidays(range(2023, 2023 + days // 365 + 2))
    value = np.full((n, days), np.nan)
    judged, heavy = np.zeros(n, int), np.zeros(n, bool)
    events = []
    for i in range(n):
        rng = np.random.default_rng([seed, i])
        row, begin, heavy[i], mine = _make_one(rng, days, judged_days, dict(special), dates)
        first = days - len(row)
        value[i, first:], judged[i] = row, first + begin
        events.append(
            [Event(e.kind, e.start + first, e.end + first, e.deadline + first, e.neutral_end + first) for e in mine]
        )
    names: dict[str, tuple[Any, ...]] = {}
    for day, name in special:
        names[name] = (*names.get(name, ()), day.date())
    return Synthetic(dates, value, judged, heavy, events, names)


def _autoregressive(rng: np.random.Generator, n: int, phi: float, heavy: bool) -> np.ndarray:
    shock = rng.standard_t(5, n) / np.sqrt(5 / 3) if heavy else rng.standard_normal(n)
    noise = shock.copy()
    for i in range(1, n):
        noise[i] = phi * noise[i - 1] + np.sqrt(1 - phi * phi) * shock[i]
    return noise


def _make_one(
    rng: np.random.Generator, days: int, judged_days: int, special: dict[pd.Timestamp, str], dates: pd.DatetimeIndex
) -> tuple[np.ndarray, int, bool, list[Event]]:
    family = str(rng.choice(list(FAMILIES), p=list(FAMILIES.values())))
    cold = rng.random() < 0.25
    n = int(rng.integers(150, 220)) if cold else days
    begin = 60 if cold else n - judged_days
    mine = dates[days - n :]
    t, weekday = np.arange(n), np.asarray(mine.dayofweek)
    heavy = bool(rng.random() < 0.25)
    phi = rng.uniform(0, 0.4)
    weekly = rng.random() < WEEKLY[family]
    week = rng.normal(0, 1, 7)
    if rng.random() < 0.6:  # the usual shape of business: weekends differ
        week = np.where(np.arange(7) >= 5, -1.0, 0.4) * rng.choice([1, -1], p=[0.8, 0.2]) + rng.normal(0, 0.08, 7)
    else:
        week = (week - week.mean()) / np.abs(week - week.mean()).max()
    week -= week.mean()
    swing, noise_range = RANGES[family]
    amplitude, sigma = rng.uniform(*swing) * weekly, rng.uniform(*noise_range)
    business = family in ("volume", "revenue")
    growth = rng.normal(0, 0.25 if business else 0.04)
    yearly = rng.uniform(0, 0.12 if business or family == "ratio" else 0.02)
    base = {
        "volume": 10 ** rng.uniform(3, 7), "revenue": 10 ** rng.uniform(4, 6), "ratio": rng.uniform(0.01, 0.4), "score_mean": rng.uniform(0.1, 0.8),
        "latency": 10 ** rng.uniform(1, 3), "sparse": rng.uniform(0.5, 12), "drift_stat": rng.uniform(0.01, 0.06),
    }[family]  # fmt: skip
    effect = 0.0
    if business or family == "sparse":
        effect = (rng.random() < 0.65) * rng.uniform(0.1, 0.5) * rng.choice([-1, 1], p=[0.75, 0.25])
    elif family in ("ratio", "latency") and rng.random() < 0.5:
        effect = rng.uniform(0.02, 0.1) * rng.choice([-1, 1])
    holiday = np.array([effect * _strength(special[day]) if day in special else 0.0 for day in mine])
    month_end = np.where(
        (mine + pd.Timedelta(days=1)).month != mine.month, (family == "revenue") * rng.uniform(0.1, 0.5), 0.0
    )
    trend = growth * (t - n / 2) / 365 + yearly * np.sin(
        2 * np.pi * (t + days - n) / 365.25 + rng.uniform(0, 2 * np.pi)
    )
    changes = Changes(n)
    steady = amplitude < 2 * sigma
    events = _draw_events(rng, family, cold, begin, n, steady, changes)
    noise = _autoregressive(rng, n, phi, heavy) * changes.noise
    season = changes.season * amplitude * week[(weekday + changes.shifted) % 7]
    off = sigma * (noise + changes.sigmas)
    if business:
        value = np.round(base * np.exp(trend + season + month_end + off) * (1 + holiday) * (1 + changes.part))
    elif family == "latency":
        value = base * np.exp(trend + season + holiday + off)
    elif family == "sparse":
        mean = base * np.exp(np.clip(trend + season, -2, 2)) * (1 + holiday)
        value = np.maximum(rng.poisson(mean) + np.round(changes.sigmas * np.sqrt(np.maximum(mean, 0.5))), 0.0)
    elif family == "drift_stat":
        value = base * np.exp(season + sigma * (noise + np.abs(changes.sigmas)))
    else:
        value = np.clip(base * (1 + trend * 0.3 + season + holiday) + base * off, 0, 1)
    value = value * changes.unit
    for start, end in changes.frozen:
        value[start : end + 1] = value[start - 1]
    return np.where(changes.missing, np.nan, value), begin, heavy, events


def _strength(name: str) -> float:
    return (
        1.5
        if name in ("xmas", "thanksgiving", "new_year")
        else -0.8
        if name in ("black_friday", "cyber_monday")
        else 1.0
    )


class Changes:
    """What the events do to a series."""

    def __init__(self, n: int) -> None:
        self.part, self.sigmas = np.zeros(n), np.zeros(n)
        self.noise, self.season, self.unit = np.ones(n), np.ones(n), np.ones(n)
        self.shifted, self.missing = np.zeros(n, int), np.zeros(n, bool)
        self.frozen: list[tuple[int, int]] = []

    def add(self, rng: np.random.Generator, kind: str, start: int, end: int) -> None:
        """Apply one event."""
        span, sign = slice(start, end + 1), int(rng.choice([-1, 1]))
        ramp = np.arange(1, end - start + 2) / (end - start + 1)
        if kind == "missing_partition":
            self.missing[span] = True
        elif kind in ("partial_data", "duplicate_load"):
            self.part[span] = -rng.uniform(0.2, 0.6) if kind == "partial_data" else rng.uniform(0.8, 1.1)
        elif kind in ("spike", "level_shift"):
            self.sigmas[span] += sign * (rng.uniform(4, 12) if kind == "spike" else rng.uniform(2.5, 6))
        elif kind == "unit_change":
            self.unit[span] = rng.choice([100.0, 0.01, 1000.0, 0.001])
        elif kind == "drift":
            size = sign * rng.uniform(3, 6)
            self.sigmas[span] += size * ramp
            self.sigmas[end + 1 :] += size
        elif kind == "smoothing":
            self.noise[span], self.season[span] = 0.05, 0.1
        elif kind == "stale":
            self.frozen.append((start, end))
        elif kind == "seasonality_break":
            self.season[span] = rng.choice([0.0, 1.0])
            self.shifted[span] = int(rng.integers(2, 5))
        else:
            self.noise[span] = rng.uniform(3, 5)


LENGTHS = {
    "drift": (20, 46),
    "smoothing": (14, 31),
    "stale": (3, 9),
    "seasonality_break": (14, 29),
    "variance_burst": (7, 15),
    "unit_change": (3, 15),
}
NEUTRAL = {
    "level_shift": 7,
    "drift": 28,
    "unit_change": 7,
    "seasonality_break": 7,
    "smoothing": 3,
    "variance_burst": 3,
    "stale": 2,
}


def _length(rng: np.random.Generator, kind: str) -> int:
    if kind in LENGTHS:
        return int(rng.integers(*LENGTHS[kind]))
    if kind == "level_shift":
        return int(rng.choice([rng.integers(14, 46), FOREVER]))
    return int(rng.choice([1, 1, 1, 2, 3])) if kind in ("missing_partition", "partial_data") else 1


def _draw_events(
    rng: np.random.Generator, family: str, cold: bool, begin: int, n: int, steady: bool, changes: Changes
) -> list[Event]:
    quiet = rng.random() < 0.2
    want = 0 if quiet else int(rng.integers(1, 3) if cold else rng.integers(3, 7))
    menu = MENU[family]
    chance = np.array(list(menu.values())) / sum(menu.values())
    events: list[Event] = []
    taken: list[tuple[int, int]] = []
    for _ in range(want * 12):
        if len(events) >= want:
            break
        kind = str(rng.choice(list(menu), p=chance))
        start = int(rng.integers(begin + 3, n - 2))
        length = _length(rng, kind)
        end, stays = min(n - 1, start + length - 1), length == FOREVER
        last = start + 28 if stays else end + NEUTRAL.get(kind, 1)
        span = (start - 14, min(n, last + 14))
        if (kind == "seasonality_break" and steady) or any(span[0] <= b and span[1] >= a for a, b in taken):
            continue
        if kind in SLOW and end - start + 1 < min(length, 7):
            continue
        slow = {"stale": min(end, start + 3), "drift": end + 7}.get(kind, end)
        deadline = start + 1 if kind in ABRUPT else slow
        changes.add(rng, kind, start, end)
        taken.append(span)
        events.append(Event(kind, start, start if stays else end, min(deadline, n - 1), min(last, n - 1)))
    return events


def score(data: Synthetic, flagged: np.ndarray) -> dict[str, Any]:
    """Precision, recall and F1 by event, false alarms a series and month, recall by kind."""
    from benchmarks.detection_noise import runs

    found: dict[str, list[bool]] = {}
    true = false = 0
    months = 0.0
    for row, events in enumerate(data.events):
        days = np.flatnonzero(flagged[row])
        days = days[days >= data.judged[row]]
        months += (flagged.shape[1] - data.judged[row]) / 30.4375
        for event in events:
            found.setdefault(event.kind, []).append(bool(((days >= event.start) & (days <= event.deadline)).any()))
        for first, last in runs(days):
            hit = any(first <= event.neutral_end and last >= event.start for event in events)
            true, false = true + hit, false + (not hit)
    every = [hit for hits in found.values() for hit in hits]
    precision, recall = true / max(true + false, 1), float(np.mean(every))
    return {
        "precision": precision, "recall": recall, "f1": 2 * precision * recall / max(precision + recall, 1e-9),
        "false_alarms_per_series_month": false / months,
        "recall_by_kind": {kind: round(float(np.mean(hits)), 3) for kind, hits in sorted(found.items())},
    }  # fmt: skip
