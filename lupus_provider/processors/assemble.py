"""Primitives → points: the same for every engine, in columns, without a loop over points."""

# Pyarrow makes its compute functions at run time, so its names say nothing to a type checker:
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lupus_provider.metrics.base import (
    Binned,
    BinsMetric,
    CountsMetric,
    Metric,
    NumberMetric,
    Primitive,
    Shape,
    Values,
)  # fmt: skip
from lupus_provider.metrics.bins import CountedBins, References
from lupus_provider.metrics.plan import Measure, MetricPlan, Refused, Subject
from lupus_provider.naming import identity_text, series_ids
from lupus_provider.processors.frames import Frame, state_of
from lupus_provider.records import POINTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from lupus_provider.engines.base import Answer
    from lupus_provider.metrics.base import Floats
    from lupus_provider.periods import Period

M = TypeVar("M", bound=Metric)
INFINITE = (
    "the value is infinite. Leave infinite values out with 'where', or scale the column so that it does not overflow."
)
PERIOD_END = Primitive("period_end").alias


@dataclass(frozen=True, slots=True)
class Stamp:
    """Whose points they are, and who measured them when."""

    project: str
    metric_set: str
    run_id: str
    collected_at: datetime
    """Aware; when the reading of the table began."""


def points(
    plan: MetricPlan, answers: Iterable[Answer | Refused], stamp: Stamp, periods: Sequence[Period],
    references: References | None = None,
) -> pa.Table:  # fmt: skip
    """Return all points of a plan, sorted by period and series.

    Parameters
    ----------
    answers
        What an engine yielded; the first answer about the rows themselves comes before all others.
    periods
        The plan's periods, or the one period that all rows stand for.
    references
        What metrics by bin compare with.

    Returns
    -------
    pyarrow.Table
        Schema `records.POINTS`. Every period has at least the row count of the whole; a refused measure is a point with
        `error` in every group.
    """
    tables: list[pa.Table] = []
    refused: list[Refused] = []
    frame: Frame | None = None
    for answer in answers:
        if isinstance(answer, Refused):
            refused.append(answer)
            continue
        if frame is None:
            frame = Frame.of(plan, answer, len(periods))
        for measure, values in _valued(answer, frame, periods, references):
            tables.append(_table(measure, frame, stamp, values))
    frame = frame or Frame.of(plan, None, len(periods))
    tables += [_failed(item, frame, stamp) for item in refused]
    return _finish(pa.concat_tables(tables), stamp, periods, plan) if tables else POINTS.empty()


def _valued(
    answer: Answer, frame: Frame, periods: Sequence[Period], references: References | None
) -> Iterator[tuple[Measure, Values]]:
    for subject, measures in answer.measures.items():
        if answer.shape is Shape.NUMBERS:
            state = frame.numbers(answer, subject)
            ends = np.array([period.end.timestamp() for period in periods])
            state[PERIOD_END] = ends[frame.period] if len(ends) else np.empty(0)
            found = ((measure, _of_numbers(measure, state)) for measure in measures)
        elif answer.shape is Shape.BINS:
            found = _of_bins(answer, subject, measures, frame, references)
        else:
            counts = frame.counts(answer)
            found = ((m, _metric(m, CountsMetric).of_counts(counts, **dict(m.parameters))) for m in measures)
        with np.errstate(all="ignore"):  # undefined is an answer here
            yield from found


def _metric(measure: Measure, kind: type[M]) -> M:
    metric = measure.expression.metric
    assert isinstance(metric, kind), metric
    return metric


def _of_numbers(measure: Measure, state: dict[str, Floats]) -> Values:
    metric = _metric(measure, NumberMetric)
    return Values(metric.finish(**state_of(metric.state, state)), state[metric.stands_on.alias])


