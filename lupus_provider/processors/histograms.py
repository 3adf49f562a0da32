"""Histograms of one column in many groups and periods, as arrays for sums and as rows for files.

Rows leave out empty bins, but each bin stands at least once a column and period, so that the rows say what the bins are.
"""

# Pyarrow makes its compute functions at run time, so its names say nothing to a type checker:
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lupus_provider.errors import BadReferenceError
from lupus_provider.metrics.bins import Bins, CategoryBins, NumericBins
from lupus_provider.naming import entity_hashes, group_hashes, group_text, head_hash, identity_text
from lupus_provider.processors.frames import id_column
from lupus_provider.records import GROUP_KEY, HISTOGRAMS, INSTANT

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from lupus_provider.metrics.base import Floats, Indices

STATE = ("count", "min", "max", "sum", "variance")
"""What a histogram holds of each bin; the last four NaN where there is no value, or they were not measured."""
_BIN_COLUMNS = ("low", "high", "category", "share")


class ColumnKey(NamedTuple):
    """A column, or the first k items of each of its lists."""

    column: str
    k: int | None

    def __str__(self) -> str:
        return self.metric(self.column)

    def metric(self, name: str) -> str:
        """Return the name of a metric of these items, such as `psi@5`."""
        return name if self.k is None else f"{name}@{self.k}"


@dataclass(frozen=True, slots=True)
class Histograms:
    """Histograms of one column over the same bins.

    Attributes
    ----------
    group
        Shape (rows,): index into `group_keys`.
    start, end
        Shape (rows,): microseconds since 1970 UTC of the period; 0 where histograms belong to none.
    state
        Each of `STATE` → shape (rows, bins).
    """

    bins: Bins
    group_keys: Sequence[Mapping[str, str | None]]
    group: Indices
    start: Indices
    end: Indices
    state: Mapping[str, Floats]

    def take(self, rows: np.ndarray) -> Histograms:
        """Return some of the rows."""
        state = {name: values[rows] for name, values in self.state.items()}
        return Histograms(self.bins, self.group_keys, self.group[rows], self.start[rows], self.end[rows], state)

    def narrowed(self, names: Collection[str]) -> Histograms:
        """Return the same rows with some of the state, so that sums cost what is asked for."""
        return replace(self, state={name: values for name, values in self.state.items() if name in names})

    def summed(self) -> Histograms:
        """Add up the histograms of each group: one row a group, no period."""
        found, index = np.unique(self.group, return_inverse=True)
        zeros = np.zeros(len(found), np.int64)
        keys = [self.group_keys[i] for i in found]
        return Histograms(
            self.bins, keys, np.arange(len(found)), zeros, zeros, summed_state(self.state, index, len(found))
        )

    def texts(self) -> list[str]:
        """Return the identity of each group key."""
        return [group_text(key) for key in self.group_keys]


def full_state(state: Mapping[str, Floats]) -> dict[str, Floats]:
    """Return all of `STATE`; what is missing is unknown."""
    count = np.nan_to_num(state["count"])
    return {"count": count, **{name: state.get(name, np.full(count.shape, np.nan)) for name in STATE[1:]}}


def summed_state(state: Mapping[str, Floats], index: np.ndarray, n: int) -> dict[str, Floats]:
    """Add up rows that have the same index: the state of the union of their values.

    Counts, minima and maxima are exact, sums are rounded once an addition, variances are combined around the common mean
    (Chan, Golub and LeVeque 1979). What a row has not measured is unknown in the sum.
    """
    if not len(index):
        return {name: np.zeros((n, values.shape[1])) for name, values in state.items()}
    # In an order of their own, so that the sum has the same bits in whatever order the parts came.
    places = np.arange(1.0, state["count"].shape[1] + 1)
    with np.errstate(invalid="ignore"):  # infinities of both signs
        sums = np.nansum(state["sum"], axis=1) if "sum" in state else index
    order = np.lexsort((sums, state["count"] @ places, index))
    starts = np.searchsorted(index[order], np.arange(n))
    ordered = {name: values[order] for name, values in state.items()}
    held = ordered["count"] > 0
    found = {"count": np.add.reduceat(ordered["count"], starts, axis=0)}
    empty = found["count"] == 0
    for name, add, nothing in (("min", np.minimum, np.inf), ("max", np.maximum, -np.inf), ("sum", np.add, 0.0)):
        if name in ordered:
            found[name] = add.reduceat(np.where(held, ordered[name], nothing), starts, axis=0)
            found[name][empty] = np.nan
    if "variance" in ordered:
        with np.errstate(all="ignore"):
            found["variance"] = _summed_variance(ordered, found, index[order], starts)
    return found


