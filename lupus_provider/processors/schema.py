"""Metrics of the table as a whole: which of them an engine scans for, and points of those that only its schema answers.

A schema is read, not scanned, so its metrics have points of the whole table only, one a period.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from lupus_provider.engines import engine_for
from lupus_provider.errors import BadPlanError
from lupus_provider.metrics.base import Family, Over
from lupus_provider.metrics.grammar import parse_metric
from lupus_provider.metrics.plan import Measure
from lupus_provider.metrics.table import SchemaMetric
from lupus_provider.naming import series_id
from lupus_provider.records import POINTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lupus_provider.engines.base import Engine
    from lupus_provider.periods import Period
    from lupus_provider.processors.assemble import Stamp


@dataclass(frozen=True, slots=True)
class TableMetrics:
    """Names under `table_metrics`, sorted by who answers them."""

    of_rows: tuple[str, ...]
    """Metrics of the rows themselves, for the plan."""
    measures: tuple[Measure, ...]
    """Metrics of the time column and of the key, for the plan."""
    of_schema: tuple[SchemaMetric, ...]
    reference_schema: Any
    """Column → type, or a table; None: none."""


def sort_table_metrics(
    names: Sequence[str],
    *,
    time_column: str | None,
    has_periods: bool,
    key_columns: Sequence[str],
    reference_schema: Any,
) -> TableMetrics:
    """Sort names of the table family by who answers them.

    Raises
    ------
    UnknownMetricError
        If a name is unknown.
    BadPlanError
        If a metric lacks the argument that it needs.
    """
    of_rows, measures, of_schema = [], [], {}
    for name in names:
        expression = parse_metric(name, Family.TABLE)
        metric = expression.metric
        if isinstance(metric, SchemaMetric):
            if metric.needs_reference and reference_schema is None:
                raise BadPlanError(
                    name, "compares with a schema, and none is given", "Use TableProcessor(reference_schema=…)."
                )
            of_schema[metric.name] = metric
        elif metric.over is Over.KEY:
            if not key_columns:
                raise BadPlanError(
                    name, "counts repeated keys, and no key is given", "Use TableProcessor(key_columns=[…])."
                )
            measures.append(Measure(tuple(key_columns), expression))
        elif metric.over is Over.VALUES:
            if time_column is None or not has_periods:
                raise BadPlanError(name, "needs the end of a period", "Give time_column and periods.")
            measures.append(Measure((time_column,), expression))
        else:
            of_rows.append(name)
    return TableMetrics(tuple(of_rows), tuple(measures), tuple(of_schema.values()), reference_schema)


def read_schema(data: Any) -> Mapping[str, str]:
    """Column → type of anything that an engine reads, in the words of Arrow; a mapping is taken as it is.

    Parameters
    ----------
    data
        A mapping, an Arrow schema, or a table.
    """
    if isinstance(data, Mapping):
        return data
    return engine_for(data.empty_table() if isinstance(data, pa.Schema) else data).schema()


def with_schema_points(
    table: pa.Table, asked: TableMetrics, engine: Engine, stamp: Stamp, periods: Sequence[Period]
) -> pa.Table:
    """Return `table` with the points of the schema, in the order of all points."""
    if not asked.of_schema:
        return table
    schema = engine.schema()
    reference = None if asked.reference_schema is None else read_schema(asked.reference_schema)
    rows = [
        row
        for metric in asked.of_schema
        for entity, value in metric.of_schema(schema, reference)
        for row in _rows(metric.name, entity, value, stamp, periods)
    ]
    made = pa.Table.from_pylist(rows, schema=POINTS.schema)
    return (
        pa.concat_tables([table, made])
        .sort_by([("period_start", "ascending"), ("series_id", "ascending")])
        .combine_chunks()
    )


def _rows(
    metric: str, entity: str | None, value: float, stamp: Stamp, periods: Sequence[Period]
) -> list[dict[str, object]]:
    point = {
        "series_id": series_id(stamp.project, stamp.metric_set, "", metric, entity), "column_name": "", "metric": metric,
        "entity": entity, "group_key": [], "value": None if np.isnan(value) else value, "run_id": stamp.run_id,
        "collected_at": stamp.collected_at,
    }  # fmt: skip
    return [{**point, "period_start": period.start, "period_end": period.end} for period in periods]
