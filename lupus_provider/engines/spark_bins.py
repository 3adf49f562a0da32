"""Histograms of many columns on Spark in one scan: every row gives one row a column, and one aggregation counts them all.

A query a column would start two stages each, which cost more than counting a million values.
"""

# ruff: noqa: S608  (columns are our aliases, numbers are numbers)

# Pyarrow makes its compute functions at run time, so its names say nothing to a type checker:
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from lupus_provider.engines.base import Answer
from lupus_provider.engines.spark_counts import BRANCH
from lupus_provider.engines.spark_reading import DIALECT
from lupus_provider.engines.sql.numbers import NumbersBuilder
from lupus_provider.engines.sql.placement import CELL, Cells, cell_sql, reached
from lupus_provider.engines.sql.query import Relation
from lupus_provider.engines.sql.run import Run
from lupus_provider.engines.sql.tables import BIN, binned
from lupus_provider.engines.sql.values import Value
from lupus_provider.metrics.base import Over, Shape
from lupus_provider.metrics.bins import CategoryBins, NumericBins
from lupus_provider.metrics.plan import Subject, Work, primitives

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from lupus_provider.engines.sql.numbers import NumbersQuery
    from lupus_provider.engines.sql.run import Subjects
    from lupus_provider.engines.sql.sums import Range
    from lupus_provider.metrics.base import Primitive
    from lupus_provider.metrics.plan import Measure, Refused

_AT_ONCE = 64
"""Columns of one query: its text holds all their edges."""
_SPREAD = 16
"""Columns that one scan spreads out: more make a method that Java no longer compiles."""
_V, _WHICH = "lupus_v", "lupus_which"
_NUMBER = f"CAST({_V} AS DOUBLE)"
_ADDED = frozenset({"sum", "variance"})


class _Doubles(Relation):
    """The rows of several columns below one another: all have the same value, which is neither null nor NaN."""

    def value(self, subject: Subject, primitive: Primitive | None = None) -> Value:  # noqa: ARG002
        """Return the common column of values; not as `float`, which would look for NaN once more."""
        return Value(_V)


class _Longs(_Doubles):
    """The same of integers, whose sums may need more than the 53 bits of a DOUBLE."""

    def value(self, subject: Subject, primitive: Primitive | None = None) -> Value:  # noqa: ARG002
        """Return the common column of values."""
        return Value(_V, "integer")


_KINDS = {"DOUBLE": _Doubles, "BIGINT": _Longs}