def _summed_variance(
    parts: Mapping[str, Floats], whole: Mapping[str, Floats], index: np.ndarray, starts: np.ndarray
) -> Floats:
    count, rows = parts["count"], whole["count"]
    between = count * (parts["sum"] / count - (whole["sum"] / rows)[index]) ** 2
    within = np.where(count > 1, parts["variance"] * (count - 1), 0.0)
    squares = np.add.reduceat(np.where(count > 0, between + within, 0.0), starts, axis=0)
    return np.where(rows > 1, squares / (rows - 1), np.nan)


def joined(parts: Sequence[Histograms]) -> Histograms:
    """Put histograms over the same bins below one another, groups by identity."""
    keys: dict[str, Mapping[str, str | None]] = {}
    groups = []
    for part in parts:
        texts = part.texts()
        for text, key in zip(texts, part.group_keys):
            keys.setdefault(text, key)
        position = {text: i for i, text in enumerate(keys)}
        groups.append(np.array([position[text] for text in texts], np.int64)[part.group])
    state = {name: np.concatenate([part.state[name] for part in parts]) for name in parts[0].state}
    start, end = (np.concatenate([getattr(part, name) for part in parts]) for name in ("start", "end"))
    return Histograms(parts[0].bins, list(keys.values()), np.concatenate(groups), start, end, state)


def to_rows(
    key: ColumnKey, histograms: Histograms, project: str, metric_set: str, version_column: str | None = None
) -> pa.Table:
    """Return the columns of `records.HISTOGRAMS` but those of provenance, in no order."""
    count = histograms.state["count"]
    row, at = np.nonzero((count > 0) | _first_of_period(histograms, count))
    group = pa.array(histograms.group[row])
    head = head_hash(project, metric_set, key.column, identity_text("histogram", str(key.k)))
    ids = id_column(head ^ entity_hashes([None]) ^ group_hashes(histograms.group_keys))
    keys = pa.array([sorted(item.items()) for item in histograms.group_keys], GROUP_KEY)
    versions = pa.array([item.get(version_column or "") for item in histograms.group_keys], pa.string())
    n = len(row)
    table = {
        "series_id": ids.take(group),
        "column_name": pa.repeat(pa.scalar(key.column, pa.string()), n),
        "k": pa.repeat(pa.scalar(key.k, pa.int32()), n),
        "group_key": keys.take(group),
        "model_version": versions.take(group),
        "period_start": pa.array(histograms.start[row], pa.int64()).cast(INSTANT),
        "period_end": pa.array(histograms.end[row], pa.int64()).cast(INSTANT),
        "bin": pa.array(at, pa.int32()),
        **{name: column.take(pa.array(at)) for name, column in _described(histograms.bins).items()},
        "count": pa.array(count[row, at].astype(np.int64)),
        **{name: _nullable(histograms.state[name][row, at]) for name in STATE[1:]},
    }
    return pa.table(table)


def _nullable(values: Floats) -> pa.Array:
    return pa.array(values + 0.0, pa.float64(), from_pandas=True)


def _first_of_period(histograms: Histograms, count: Floats) -> np.ndarray:
    """Mark the bins that are empty in a whole period, in its first row."""
    extra = np.zeros(count.shape, bool)
    for start in np.unique(histograms.start):
        rows = np.flatnonzero(histograms.start == start)
        extra[rows[0]] = ~(count[rows] > 0).any(axis=0)
    return extra


