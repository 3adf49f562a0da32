"""The metric plan: what one call measures, grouped by what can be computed together. No engine is named here.

Columns that are wrong are refused one by one, so that one bad column never costs the others.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from lupus_provider.errors import BadPlanError
from lupus_provider.metrics.base import BinsMetric, Family, Kind, NumberMetric, Over, Primitive, Shape
from lupus_provider.metrics.grammar import MetricExpression, parse_metric

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lupus_provider.metrics.bins import Bins
    from lupus_provider.periods import Period

GroupSet = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Measure:
    """One metric of one column, or of several columns that belong together; no column means the rows themselves.

    Attributes
    ----------
    columns
        In the order of the metric's roles; points are written under the first.
    entity
        What the value is about, where the metric itself says none: the label of a score.
    positive
        The label that a score speaks for, as text.
    bins
        Bins of the column's values, where the metric counts by bin.
    parameters
        Further numbers that the metric's formula needs, such as `catalog_size`.
    """

    columns: tuple[str, ...]
    expression: MetricExpression
    entity: str | None = None
    positive: str | None = None
    bins: Bins | None = None
    parameters: tuple[tuple[str, float], ...] = ()

    @property
    def column(self) -> str:
        """Column that points are written under; empty for metrics of the rows themselves."""
        return self.columns[0] if self.columns else ""


@dataclass(frozen=True, slots=True)
class ColumnType:
    """Type of a column in an engine, as far as metrics care."""

    kind: Kind
    """Of the values; of the items where the column is a list."""
    is_list: bool
    name: str
    """The engine's own name of the type, for messages."""
    number: str = ""
    """Of numbers and lists of numbers, how they are stored: `integer`, `decimal` or `float`; only floats can be NaN."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What primitives are computed of: values, items, lengths or lists of a column, maybe of the first k items; or rows of several columns."""

    columns: tuple[str, ...]
    over: Over
    k: int | None = None
    positive: str | None = None
    bins: Bins | None = None

    @property
    def column(self) -> str:
        """First column; empty for the rows themselves."""
        return self.columns[0] if self.columns else ""


@dataclass(frozen=True, slots=True)
class Sample:
    """A part of the rows, the same ones in every run.

    Attributes
    ----------
    ratio
        Share of rows that are measured, above 0 and at most 1.
    by
        Column whose value decides, by its hash: the same users, say, in every table. None: the hash of the row itself, which reads all columns
        of single values.
    """

    ratio: float
    by: str | None = None


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
    slices: tuple[tuple[str, str], ...] = ()
    """Name → SQL condition: every group is measured once more for the rows that hold it; `slice` in the group key names it."""
    sample: Sample | None = None
    max_entities: int = 1_000
    min_group_rows: int = 0
    """Groups of fewer rows in a period are measured together, as the group `…small`."""
    model_version_column: str | None = None
    """Group column that says which version of the model made a row; its value also stands in the points' `model_version`."""

    @property
    def group_columns(self) -> tuple[str, ...]:
        """Every column that some group set uses, in order of appearance."""
        return tuple(dict.fromkeys(column for group_set in self.group_sets for column in group_set))

    @property
    def value_columns(self) -> tuple[str, ...]:
        """Every measured column, in order of appearance."""
        return tuple(dict.fromkeys(column for m in self.measures for column in m.columns))


def make_plan(
    column_metrics: Mapping[str, Sequence[str]],
    table_metrics: Sequence[str] = ("row_count",),
    group_columns: Sequence[str] = (),
    group_sets: Sequence[Sequence[str]] | None = None,
    measures: Sequence[Measure] = (),
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
    measures
        Further measures, of other families.
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
    listed = [Measure((), parse_metric(name, Family.TABLE)) for name in _names("table_metrics", table_metrics)]
    listed += [
        Measure((column,), parse_metric(name, Family.DISTRIBUTION))
        for column, names in column_metrics.items()
        for name in _names(column, names)
    ]
    listed += measures
    sets = _distinct_sets([_names("group_columns", group_columns)] if group_sets is None else group_sets)
    plan = MetricPlan(tuple(dict.fromkeys(listed)), _with_version(sets, options.get("model_version_column")), **options)  # type: ignore[arg-type]
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


def _with_version(sets: tuple[GroupSet, ...], version: object) -> tuple[GroupSet, ...]:
    """Add every group set once more, split by the version of the model."""
    if not version:
        return sets
    return _distinct_sets([*sets, *((*group_set, str(version)) for group_set in sets)])


def _check(plan: MetricPlan) -> None:
    for argument, zone in (("time_zone", plan.time_zone), ("zone", plan.zone)):
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError) as err:
            raise BadPlanError(argument, f"{zone!r} is unknown", "Use an IANA name such as 'Asia/Tokyo'.") from err
    if plan.max_entities < 1:
        raise BadPlanError("max_entities", f"is {plan.max_entities}", "Give 1 or more.")
    if plan.sample is not None and not 0 < plan.sample.ratio <= 1:
        raise BadPlanError("sample", f"is {plan.sample.ratio}", "Give a share above 0 and at most 1.")
    if plan.min_group_rows < 0:
        raise BadPlanError("min_group_rows", f"is {plan.min_group_rows}", "Give 0 or more.")
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

    numbers: dict[Subject, list[Measure]] = field(default_factory=dict)
    """Subject → measures of `Shape.NUMBERS`, which share its primitives."""
    tables: dict[tuple[Subject, Shape], list[Measure]] = field(default_factory=dict)
    """Subject and any other shape → measures that share the answer."""
    refused: list[Refused] = field(default_factory=list)


