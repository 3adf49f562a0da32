"""Primitives → points: the same for every engine, in columns, without a loop over points."""

# Pyarrow makes its compute functions at run time, so its names say nothing to a type checker:
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lupus_provider.engines.base import ENTITY, GROUP_SET, PERIOD, ROWS, Answer, group_column
from lupus_provider.metrics.base import COUNTING, Over
from lupus_provider.metrics.plan import Measure, MetricPlan, Refused
from lupus_provider.naming import group_text, identity_text, series_ids
from lupus_provider.records import GROUP_KEY, POINTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from lupus_provider.periods import Period

INFINITE = (
    "the value is infinite. Leave infinite values out with 'where', or scale the column so that it does not overflow."
)


@dataclass(frozen=True, slots=True)
class Stamp:
    """Whose points they are, and who measured them when."""

    project: str
    metric_set: str
    run_id: str
    collected_at: datetime
    """Aware; when the reading of the table began."""


@dataclass(frozen=True, slots=True)
class _Frame:
    """Rows of an answer with their groups resolved."""

    period: pa.Array
    asked: np.ndarray
    """False for the whole that no group set asks for."""
    group: np.ndarray
    """Index into the two lists."""
    group_keys: pa.Array
    group_texts: list[str]


def points(plan: MetricPlan, answers: Iterable[Answer | Refused], stamp: Stamp, periods: Sequence[Period]) -> pa.Table:
    """Return all points of a plan, sorted by period and series.

    Parameters
    ----------
    answers
        What an engine yielded.
    periods
        The plan's periods, or the one period that all rows stand for.

    Returns
    -------
    pyarrow.Table
        Schema `records.POINTS`. Every period has at least the row count of the whole; a refused measure is a point with
        `error` in every group.
    """
    tables, refused = [], []
    rows: pa.Table | None = None
    for answer in answers:
        if isinstance(answer, Refused):
            refused.append(answer)
            continue
        table = answer.table
        if any(subject.over is Over.ROWS for subject in answer.columns):
            table = rows = _filled(table, _empty_wholes(table, plan, len(periods)), _counting(answer))
        elif not answer.per_entity and rows is not None:
            table = _filled(table, _missing_groups(table, rows, plan), _counting(answer))
        tables += _answered(answer, table, _frame(table, plan), stamp)
    if rows is None:
        nothing = _no_rows(plan)
        rows = _filled(nothing, _empty_wholes(nothing, plan, len(periods)), {ROWS})
    groups = _frame(rows, plan)
    tables += [_failed(item, groups, stamp) for item in refused]
    return _finish(pa.concat_tables(tables), stamp, periods) if tables else POINTS.empty()


def _no_rows(plan: MetricPlan) -> pa.Table:
    fields = [
        (PERIOD, pa.int32()),
        (GROUP_SET, pa.int32()),
        *((n, pa.string()) for n in _group_names(plan)),
        (ROWS, pa.int64()),
    ]
    return pa.schema(fields).empty_table()


def _counting(answer: Answer) -> set[str]:
    """Columns of an answer that are 0 of no rows."""
    return {ROWS} | {
        name for aliases in answer.columns.values() for alias, name in aliases.items() if alias in COUNTING
    }


def _empty_wholes(table: pa.Table, plan: MetricPlan, n_periods: int) -> pa.Table:
    """Keys of the whole for periods without any row: zero rows is an answer, not a gap."""
    whole = plan.group_sets.index(()) if () in plan.group_sets else -1
    of_whole = table.filter(pc.equal(table[GROUP_SET], whole))[PERIOD].to_numpy()
    missing = np.setdiff1d(np.arange(n_periods), of_whole)
    return pa.table(
        {PERIOD: pa.array(missing, pa.int32()), GROUP_SET: pa.array(np.full(len(missing), whole), pa.int32())}
    )


def _missing_groups(table: pa.Table, rows: pa.Table, plan: MetricPlan) -> pa.Table:
    """Keys of groups that have rows but nothing to measure, such as lists without items: undefined is an answer, too."""
    missing = pc.invert(pc.is_in(_key_texts(rows, plan), _key_texts(table, plan)))
    return rows.filter(missing).select([PERIOD, GROUP_SET, *_group_names(plan)])


def _filled(table: pa.Table, keys: pa.Table, counting: set[str]) -> pa.Table:
    """Append rows for `keys`: counts are 0, everything else is undefined."""
    n = keys.num_rows
    if not n:
        return table
    columns = {
        field.name: keys[field.name].cast(field.type) if field.name in keys.column_names
        else pa.array(np.zeros(n)).cast(field.type) if field.name in counting
        else pa.nulls(n, field.type)
        for field in table.schema
    }  # fmt: skip
    return pa.concat_tables([table, pa.table(columns, schema=table.schema)])


def _group_names(plan: MetricPlan) -> list[str]:
    return [group_column(i) for i in range(len(plan.group_columns))]


def _group_codes(table: pa.Table, plan: MetricPlan) -> list[pa.ChunkedArray]:
    """Texts that together tell groups apart, also null from the empty text."""
    texts = [pc.cast(table[GROUP_SET], pa.string())]
    for name in _group_names(plan):
        texts += [pc.cast(pc.fill_null(pc.binary_length(table[name]), -1), pa.string()), pc.fill_null(table[name], "")]
    return texts


