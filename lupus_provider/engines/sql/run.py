"""Runs a plan as queries: one for all numbers that share a source, one a table-shaped answer.

A query that fails is split until the failing measure stands alone, so that one bad column never costs the others.
"""

# Pyarrow makes its compute functions at run time, so its names say nothing to a type checker:
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

import logging
import re
from collections import defaultdict
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lupus_provider.engines.base import GROUP_SET, PERIOD, ROWS, SLICE, Answer
from lupus_provider.engines.sql.numbers import NumbersBuilder, NumbersQuery
from lupus_provider.engines.sql.sums import Range, Total, rounded, sum_aggregates, totals
from lupus_provider.engines.sql.tables import BIN, FOLDED, binned, curve, table_query
from lupus_provider.errors import EngineFailedError
from lupus_provider.metrics.base import SHAPE_COLUMNS, Kind, Over, Primitive, Shape
from lupus_provider.metrics.plan import ROWS as ROWS_SUBJECT, Measure, MetricPlan, Refused, Subject, Work, primitives

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from lupus_provider.engines.sql.query import Relation

    Subjects = Mapping[Subject, Sequence[Measure]]

log = logging.getLogger(__name__)

CURVE = frozenset({"auc_area", "precision_sum"})
"""Primitives that need the scores in order."""


class Door(Protocol):
    """How queries reach an engine."""

    name: str
    """Of the table, for messages."""

    def arrow(self, query: str) -> pa.Table:
        """Return the rows of a query."""
        ...

    def reason(self, err: Exception) -> str | None:
        """First line of the engine's message where a query failed because of what it computes; None where anything else failed."""
        ...