class BinsRun(Run):
    """One plan over one base relation, whose histograms are counted together."""

    def answers(self, work: Work) -> Iterator[Answer | Refused]:
        """Yield what the plan's work comes to, the rows' own numbers first."""
        batches: dict[tuple[str, tuple[Primitive, ...]], dict[Subject, Sequence[Measure]]] = defaultdict(dict)
        tables = dict(work.tables)
        for (subject, shape), measures in work.tables.items():
            wanted = tuple(sorted(primitives(measures), key=lambda primitive: primitive.alias))
            kind = self._kind(subject, wanted) if shape is Shape.BINS else None
            if kind is not None:
                batches[kind, wanted][subject] = tables.pop((subject, shape))
        yield from super().answers(Work(work.numbers, tables, work.refused))
        for (kind, wanted), subjects in batches.items():
            listed = list(subjects.items())
            for start in range(0, len(listed), _AT_ONCE):
                yield from self._together(dict(listed[start : start + _AT_ONCE]), kind, wanted)

    def _kind(self, subject: Subject, wanted: Sequence[Primitive]) -> str | None:
        """Return the type that a subject's values are spread out as; None: it is counted alone."""
        names = {primitive.name for primitive in wanted}
        if isinstance(subject.bins, CategoryBins):
            return "DOUBLE" if names == {"count"} else None
        number = self.relation.value(subject).number
        if not names & _ADDED:
            return "DOUBLE"
        return {"float": "DOUBLE", "integer": "BIGINT"}.get(number)

    def _together(self, subjects: Subjects, kind: str, wanted: Sequence[Primitive]) -> Iterator[Answer | Refused]:
        listed = list(subjects)
        first, source = listed[0], f"({self._spread(listed, kind)}) AS spread"
        relation = self.relation
        spread = _KINDS[kind](relation.dialect, relation.grouping, relation.aliases, relation.types, relation.name)

        def build(ranges: Mapping[str, Range]) -> NumbersQuery:
            return NumbersBuilder(spread, ranges).build({first: wanted}, [BRANCH, BIN], source)

        try:
            query, table = self._summed(build)
        except Exception as err:  # noqa: BLE001  (as in Run: the door says whose fault it was)
            reason = self._reason(err)
            if len(listed) == 1:
                yield from (self._refused(measure, reason) for measure in subjects[first])
                return
            middle = (len(listed) + 1) // 2
            for half in (listed[:middle], listed[middle:]):
                yield from self._together({subject: subjects[subject] for subject in half}, kind, wanted)
        else:
            columns = query.columns[first]
            for subject, rows in zip(listed, _by_branch(self._placed(table), len(listed))):
                yield Answer(Shape.BINS, rows, {subject: columns}, {subject: subjects[subject]})

    # -- the rows ----------------------------------------------------------------------------------------------------

    def _spread(self, subjects: Sequence[Subject], kind: str) -> str:
        """Rows of all subjects: the keys, the branch that says whose they are, the value, its bin."""
        carried, parts = ", ".join(self.relation.grouping.carried), []
        by_way: dict[Callable[[str, Sequence[NumericBins]], tuple[str, str]], list[int]] = defaultdict(list)
        for branch, subject in enumerate(subjects):
            if isinstance(subject.bins, NumericBins):
                by_way[_way(subject.bins)].append(branch)
                continue
            rows = binned(self.relation, subject)
            parts.append(
                f"SELECT {carried}, {branch} AS {BRANCH}, CAST(0 AS {kind}) AS {_V}, {BIN} FROM ({rows}) AS binned"
            )
        for way, branches in by_way.items():
            for start in range(0, len(branches), _SPREAD):
                some = branches[start : start + _SPREAD]
                rows = self._values([subjects[branch] for branch in some], kind)
                place, placed = way(rows, [subjects[branch].bins for branch in some])  # type: ignore[misc]
                branch = _looked_up("INT", some)
                parts.append(
                    f"SELECT {carried}, {branch} AS {BRANCH}, {_V}, {place} AS {BIN} FROM ({placed}) AS placed"
                )
        return " UNION ALL ".join(parts)

    def _values(self, subjects: Sequence[Subject], kind: str) -> str:
        """Rows of some subjects: the keys, the index of the subject, its value."""
        relation, carried = self.relation, ", ".join(self.relation.grouping.carried)
        values = [f"CAST({relation.value(subject).sql} AS {kind})" for subject in subjects]
        in_row = [f"{i}, {values[i]}" for i, subject in enumerate(subjects) if subject.over is Over.VALUES]
        parts = [
            f"SELECT {carried}, {i} AS {_WHICH}, {values[i]} AS {_V} FROM {relation.source(subject)}"
            for i, subject in enumerate(subjects)
            if subject.over is not Over.VALUES
        ]
        if in_row:
            stack = f"stack({len(in_row)}, {', '.join(in_row)}) stacked AS {_WHICH}, {_V}"
            parts.append(f"SELECT {carried}, {_WHICH}, {_V} FROM {relation.name} LATERAL VIEW {stack}")
        known = f"{_V} IS NOT NULL" + (f" AND NOT isnan({_V})" if kind == "DOUBLE" else "")
        return f"SELECT * FROM ({' UNION ALL '.join(parts)}) AS v WHERE {known}"


# -- ways to place a value: the SQL of its bin, and the query that this reads ----------------------------------------------