def primitives(measures: Sequence[Measure]) -> list[Primitive]:
    """Primitives of measures of one subject, each once; a number also says how many rows it stands on."""
    found: dict[Primitive, None] = {}
    for measure in measures:
        metric = measure.expression.metric
        if isinstance(metric, NumberMetric):
            found.update(dict.fromkeys((metric.stands_on, *metric.state.values())))
        elif isinstance(metric, BinsMetric):
            found.update(dict.fromkeys(metric.state.values()))
    return [primitive for primitive in found if primitive.name != "period_end"]  # not the engine's: the plan says it


ROWS = Subject((), Over.ROWS)


def resolve(plan: MetricPlan, types: Mapping[str, ColumnType | str]) -> Work:
    """Sort the measures of a plan into work that an engine can do and measures that it must refuse.

    Parameters
    ----------
    types
        Type of each measured column; a text says why the column cannot be read.
    """
    work = Work(numbers={ROWS: []})  # always counted: it says which groups there are
    for measure in plan.measures:
        reason = _refusal(measure, types)
        if reason is not None:
            work.refused.append(Refused(measure, reason))
            continue
        expression = measure.expression
        is_list = bool(measure.columns) and _is_list(types[measure.column])
        over = expression.over(is_list=is_list)
        bins = measure.bins or getattr(expression.metric, "default_bins", None)
        subject = Subject(measure.columns, over, expression.k, measure.positive, bins)
        if expression.metric.shape is Shape.NUMBERS:
            work.numbers.setdefault(subject, []).append(measure)
        else:
            work.tables.setdefault((subject, expression.metric.shape), []).append(measure)
    return work


def _is_list(column_type: ColumnType | str) -> bool:
    return isinstance(column_type, ColumnType) and column_type.is_list


def _refusal(measure: Measure, types: Mapping[str, ColumnType | str]) -> str | None:
    expression, metric = measure.expression, measure.expression.metric
    unreadable = next((kind for kind in (types[column] for column in measure.columns) if isinstance(kind, str)), None)
    if unreadable is not None:
        return unreadable
    if metric.over is Over.ROWS:
        return None if not measure.columns else (
            f"{expression.name!r} measures the rows themselves. Name it under table_metrics, not under a column."
        )  # fmt: skip
    if not measure.columns:
        return f"{expression.name!r} needs a column."
    known = [kind for kind in (types[column] for column in measure.columns) if isinstance(kind, ColumnType)]
    if isinstance(metric, BinsMetric) and measure.bins is None and metric.default_bins is None:
        return (
            f"{expression.name!r} compares with a reference, and the reference has no column {measure.column!r}. "
            "Build the reference with that column."
        )
    if metric.roles:
        return _role_refusal(measure, known)
    if metric.over is Over.KEY:
        return None
    return expression.refusal(known[0].kind, is_list=known[0].is_list, type_name=known[0].name)


def _role_refusal(measure: Measure, types: Sequence[ColumnType]) -> str | None:
    for role, column, kind in zip(measure.expression.metric.roles, measure.columns, types):
        if kind.is_list != role.is_list or not kind.kind & role.kind:
            wanted = "lists" if role.is_list else "single values"
            return (
                f"{measure.expression.name!r} takes as {role.name} {wanted} that are {role.kind.name or role.kind}, and column "
                f"{column!r} is {kind.name}. Cast the column, or name another one."
            )
    return None
