"""Every metric of the shelf once more, in NumPy and plain Python, from the definitions and not from the engine's code."""

from __future__ import annotations

import math
from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pytest

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def number(value):
    """A value as the metrics see it: times are seconds since 1970-01-01 UTC."""
    if isinstance(value, datetime):
        return (value.replace(tzinfo=UTC) if value.tzinfo is None else value).timestamp()
    if isinstance(value, date):
        return (datetime(value.year, value.month, value.day, tzinfo=UTC) - EPOCH).total_seconds()
    return value if isinstance(value, str) else float(value)


def is_nan(value):
    return isinstance(value, float) and math.isnan(value)


def text(value):
    return str(value).lower() if isinstance(value, bool) else str(value)


def total(values):
    if any(math.isinf(v) for v in values):
        return sum(v for v in values if math.isinf(v))
    return math.fsum(values)


def quantile(values, q):
    below, part = divmod(q * (len(values) - 1), 1)
    ordered = sorted(values)
    low, high = ordered[int(below)], ordered[min(int(below) + 1, len(values) - 1)]
    if math.isinf(low) or math.isinf(high):
        return low if low == high or part == 0 else low + high
    return float(np.percentile(values, 100 * q, method="linear"))


def measure(metric, raw, *, lists=False):  # noqa: C901  (a table of definitions)
    """(value, n_rows) of one metric name without `@k` and `length_`; None is undefined.

    `raw` are the values with nulls; with `lists`, lists as wholes.
    """
    if metric == "row_count":
        return len(raw), len(raw)
    kept = [v for v in raw if v is not None]
    values = [] if lists else [number(v) for v in kept if not is_nan(v)]
    n = len(values)
    if metric == "null_count":
        return len(raw) - len(kept), len(raw)
    if metric == "null_ratio":
        return ((len(raw) - len(kept)) / len(raw) if raw else None), len(raw)
    if metric == "empty_ratio":
        return (sum(not v for v in kept) / len(kept) if kept else None), len(kept)
    if metric == "nan_ratio":
        return (sum(map(is_nan, kept)) / len(kept) if kept else None), len(kept)
    if metric == "unique":
        return len({v for v in kept if not is_nan(v)}), n
    if n == 0:
        return None, 0
    shares = [c / n for c in Counter(v for v in kept if not is_nan(v)).values()]
    simple = {
        "sum": lambda: total(values),
        "avg": lambda: total(values) / n,
        "min": lambda: min(values),
        "max": lambda: max(values),
        "zero_ratio": lambda: sum(v == 0 for v in values) / n,
        "negative_ratio": lambda: sum(v < 0 for v in values) / n,
        "median": lambda: quantile(values, 0.5),
        "mode": lambda: max(shares),
        "entropy": lambda: -math.fsum(p * math.log2(p) for p in shares),
    }
    if metric in simple:
        return simple[metric](), n
    if metric in ("variance", "stddev"):
        if n < 2 or any(math.isinf(v) for v in values):
            return None, n
        spread = np.var(np.array(values, dtype=np.longdouble), ddof=1)
        return float(spread if metric == "variance" else np.sqrt(spread)), n
    return quantile(values, float(metric.removeprefix("p")) / 100), n


def entities(metric, raw, max_entities):
    """Entity → (value, n_rows) of `count` or `ratio`."""
    counts = Counter(text(v) for v in raw if v is not None)
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0].encode()))
    kept = dict(ranked[:max_entities])
    if ranked[max_entities:]:
        kept["…other"] = kept.get("…other", 0) + sum(c for _, c in ranked[max_entities:])
    whole = sum(counts.values())
    return {name: (c if metric == "count" else c / whole, whole) for name, c in kept.items()}


@pytest.fixture(scope="session")
def expected():
    """Return the function that knows what a metric of some rows is."""
    return metric_of


def metric_of(rows, column, name, max_entities=1000):
    """Entity or None → (value, n_rows) of a metric name over the rows of one group."""
    raw = [field(row, column) for row in rows] if column else list(rows)
    head, _, k = name.partition("@")
    head, of_lengths = head.removeprefix("length_"), head.startswith("length_")
    is_list = column.startswith("list_")
    if of_lengths:
        return {None: measure(head, [None if v is None else len(v) for v in raw])}
    if is_list and head in ("null_count", "null_ratio", "empty_ratio"):
        return {None: measure(head, raw, lists=True)}
    if is_list:
        raw = [item for v in raw if v is not None for item in (v[: int(k)] if k else v)]
    if head in ("count", "ratio"):
        return entities(head, raw, max_entities)
    if head == "folded_entities":
        known = [text(v) for v in raw if v is not None]
        kept = sorted(Counter(known).items(), key=lambda pair: (-pair[1], pair[0].encode()))[:max_entities]
        beyond = set(known) - {name for name, _ in kept}
        return {None: (len(beyond), len(known))}
    if (
        head == "approx_unique"
    ):  # exact while there are few; it stands on the rows, for registers do not say how many items
        return {None: (len({text(v) for v in raw if v is not None}), len(rows))}
    return {None: measure(head, raw)}


def field(row, column):
    for part in column.split("."):
        row = None if row is None else row[part]
    return float(row) if isinstance(row, Decimal) else row