def _key_texts(table: pa.Table, plan: MetricPlan) -> pa.Array:
    return _array(pc.binary_join_element_wise(pc.cast(table[PERIOD], pa.string()), *_group_codes(table, plan), ":"))


def _frame(table: pa.Table, plan: MetricPlan) -> _Frame:
    """Resolve each row's group to an index into the distinct groups."""
    group_sets = table[GROUP_SET].to_numpy()
    encoded = _array(pc.binary_join_element_wise(*_group_codes(table, plan), ":")).dictionary_encode()
    codes = encoded.indices.to_numpy(zero_copy_only=False)
    _, first = np.unique(codes, return_index=True)
    group_keys = _group_keys(table.take(pa.array(first)), plan)
    keys = pa.array([sorted(key.items()) for key in group_keys], GROUP_KEY)
    return _Frame(_array(table[PERIOD]), group_sets >= 0, codes, keys, [group_text(key) for key in group_keys])


def _group_keys(distinct: pa.Table, plan: MetricPlan) -> list[dict[str, str | None]]:
    values = {column: distinct[name].to_pylist() for column, name in zip(plan.group_columns, _group_names(plan))}
    sets = [plan.group_sets[i] if i >= 0 else () for i in distinct[GROUP_SET].to_pylist()]
    return [{column: values[column][row] for column in group_set} for row, group_set in enumerate(sets)]


def _array(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    if isinstance(column, pa.Array):
        return column
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def _floats(table: pa.Table, name: str) -> np.ndarray:
    return table[name].cast(pa.float64()).to_numpy(zero_copy_only=False).astype(float)


def _answered(answer: Answer, table: pa.Table, frame: _Frame, stamp: Stamp) -> list[pa.Table]:
    tables = []
    for subject, aliases in answer.columns.items():
        state = {alias: _floats(table, name) for alias, name in aliases.items()}
        entity = _array(table[ENTITY]) if answer.per_entity else None
        for measure in answer.measures[subject]:
            metric = measure.expression.metric
            with np.errstate(all="ignore"):  # undefined is an answer here
                values = metric.finish(**{name: state[primitive.alias] for name, primitive in metric.state.items()})
            n_rows = state["total" if answer.per_entity else metric.stands_on.alias]
            keep = frame.asked if measure.column else np.ones(len(frame.asked), bool)
            tables.append(_table(measure, frame, stamp, values, n_rows, entity, keep))
    return tables


def _failed(item: Refused, groups: _Frame, stamp: Stamp) -> pa.Table:
    n = len(groups.group)
    values = np.full(n, np.nan)
    return _table(item.measure, groups, stamp, values, None, None, groups.asked, error=item.reason)


def _table(
    measure: Measure, frame: _Frame, stamp: Stamp, values: np.ndarray, n_rows: np.ndarray | None,
    entity: pa.Array | None, keep: np.ndarray, error: str | None = None,
) -> pa.Table:  # fmt: skip
    infinite = np.isinf(values)
    head = identity_text(stamp.project, stamp.metric_set, measure.column, measure.expression.name)
    n = len(values)
    texts = np.array(frame.group_texts, dtype=object)[frame.group] if frame.group_texts else np.empty(0, object)
    middle = "-" if entity is None else None
    if middle is None:
        lengths = pc.cast(pc.binary_length(entity), pa.string())
        parts = pc.binary_join_element_wise(lengths, entity, ":").to_pylist()
        identities = [f"{head}{part}{text}" for part, text in zip(parts, texts)]
        ids = series_ids(identities)
    else:
        by_group = series_ids([f"{head}{middle}{text}" for text in frame.group_texts])
        ids = by_group[frame.group] if len(by_group) else np.empty(0, object)
    errors = pa.array([INFINITE if bad else None for bad in infinite] if error is None else [error] * n, pa.string())
    table = pa.table({
        "series_id": pa.array(ids, pa.string()),
        "column_name": pa.repeat(pa.scalar(measure.column, pa.string()), n),
        "metric": pa.repeat(pa.scalar(measure.expression.name, pa.string()), n),
        "entity": entity if entity is not None else pa.nulls(n, pa.string()),
        "group_key": frame.group_keys.take(pa.array(frame.group)),
        "period": frame.period,
        "value": pa.array(np.where(infinite, np.nan, values) + 0.0, pa.float64(), from_pandas=True),  # -0.0 becomes 0.0: one zero
        "n_rows": pa.nulls(n, pa.int64()) if n_rows is None else pa.array(n_rows, pa.float64(), from_pandas=True).cast(pa.int64()),
        "error": errors,
    })  # fmt: skip
    return table if keep.all() else table.filter(pa.array(keep))


def _finish(table: pa.Table, stamp: Stamp, periods: Sequence[Period]) -> pa.Table:
    instant = POINTS.schema.field("period_start").type
    index = _array(table["period"])
    n = table.num_rows
    table = table.drop_columns(["period"])
    for name, moments in (("period_start", [p.start for p in periods]), ("period_end", [p.end for p in periods])):
        table = table.append_column(name, pa.array(moments, instant).take(index))
    table = table.append_column("model_version", pa.nulls(n, pa.string()))
    table = table.append_column("run_id", pa.repeat(pa.scalar(stamp.run_id), n))
    table = table.append_column("collected_at", pa.repeat(pa.scalar(stamp.collected_at, instant), n))
    table = table.select(POINTS.schema.names).cast(POINTS.schema)
    return table.sort_by([("period_start", "ascending"), ("series_id", "ascending")]).combine_chunks()
