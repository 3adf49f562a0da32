"""Primitives → points: the same for every engine, in columns, without a loop over points."""

# Pyarrow makes its compute functions at run time, so its names say nothing to a type checker:
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
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
from lupus_provider.naming import Hashes, entity_hashes, head_hash
from lupus_provider.processors.folding import folded
from lupus_provider.processors.frames import Frame, encoded, id_column, state_of
from lupus_provider.records import POINTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from lupus_provider.engines.base import Answer
    from lupus_provider.metrics.base import Floats, Texts
    from lupus_provider.periods import Period

M = TypeVar("M", bound=Metric)
INFINITE = (
    "the value is infinite. Leave infinite values out with 'where', or scale the column so that it does not overflow."
)
PERIOD_END = Primitive("period_end").alias


@dataclass(frozen=True, slots=True)
class Part:
    """Points of one measure in numbers: their texts and maps are made once, of all points together.

    Attributes
    ----------
    place
        Row of the frame of each point; shape (points,).
    value, n_rows
        Shape (points,); NaN = undefined.
    entities
        What the points are about, each once; one null, where they are about no entity.
    entity
        Index into `entities`; shape (points,).
    error
        Why there are no values.
    """

    measure: Measure
    place: NDArray[np.int32]
    value: Floats
    n_rows: Floats
    entities: pa.Array
    entity: NDArray[np.int32]
    error: str | None


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
    parts: list[Part] = []
    refused: list[Refused] = []
    frame: Frame | None = None
    for answer in answers:
        if isinstance(answer, Refused):
            refused.append(answer)
            continue
        if frame is None:
            frame = Frame.of(plan, answer, len(periods))
        for measure, values in _valued(answer, frame, periods, references):
            parts.append(_part(measure, frame, values))
    frame = frame or Frame.of(plan, None, len(periods))
    nothing = Values(np.full(len(frame), np.nan), np.full(len(frame), np.nan))
    parts += [_part(item.measure, frame, nothing, item.reason) for item in refused]
    return _table(parts, frame, stamp, periods, plan) if parts else POINTS.empty()


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
            found = chain(found, folded(subject, measures, counts))
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


def _part(measure: Measure, frame: Frame, values: Values, error: str | None = None) -> Part:
    place = (np.arange(len(frame)) if values.group is None else values.group).astype(np.int32)
    entities, entity = _texts([measure.entity]), np.zeros(len(place), np.int32)
    if values.entity is not None:
        texts = encoded(_texts(values.entity)) if isinstance(values.entity, np.ndarray) else values.entity
        entities, entity = texts.dictionary, texts.indices.to_numpy()
    value, n_rows = values.value, values.n_rows
    if (measure.columns or error is not None) and not frame.asked.all():
        kept = frame.asked[place]
        place, entity, value, n_rows = place[kept], entity[kept], value[kept], n_rows[kept]
    return Part(measure, place, value, n_rows, entities, entity, error)


def _texts(texts: Sequence[str | None] | Texts) -> pa.Array:
    return pa.array(texts, pa.string())


def _series(parts: Sequence[Part], stamp: Stamp) -> tuple[dict[str, pa.Array], Hashes]:
    """Return what points can be about: columns of one row a part and entity, and what it gives to their series ids."""
    row = np.repeat(np.arange(len(parts)), [len(part.entities) for part in parts])
    names = [(part.measure.column, part.measure.expression.name) for part in parts]
    entities = encoded(pa.concat_arrays([part.entities for part in parts]))  # many parts speak of the same ones
    heads = Hashes.joined([head_hash(stamp.project, stamp.metric_set, column, metric) for column, metric in names])
    columns = {
        "column_name": _texts([column for column, _ in names]).take(pa.array(row)),
        "metric": _texts([metric for _, metric in names]).take(pa.array(row)),
        "entity": entities.dictionary.take(entities.indices),
        "error": _texts([part.error for part in parts]).take(pa.array(row)),
    }
    return columns, heads[row] ^ entity_hashes(entities.dictionary.to_pylist())[entities.indices.to_numpy()]


def _table(parts: Sequence[Part], frame: Frame, stamp: Stamp, periods: Sequence[Period], plan: MetricPlan) -> pa.Table:
    """Put parts together: the points are sorted as numbers, and every column is taken once, already in order."""
    instant = POINTS.schema.field("period_start").type
    starts = np.cumsum([0, *(len(part.entities) for part in parts)], dtype=np.int32)
    about = np.concatenate([part.entity + start for part, start in zip(parts, starts)])
    place = np.concatenate([part.place for part in parts])
    columns, hashes = _series(parts, stamp)
    hashes = hashes[about] ^ frame.group_hashes[frame.group[place]]
    order = hashes.order(frame.period[place])
    about, place = pa.array(about[order]), place[order]
    in_period, in_group = pa.array(frame.period[place]), pa.array(frame.group[place])
    value, n_rows = (np.concatenate([getattr(part, name) for part in parts])[order] for name in ("value", "n_rows"))
    infinite, n_points = np.isinf(value), len(order)
    value[infinite] = np.nan
    sampled = plan.sample.ratio if plan.sample is not None and plan.sample.ratio < 1 else None
    found = {name: column.take(about) for name, column in columns.items()} | {
        "series_id": id_column(hashes[order]),
        "group_key": frame.group_keys.take(in_group),
        "period_start": pa.array([period.start for period in periods], instant).take(in_period),
        "period_end": pa.array([period.end for period in periods], instant).take(in_period),
        "value": pa.array(value + 0.0, pa.float64(), from_pandas=True),  # -0.0 becomes 0.0: one zero
        "n_rows": pa.array(n_rows, pa.float64(), from_pandas=True).cast(pa.int64()),
        "model_version": frame.versions.take(in_group),
        "sample_ratio": pa.repeat(pa.scalar(sampled, pa.float64()), n_points),
        "run_id": pa.repeat(pa.scalar(stamp.run_id, pa.string()), n_points),
        "collected_at": pa.repeat(pa.scalar(stamp.collected_at, instant), n_points),
    }
    if infinite.any():
        found["error"] = pc.if_else(pa.array(infinite), INFINITE, found["error"])
    return pa.Table.from_arrays([found[name] for name in POINTS.schema.names], schema=POINTS.schema)
