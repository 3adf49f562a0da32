"""Distinct values of a column counted once in DuckDB, where several metrics ask for them: entities, spectra, numbers of distinct values.

Counting ten million items costs as much as all the rest of a plan; what is made of the counts costs nothing. So numbers of lists whose items
are few distinct values, such as ratings, come from counts, too.
"""

# ruff: noqa: S608  (columns are our aliases, numbers are numbers)

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Protocol

from lupus_provider.engines.base import ENTITY, Answer
from lupus_provider.engines.sql.numbers import NumbersBuilder
from lupus_provider.engines.sql.run import Door, Run
from lupus_provider.engines.sql.tables import curve_of_rows, kept_entities
from lupus_provider.metrics.base import SHAPE_COLUMNS, Over, Shape
from lupus_provider.metrics.plan import Subject, Work, primitives

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import pyarrow as pa

    from lupus_provider.engines.sql.query import Relation
    from lupus_provider.metrics.plan import Measure, MetricPlan, Refused

_OF_COUNTS = frozenset({"distinct", "count"})
_NUMBERS = _OF_COUNTS | {"sum", "variance", "min", "max", "zeros", "negatives"}
_TIMES = "lupus_times"
_PROBED_ROWS, _REPEATS = 2_000, 30
"""Rows that tell whether items repeat, and how often they do where counting them pays."""
_FEW = 10
"""Items whose places are listed once rather than made for each list, which costs a tenth of the counting."""
_SHAPES = (Shape.ENTITIES, Shape.SPECTRUM)
Task = tuple[Subject, Shape, "Sequence[Measure]"]


class CountingDoor(Door, Protocol):
    """A door that can also keep what it counted."""

    def execute(self, statement: str) -> None:
        """Run a statement that returns no rows."""
        ...