def _way(bins: NumericBins) -> Callable[[str, Sequence[NumericBins]], tuple[str, str]]:
    if bins.even is not None:
        return _by_arithmetic
    cells = Cells.of(bins.edges)
    if cells is None:
        return _by_search
    return _by_cells if len(cells.compared) == 1 else _by_pairs


def _by_arithmetic(rows: str, bins: Sequence[NumericBins]) -> tuple[str, str]:
    low, scale = (_looked_up("DOUBLE", [(item.even or (0, 0))[i] for item in bins]) for i in (0, 1))
    return cell_sql(DIALECT, _NUMBER, low, scale, _looked_up("DOUBLE", [len(item.edges) for item in bins])), rows


def _by_cells(rows: str, bins: Sequence[NumericBins]) -> tuple[str, str]:
    """Look all cells up in one list, those of a column behind those of the column before it."""
    cells = [cells for item in bins if (cells := Cells.of(item.edges)) is not None]
    sizes = [len(item.below) for item in cells]
    low, scale, last = (
        _looked_up("DOUBLE", values)
        for values in ([item.low for item in cells], [item.scale for item in cells], [size - 1 for size in sizes])
    )
    first = _looked_up("INT", np.cumsum([0, *sizes[:-1]]).tolist())
    below = _looked_up("INT", np.concatenate([item.below for item in cells]).tolist(), CELL)
    compared = [item.edges(own.edges) for item, own in zip(cells, bins)]
    edges = [np.concatenate(values).tolist() for values in zip(*compared, strict=True)]
    place = " + ".join([below, *(reached(_NUMBER, _looked_up("DOUBLE", values, CELL)) for values in edges)])
    return place, f"SELECT *, {first} + {cell_sql(DIALECT, _NUMBER, low, scale, last)} AS {CELL} FROM ({rows}) AS v"


def _by_pairs(rows: str, bins: Sequence[NumericBins]) -> tuple[str, str]:
    """As `_by_cells`, of columns that have two edges in some cell."""
    return _by_cells(rows, bins)


def _by_search(rows: str, bins: Sequence[NumericBins]) -> tuple[str, str]:
    """Search all edges by halves in one list, where every column has the same number of places."""
    steps = max(len(item.edges) for item in bins).bit_length()
    width = 1 << steps
    edges = [edge for item in bins for edge in (*item.edges, *[np.inf] * (width - len(item.edges)))]
    query = f"SELECT *, 0 AS {CELL} FROM ({rows}) AS v"
    for step in reversed(range(steps)):
        edge = _looked_up("DOUBLE", edges, f"{_WHICH} * {width} + {CELL} + {(1 << step) - 1}")
        further = f"{CELL} + CASE WHEN {_NUMBER} >= {edge} THEN {1 << step} ELSE 0 END"
        query = f"SELECT * EXCEPT ({CELL}), {further} AS {CELL} FROM ({query}) AS v"
    # Infinity is not below the places that are filled up with it.
    return f"least({CELL}, {_looked_up('INT', [len(item.edges) for item in bins])})", query


def _looked_up(kind: str, values: Sequence[float], place: str = "") -> str:
    """Return the SQL of an item of a list by its place, from 0; the list is one text, which Spark reads faster than many numbers."""
    texts = (str(int(value)) if kind == "INT" else repr(float(value)) for value in values)
    return f"get(CAST(split('{','.join(texts)}', ',') AS ARRAY<{kind}>), {place or _WHICH})"


def _by_branch(table: pa.Table, number: int) -> Iterator[pa.Table]:
    """Yield the rows of each branch."""
    branch = table[BRANCH].to_numpy()
    order = np.argsort(branch, kind="stable")
    ends = np.searchsorted(branch[order], np.arange(number + 1))
    table = table.drop_columns([BRANCH]).take(pa.array(order))
    for start, end in pairwise(ends.tolist()):
        yield table.slice(start, end - start)
