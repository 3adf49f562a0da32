"""Values that another system computed → points: training runs, expectation suites.

One row at a time, because such sources tell hundreds of values, not millions; what is undefined is settled here once for all of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa

from lupus_provider.naming import series_id
from lupus_provider.records import POINTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lupus_provider.periods import Period
    from lupus_provider.processors.assemble import Stamp

INFINITE = "the value is infinite. Look for an overflow or a division by zero where it is computed."


@dataclass(frozen=True, slots=True)
class MadePoint:
    """One value as its source tells it.

    Attributes
    ----------
    value
        NaN and None are undefined; infinity becomes an error.
    n_rows
        Rows behind the value; None where the source does not say.
    error
        Why there is no value.
    """

    period: Period
    column_name: str
    metric: str
    value: float | None
    entity: str | None = None
    group_key: Mapping[str, str | None] = field(default_factory=dict)
    n_rows: int | None = None
    error: str | None = None
    model_version: str | None = None


def points(made: Iterable[MadePoint], stamp: Stamp) -> pa.Table:
    """Return points of values that were made elsewhere, sorted by period and series.

    Parameters
    ----------
    made
        One a series and period.

    Returns
    -------
    pyarrow.Table
        Schema `records.POINTS`; columns that such values do not have are null.
    """
    rows = list(made)
    values = [_value(row) for row in rows]
    columns = {
        "series_id": [_id(row, stamp) for row in rows],
        "column_name": [row.column_name for row in rows],
        "metric": [row.metric for row in rows],
        "entity": [row.entity for row in rows],
        "group_key": [sorted(row.group_key.items()) for row in rows],
        "period_start": [row.period.start for row in rows],
        "period_end": [row.period.end for row in rows],
        "value": [value for value, _ in values],
        "n_rows": [row.n_rows for row in rows],
        "error": [error for _, error in values],
        "model_version": [row.model_version for row in rows],
        "run_id": [stamp.run_id] * len(rows),
        "collected_at": [stamp.collected_at] * len(rows),
    }
    arrays = [
        pa.array(columns[field.name], field.type) if field.name in columns else pa.nulls(len(rows), field.type)
        for field in POINTS.schema
    ]
    table = pa.Table.from_arrays(arrays, schema=POINTS.schema)
    return table.sort_by([("period_start", "ascending"), ("series_id", "ascending")]).combine_chunks()


def _id(row: MadePoint, stamp: Stamp) -> str:
    return series_id(stamp.project, stamp.metric_set, row.column_name, row.metric, row.entity, row.group_key)


def _value(row: MadePoint) -> tuple[float | None, str | None]:
    """Value and error as a point holds them."""
    if row.error is not None or row.value is None or math.isnan(row.value):
        return None, row.error
    if math.isinf(row.value):
        return None, INFINITE
    return float(row.value) + 0.0, None  # -0.0 becomes 0.0: one zero