class CountingRun(Run):
    """One plan over one base relation in DuckDB."""

    door: CountingDoor

    def __init__(self, door: CountingDoor, relation: Relation, plan: MetricPlan) -> None:
        super().__init__(door, relation, plan)
        self._known: dict[str, bool] = {}

    def answers(self, work: Work) -> Iterator[Answer | Refused]:
        """Yield what the plan's work comes to, the rows' own numbers first."""
        columns, rest = self._divided(work)
        yield from super().answers(rest)
        for number, tasks in enumerate(columns):
            table = f"lupus_counted{number}"
            try:
                self.door.execute(f"CREATE TEMP TABLE {table} AS {self._counted(tasks)}")
            except Exception as err:  # noqa: BLE001  (the door says whose fault it was)
                self._reason(err)
                yield from super().answers(_as_work(tasks))  # one by one, so that only what fails is refused
                continue
            for subject, shape, measures in tasks:
                yield self._answer(table, subject, shape, measures)

    def _divided(self, work: Work) -> tuple[list[list[Task]], Work]:
        """Return the tasks of each column whose values are worth counting once, and the rest."""
        by_column: dict[tuple[Over, str], list[Task]] = defaultdict(list)
        for (subject, shape), measures in work.tables.items():
            if (
                shape in _SHAPES
                and subject.over in (Over.VALUES, Over.ITEMS)
                and not self._no_entity(subject, measures)
            ):
                by_column[subject.over, subject.column].append((subject, shape, measures))
        numbers: dict[Subject, list[Measure]] = {}
        for subject, measures in work.numbers.items():
            column = subject.over, subject.column
            names = _NUMBERS if self._repeats(subject, measures) else _OF_COUNTS if column in by_column else frozenset()
            of_counts = [m for m in measures if {p.name for p in primitives([m])} <= names]
            if of_counts:
                by_column[column].append((subject, Shape.NUMBERS, of_counts))
            if len(of_counts) < len(measures) or subject.over is Over.ROWS:
                numbers[subject] = [m for m in measures if m not in of_counts]
        columns = [tasks for tasks in by_column.values() if len(tasks) > 1 or _is_numbers(tasks[0])]
        taken = {(subject, shape) for tasks in columns for subject, shape, _ in tasks}
        tables = {key: measures for key, measures in work.tables.items() if key not in taken}
        return columns, Work(numbers, tables, work.refused)

    def _repeats(self, subject: Subject, measures: Sequence[Measure]) -> bool:
        """Whether the items of a list of numbers are few distinct values, by the first rows."""
        if subject.over is not Over.ITEMS or self.relation.types[subject.column].number not in ("integer", "float"):
            return False
        if not any({p.name for p in primitives([m])} <= _NUMBERS for m in measures):
            return False
        if subject.column not in self._known:
            self._known[subject.column] = self._probed(self.relation.aliases[subject.column])
        return self._known[subject.column]

    def _walked(self, subject: Subject, exact_sum: Callable[[str], Mapping[str, str]] | None) -> pa.Table:
        """Return the rows of `tables.curve`: scores that all differ need not be counted first."""
        grouping = self.relation.grouping
        if grouping.folded or len(grouping.sets) == 1:
            first = f"(SELECT s FROM {self.relation.source(subject)} WHERE s IS NOT NULL LIMIT {_PROBED_ROWS}) AS first_rows"
            found = self.door.arrow(f"SELECT count(s) AS scores, count(DISTINCT s) AS distincts FROM {first}")
            if found["scores"][0].as_py() == found["distincts"][0].as_py():
                table = self.door.arrow(curve_of_rows(self.relation, subject, exact_sum))
                if not any(table["ties"].to_pylist()):
                    return table.drop_columns(["ties"])
        return super()._walked(subject, exact_sum)

    def _probed(self, alias: str) -> bool:
        rows = f"SELECT unnest({alias}) AS item FROM (SELECT {alias} FROM {self.relation.name} LIMIT {_PROBED_ROWS})"
        try:
            found = self.door.arrow(
                f"SELECT count(item) AS items, count(DISTINCT item) AS distincts FROM ({rows}) AS rows"
            )
        except Exception as err:  # noqa: BLE001  (the door says whose fault it was; the query itself will tell the reader)
            self._reason(err)
            return False
        return found["items"][0].as_py() >= _REPEATS * found["distincts"][0].as_py() > 0

    def _counted(self, tasks: Sequence[Task]) -> str:
        """Return the query of the distinct values of a column in each group, and how often each occurs among the first k items."""
        subject, grouping = tasks[0][0], self.relation.grouping
        depths = {task[0].k for task in tasks}
        value = self.relation.value(subject)
        key = value.clean if value.number == "float" and value.raw is None else self._column(subject)
        counts = ", ".join(
            f"count(*) AS {_count(k)}" if k is None else f"count(CASE WHEN pos <= {int(k)} THEN 1 END) AS {_count(k)}"
            for k in sorted(depths, key=lambda k: k or 0)
        )
        rows = f"SELECT {', '.join(grouping.carried)}, pos, {key} AS v FROM {self._source(subject, depths)}"
        return f"SELECT {grouping.selected(['v'])}, {counts} FROM ({rows}) AS rows WHERE v IS NOT NULL {grouping.group_by(['v'])}"

    def _source(self, subject: Subject, depths: set[int | None]) -> str:
        carried = ", ".join(self.relation.grouping.carried)
        alias, dialect = self.relation.aliases[subject.column], self.relation.dialect
        if subject.over is Over.VALUES:
            return f"(SELECT {carried}, 1 AS pos, {alias} FROM {self.relation.name}) AS values_of"
        if depths == {None}:
            return f"(SELECT {carried}, 1 AS pos, unnest({alias}) AS item FROM {self.relation.name}) AS items"
        deepest = max((k for k in depths if k is not None), default=0)
        items = alias if None in depths else dialect.first(alias, deepest)
        if deepest <= _FEW:  # rows behind the end of a short list have no item
            places = f"unnest([{', '.join(map(str, range(1, deepest + 1)))}]) AS pos"
            return f"(SELECT {carried}, {places}, unnest({items}) AS item FROM {self.relation.name}) AS items"
        return f"(SELECT {carried}, generate_subscripts({items}, 1) AS pos, unnest({items}) AS item FROM {self.relation.name}) AS items"

    def _column(self, subject: Subject) -> str:
        return "item" if subject.over is Over.ITEMS else self.relation.aliases[subject.column]

    def _answer(self, table: str, subject: Subject, shape: Shape, measures: Sequence[Measure]) -> Answer:
        relation, n = self.relation, _count(subject.k)
        keys = ", ".join(relation.grouping.keys)
        found = f"FROM {table} WHERE {n} > 0"
        if shape is Shape.NUMBERS:
            return self._numbers_of(
                f"SELECT {keys}, v AS {self._column(subject)}, {n} AS {_TIMES} {found}", subject, measures
            )
        if shape is Shape.ENTITIES:
            text = relation.dialect.text("v", relation.types[subject.column])
            rows = f"SELECT {keys}, {text} AS {ENTITY}, {n} AS n {found}"
            query = kept_entities(relation, rows, self.plan.max_entities)
        else:
            query = f"SELECT {keys}, {n} AS size, count(*) AS values_of_size {found} GROUP BY {keys}, {n}"
        result = self._placed(self._named(self.door.arrow(query), shape))
        self._tell_folded(subject, result)
        return Answer(shape, result, {subject: {name: name for name in SHAPE_COLUMNS[shape]}}, {subject: measures})

    def _numbers_of(self, rows: str, subject: Subject, measures: Sequence[Measure]) -> Answer:
        wanted = {subject: primitives(measures)}
        query, table = self._summed(
            lambda ranges: NumbersBuilder(self.relation, ranges, _TIMES).build(wanted, source=f"({rows}) AS counted")
        )
        return Answer(Shape.NUMBERS, self._placed(table), query.columns, {subject: measures})


def _is_numbers(task: Task) -> bool:
    return task[1] is Shape.NUMBERS


def _count(k: int | None) -> str:
    return "n" if k is None else f"n_{int(k)}"


def _as_work(tasks: Sequence[Task]) -> Work:
    work = Work()
    for subject, shape, measures in tasks:
        if shape is Shape.NUMBERS:
            work.numbers[subject] = list(measures)
        else:
            work.tables[subject, shape] = list(measures)
    return work
