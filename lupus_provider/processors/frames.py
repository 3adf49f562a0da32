"""Groups of a call: every period and group that has points, and where the rows of an engine's answers belong among them.

All answers are lined up with the same groups once, so that metrics work on arrays of one shape and what an answer lacks is undefined or zero.
"""

# Pyarrow makes its compute functions at run time, so its names say nothing to a type checker:
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lupus_provider.engines.base import GROUP_SET, PERIOD, ROWS, SLICE, Answer, group_column
from lupus_provider.metrics.base import COUNTING, SHAPE_COLUMNS, TEXT_COLUMNS, Counts, Shape
from lupus_provider.naming import Hashes, group_hashes
from lupus_provider.records import GROUP_KEY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lupus_provider.metrics.base import Floats, Indices, Primitive
    from lupus_provider.metrics.plan import MetricPlan, Subject

SLICE_KEY = "slice"
"""Key in `group_key` that names a slice."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Distinct rows of some columns, numbered as they come; null is a value like others.

    Column by column, the number so far and the place of the column's value among its distinct values make one integer, and
    the place of that among the distinct ones is the next number: integers are looked up, never rows of texts.

    Attributes
    ----------
    values
        Column → its distinct values.
    pairs
        Column → the distinct integers there.
    """

    values: dict[str, pa.Array]
    pairs: dict[str, pa.Array]

    @classmethod
    def of(cls, table: pa.Table, names: Sequence[str]) -> tuple[Keys, Indices]:
        """Keys of a table, and the number of each of its rows."""
        number = np.zeros(table.num_rows, np.int64)
        keys = cls({}, {})
        for name in names:
            values = keys.values[name] = _key_column(table, name).unique()
            pair = number * len(values) + _index(_key_column(table, name), values)
            pairs = keys.pairs[name] = pa.array(pair).unique()
            number = _index(pa.array(pair), pairs)
        return keys, number

    def numbers(self, table: pa.Table) -> Indices:
        """Return the number of each row of another table, whose keys are all among these."""
        number = np.zeros(table.num_rows, np.int64)
        for name, values in self.values.items():
            if len(values) > 1:  # else it tells nothing apart
                pair = number * len(values) + _index(_key_column(table, name), values)
                number = _index(pa.array(pair), self.pairs[name])
        return number


def _key_column(table: pa.Table, name: str) -> pa.ChunkedArray:
    return table[name].cast(pa.int64() if name in (PERIOD, GROUP_SET) else pa.string())


def _index(column: pa.ChunkedArray | pa.Array, values: pa.Array) -> Indices:
    return pc.index_in(column, values).to_numpy(zero_copy_only=False).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Frame:
    """The rows that metrics have values for: one a period and group.

    Attributes
    ----------
    plan
        What was asked.
    keys
        Each row's period and group, to look rows of answers up by.
    period
        Index of each row's period; shape (rows,).
    asked
        False for the whole that no group set asks for; shape (rows,).
    group
        Index of each row's group in the four lists; shape (rows,).
    group_keys, group_hashes, versions
        Of each distinct group: its key as Arrow map, its part of series ids, its model version.
    group_dicts
        Of each distinct group: its key.
    rows
        Rows of the table in each; shape (rows,).
    """

    plan: MetricPlan
    keys: Keys
    period: Indices
    asked: np.ndarray
    group: Indices
    group_keys: pa.Array
    group_dicts: list[dict[str, str | None]]
    group_hashes: Hashes
    versions: pa.Array
    rows: Floats

    def __len__(self) -> int:
        return len(self.period)

    @classmethod
    def of(cls, plan: MetricPlan, answer: Answer | None, n_periods: int) -> Frame:
        """Frame of the answer about the rows themselves; None where the engine could not even count them."""
        table = (answer.table if answer is not None else _no_rows(plan)).select([PERIOD, *_key_columns(plan), ROWS])
        table = pa.concat_tables([table, _empty_wholes(table, plan, n_periods)])
        keys, _ = Keys.of(table, [PERIOD, *_key_columns(plan)])
        _, group = Keys.of(table, _key_columns(plan))
        _, first = np.unique(group, return_index=True)
        dicts = _group_dicts(table.take(pa.array(first)), plan)
        return cls(
            plan, keys, table[PERIOD].to_numpy().astype(np.int64), table[GROUP_SET].to_numpy() >= 0, group,
            pa.array([sorted(key.items()) for key in dicts], GROUP_KEY), dicts, group_hashes(dicts),
            pa.array([key.get(plan.model_version_column or "") for key in dicts], pa.string()), table[ROWS].to_numpy().astype(float),
        )  # fmt: skip

    def places(self, table: pa.Table) -> Indices:
        """Row of the frame of each row of an answer's table."""
        return self.keys.numbers(table)

    def numbers(self, answer: Answer, subject: Subject) -> dict[str, Floats]:
        """Primitive alias → shape (rows of the frame,)."""
        places, found = self.places(answer.table), {}
        for alias, name in answer.columns[subject].items():
            found[alias] = np.full(len(self), _nothing(alias))
            found[alias][places] = _floats(answer.table, name)
        return found

    def bins(self, answer: Answer, subject: Subject) -> dict[str, Floats]:
        """Primitive alias → shape (rows of the frame, bins)."""
        places, n_bins = self.places(answer.table), len(subject.bins or ())
        bin_ = answer.table["bin"].to_numpy().astype(np.int64)
        found = {}
        for alias, name in answer.columns[subject].items():
            found[alias] = np.full((len(self), n_bins), _nothing(alias))
            found[alias][places, bin_] = _floats(answer.table, name)
        return found

    def counts(self, answer: Answer) -> Counts:
        """Rows of a table-shaped answer, in the order that `Counts` says."""
        places = pa.array(self.places(answer.table))
        if answer.shape is Shape.ENTITIES:
            columns = {n: _column(answer.table, n) for n in ("count", "folded") if n in answer.table.column_names}
            entity = encoded(answer.table["entity"].cast(pa.string()))
            return Counts(len(self), places.to_numpy(), columns, self.rows, entity)
        names = SHAPE_COLUMNS[answer.shape]
        table = answer.table.select(names).append_column("place", places)
        table = table.sort_by([(name, "ascending") for name in ("place", *names) if name != "count"])
        return Counts(len(self), table["place"].to_numpy(), {name: _column(table, name) for name in names}, self.rows)


