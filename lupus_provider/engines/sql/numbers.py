"""Queries of `Shape.NUMBERS` and `Shape.BINS`: one row a group (and bin), one column a primitive.

Sums come as exact integers in several columns; `finished` adds and rounds them. Numbers that lie outside of the range that a sum was cut
for are noticed by the query itself and asked for again, so the usual column pays for no unusual one.
"""

# Pyarrow makes its compute functions at run time, so its names say nothing to a type checker:
# pyright: reportAttributeAccessIssue=false

# ruff: noqa: S608  (columns are our aliases, numbers are numbers)

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from lupus_provider.engines.base import ROWS
from lupus_provider.engines.sql.sums import (
    LARGEST,
    LARGEST_SQUARED,
    Range,
    Total,
    rounded,
    rounding_error,
    square_aggregates,
    sum_aggregates,
    totals,
    variances,
)  # fmt: skip
from lupus_provider.metrics.base import Over, Primitive

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lupus_provider.engines.sql.query import Relation
    from lupus_provider.engines.sql.values import Value
    from lupus_provider.metrics.plan import Subject

_LOWEST = -400
"""Binary exponent below which numbers count as zero."""


@dataclass(slots=True)
class Sum:
    """Columns that one exact sum comes in."""

    parts: list[tuple[str, int]] = field(default_factory=list)
    """Column and the binary exponent of its unit."""
    squares: list[tuple[str, int]] = field(default_factory=list)
    extremes: str | None = None
    """Prefix of the columns `…max`, `…min`, `…least`, of floats; None of what has no range."""
    span: Range | None = None
    decimal: str | None = None
    count: str | None = None

    @property
    def largest(self) -> float:
        """Magnitude from which on numbers are as good as infinite."""
        return LARGEST_SQUARED if self.squares else LARGEST


@dataclass(slots=True)
class NumbersQuery:
    """One query over one source.

    Attributes
    ----------
    sql
        The query.
    columns
        Subject → primitive alias → column of the finished table.
    sums
        Column of the finished table → what it is made of.
    """

    sql: str
    columns: dict[Subject, dict[str, str]]
    sums: dict[str, Sum]

    def unusual(self, table: pa.Table) -> dict[str, Range]:
        """Return the sums whose numbers lie outside of the range that they were cut for, with the range to ask again for."""
        found = {}
        for name, sum_ in self.sums.items():
            if sum_.extremes is None or sum_.span is None:
                continue
            largest, smallest = _magnitudes(table, sum_.extremes, sum_.largest)
            if largest >= 2.0**sum_.span.high or smallest < 2.0**sum_.span.low:
                wanted = Range.of(min(smallest, largest), largest)
                high = max(wanted.high, _LOWEST)
                found[name] = Range(max(wanted.low, _LOWEST), high)
        return found

    def finished(self, table: pa.Table) -> pa.Table:
        """Replace the columns of sums by their rounded totals."""
        for name, sum_ in self.sums.items():
            values = self._total(table, sum_)
            table = table.append_column(name, pa.array(values, pa.float64(), from_pandas=True))
        used = {name for sum_ in self.sums.values() for name, _ in (*sum_.parts, *sum_.squares)}
        used |= {f"{s.extremes}{end}" for s in self.sums.values() if s.extremes for end in ("max", "min", "least")}
        used |= {s.decimal for s in self.sums.values() if s.decimal}
        return table.drop_columns([name for name in table.column_names if name in used])

    def _total(self, table: pa.Table, sum_: Sum) -> np.ndarray:
        if sum_.decimal is not None:
            values = table[sum_.decimal].to_pylist()
            return np.array([np.nan if value is None else float(value) for value in values], float)
        linear = _added(table, sum_.parts)
        if not sum_.squares:
            result = rounded(linear)
        else:
            count = table[sum_.count].to_numpy().astype(float)
            result = variances(linear, _added(table, sum_.squares), count)
        return result if sum_.extremes is None else _with_infinities(table, sum_, result)


def _added(table: pa.Table, parts: Sequence[tuple[str, int]]) -> Total:
    return totals([(table[name].to_pylist(), weight) for name, weight in parts])


def _magnitudes(table: pa.Table, prefix: str, limit: float) -> tuple[float, float]:
    """Largest and smallest magnitude above zero that can be added; (0, inf) where there is none."""
    ends = np.abs(np.concatenate([_floats(table, f"{prefix}max"), _floats(table, f"{prefix}min")]))
    ends = ends[ends < limit]
    least = _floats(table, f"{prefix}least")
    least = least[least < limit]
    return float(ends.max(initial=0.0)), float(least.min(initial=np.inf))


