"""Percentiles, distinct counts, entities and counts of counts on Spark: out of one table of how often each distinct value occurs.

Spark's own percentile keeps all values of a group in memory, and each distinct count copies every row once more. Counting the distinct
values of all columns together costs one shuffle; a list is taken apart once for all its k. Whatever is left to do is done on the counts.
"""

# ruff: noqa: S608  (columns are our aliases, numbers are numbers)

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lupus_provider.metrics.base import Kind, Over, Shape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lupus_provider.engines.sql.query import Relation
    from lupus_provider.engines.sql.spark import SparkDialect
    from lupus_provider.metrics.base import Primitive
    from lupus_provider.metrics.plan import ColumnType, Measure, Subject

BRANCH, PART = "lupus_branch", "lupus_part"
NUMBERS = "numbers"
"""Part of the numbers of branches."""
_SHAPES = (Shape.NUMBERS, Shape.ENTITIES, Shape.SPECTRUM)
COUNTED = frozenset({"quantile", "distinct"})
"""Primitives that come from counted values."""
OF_WHOLE = frozenset({"sum", "min", "max", "count", "values"})
"""Primitives of whole numbers that come from counted values just as well."""
_KEYS = ("long_key", "double_key", "text_key")


@dataclass(frozen=True, slots=True)
class Task:
    """A subject whose values are counted, for one shape.

    Attributes
    ----------
    primitives
        Of numbers: `count`, `distinct`, `quantile`; of whole numbers those of `OF_WHOLE`, too.
    """

    subject: Subject
    shape: Shape
    measures: tuple[Measure, ...]
    primitives: tuple[Primitive, ...] = ()

    @property
    def fractions(self) -> list[float]:
        """Quantiles that are asked for."""
        return [float(p.argument or 0.0) for p in self.primitives if p.name == "quantile"]


@dataclass(slots=True)
class Branch:
    """One column whose values, lengths or items are counted.

    Attributes
    ----------
    number
        Its value of `lupus_branch`.
    ks
        Every k that is asked of its lists; None: the whole lists, or no lists.
    """

    number: int
    over: Over
    column: str
    type: ColumnType
    ks: set[int | None] = field(default_factory=set)

    @property
    def widest(self) -> int | None:
        """Largest k."""
        return None if None in self.ks else max(k for k in self.ks if k is not None)

    @property
    def key(self) -> str:
        """Which of the key columns holds its values."""
        if self.over is Over.LENGTHS or self.type.kind in (Kind.TIME, Kind.BOOL) or self.type.number == "integer":
            return "long_key"
        return "double_key" if self.type.number == "float" else "text_key"

    @property
    def is_whole(self) -> bool:
        """Whether its keys are its values, whole numbers: they can be added."""
        return self.key == "long_key" and (self.over is Over.LENGTHS or self.type.kind is not Kind.TIME)

    def value(self, dialect: SparkDialect, column: str) -> str:
        """Return the SQL of what tells two values apart; null of what is left out."""
        if self.over is Over.LENGTHS:
            return f"CAST({dialect.length(column)} AS BIGINT)"
        if self.type.kind is Kind.TIME:
            return dialect.ticks(column, self.type)
        if self.key == "long_key":
            return f"CAST({column} AS BIGINT)"
        if self.key == "double_key":
            number = dialect.double(column)
            return f"CASE WHEN isnan({number}) THEN NULL ELSE {number} END"
        return f"CAST({column} AS STRING)"

    def number_of_key(self, dialect: SparkDialect) -> str:
        """Return the SQL of the number that a key stands for."""
        if self.key == "double_key":
            return self.key
        if self.key == "long_key":
            is_time = self.over is not Over.LENGTHS and self.type.kind is Kind.TIME
            return dialect.epoch_of_ticks(self.key, self.type) if is_time else dialect.double(self.key)
        return dialect.double(f"CAST({self.key} AS {self.type.name.removesuffix('[]')})")

    def text_of_key(self) -> str:
        """Return the SQL of the text that a key stands for."""
        if self.key == "long_key" and self.over is not Over.LENGTHS and self.type.kind is Kind.BOOL:
            return f"CASE WHEN {self.key} = 1 THEN 'true' ELSE 'false' END"
        return f"CAST({self.key} AS STRING)"