class Run:
    """One plan over one base relation."""

    def __init__(self, door: Door, relation: Relation, plan: MetricPlan) -> None:
        self.door, self.relation, self.plan = door, relation, plan

    def answers(self, work: Work) -> Iterator[Answer | Refused]:
        """Yield what the plan's work comes to, the rows' own numbers first."""
        yield from work.refused
        sources: dict[object, dict[Subject, list[Measure]]] = {}
        curves: dict[Subject, list[Measure]] = defaultdict(list)
        for subject, measures in work.numbers.items():
            plain = [m for m in measures if not _names(m) & CURVE]
            curves[subject] += [m for m in measures if _names(m) & CURVE]
            if plain or subject.over is Over.ROWS:
                sources.setdefault(self.relation.shared(subject), {})[subject] = plain
        for subjects in sources.values():
            yield from self._numbers(subjects)
        for subject, measures in curves.items():
            if measures:
                yield from self._guarded(subject, measures, self._curve)
        for (subject, shape), measures in work.tables.items():
            answer = self._bins if shape is Shape.BINS else self._table_of(shape)
            yield from self._guarded(subject, measures, answer)

    # -- numbers -----------------------------------------------------------------------------------------------------

    def _numbers(self, subjects: Subjects) -> Iterator[Answer | Refused]:
        try:
            answer = self.numbers(subjects)
        except Exception as err:  # noqa: BLE001  (the door says whose fault it was; what is not the query's goes on)
            yield from self._split(subjects, self._reason(err))
        else:
            yield answer

    def numbers(self, subjects: Subjects) -> Answer:
        """Answer the numbers of subjects that share a source."""
        wanted = {subject: _with_rows(subject, primitives(measures)) for subject, measures in subjects.items()}
        query, table = self._summed(lambda ranges: NumbersBuilder(self.relation, ranges).build(wanted))
        table = self._placed(table)
        if ROWS_SUBJECT in subjects and () not in self.plan.group_sets:  # the engine would read all rows twice for it
            table = with_wholes(table, self.plan)
        return Answer(Shape.NUMBERS, table, query.columns, dict(subjects))

    def _summed(self, build: Callable[[Mapping[str, Range]], NumbersQuery]) -> tuple[NumbersQuery, pa.Table]:
        """Run a query; again, where its sums were cut for other numbers than there are."""
        query = build({})
        table = self.door.arrow(query.sql)
        unusual = query.unusual(table)
        if unusual:
            query = build(unusual)
            table = self.door.arrow(query.sql)
        return query, query.finished(table)

    def _split(self, subjects: Subjects, reason: str) -> Iterator[Answer | Refused]:
        """Halve what failed until the failing measure stands alone; the rest still comes, row counts first."""
        rows = {s: m for s, m in subjects.items() if s.over is Over.ROWS}
        pairs = [(subject, measure) for subject, found in subjects.items() if subject not in rows for measure in found]
        if not pairs:
            raise EngineFailedError(self.door.name, reason)
        if len(pairs) == 1 and not rows:
            yield self._refused(pairs[0][1], reason)
            return
        if rows:
            yield from self._numbers(rows)
        middle = (len(pairs) + 1) // 2
        for half in (pairs[:middle], pairs[middle:]):
            part: dict[Subject, list[Measure]] = {}
            for subject, measure in half:
                part.setdefault(subject, []).append(measure)
            if part:
                yield from self._numbers(part)

    # -- other shapes ------------------------------------------------------------------------------------------------

    def _guarded(
        self, subject: Subject, measures: Sequence[Measure], answer: Callable[[Subject, Sequence[Measure]], Answer]
    ) -> Iterator[Answer | Refused]:
        refusal = self._no_entity(subject, measures)
        if refusal is not None:
            yield from (self._refused(measure, refusal) for measure in measures)
            return
        try:
            found = answer(subject, measures)
        except Exception as err:  # noqa: BLE001  (as in _numbers)
            reason = self._reason(err)
            yield from (self._refused(measure, reason) for measure in measures)
        else:
            yield found

    def _no_entity(self, subject: Subject, measures: Sequence[Measure]) -> str | None:
        """Say why values name no things that can be counted one by one: fractions do not."""
        shape = measures[0].expression.metric.shape
        if shape not in (Shape.ENTITIES, Shape.REGISTERS):
            return None
        kind = self.relation.types[subject.column]
        if kind.kind is not Kind.NUMBER or kind.number == "integer":
            return None
        return f"column {subject.column!r} is {kind.name}: every value would be an entity. Round it to an integer or a text first."

    def _table_of(self, shape: Shape) -> Callable[[Subject, Sequence[Measure]], Answer]:
        def answer(subject: Subject, measures: Sequence[Measure]) -> Answer:
            query = table_query(self.relation, subject, shape, self.plan.max_entities)
            table = self._placed(self._named(self.door.arrow(query), shape))
            self._tell_folded(subject, table)
            return Answer(shape, table, {subject: {n: n for n in SHAPE_COLUMNS[shape]}}, {subject: measures})

        return answer

    def _named(self, table: pa.Table, shape: Shape) -> pa.Table:
        """Give the shape's columns their names; SQL reserves some of them."""
        keys = self.relation.grouping.keys
        return table.rename_columns(
            [*keys, *SHAPE_COLUMNS[shape], *table.column_names[len(keys) + len(SHAPE_COLUMNS[shape]) :]]
        )

    def _tell_folded(self, subject: Subject, table: pa.Table) -> None:
        most = pc.max(table[FOLDED]).as_py() if FOLDED in table.column_names else 0
        if most:
            log.warning(
                "%s: %r has up to %d entities a group beyond max_entities; they are one entity",
                self.door.name, subject.column, most,
            )  # fmt: skip

    def _bins(self, subject: Subject, measures: Sequence[Measure]) -> Answer:
        wanted = {subject: primitives(measures)}
        source = f"({binned(self.relation, subject)}) AS binned"

        def build(ranges: Mapping[str, Range]) -> NumbersQuery:
            return NumbersBuilder(self.relation, ranges).build(wanted, [BIN], source)

        query, table = self._summed(build)
        return Answer(Shape.BINS, self._placed(table), query.columns, {subject: measures})

    def _curve(self, subject: Subject, measures: Sequence[Measure]) -> Answer:
        dialect = self.relation.dialect
        span = dialect.usual
        wanted = set().union(*map(_names, measures))
        exact_sum = (lambda value: sum_aggregates(value, span, dialect)) if "precision_sum" in wanted else None
        table = self._walked(subject, exact_sum)
        positives = table["positives"].cast(pa.int64()).to_pylist()
        all_pairs = [2 * p * (n - p) for p, n in zip(positives, table[ROWS].cast(pa.int64()).to_pylist())]
        above, _ = _parts_total(table, "a", [0])
        area = [whole - int(part or 0) for whole, part in zip(all_pairs, above)]
        table = table.append_column("auc_area", pa.array([float(a) for a in area], pa.float64()))
        columns = {"auc_area": "auc_area", ROWS: ROWS, Primitive("sum", of="positive").alias: "positives"}
        columns |= {Primitive(name, of=of).alias: ROWS for name in ("count", "values") for of in ("score", "positive")}
        if exact_sum is not None:
            found = rounded(_parts_total(table, "p", span.weights(dialect.sum_bits)))
            table = table.append_column("precision_sum", pa.array(found, pa.float64(), from_pandas=True))
            columns["precision_sum"] = "precision_sum"
        return Answer(Shape.NUMBERS, self._placed(table), {subject: columns}, {subject: measures})

    def _walked(self, subject: Subject, exact_sum: Callable[[str], Mapping[str, str]] | None) -> pa.Table:
        """Return the rows of `tables.curve`."""
        return self.door.arrow(curve(self.relation, subject, exact_sum))

    # -- shared ------------------------------------------------------------------------------------------------------

    def _placed(self, table: pa.Table) -> pa.Table:
        table = self.relation.grouping.placed(table)
        return table.set_column(table.column_names.index(PERIOD), PERIOD, table[PERIOD].cast(pa.int32()))

    def _refused(self, measure: Measure, reason: str) -> Refused:
        log.warning("%s: %s of %r failed: %s", self.door.name, measure.expression.name, measure.column, reason)
        return Refused(measure, reason)

    def _reason(self, err: Exception) -> str:
        reason = self.door.reason(err)
        if reason is None:
            raise err
        return reason