def _of_bins(
    answer: Answer, subject: Subject, measures: Sequence[Measure], frame: Frame, references: References | None
) -> Iterator[tuple[Measure, Values]]:
    assert subject.bins is not None
    state = frame.bins(answer, subject)
    compared = None
    if references is not None and any(_metric(m, BinsMetric).needs_reference for m in measures):
        counted = CountedBins(frame.period, frame.group, frame.group_dicts, state)
        compared = references.of(subject.columns, subject.k, subject.bins, counted)
    for measure in measures:
        metric = _metric(measure, BinsMetric)
        reference = None if compared is None else state_of(metric.state, compared)
        yield measure, metric.of_bins(Binned(subject.bins, state_of(metric.state, state), reference))


def _failed(item: Refused, frame: Frame, stamp: Stamp) -> pa.Table:
    nothing = np.full(len(frame), np.nan)
    return _table(item.measure, frame, stamp, Values(nothing, nothing), error=item.reason)


def _table(measure: Measure, frame: Frame, stamp: Stamp, values: Values, error: str | None = None) -> pa.Table:
    place = np.arange(len(frame)) if values.group is None else values.group
    infinite, n = np.isinf(values.value), len(values.value)
    group = frame.group[place]
    errors = (
        pa.array([INFINITE if bad else None for bad in infinite], pa.string())
        if error is None
        else pa.array([error] * n, pa.string())
    )
    table = pa.table({
        "series_id": pa.array(_ids(measure, frame, stamp, values, group), pa.string()),
        "column_name": pa.repeat(pa.scalar(measure.column, pa.string()), n),
        "metric": pa.repeat(pa.scalar(measure.expression.name, pa.string()), n),
        "entity": pa.repeat(pa.scalar(measure.entity, pa.string()), n) if values.entity is None else pa.array(values.entity, pa.string()),
        "group_key": frame.group_keys.take(pa.array(group)),
        "period": pa.array(frame.period[place]),
        "value": pa.array(np.where(infinite, np.nan, values.value) + 0.0, pa.float64(), from_pandas=True),  # -0.0 becomes 0.0: one zero
        "n_rows": pa.array(values.n_rows, pa.float64(), from_pandas=True).cast(pa.int64()),
        "error": errors,
        "model_version": frame.versions.take(pa.array(group)),
    })  # fmt: skip
    asked = frame.asked[place] if measure.columns or error is not None else np.ones(n, bool)
    return table if asked.all() else table.filter(pa.array(asked))


def _ids(measure: Measure, frame: Frame, stamp: Stamp, values: Values, group: np.ndarray) -> np.ndarray:
    head = identity_text(stamp.project, stamp.metric_set, measure.column, measure.expression.name)
    if values.entity is None:
        by_group = series_ids([f"{head}{identity_text(measure.entity)}{text}" for text in frame.group_texts])
        return by_group[group] if len(by_group) else np.empty(0, object)
    entity = pa.array(values.entity, pa.string())
    lengths = pc.cast(pc.binary_length(entity), pa.string())
    parts = pc.binary_join_element_wise(lengths, entity, ":").to_pylist()
    texts = np.array(frame.group_texts, dtype=object)[group] if frame.group_texts else np.empty(0, object)
    return series_ids([f"{head}{part}{text}" for part, text in zip(parts, texts)])


def _finish(table: pa.Table, stamp: Stamp, periods: Sequence[Period], plan: MetricPlan) -> pa.Table:
    instant = POINTS.schema.field("period_start").type
    index, n = table["period"].combine_chunks(), table.num_rows
    table = table.drop_columns(["period"])
    for name, moments in (("period_start", [p.start for p in periods]), ("period_end", [p.end for p in periods])):
        table = table.append_column(name, pa.array(moments, instant).take(index))
    sampled = plan.sample.ratio if plan.sample is not None and plan.sample.ratio < 1 else None
    table = table.append_column("sample_ratio", pa.repeat(pa.scalar(sampled, pa.float64()), n))
    table = table.append_column("run_id", pa.repeat(pa.scalar(stamp.run_id), n))
    table = table.append_column("collected_at", pa.repeat(pa.scalar(stamp.collected_at, instant), n))
    table = table.select(POINTS.schema.names).cast(POINTS.schema)
    return table.sort_by([("period_start", "ascending"), ("series_id", "ascending")]).combine_chunks()
