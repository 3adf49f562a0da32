"""Series of metric sets held as columns in memory: what a page of the catalogue is counted and sorted from.

Facets count "all filters but their own", so a page needs a dozen passes over all series; over columns that takes milliseconds, over rows
of a database half a second (`benchmarks/stores.py`). A metric set is read again when a load changed it, and only then.
"""

# Pyarrow has no types, so its names say nothing to a type checker:
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from lupus_provider.periods import Span

    Mask = NDArray[np.bool_]
    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

HALF_LIFE = 14
"""Periods after which an anomaly asks for half as much of the attention that recency adds."""
PERIOD_SECONDS = {"hour": 3_600, "day": 86_400, "week": 604_800, "month": 2_629_746}
NAMES = (
    "series_id",
    "project",
    "metric_set",
    "column_name",
    "metric",
    "entity",
    "group_key",
    "group_by",
    "name",
    "search_text",
)
NUMBERS = ("first_period", "last_period", "n_points")
FIELDS = (*NAMES, *NUMBERS, "last_value", "last_expected")
_SCHEMA = pa.schema(
    [(name, pa.string()) for name in NAMES]
    + [(name, pa.int64()) for name in NUMBERS]
    + [(name, pa.float64()) for name in FIELDS[-2:]]
)


@dataclass(frozen=True, slots=True)
class SetColumns:
    """One metric set as it was at one moment."""

    period: str
    timezone: str
    newest_period: int | None
    series: pa.Table
    """FIELDS, sorted by name and series id."""
    row: Ints
    """Of each anomaly, the place of its series; sorted by it, then by period."""
    at: Ints
    score: Floats
    strength: Floats


def set_columns(about: Any, rows: Sequence[Any], anomalies: Sequence[Any]) -> SetColumns:
    """Put rows of a database into columns; anomalies (series_id, period, score, strength) of unknown series are left out."""
    columns = list(zip(*rows)) or [()] * len(FIELDS)
    series = pa.table([pa.array(values, field.type) for values, field in zip(columns, _SCHEMA)], schema=_SCHEMA)
    series = series.sort_by([("name", "ascending"), ("series_id", "ascending")])
    ids, at, score, strength = zip(*anomalies) if anomalies else ((), (), (), ())
    row = pc.index_in(pa.array(ids, pa.string()), series["series_id"].combine_chunks()).fill_null(-1).to_numpy()
    times = np.array(at, np.int64)
    order = np.lexsort((times, row))
    order = order[row[order] >= 0]
    floats = [np.array(values, np.float64)[order] for values in (score, strength)]
    return SetColumns(
        about.period, about.timezone, about.newest_period, series, row[order].astype(np.int64), times[order], *floats
    )


@dataclass(frozen=True, slots=True)
class Coded:
    """A column of few distinct values."""

    codes: NDArray[np.int32]
    """Place in `values`; -1: the series has no such column."""
    values: list[str | None]

    def among(self, wanted: frozenset[str | None]) -> Mask:
        """Tell which rows have one of the values."""
        return np.array([value in wanted for value in self.values] + [False])[self.codes]

    def counted(self, mask: Mask) -> list[tuple[str | None, int]]:
        """Return the values of those rows, the most frequent first; of equals, null and then by text."""
        codes = self.codes[mask]
        counts = np.bincount(codes[codes >= 0], minlength=len(self.values)).tolist()
        found = [(value, n) for value, n in zip(self.values, counts) if n]
        return sorted(found, key=lambda one: (-one[1], one[0] is not None, one[0] or ""))


@dataclass(frozen=True, slots=True)
class Flags:
    """Anomalies of each series in a span."""

    n: Ints
    """Flagged periods."""
    last: Ints
    """Newest of them; 0: none."""
    worst: Floats
    """Smallest score; NaN: none."""
    strength: Floats
    """Largest strength; NaN: none."""