def _names(measure: Measure) -> set[str]:
    return {primitive.name for primitive in primitives([measure])}


def _with_rows(subject: Subject, wanted: list[Primitive]) -> list[Primitive]:
    return list(dict.fromkeys([Primitive("rows"), *wanted])) if subject.over is Over.ROWS else wanted


def _parts_total(table: pa.Table, prefix: str, weights: Sequence[int]) -> Total:
    """Add the columns of a sum: `<prefix>`, the number of the weight after `w`, and a shift after `_s`."""
    parts = []
    for name in table.column_names:
        head, _, shift = name.partition("_s")
        if re.fullmatch(rf"{prefix}(w[0-9]+)?", head):
            weight = weights[int(head.removeprefix(prefix).removeprefix("w") or 0)] + int(shift or 0)
            parts.append((table[name].to_pylist(), weight))
    return totals(parts)


def with_wholes(table: pa.Table, plan: MetricPlan) -> pa.Table:
    """Add rows of the whole, of which only the count is known: any group set parts all rows.

    That count proves that the table was looked at, also where no group set asks for the whole.
    """
    always = [PERIOD, *([SLICE] if plan.slices else [])]
    one_set = table.filter(pc.equal(table[GROUP_SET], 0))
    sums = one_set.group_by(always).aggregate([(ROWS, "sum")])
    columns = {field.name: pa.nulls(sums.num_rows, field.type) for field in table.schema}
    for name in always:
        columns[name] = sums[name].combine_chunks()
    columns[ROWS] = sums[f"{ROWS}_sum"].combine_chunks()
    columns[GROUP_SET] = pa.array(np.full(sums.num_rows, -1, np.int32))
    for name in table.column_names:  # the metrics of the rows themselves count rows, too
        if name.endswith(f"_{ROWS}") and name != ROWS:
            columns[name] = columns[ROWS]
    return pa.concat_tables([table, pa.table(columns, schema=table.schema)]).combine_chunks()
