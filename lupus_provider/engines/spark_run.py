"""Runs a plan on Spark with few queries: what needs distinct values in one, the items of a list in one, the rest as for any engine.

Spark reads the source once a query, so the number of queries is what a plan costs.
"""

# Pyarrow makes its compute functions at run time, so its names say nothing to a type checker:
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lupus_provider.engines.base import ENTITY, GROUP_SET, ROWS, Answer
from lupus_provider.engines.spark_bins import BinsRun
from lupus_provider.engines.spark_counts import BRANCH, COUNTED, NUMBERS, OF_WHOLE, PART, CountsQuery, Task
from lupus_provider.engines.spark_reading import DIALECT, SparkDoor, rows_error
from lupus_provider.engines.sql.numbers import NumbersBuilder
from lupus_provider.engines.sql.query import Relation
from lupus_provider.engines.sql.spark import LOW_BITS
from lupus_provider.engines.sql.sums import rounded, totals
from lupus_provider.engines.sql.tables import FOLDED
from lupus_provider.engines.sql.values import Value, column_value
from lupus_provider.metrics.base import SHAPE_COLUMNS, Kind, Over, Primitive, Shape
from lupus_provider.metrics.bins import REST
from lupus_provider.metrics.plan import Refused, Subject, Work, primitives

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lupus_provider.engines.sql.run import Subjects
    from lupus_provider.metrics.base import Floats
    from lupus_provider.metrics.plan import Measure

_COUNTABLE = frozenset({Over.VALUES, Over.ITEMS, Over.LENGTHS})
_OF_COUNTS = COUNTED | {"count"}
_TABLES = frozenset({Shape.ENTITIES, Shape.SPECTRUM})


class SparkRelation(Relation):
    """Base relation whose lists are taken apart once for all their k: an item knows its place, from 0, as `pos`."""

    def source(self, subject: Subject) -> str:
        """As in `Relation`; items come with their place."""
        if subject.over is not Over.ITEMS:
            return super().source(subject)
        alias = self.aliases[subject.column]
        items = alias if subject.k is None else self.dialect.first(alias, subject.k)
        carried = ", ".join(self.grouping.carried)
        return f"(SELECT {carried}, pos, item FROM {self.name} LATERAL VIEW posexplode({items}) exploded AS pos, item) AS items"  # noqa: S608

    def shared(self, subject: Subject) -> object:
        """As in `Relation`; items of all k of a column share a source. Distinct rows of several columns stand alone."""
        if subject.over in (Over.ITEMS, Over.KEY):
            return subject.over, subject.columns
        return super().shared(subject)

    def value(self, subject: Subject, primitive: Primitive | None = None) -> Value:
        """As in `Relation`; items behind the first k are null."""
        if subject.over is not Over.ITEMS or subject.k is None or (primitive is not None and primitive.of):
            return super().value(subject, primitive)
        item = f"CASE WHEN pos < {int(subject.k)} THEN item END"
        return column_value(self.dialect, subject.over, f"({item})", self.types[subject.column])


