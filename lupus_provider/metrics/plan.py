"""The metric plan: what one call measures, grouped by what can be computed together. No engine is named here.

Columns that are wrong are refused one by one, so that one bad column never costs the others.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from lupus_provider.errors import BadPlanError
from lupus_provider.metrics.base import Kind, Over, Primitive
from lupus_provider.metrics.grammar import MetricExpression, parse_metric

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lupus_provider.periods import Period

GroupSet = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Measure:
    """One metric of one column; the empty column means the rows themselves."""

    column: str
    expression: MetricExpression


@dataclass(frozen=True, slots=True)
class ColumnType:
    """Type of a column in an engine, as far as metrics care."""

    kind: Kind
    """Of the values; of the items where the column is a list."""
    is_list: bool
    name: str
    """The engine's own name of the type, for messages."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What primitives are computed of: the values, items, lengths or lists of a column, maybe of the first k items."""

    column: str
    over: Over
    k: int | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """A measure that cannot be computed, and why."""

    measure: Measure
    reason: str


@dataclass(frozen=True, slots=True)
class MetricPlan:
    """What one call measures.

    Attributes
    ----------
    measures
        Metrics by column, in the order asked, without repeats.
    group_sets
        Roll-ups; the empty set is the whole.
    periods
        Periods to split rows by, oldest first and without overlap; None: one point for all rows.
    time_column
        Column that says when a row happened; None where `periods` has at most one.
    time_zone
        Zone of timestamps without a zone.
    """

    measures: tuple[Measure, ...]
    group_sets: tuple[GroupSet, ...] = ((),)
    periods: tuple[Period, ...] | None = None
    time_column: str | None = None
    time_zone: str = "UTC"
    zone: str = "UTC"
    """Zone whose days the periods are: dates are days of it."""
    where: str | None = None
    max_entities: int = 1_000

    @property
    def group_columns(self) -> tuple[str, ...]:
        """Every column that some group set uses, in order of appearance."""
        return tuple(dict.fromkeys(column for group_set in self.group_sets for column in group_set))

    @property
    def value_columns(self) -> tuple[str, ...]:
        """Every measured column, in order of appearance."""
        return tuple(dict.fromkeys(m.column for m in self.measures if m.column))


def make_plan(
    column_metrics: Mapping[str, Sequence[str]],
    table_metrics: Sequence[str] = ("row_count",),
    group_columns: Sequence[str] = (),
    group_sets: Sequence[Sequence[str]] | None = None,
    **options: object,
) -> MetricPlan:
    """Parse names into a plan.

    Parameters
    ----------
    column_metrics
        Column → metric names.
    table_metrics
        Metrics of the rows themselves.
    group_columns
        One group set of all these columns, where `group_sets` is not given.
    options
        Further fields of MetricPlan.

    Raises
    ------
    UnknownMetricError
        If a name is no metric.
    BadPlanError
        If arguments contradict themselves, such as periods that overlap.
    """
    if group_sets is not None and group_columns:
        raise BadPlanError(
            "group_columns", "and group_sets are both given", "Keep group_sets, with the columns as one of its sets."
        )
    measures = [Measure("", parse_metric(name)) for name in _names("table_metrics", table_metrics)]
    measures += [
        Measure(column, parse_metric(name))
        for column, names in column_metrics.items()
        for name in _names(column, names)
    ]
    sets = _distinct_sets([_names("group_columns", group_columns)] if group_sets is None else group_sets)
    plan = MetricPlan(tuple(dict.fromkeys(measures)), sets, **options)  # type: ignore[arg-type]
    _check(plan)
    return plan


def _names(argument: str, names: Sequence[str]) -> Sequence[str]:
    if isinstance(names, str):  # a text is a sequence of letters
        raise BadPlanError(argument, f"is the text {names!r}", f"Give a list: [{names!r}].")
    return names


def _distinct_sets(group_sets: Sequence[Sequence[str]]) -> tuple[GroupSet, ...]:
    """Drop repeated columns and sets: the order of columns does not make another group. No set at all is the whole."""
    sets: dict[frozenset[str], GroupSet] = {}
    for group_set in group_sets:
        columns = tuple(dict.fromkeys(_names("group_sets", group_set)))
        sets.setdefault(frozenset(columns), columns)
    return tuple(sets.values()) or ((),)


def _check(plan: MetricPlan) -> None:
    for argument, zone in (("time_zone", plan.time_zone), ("zone", plan.zone)):
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError) as err:
            raise BadPlanError(argument, f"{zone!r} is unknown", "Use an IANA name such as 'Asia/Tokyo'.") from err
    if plan.max_entities < 1:
        raise BadPlanError("max_entities", f"is {plan.max_entities}", "Give 1 or more.")
    for left, right in pairwise(plan.periods or ()):
        if right.start < left.end:
            raise BadPlanError(
                "periods",
                f"are not in order: {right.start} comes before {left.end}",
                "Give them oldest first, without overlap.",
            )


@dataclass(slots=True)
class Work:
    """A plan resolved against the types of a table."""

    subjects: dict[Subject, list[Measure]] = field(default_factory=dict)
    """One number a group: subject → measures that share its primitives."""
    entity_subjects: dict[Subject, list[Measure]] = field(default_factory=dict)
    """One number an entity and group."""
    refused: list[Refused] = field(default_factory=list)

    def primitives(self, subject: Subject) -> list[Primitive]:
        """Primitives of a subject, each once; a point also says how many rows it stands on."""
        metrics = [measure.expression.metric for measure in self.subjects[subject]]
        return list(dict.fromkeys(p for metric in metrics for p in (metric.stands_on, *metric.state.values())))


def resolve(plan: MetricPlan, types: Mapping[str, ColumnType | str]) -> Work:
    """Sort the measures of a plan into work that an engine can do and measures that it must refuse.

    Parameters
    ----------
    types
        Type of each measured column; a text says why the column cannot be read.
    """
    work = Work(subjects={Subject("", Over.ROWS): []})  # always counted: it says which groups there are
    for measure in plan.measures:
        column_type = (
            types.get(measure.column, ColumnType(Kind.OTHER, False, "row"))
            if measure.column == ""
            else types[measure.column]
        )
        reason = _refusal(measure, column_type)
        if reason is not None or isinstance(column_type, str):
            work.refused.append(Refused(measure, reason or str(column_type)))
            continue
        expression = measure.expression
        subject = Subject(measure.column, expression.over(is_list=column_type.is_list), expression.k)
        target = work.entity_subjects if expression.metric.per_entity else work.subjects
        target.setdefault(subject, []).append(measure)
    return work


def _refusal(measure: Measure, column_type: ColumnType | str) -> str | None:
    if isinstance(column_type, str):
        return column_type
    if measure.column == "":
        return None if measure.expression.metric.over is Over.ROWS else f"{measure.expression.name!r} needs a column."
    if measure.expression.metric.over is Over.ROWS:
        return f"{measure.expression.name!r} measures the rows themselves. Name it under table_metrics, not under a column."
    return measure.expression.refusal(column_type.kind, is_list=column_type.is_list, type_name=column_type.name)