class CountsQuery:
    """The query of some tasks, and where their answers are in its rows.

    Columns of its answer: `lupus_part` and `lupus_branch` say whose row it is; the keys of the grouping; `entity`, `size` and `n` of shapes
    that are tables; two lists, `longs` and `doubles`, of the numbers of a branch at the places that `longs` and `doubles` say here. A branch
    whose entities are asked for has numbers, too: what is missing among the entities is one entity. What nobody asks for is not there.

    Parameters
    ----------
    tasks
        At least one.
    max_entities
        As in the plan.
    """

    def __init__(self, relation: Relation, dialect: SparkDialect, tasks: Sequence[Task], max_entities: int) -> None:
        self.relation, self.dialect, self.tasks, self.max_entities = relation, dialect, tasks, max_entities
        self._branches: dict[tuple[Over, str], Branch] = {}
        for task in tasks:
            self.branch(task.subject).ks.add(task.subject.k)
        below = {k for branch in self._branches.values() for k in branch.ks - {branch.widest} if k is not None}
        self.ks: list[int | None] = [None, *sorted(below)]
        """The k of each count of a value; the first counts all that was taken out of the lists."""
        self.keys = [key for key in _KEYS if any(branch.key == key for branch in self._branches.values())]
        asked = {(self.count_of(t.subject), p.name, p.argument) for t in tasks for p in t.primitives}
        self.quantiles = sorted((count, float(of or 0.0)) for count, name, of in asked if name == "quantile")
        """Count and fraction of each quantile."""
        whole = sorted(f"{name}{count}" for count, name, _ in asked if name in ("sum", "min", "max"))
        self.longs: list[str] = [f"{name}{i}" for name in ("total", "distinct") for i in range(len(self.ks))]
        self.longs += [f"{name}_{part}" for name in whole if name.startswith("sum") for part in ("high", "low")]
        self.doubles: list[str] = [name for name in whole if not name.startswith("sum")]
        self.doubles += [f"{end}{q}" for end in ("low", "high") for q in range(len(self.quantiles))]

    def branch(self, subject: Subject) -> Branch:
        """Branch of a subject."""
        key, column = (subject.over, subject.column), subject.column
        return self._branches.setdefault(key, Branch(len(self._branches), *key, self.relation.types[column]))

    def count_of(self, subject: Subject) -> int:
        """Which count of a value is that of the subject's k."""
        return 0 if subject.k == self.branch(subject).widest else self.ks.index(subject.k)

    @property
    def sql(self) -> str:
        """The query."""
        parts = list(self._parts())
        # A random number keeps Spark from writing the counts out once a part, so that all parts read one shuffle.
        pinned = ", rand(0) AS pin" if len(parts) > 1 else ""
        return f"WITH counted AS (SELECT *{pinned} FROM ({self._counted()}) AS c) {' UNION ALL '.join(parts)}"

    def part_of(self, task: Task) -> str:
        """Name of the part that answers a task."""
        return NUMBERS if task.shape is Shape.NUMBERS else f"{task.shape.value}_{self.count_of(task.subject)}"

    # -- counting ----------------------------------------------------------------------------------------------------

    def _counted(self) -> str:
        """How often each distinct value occurs in each group, once for each k."""
        grouping = self.relation.grouping
        extra = [BRANCH, *self.keys]
        counts = [
            "count(*) AS n0",
            *(f"count(CASE WHEN pos < {k} THEN 1 END) AS n{i}" for i, k in enumerate(self.ks) if i),
        ]
        rows = " UNION ALL ".join(self._values(branch) for branch in self._branches.values())
        return (
            f"SELECT {grouping.selected(extra)}, {', '.join(counts)} FROM ({rows}) AS rows {grouping.group_by(extra)}"
        )

    def _values(self, branch: Branch) -> str:
        relation, alias = self.relation, self.relation.aliases[branch.column]
        has_ks, source, column = len(self.ks) > 1, relation.name, alias
        pos = "0 AS pos, " if has_ks else ""
        if branch.over in (Over.ITEMS, Over.RANKINGS):
            items = self.dialect.distinct_items(alias) if branch.over is Over.RANKINGS else alias
            items = items if branch.widest is None else self.dialect.first(items, branch.widest)
            names = "pos, item" if has_ks else "item"
            source += f" LATERAL VIEW {'posexplode' if has_ks else 'explode'}({items}) exploded AS {names}"
            column, pos = "item", "pos, " if has_ks else ""
        value = branch.value(self.dialect, column)
        types = {"long_key": "BIGINT", "double_key": "DOUBLE", "text_key": "STRING"}
        keys = (value if key == branch.key else f"CAST(NULL AS {types[key]})" for key in self.keys)
        named = ", ".join(f"{sql} AS {key}" for sql, key in zip(keys, self.keys))
        carried = ", ".join(relation.grouping.carried)
        rows = f"SELECT {carried}, {branch.number} AS {BRANCH}, {pos}{named} FROM {source}"
        return f"SELECT * FROM ({rows}) AS v WHERE {branch.key} IS NOT NULL"

    # -- what is made of the counts -----------------------------------------------------------------------------------

    def _parts(self) -> Iterator[str]:
        asked = {shape: [t for t in self.tasks if t.shape is shape] for shape in _SHAPES}
        numbered = [b for t in (*asked[Shape.NUMBERS], *asked[Shape.ENTITIES]) for b in (self.branch(t.subject),)]
        branches = {b.number: b for b in numbered}.values()
        ranked = [b for b in branches if self._has_quantiles(b)]
        plain = [b for b in branches if not self._has_quantiles(b)]
        if plain:
            yield self._numbers(f"(SELECT * {self._of(plain)}) AS c", plain)
        if ranked:
            yield self._numbers(self._ranked(ranked), ranked, ranked=True)
        for shape, query in ((Shape.ENTITIES, self._entities), (Shape.SPECTRUM, self._spectrum)):
            for count in dict.fromkeys(self.count_of(t.subject) for t in asked[shape]):
                found = {
                    b.number: b
                    for b in (self.branch(t.subject) for t in asked[shape] if self.count_of(t.subject) == count)
                }
                yield query(count, list(found.values()))

    def _has_quantiles(self, branch: Branch) -> bool:
        return any(task.fractions for task in self.tasks if self.branch(task.subject) is branch)

    @property
    def _keys(self) -> str:
        return ", ".join([BRANCH, *self.relation.grouping.keys])

    def _output(self, part: str, **columns: str) -> str:
        """SELECT of a part; what it does not have is null, so that all parts have the same columns."""
        shapes = {task.shape for task in self.tasks}
        types = {"entity": "STRING"} if Shape.ENTITIES in shapes else {}
        types |= {"size": "BIGINT"} if Shape.SPECTRUM in shapes else {}
        types |= {"n": "BIGINT"} if shapes - {Shape.NUMBERS} else {}
        types |= {"longs": "ARRAY<BIGINT>"} if shapes - {Shape.SPECTRUM} else {}
        types |= {"doubles": "ARRAY<DOUBLE>"} if self.doubles else {}
        outputs = [f"CAST({columns.get(name, 'NULL')} AS {kind}) AS {name}" for name, kind in types.items()]
        return f"SELECT '{part}' AS {PART}, {self._keys}, {', '.join(outputs)}"

    def _of(self, branches: Sequence[Branch]) -> str:
        return f"FROM counted WHERE {BRANCH} IN ({', '.join(str(b.number) for b in branches)})"

    def _case(self, branches: Sequence[Branch], sql: Callable[[Branch], str]) -> str:
        return f"CASE {BRANCH} {' '.join(f'WHEN {b.number} THEN {sql(b)}' for b in branches)} END"

    # -- numbers -----------------------------------------------------------------------------------------------------

    def _numbers(self, source: str, branches: Sequence[Branch], *, ranked: bool = False) -> str:
        found: dict[str, str] = {}
        whole = "long_key" if "long_key" in self.keys else "CAST(NULL AS BIGINT)"
        for i in range(len(self.ks)):
            found |= {f"total{i}": f"sum(n{i})", f"distinct{i}": f"count(CASE WHEN n{i} > 0 THEN 1 END)"}
            for part, sql in zip(("high", "low"), self.dialect.halves(whole)):
                found[f"sum{i}_{part}"] = f"sum({sql} * n{i})"
            number = self._case(branches, lambda b: b.number_of_key(self.dialect) if b.is_whole else "NULL")
            found |= {f"{end}{i}": f"{end}(CASE WHEN n{i} > 0 THEN {number} END)" for end in ("min", "max")}
        for q, (i, fraction) in enumerate(self.quantiles):
            for name, end in (("low", "floor"), ("high", "ceil")):
                place = f"{end}({self.dialect.double(f'total{i} - 1')} * {self.dialect.number(fraction)})"
                inside = f"max(CASE WHEN upto{i} > {place} AND upto{i} - n{i} <= {place} THEN x END)"
                found[f"{name}{q}"] = inside if ranked else "NULL"
        lists = {name: f"array({', '.join(found[n] for n in getattr(self, name))})" for name in ("longs", "doubles")}
        return f"{self._output(NUMBERS, **lists)} FROM {source} GROUP BY {self._keys}"

    def _ranked(self, branches: Sequence[Branch]) -> str:
        """Return the source of the counts with how many values there are up to each one."""
        group = f"PARTITION BY {self._keys}"
        number = self._case(branches, lambda branch: branch.number_of_key(self.dialect))
        windows = ", ".join(
            f"sum(n{i}) OVER ({group} ORDER BY x ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS upto{i}, "
            f"sum(n{i}) OVER ({group}) AS total{i}"
            for i in sorted({count for count, _ in self.quantiles})
        )
        return f"(SELECT *, {windows} FROM (SELECT *, {number} AS x {self._of(branches)}) AS numbered) AS ranked"

    # -- tables ------------------------------------------------------------------------------------------------------

    def _entities(self, count: int, branches: Sequence[Branch]) -> str:
        """Largest entities, ties by name; the driver knows from the numbers what was left out."""
        name = self._case(branches, lambda branch: branch.text_of_key())
        named = f"SELECT *, {name} AS name {self._of(branches)} AND n{count} > 0"
        place = f"row_number() OVER (PARTITION BY {self._keys} ORDER BY n{count} DESC, name) AS place"
        selected = self._output(f"entities_{count}", entity="name", n=f"n{count}")
        return f"{selected} FROM (SELECT *, {place} FROM ({named}) AS named) AS placed WHERE place <= {int(self.max_entities)}"

    def _spectrum(self, count: int, branches: Sequence[Branch]) -> str:
        selected = self._output(f"spectrum_{count}", size=f"n{count}", n="count(*)")
        return f"{selected} {self._of(branches)} AND n{count} > 0 GROUP BY {self._keys}, n{count}"
