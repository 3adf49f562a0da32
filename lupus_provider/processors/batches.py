"""A table → batches of its rows, one a period and group, as frames: for libraries that look at rows themselves.

The table is read once. Rows of a Spark frame stay on its cluster; all others come to this process, only the columns that are needed.
"""

# Pandas' stubs do not follow its indexing:
# pyright: reportArgumentType=false, reportAttributeAccessIssue=false

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from lupus_provider.errors import BadPlanError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import pyarrow as pa

    from lupus_provider.metrics.plan import MetricPlan

GroupKey = tuple[tuple[str, str | None], ...]

_ROW = "lupus_row"


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one period and group.

    Attributes
    ----------
    period
        Index into the plan's periods.
    frame
        Makes the pandas or Spark frame of the asked columns.
    """

    period: int
    group_key: GroupKey
    n_rows: int
    frame: Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Batches:
    """Batches by period, and the names of all columns of their table."""

    columns: Sequence[str]
    batches: Sequence[Batch]


@contextmanager
def open_batches(data: Any, plan: MetricPlan, columns: frozenset[str] | None, max_batches: int) -> Iterator[Batches]:
    """Read a table; give its batches, by period and group. A period without rows has one empty batch, of the whole.

    Parameters
    ----------
    data
        What any processor takes.
    plan
        Group sets, periods, time column and condition; its measures do not matter.
    columns
        Columns that are needed, as far as the table has them; None: all.

    Raises
    ------
    UnknownDataError, SourceUnreadableError, TimeColumnError, PlanFailedError, EngineFailedError
        If the table as a whole cannot be read.
    BadPlanError
        If there are more than `max_batches`.
    """
    if type(data).__module__.startswith("pyspark."):
        from lupus_provider.processors.spark_batches import open_spark_batches

        with open_spark_batches(data, plan, columns, max_batches) as batches:
            yield batches
        return
    frame, keys, names, floats = _pandas_rows(data, plan, columns)
    yield Batches(names, [spelled(batch, plan, floats) for batch in _pandas_batches(frame, keys, plan, max_batches)])


def _n_periods(plan: MetricPlan) -> int:
    return 1 if plan.periods is None else len(plan.periods)


def check_number(found: int, max_batches: int) -> None:
    """Refuse more batches than anybody wants to wait for (BadPlanError)."""
    if found > max_batches:
        raise BadPlanError(
            "group_columns",
            f"and periods split the table into more than {max_batches} batches",
            "Each is validated on its own, at some hundredths of a second: group by less, or raise max_batches.",
        )


def _pandas_rows(
    data: Any, plan: MetricPlan, columns: frozenset[str] | None
) -> tuple[Any, Any, list[str], Mapping[str, str]]:
    """Return the needed columns as a pandas frame, period and groups of each row, all columns' names, and which groups are floats."""
    from lupus_provider.engines.duckdb_reading import BASE, read
    from lupus_provider.engines.duckdb_source import open_table
    from lupus_provider.engines.source import table_name
    from lupus_provider.engines.sql.grouping import Grouping

    is_pandas = type(data).__module__.startswith("pandas.")
    read_from = data
    if is_pandas:  # its own types and values are kept; DuckDB only says which row belongs where
        read_from = data.copy(deep=False)
        read_from[_ROW] = range(len(data))
    with open_table(read_from, table_name(data)) as table:
        wanted = [_ROW] if is_pandas else [c for c in table.columns if columns is None or c in columns]
        wanted += sorted(c for c in columns or () if not is_pandas and "." in c and c not in wanted)
        types = {column: table.type_of(column) for column in wanted}
        aliases = {column: f"v{i}" for i, column in enumerate(wanted) if not isinstance(types[column], str)}
        read(table, plan, aliases, types)
        floats = Grouping.of(plan, table.type_of).floats
        rows = table.connection.sql(f"FROM {BASE}").to_arrow_table()
    keys = rows.select([name for name in rows.column_names if name not in aliases.values()]).to_pandas()
    if is_pandas:
        kept = [column for column in data.columns if columns is None or column in columns]
        return data[kept].iloc[rows[aliases[_ROW]].to_numpy()], keys, list(data.columns), floats
    return _to_pandas(rows.select(list(aliases.values())), list(aliases), len(keys)), keys, table.columns, floats


def _to_pandas(rows: pa.Table, names: Sequence[str], n_rows: int) -> Any:
    """Return Arrow as pandas; integers stay integers beside missing values, which pandas' own would make fractions."""
    import pandas as pd

    whole = {
        "int8": pd.Int8Dtype(), "int16": pd.Int16Dtype(), "int32": pd.Int32Dtype(), "int64": pd.Int64Dtype(),
        "uint8": pd.UInt8Dtype(), "uint16": pd.UInt16Dtype(), "uint32": pd.UInt32Dtype(), "uint64": pd.UInt64Dtype(),
    }  # fmt: skip
    if not names:
        return pd.DataFrame(index=pd.RangeIndex(n_rows))
    series = [
        column.to_pandas(types_mapper=(lambda kind: whole.get(str(kind))) if column.null_count else None)
        for column in rows.columns
    ]
    return pd.concat(series, axis=1, keys=list(names))


def _pandas_batches(frame: Any, keys: Any, plan: MetricPlan, max_batches: int) -> Sequence[Batch]:
    import numpy as np

    batches: list[Batch] = []
    groups = {column: f"g{i}" for i, column in enumerate(plan.group_columns)}
    for group_set in plan.group_sets:
        by = ["period", *(groups[column] for column in group_set)]
        codes = keys.groupby(by, dropna=False).ngroup().to_numpy() if len(keys) else np.empty(0, int)
        sizes = np.bincount(codes)
        check_number(len(batches) + len(sizes), max_batches)
        for rows in np.split(np.argsort(codes, kind="stable"), np.cumsum(sizes)[:-1]) if len(codes) else ():
            period, *values = keys[by].iloc[rows[0]]
            texts = [value if isinstance(value, str) else None for value in values]
            key = tuple(zip(group_set, texts, strict=True))
            batches.append(Batch(int(period), key, len(rows), lambda rows=rows: frame.iloc[rows]))
    return completed(batches, plan, lambda: frame.iloc[:0])


def spelled(batch: Batch, plan: MetricPlan, floats: Mapping[str, str]) -> Batch:
    """Return a batch with its floats spelled as in all points."""
    from lupus_provider.engines.sql.grouping import float_text

    types = {column: floats[f"g{i}"] for i, column in enumerate(plan.group_columns) if f"g{i}" in floats}
    if not types:
        return batch
    key = ((c, float_text(text, types[c]) if text is not None and c in types else text) for c, text in batch.group_key)
    return replace(batch, group_key=tuple(key))


def completed(batches: Sequence[Batch], plan: MetricPlan, empty: Callable[[], Any]) -> Sequence[Batch]:
    """Add what has no rows: the whole where it is asked, and something in every period."""
    have = {batch.period for batch in batches}
    missing = [period for period in range(_n_periods(plan)) if period not in have]
    added = [Batch(period, (), 0, empty) for period in missing]
    return sorted(
        [*batches, *added], key=lambda b: (b.period, len(b.group_key), [(v is None, v or "") for _, v in b.group_key])
    )