class SparkRun(BinsRun):
    """One plan over one base relation in Spark."""

    door: SparkDoor

    def answers(self, work: Work) -> Iterator[Answer | Refused]:
        """Yield what the plan's work comes to, the rows' own numbers first."""
        tasks, mixed, rest = self._divided(work)
        yield from super().answers(rest)
        for subject, measures in mixed.items():
            yield from self._guarded(subject, measures, self._mixed)
        for (subject, shape), measures in list(work.tables.items()):
            refusal = self._no_entity(subject, measures) if shape in _TABLES else None
            if refusal is not None:
                yield from (self._refused(measure, refusal) for measure in measures)
        if tasks:
            yield from self._counted(tasks)

    def _divided(self, work: Work) -> tuple[list[Task], dict[Subject, list[Measure]], Work]:
        """Return what comes from counted values, what needs these and others, and the rest.

        In the rest the widest k of a column comes first, for it makes the source.
        """
        tasks: list[Task] = []
        mixed: dict[Subject, list[Measure]] = {}
        numbers: dict[Subject, list[Measure]] = {}
        listed = {s for s, shape in work.tables if shape in _TABLES}
        for subject, measures in work.numbers.items():
            counted = [m for m in measures if _names(subject, m) & COUNTED and _names(subject, m) <= _OF_COUNTS]
            if (counted or subject in listed) and self._is_whole(subject):
                counted = [m for m in measures if _names(subject, m) <= COUNTED | OF_WHOLE]
            if counted:
                tasks.append(Task(subject, Shape.NUMBERS, tuple(counted), tuple(primitives(counted))))
            both = [m for m in measures if m not in counted and _names(subject, m) & COUNTED]
            if both:
                mixed[subject] = both
            plain = [m for m in measures if m not in counted and m not in both]
            if plain or subject.over is Over.ROWS:
                numbers[subject] = plain
        tables = dict(work.tables)
        for subject, shape in work.tables:
            if shape in _TABLES:
                measures = tables.pop((subject, shape))
                if self._no_entity(subject, measures) is None:
                    tasks.append(Task(subject, shape, tuple(measures)))
        widest_first = sorted(numbers, key=lambda s: (s.over is Over.ITEMS, -(s.k or 1 << 62)))
        return tasks, mixed, Work({s: numbers[s] for s in widest_first}, tables, work.refused)

    def _is_whole(self, subject: Subject) -> bool:
        """Whether the values are whole numbers, so that what is added of the counts is exact."""
        if subject.over not in _COUNTABLE:
            return False
        kind = self.relation.types[subject.column]
        return subject.over is Over.LENGTHS or kind.kind is Kind.BOOL or kind.number == "integer"

    # -- numbers -----------------------------------------------------------------------------------------------------

    def _numbers(self, subjects: Subjects) -> Iterator[Answer | Refused]:
        alone = {subject for subject, measures in subjects.items() if _needs_its_rows(subject, measures)}
        for subject in alone:
            yield from super()._numbers({subject: subjects[subject]})
        shared = {subject: measures for subject, measures in subjects.items() if subject not in alone}
        if shared:
            yield from super()._numbers(shared)

    def _split(self, subjects: Subjects, reason: str) -> Iterator[Answer | Refused]:
        if not any(subject.over is not Over.ROWS for subject in subjects):
            raise rows_error(reason, self.plan, self.door.name)
        yield from super()._split(subjects, reason)

    # -- counted values ----------------------------------------------------------------------------------------------

    def _counted(self, tasks: Sequence[Task]) -> Iterator[Answer | Refused]:
        try:
            query = CountsQuery(self.relation, DIALECT, tasks, self.plan.max_entities)
            table = self.door.arrow(query.sql)
        except Exception as err:  # noqa: BLE001  (as in Run: the door says whose fault it was)
            reason = self._reason(err)
            if len(tasks) == 1:
                yield from (self._refused(measure, reason) for measure in tasks[0].measures)
                return
            ordered = sorted(tasks, key=lambda task: task.subject.column)  # what fails together stays together
            middle = (len(ordered) + 1) // 2
            yield from self._counted(ordered[:middle])
            yield from self._counted(ordered[middle:])
        else:
            yield from self._told(query, table)

    def _mixed(self, subject: Subject, measures: Sequence[Measure]) -> Answer:
        """Answer measures that need counted values and other numbers: by two queries, put side by side."""
        wanted = primitives(measures)
        plain = {subject: [p for p in wanted if p.name not in COUNTED]}
        numbers, table = self._summed(lambda ranges: NumbersBuilder(self.relation, ranges).build(plain))
        table = self._placed(table)
        task = Task(subject, Shape.NUMBERS, tuple(measures), tuple(p for p in wanted if p.name in COUNTED))
        query = CountsQuery(self.relation, DIALECT, [task], self.plan.max_entities)
        counted = next(self._told(query, self.door.arrow(query.sql)))
        keys = [GROUP_SET, *self.relation.grouping.keys[:-1]]
        places = pc.index_in(_key_texts(table, keys), _key_texts(counted.table, keys))
        for primitive in task.primitives:
            values = counted.table[primitive.alias].combine_chunks().take(places)
            values = pc.fill_null(values, 0) if primitive.counts else values
            table = table.append_column(primitive.alias, values)
        columns = {**numbers.columns[subject], **{p.alias: p.alias for p in task.primitives}}
        return Answer(Shape.NUMBERS, table, {subject: columns}, {subject: measures})

    def _told(self, query: CountsQuery, table: pa.Table) -> Iterator[Answer]:
        parts = pc.dictionary_encode(table[PART])
        table = self._placed(table.drop_columns([PART]))
        branch = table[BRANCH].to_numpy()
        by_part = {name: _of_part(parts, name) for name in {NUMBERS, *(query.part_of(task) for task in query.tasks)}}
        for task in query.tasks:
            of_branch = branch == query.branch(task.subject).number
            rows = table.filter(pa.array(by_part[query.part_of(task)] & of_branch))
            if task.shape is Shape.NUMBERS:
                yield self._numbers_of(query, task, rows)
            elif task.shape is Shape.SPECTRUM:
                yield self._answer(task, self._keys_of(rows), [rows[name] for name in ("size", "n")])
            else:
                yield self._entities_of(query, task, rows, table.filter(pa.array(by_part[NUMBERS] & of_branch)))

    def _keys_of(self, rows: pa.Table) -> pa.Table:
        return rows.select([GROUP_SET, *self.relation.grouping.keys[:-1]])

    def _answer(self, task: Task, table: pa.Table, columns: Sequence[pa.ChunkedArray | pa.Array]) -> Answer:
        names = SHAPE_COLUMNS[task.shape]
        for name, column in zip(names, columns):
            table = table.append_column(name, column)
        self._tell_folded(task.subject, table)
        return Answer(task.shape, table, {task.subject: {name: name for name in names}}, {task.subject: task.measures})

    def _entities_of(self, query: CountsQuery, task: Task, rows: pa.Table, numbers: pa.Table) -> Answer:
        """Answer the largest entities, and what they leave of a group as one more."""
        count = query.count_of(task.subject)
        nothing = pa.array(np.zeros(rows.num_rows, np.int64))
        entities = self._keys_of(rows).append_column(ENTITY, rows[ENTITY]).append_column("n", rows["n"])
        entities = entities.append_column(FOLDED, nothing)
        total, distinct = (_column(numbers, "longs", query.longs, f"{name}{count}") for name in ("total", "distinct"))
        cut = distinct > query.max_entities
        if cut.any():
            groups = self._keys_of(numbers.filter(pa.array(cut)))
            entities = _with_rest(entities, groups, total[cut], distinct[cut])
        return self._answer(task, self._keys_of(entities), [entities[name] for name in (ENTITY, "n", FOLDED)])

    def _numbers_of(self, query: CountsQuery, task: Task, rows: pa.Table) -> Answer:
        count = query.count_of(task.subject)
        total = _column(rows, "longs", query.longs, f"total{count}")
        found: dict[str, np.ndarray] = {ROWS: total}
        for primitive in task.primitives:
            found[primitive.alias] = self._primitive(query, count, primitive, rows, total)
        table = self._keys_of(rows)
        for name, values in found.items():
            table = table.append_column(name, pa.array(values))
        return Answer(Shape.NUMBERS, table, {task.subject: {n: n for n in found}}, {task.subject: task.measures})

    def _primitive(
        self, query: CountsQuery, count: int, primitive: Primitive, rows: pa.Table, total: np.ndarray
    ) -> np.ndarray:
        if primitive.name == "quantile":
            fraction = float(primitive.argument or 0.0)
            place = query.quantiles.index((count, fraction))
            low, high = (_column(rows, "doubles", query.doubles, f"{end}{place}") for end in ("low", "high"))
            return interpolated(low, high, total, fraction)
        if primitive.name == "distinct":
            return _column(rows, "longs", query.longs, f"distinct{count}")
        if primitive.name in ("min", "max"):
            return _column(rows, "doubles", query.doubles, f"{primitive.name}{count}")
        if primitive.name == "sum":
            high, low = (_column(rows, "longs", query.longs, f"sum{count}_{part}") for part in ("high", "low"))
            found = rounded(totals([(high.tolist(), LOW_BITS), (low.tolist(), 0)]))
            return np.where(total > 0, found, np.nan)
        return total