def _floats(table: pa.Table, name: str) -> np.ndarray:
    return table[name].cast(pa.float64()).to_numpy().astype(float)


def _with_infinities(table: pa.Table, sum_: Sum, result: np.ndarray) -> np.ndarray:
    """Say what IEEE 754 says of groups that hold numbers too large to add: an infinity, or NaN where both signs meet."""
    high, low = _floats(table, f"{sum_.extremes}max"), _floats(table, f"{sum_.extremes}min")
    up, down = high >= sum_.largest, low <= -sum_.largest
    if sum_.squares:
        return np.where(up | down, np.nan, result)
    return np.where(up & down, np.nan, np.where(up, np.inf, np.where(down, -np.inf, result)))


class NumbersBuilder:
    """Builds the query of some subjects that share a source.

    Parameters
    ----------
    ranges
        Column of a sum → magnitudes that it has to cover, where they are known.
    times
        Column that says how often each row counts; empty: once. Such rows are grouped already, by the keys of the grouping.
    """

    def __init__(self, relation: Relation, ranges: Mapping[str, Range] | None = None, times: str = "") -> None:
        self.relation, self.dialect = relation, relation.dialect
        self.ranges = ranges or {}
        self._times = times
        self._aggregates: list[str] = [f"{self._count()} AS {ROWS}"]
        self._outputs: list[str] = [ROWS]
        self._sums: dict[str, Sum] = {}
        self._levels: list[dict[str, str]] = [{}, {}, {}]

    def build(
        self, primitives: Mapping[Subject, Sequence[Primitive]], extra: Sequence[str] = (), source: str = ""
    ) -> NumbersQuery:
        """Build the query.

        Parameters
        ----------
        primitives
            Subject → its primitives; the subjects share a source.
        extra
            Further columns of the source to group by, such as the bin.
        source
            What to read, where it is not the subjects' own source.
        """
        columns = {}
        for number, (subject, wanted) in enumerate(primitives.items()):
            columns[subject] = {p.alias: f"s{number}_{p.alias}" for p in wanted}
            self._quantiles(subject, wanted, columns[subject], number)
            for primitive in wanted:
                if primitive.name != "quantile":
                    self._add(subject, primitive, columns[subject][primitive.alias])
        grouping = self.relation.grouping
        source = source or self.relation.source(next(iter(primitives)))
        for number, level in enumerate(self._levels):
            if level:
                named = ", ".join(f"{sql} AS {name}" for sql, name in level.items())
                source = f"(SELECT *, {named} FROM {source}) AS level{number}"
        keys = ", ".join([*grouping.keys, *extra])
        selected, group_by = grouping.selected(extra), grouping.group_by(extra)
        if self._times:
            selected, group_by = keys, f"GROUP BY {keys}"
        inner = f"SELECT {selected}, {', '.join(self._aggregates)} FROM {source} {group_by}"
        return NumbersQuery(f"SELECT {keys}, {', '.join(self._outputs)} FROM ({inner}) AS answer", columns, self._sums)

    def _named(self, level: int, sql: str) -> str:
        """Name an expression that several aggregates use; of a level, expressions may use the names of those before."""
        return self._levels[level].setdefault(sql, f"x{level}_{len(self._levels[level])}")

    def _plain(self, name: str, sql: str) -> None:
        self._aggregates.append(f"{sql} AS {name}")
        self._outputs.append(name)

    def _quantiles(self, subject: Subject, wanted: Sequence[Primitive], names: Mapping[str, str], number: int) -> None:
        quantiles = [p for p in wanted if p.name == "quantile"]
        if not quantiles:
            return
        value = self.relation.value(subject)
        fractions = [float(p.argument or 0.0) for p in quantiles]
        self._aggregates.append(
            f"{self.dialect.quantiles(self.dialect.double(value.clean), fractions)} AS s{number}_quantiles"
        )
        self._outputs += [
            f"{self.dialect.item(f's{number}_quantiles', str(place))} AS {names[p.alias]}"
            for place, p in enumerate(quantiles, 1)
        ]

    def _add(self, subject: Subject, primitive: Primitive, name: str) -> None:
        if subject.over is Over.ROWS or primitive == Primitive("rows"):
            self._plain(name, self._count())
        elif subject.over is Over.KEY:
            self._plain(name, self.dialect.distinct_tuples([self.relation.aliases[c] for c in subject.columns]))
        elif primitive.name in ("sum", "variance"):
            self._sum(self.relation.value(subject, primitive), primitive, name)
        else:
            self._plain(name, self._simple(primitive, self.relation.value(subject, primitive)))

    def _sum(self, value: Value, primitive: Primitive, name: str) -> None:
        squared = primitive.name == "variance"
        sum_ = self._sums[name] = Sum()
        if value.number == "decimal" and not squared:
            sum_.decimal = f"{name}_d"
            self._plain(sum_.decimal, f"sum({value.sql})")
            return
        if value.number == "integer" and not squared:
            whole = self.dialect.repeated(value.sql, self._times) if self._times else value.sql
            sum_.parts = self._parts(f"{name}_", self.dialect.big_sum(whole), lambda _: 0)
            return
        number = self._named(0, self.dialect.double(value.clean))
        span = self.ranges.get(name, self.dialect.usual_squared if squared else self.dialect.usual)
        sum_.extremes, sum_.span = f"{name}_", span
        self._plain(f"{name}_max", f"max({number})")
        self._plain(f"{name}_min", f"min({number})")
        self._plain(f"{name}_least", f"min(CASE WHEN {number} <> 0 THEN abs({number}) END)")
        kept = number
        if span.low <= _LOWEST:  # in whatever company it comes, a number is added whole or as zero
            least = self.dialect.number(2.0**_LOWEST)
            kept = f"CASE WHEN abs({number}) < {least} THEN {self.dialect.number(0.0)} ELSE {number} END"
        inside = self._named(1, f"CASE WHEN abs({number}) < {self.dialect.number(2.0**span.high)} THEN {kept} END")
        weights = span.weights(self.dialect.sum_bits)
        sum_.parts = self._parts(
            f"{name}_", sum_aggregates(inside, span, self.dialect, self._times), weights.__getitem__
        )
        if squared:
            error = self._named(2, rounding_error(inside, self.dialect))
            square_weights = span.squared.weights(self.dialect.sum_bits)
            aggregates = square_aggregates(inside, error, span, self.dialect, self._times)
            sum_.squares = self._parts(f"{name}_q", aggregates, square_weights.__getitem__)
            sum_.count = f"{name}_n"
            self._plain(sum_.count, self._count(number))

    def _parts(self, prefix: str, aggregates: Mapping[str, str], weight_of: object) -> list[tuple[str, int]]:
        """Add the aggregates of a sum; suffixes are `w<number>` of the weight and `_s<shift>`."""
        parts = []
        for suffix, sql in aggregates.items():
            head, _, shift = suffix.partition("_s")
            weight = weight_of(int(head.removeprefix("w") or 0)) + int(shift or 0)  # type: ignore[operator]
            self._plain(f"{prefix}{suffix}", sql)
            parts.append((f"{prefix}{suffix}", weight))
        return parts

    def _count(self, value: str = "1", *, where: str = "") -> str:
        """Count rows where a value is not null, and where a condition holds."""
        if not self._times:
            return f"count(CASE WHEN {where} THEN 1 END)" if where else f"count({'*' if value == '1' else value})"
        return f"CAST(coalesce(sum(CASE WHEN {where or f'{value} IS NOT NULL'} THEN {self._times} END), 0) AS BIGINT)"

    def _simple(self, primitive: Primitive, value: Value) -> str:
        """Return the aggregate of a primitive that is one column.

        Raises
        ------
        NotImplementedError
            If a metric asks for a primitive that is not there: a programmer's error.
        """
        kept, number = value.raw or value.sql, self.dialect.double(value.clean)
        if value.number == "float" and primitive.name in ("count", "min", "max"):  # sums use it, too
            number = self._named(0, number)
        count = self._count
        aggregates = {
            "values": count(kept),
            "nulls": f"{count()} - {count(kept)}",
            "count": count(number if value.number == "float" else value.clean),
            "nans": count(where=f"isnan({value.sql})" if value.number == "float" else "1 = 0"),
            "distinct": f"count(DISTINCT {value.whole})",
            "zeros": count(where=f"{value.clean} = 0"),
            "negatives": count(where=f"{value.clean} < 0"),
            "empties": count(where=f"{self.dialect.length(value.sql)} = 0"),
            "min": f"min({number})",
            "max": f"max({number})",
        }
        if primitive.name not in aggregates:
            raise NotImplementedError(primitive.name)
        return aggregates[primitive.name]