class Columns:
    """All series of some metric sets, which are sorted by project and name: rows are in the order of their names."""

    def __init__(self, sets: Sequence[SetColumns]) -> None:
        self._sets = [one for one in sets if one.series.num_rows]
        sizes = [one.series.num_rows for one in self._sets]
        starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        self.size = int(starts[-1])
        self._set_of = np.repeat(np.arange(len(sizes)), sizes)
        tables = [one.series for one in self._sets]
        self.table = pa.concat_tables([_SCHEMA.empty_table(), *tables]).combine_chunks()
        self.row = self._joined([one.row + start for one, start in zip(self._sets, starts)], np.int64)
        self.at = self._joined([one.at for one in self._sets], np.int64)
        self._score = self._joined([one.score for one in self._sets], np.float64)
        self._strength = self._joined([one.strength for one in self._sets], np.float64)
        self._coded: dict[str, Coded] = {}
        self._all_time: Flags | None = None

    @staticmethod
    def _joined(parts: Sequence[np.ndarray], type_: type) -> Any:
        return np.concatenate([np.empty(0, type_), *parts]).astype(type_)

    # -- columns ---------------------------------------------------------------------------------------------------------

    def coded(self, name: str) -> Coded:
        """Return a column of text by the codes of its values."""
        if name not in self._coded:
            encoded = self.table[name].combine_chunks().dictionary_encode()
            encoded = encoded.combine_chunks() if isinstance(encoded, pa.ChunkedArray) else encoded
            self._coded[name] = Coded(encoded.indices.to_numpy(), encoded.dictionary.to_pylist())
        return self._coded[name]

    @cached_property
    def groups(self) -> dict[str, Coded]:
        """Return group column → values, by name."""
        every = self.coded("group_key")
        keys = [dict(json.loads(text or "[]")) for text in every.values]
        found = {}
        for column in sorted({column for key in keys for column in key}):
            values = list(dict.fromkeys(key[column] for key in keys if column in key))
            place = {value: i for i, value in enumerate(values)}
            codes = np.array([place[key[column]] if column in key else -1 for key in keys], np.int32)
            found[column] = Coded(codes[every.codes], values)
        return found

    def numbers(self, name: str) -> Floats:
        """Return a column of numbers, NaN for null."""
        return self.table[name].cast(pa.float64()).to_numpy()

    def contains(self, word: str) -> Mask:
        """Tell which series have a word in what is searched."""
        return pc.match_substring(self.table["search_text"], word).to_numpy()

    @cached_property
    def place(self) -> dict[str, int]:
        """Return series id → row."""
        return {sid: i for i, sid in enumerate(self.table["series_id"].to_pylist())}

    @cached_property
    def name_rank(self) -> Ints:
        """Place of each row among all names, whatever its project."""
        order = pc.sort_indices(self.table, [("name", "ascending"), ("series_id", "ascending")]).to_numpy()
        rank = np.empty(self.size, np.int64)
        rank[order] = np.arange(self.size)
        return rank

    @cached_property
    def newest(self) -> Floats:
        """Newest period of each row's metric set; NaN: none."""
        newest = [np.nan if one.newest_period is None else float(one.newest_period) for one in self._sets]
        return np.array(newest, np.float64)[self._set_of]

    @cached_property
    def stale(self) -> Mask:
        """Tell which series did not get the newest period of their metric set."""
        return self.numbers("last_period") < self.newest

    @cached_property
    def change(self) -> Floats:
        """How far the newest values are from what was expected, relative to it."""
        value, expected = self.numbers("last_value"), self.numbers("last_expected")
        with np.errstate(over="ignore", invalid="ignore"):
            apart = np.abs(value - expected) / np.where(expected == 0, 1.0, np.abs(expected))
        return np.where(np.isnan(value) | np.isnan(expected), 0.0, apart)

    # -- anomalies -------------------------------------------------------------------------------------------------------

    @cached_property
    def flagged_periods(self) -> tuple[Ints, Ints]:
        """Rows and periods that any detector flagged, each pair once."""
        new = np.ones(len(self.row), bool)
        new[1:] = (self.row[1:] != self.row[:-1]) | (self.at[1:] != self.at[:-1])
        return self.row[new], self.at[new]

    def flags(self, span: Span | None) -> Flags:
        """Sum up the anomalies of each series in a span; None: all."""
        if span is None:
            self._all_time = self._all_time or self._flags(None)
            return self._all_time
        return self._flags((int(span.start.timestamp()), int(span.end.timestamp())))

    def _flags(self, span: tuple[int, int] | None) -> Flags:
        inside = slice(None) if span is None else (self.at >= span[0]) & (self.at < span[1])
        row, at, score, strength = (values[inside] for values in (self.row, self.at, self._score, self._strength))
        last, worst, strongest = np.zeros(self.size, np.int64), np.full(self.size, np.nan), np.full(self.size, np.nan)
        first = np.flatnonzero(np.diff(row, prepend=-1))
        if len(first):
            mine = row[first]
            last[mine] = np.maximum.reduceat(at, first)
            worst[mine] = np.fmin.reduceat(score, first)
            strongest[mine] = np.maximum.reduceat(strength, first)
        rows, periods = self.flagged_periods
        kept = rows if span is None else rows[(periods >= span[0]) & (periods < span[1])]
        return Flags(np.bincount(kept, minlength=self.size), last, worst, strongest)

    def attention(self, flags: Flags) -> Floats:
        """Attention of each series, as `searching.attention` says; 0: not flagged."""
        seconds = np.array([PERIOD_SECONDS[one.period] for one in self._sets], np.float64)[self._set_of]
        newest = np.where(np.isnan(self.newest) | (self.newest == 0), flags.last, self.newest)
        age = np.minimum(np.maximum(0.0, newest - flags.last) / seconds, 1_000.0)
        return np.where(flags.n > 0, flags.strength * (0.25 + 0.75 * 2.0 ** (-age / HALF_LIFE)), 0.0)

    def rows(self, places: Sequence[int] | Ints, flags: Flags) -> list[Any]:
        """Return series as rows that `searching.summary` reads."""
        places = np.asarray(places, np.int64)
        found = self.table.take(pa.array(places)).to_pylist()
        for i, row in zip(places.tolist(), found):
            about = self._sets[self._set_of[i]]
            row |= {"period": about.period, "timezone": about.timezone, "newest_period": about.newest_period}
            is_flagged = bool(flags.n[i])
            row |= {
                "n": int(flags.n[i]), "last": int(flags.last[i]) if is_flagged else None,
                "worst": None if np.isnan(flags.worst[i]) else float(flags.worst[i]),
                "strength": float(flags.strength[i]) if is_flagged else None,
            }  # fmt: skip
        return [SimpleNamespace(**row) for row in found]