def _names(subject: Subject, measure: Measure) -> set[str]:
    """Names of the primitives of a measure, where its values can be counted."""
    return {primitive.name for primitive in primitives([measure])} if subject.over in _COUNTABLE else set()


def _needs_its_rows(subject: Subject, measures: Sequence[Measure]) -> bool:
    """Whether it counts the nulls among the first k items, so that items behind them must not be there."""
    names = {primitive.name for primitive in primitives(measures)}
    return subject.over is Over.ITEMS and subject.k is not None and bool(names & {"rows", "nulls"})


def _key_texts(table: pa.Table, keys: Sequence[str]) -> pa.Array:
    """Texts that tell groups apart, also null from the empty text."""
    parts = []
    for name in keys:
        text = table[name].cast(pa.string())
        parts += [pc.fill_null(pc.binary_length(text), -1).cast(pa.string()), pc.fill_null(text, "")]
    joined = pc.binary_join_element_wise(*parts, ":")
    return joined.combine_chunks() if isinstance(joined, pa.ChunkedArray) else joined


def _with_rest(entities: pa.Table, groups: pa.Table, total: np.ndarray, distinct: np.ndarray) -> pa.Table:
    """Add what the entities leave of some groups, and make a value that is called as the rest a part of it, as SQL does elsewhere.

    Parameters
    ----------
    entities
        Keys, `entity`, `n`, `folded`: the largest of every group.
    groups
        Keys of the groups that have more; shape (groups,).
    total, distinct
        Rows and distinct values of these groups; shape (groups,).
    """
    place = pc.index_in(_key_texts(entities, groups.column_names), _key_texts(groups, groups.column_names))
    group = pc.fill_null(place, -1).to_numpy(zero_copy_only=False)
    inside = group >= 0
    is_rest = inside & pc.equal(entities[ENTITY], REST).to_numpy(zero_copy_only=False)
    kept = np.zeros(len(total), np.int64)
    np.add.at(kept, group[inside & ~is_rest], entities["n"].to_numpy()[inside & ~is_rest])
    rest = groups.append_column(ENTITY, pa.array([REST] * len(total), pa.string()))
    rest = rest.append_column("n", pa.array(total - kept))
    rest = rest.append_column(FOLDED, pa.array(distinct - np.bincount(group[inside], minlength=len(total))))
    return pa.concat_tables([entities.filter(pa.array(~is_rest)), rest.cast(entities.schema)])