def id_column(series: Hashes) -> pa.StringArray:
    """Return series ids as Arrow texts, without a Python string for each."""
    letters = series.letters()
    ends = np.arange(0, letters.size + 1, letters.shape[1], dtype=np.int64)
    found = pa.LargeStringArray.from_buffers(len(letters), pa.py_buffer(ends), pa.py_buffer(letters))
    return found.cast(pa.string())  # fails, rather than overflows, beyond 2 GB


def encoded(texts: pa.ChunkedArray | pa.Array) -> pa.DictionaryArray:
    """Return texts as indices into the distinct ones; null is one of them."""
    return _array(texts).dictionary_encode(null_encoding="encode")


def _nothing(alias: str) -> float:
    """Return what a primitive is where an answer has no row: counts are 0, everything else is undefined."""
    return 0.0 if any(alias == name or alias.endswith(f"_{name}") for name in COUNTING) else np.nan


def _column(table: pa.Table, name: str) -> np.ndarray:
    if name in TEXT_COLUMNS:
        return table[name].to_numpy().astype(object)
    return table[name].cast(pa.int64()).to_numpy()


def _floats(table: pa.Table, name: str) -> Floats:
    return table[name].cast(pa.float64()).to_numpy().astype(float)


def _no_rows(plan: MetricPlan) -> pa.Table:
    fields = [(PERIOD, pa.int32()), *((name, pa.string()) for name in _key_columns(plan)), (ROWS, pa.int64())]
    fields = [(name, pa.int32() if name == GROUP_SET else kind) for name, kind in fields]
    return pa.schema(fields).empty_table()


def _key_columns(plan: MetricPlan) -> list[str]:
    return [*([SLICE] if plan.slices else []), GROUP_SET, *(group_column(i) for i in range(len(plan.group_columns)))]


def _empty_wholes(table: pa.Table, plan: MetricPlan, n_periods: int) -> pa.Table:
    """Rows of the whole, and of each slice, for periods without any row: zero rows is an answer, not a gap."""
    whole = plan.group_sets.index(()) if () in plan.group_sets else -1
    present = table.filter(pc.equal(table[GROUP_SET], whole))
    slices: list[str | None] = [None, *(name for name, _ in plan.slices)]
    parts = [table.slice(0, 0)]
    for name in slices:
        of_slice = present
        if plan.slices:
            of_slice = present.filter(pc.is_null(present[SLICE]) if name is None else pc.equal(present[SLICE], name))
        missing = np.setdiff1d(np.arange(n_periods), of_slice[PERIOD].to_numpy())
        columns = {field.name: pa.nulls(len(missing), field.type) for field in table.schema}
        columns[PERIOD] = pa.array(missing).cast(table.schema.field(PERIOD).type)
        columns[GROUP_SET] = pa.array(np.full(len(missing), whole, np.int32))
        columns[ROWS] = pa.array(np.zeros(len(missing), np.int64)).cast(table.schema.field(ROWS).type)
        if plan.slices:
            columns[SLICE] = pa.array([name] * len(missing), pa.string())
        parts.append(pa.table(columns, schema=table.schema))
    return pa.concat_tables(parts).combine_chunks()


def _group_dicts(distinct: pa.Table, plan: MetricPlan) -> list[dict[str, str | None]]:
    values = {column: distinct[group_column(i)].to_pylist() for i, column in enumerate(plan.group_columns)}
    slices = distinct[SLICE].to_pylist() if plan.slices else [None] * distinct.num_rows
    sets = [plan.group_sets[i] if i >= 0 else () for i in distinct[GROUP_SET].to_pylist()]
    found: list[dict[str, str | None]] = []
    for row, group_set in enumerate(sets):
        key: dict[str, str | None] = {column: values[column][row] for column in group_set}
        if slices[row] is not None:
            key[SLICE_KEY] = slices[row]
        found.append(key)
    return found


def _array(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    if isinstance(column, pa.Array):
        return column
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def state_of(metric_state: Mapping[str, Primitive], found: Mapping[str, Floats]) -> dict[str, Floats]:
    """Argument name → array, from primitive alias → array."""
    return {name: found[primitive.alias] for name, primitive in metric_state.items()}