def _described(bins: Bins) -> dict[str, pa.Array]:
    n = len(bins)
    if isinstance(bins, CategoryBins):
        nothing = pa.nulls(n, pa.float64())
        # The last bin, whatever it is called, holds what no category names.
        return {"low": nothing, "high": nothing, "category": pa.array([*bins.categories, ""]), "share": nothing}
    edges = np.array(bins.edges)
    return {
        "low": pa.array(np.concatenate([[-np.inf], edges])),
        "high": pa.array(np.concatenate([edges, [np.inf]])),
        "category": pa.nulls(n, pa.string()),
        "share": pa.nulls(n, pa.float64()) if bins.shares is None else pa.array(bins.shares, pa.float64()),
    }


def from_rows(table: pa.Table) -> Iterator[tuple[ColumnKey, Histograms]]:
    """Read rows of `to_rows`: histograms of each column and period.

    Raises
    ------
    BadReferenceError
        If rows are missing.
    """
    if not table.num_rows:
        return
    table = table.combine_chunks()
    texts = [table["column_name"], _text(table["k"]), _text(table["period_start"].cast(pa.int64()))]
    code = _codes(pc.binary_join_element_wise(*texts, "\n"))
    order = np.argsort(code, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(code[order])) + 1):
        part = table.take(pa.array(rows))
        key = ColumnKey(part["column_name"][0].as_py(), part["k"][0].as_py())
        yield key, _one_period(key, part)


def _text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.fill_null(column.cast(pa.string()), "")


def _codes(column: pa.ChunkedArray) -> np.ndarray:
    return pa.concat_arrays(column.chunks).dictionary_encode().indices.to_numpy(zero_copy_only=False).astype(np.int64)


def _one_period(key: ColumnKey, part: pa.Table) -> Histograms:
    at = part["bin"].to_numpy()
    group = _codes(part["series_id"])
    _, first = np.unique(group, return_index=True)
    n = len(first)
    bins = _bins(key, part, at)
    state = {name: np.full((n, len(bins)), 0.0 if name == "count" else np.nan) for name in STATE}
    for name, values in state.items():
        values[group, at] = part[name].cast(pa.float64()).to_numpy()
        if name != "count":
            values[state["count"] == 0] = np.nan
    start, end = (part[f"period_{name}"].cast(pa.int64()).to_numpy()[first] for name in ("start", "end"))
    keys = [dict(pairs) for pairs in part["group_key"].take(pa.array(first)).to_pylist()]
    return Histograms(bins, keys, np.arange(n), start, end, state)


def _bins(key: ColumnKey, part: pa.Table, at: np.ndarray) -> Bins:
    found, first = np.unique(at, return_index=True)
    if len(found) != found[-1] + 1 or found[0] != 0:
        raise BadReferenceError(
            str(key),
            "has histograms that lack some of their bins",
            "Give the rows of a period whole, or measure it again.",
        )
    described = {name: part[name].take(pa.array(first)).to_pylist() for name in _BIN_COLUMNS}
    if described["category"][0] is not None:
        return CategoryBins(tuple(described["category"][:-1]))
    shares = None if described["share"][0] is None else tuple(described["share"])
    return NumericBins(tuple(described["low"][1:]), shares)


def finished(tables: Sequence[pa.Table], run_id: str, collected_at: object) -> pa.Table:
    """Put rows together and say who wrote them: schema `records.HISTOGRAMS`, in the order of files."""
    if not tables:
        return HISTOGRAMS.empty()
    table = pa.concat_tables(tables)
    table = table.append_column("run_id", pa.repeat(pa.scalar(run_id, pa.string()), table.num_rows))
    table = table.append_column("collected_at", pa.repeat(pa.scalar(collected_at, INSTANT), table.num_rows))
    return HISTOGRAMS.sort(table)