def _of_part(parts: pa.ChunkedArray, name: str) -> np.ndarray:
    return pc.equal(parts.cast(pa.string()), name).to_numpy(zero_copy_only=False)


def _column(rows: pa.Table, name: str, places: Sequence[str], place: str) -> np.ndarray:
    """One place of a column of lists that all have the same length, shape (rows,); null is NaN."""
    lists = rows[name].combine_chunks()
    values = lists.flatten() if isinstance(lists, pa.Array) else pa.concat_arrays([c.flatten() for c in lists.chunks])
    return values.to_numpy(zero_copy_only=False).reshape(-1, len(places))[:, places.index(place)]


def interpolated(low: Floats, high: Floats, count: np.ndarray, fraction: float) -> Floats:
    """Return quantiles between the values next to their place, with the bits of a fused multiply-add, as DuckDB computes them.

    The place is p = (n - 1) f; with d = p - floor p the quantile is low (1 - d) + high d, where high d is rounded and then, once, the sum.

    Parameters
    ----------
    low, high
        Values at the places floor p and ceil p; shape (groups,).
    count
        Number of values n in each group; shape (groups,).
    fraction
        0…1.
    """
    place = (count - 1) * fraction
    part = place - np.floor(place)
    with np.errstate(all="ignore"):
        found = low * (1 - part) + high * part
    exact = {}
    for row in np.flatnonzero((part > 0) & np.isfinite(low) & np.isfinite(high)):
        key = float(low[row]), float(high[row]), float(part[row])
        if key not in exact:
            exact[key] = _fused(*key)
        found[row] = exact[key]
    return np.where(part == 0, low, found)


def _fused(low: float, high: float, part: float) -> float:
    try:
        return float(Fraction(low) * Fraction(1 - part) + Fraction(high * part))
    except OverflowError:
        return low * (1 - part) + high * part
