"""The reference of drift: small histograms of a table, made once, kept in one file, never measured again.

Sums of references are the reference of the tables together, so that one can grow by a day without the days before it.
"""

# Pyarrow makes its compute functions at run time, so its names say nothing to a type checker:
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
import pyarrow as pa

from lupus_provider.errors import BadPlanError, BadReferenceError
from lupus_provider.metrics.base import Family
from lupus_provider.metrics.bins import Bins, same_bins
from lupus_provider.metrics.grammar import parse_metric
from lupus_provider.naming import group_text
from lupus_provider.processors.edges import FULL, bins_of, counted_histograms
from lupus_provider.processors.histograms import ColumnKey, Histograms, from_rows, joined, to_rows

if TYPE_CHECKING:
    from lupus_provider.metrics.base import Floats
    from lupus_provider.metrics.bins import CountedBins
    from lupus_provider.processors.base import RowOptions

_FORMAT, _REFUSED = b"lupus.reference", b"lupus.refused"
MAX_CATEGORIES, RESOLUTION = 50, 100
"""Categories that have a bin of their own; bins of a column of numbers."""


@dataclass(frozen=True)
class Reference:
    """What columns are compared with: a table's histograms by group.

    Attributes
    ----------
    columns
        Column, or first k items of its lists → histograms, one a group.
    refused
        Columns that could not be measured, and why.

    Examples
    --------
    >>> import pyarrow as pa
    >>> Reference.of(pa.table({"age": [20, 30, 30, 40]}), ["age"])
    <Reference: age in 1 groups>
    """

    columns: Mapping[ColumnKey, Histograms]
    refused: Mapping[ColumnKey, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        df: Any,
        columns: Mapping[str, Sequence[str]] | Sequence[str],
        *,
        categorical: Sequence[str] = (),
        max_categories: int = MAX_CATEGORIES,
        resolution: int = RESOLUTION,
        metric: str = FULL,
        **rows: Unpack[RowOptions],
    ) -> Reference:
        """Measure a table: a few scans for the bins, from the quantiles of the whole, and one for the counts.

        Parameters
        ----------
        df
            As of every processor.
        columns
            Names such as `age` or `interests@5` (the first 5 items of each list), or the `column_metrics` of a DriftProcessor.
        categorical
            Columns of numbers that are names, such as store ids: compared by category, as texts are.
        max_categories
            The most frequent values of a column of texts that have a bin of their own.
        resolution
            Bins of a column of numbers, about.
        metric
            Drift metric that it has to serve, and those that need no more than it; by default all. Counting for `psi` costs less.
        rows
            Which rows and groups: see `processors.base.Processor`; several periods are added up.

        Returns
        -------
        Reference
            Columns that cannot be measured stand in `refused`; their drift is points with that error.

        Raises
        ------
        BadPlanError
            If arguments contradict themselves.
        SourceUnreadableError, TimeColumnError, PlanFailedError, EngineFailedError
            If the table as a whole cannot be measured.
        """
        if resolution < 2 or max_categories < 1:
            raise BadPlanError(
                "resolution" if resolution < 2 else "max_categories", "is too small", "Leave it out, or give more."
            )
        keys = column_keys(columns)
        found = bins_of(df, keys, frozenset(categorical), max_categories, resolution, rows)
        refused = {key: bins for key, bins in found.items() if isinstance(bins, str)}
        bins = {key: item for key, item in found.items() if not isinstance(item, str)}
        histograms, failed = counted_histograms(df, bins, rows, metric)
        return cls({key: item.summed() for key, item in histograms.items()}, refused | failed)

    def bins(self, key: ColumnKey) -> Bins | None:
        """Bins of a column; None if the reference lacks it."""
        return self.columns[key].bins if key in self.columns else None

    def lookup(
        self, key: ColumnKey, counted: CountedBins, version_column: str | None = None
    ) -> Mapping[str, Floats] | None:
        """Return the histograms of the groups of `counted`, rows of NaN where there is none; None if the column is lacking.

        Parameters
        ----------
        version_column
            Left out of a group's key where the reference does not know the group with it.
        """
        if key not in self.columns:
            return None
        histograms = self.columns[key]
        positions = {text: i for i, text in enumerate(histograms.texts())}
        found = np.array(
            [_position(positions, group, version_column) for group in counted.group_keys] or [-1], np.int64
        )[counted.group]
        known = found >= 0
        empty = {name: np.full((len(found), len(histograms.bins)), np.nan) for name in histograms.state}
        for name, values in empty.items():
            values[known] = histograms.state[name][found[known]]
        return empty

    def __add__(self, other: Reference) -> Reference:
        """Return the reference of both tables together, over the same bins.

        Raises
        ------
        BadReferenceError
            If the two have different bins.
        """
        columns = {**self.columns, **other.columns}
        for key in self.columns.keys() & other.columns.keys():
            left, right = self.columns[key], other.columns[key]
            if not same_bins(left.bins, right.bins):
                raise BadReferenceError(
                    str(key), "has other bins in the other reference", "Measure one by the other's bins, with like()."
                )
            columns[key] = joined([left, right]).summed()
        refused = {key: why for key, why in {**self.refused, **other.refused}.items() if key not in columns}
        return Reference(columns, refused)

    def like(self, df: Any, **rows: Unpack[RowOptions]) -> Reference:
        """Measure another table by the same bins, in one scan: the two can be added."""
        bins = {key: item.bins for key, item in self.columns.items()}
        histograms, failed = counted_histograms(df, bins, rows)
        return Reference({key: item.summed() for key, item in histograms.items()}, failed)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write one small Parquet file, whole or not at all."""
        table = pa.concat_tables(
            [to_rows(key, item, "", "") for key, item in self.columns.items()] or [_KEYS.empty_table()]
        )
        refused = [[key.column, key.k, why] for key, why in self.refused.items()]
        table = table.replace_schema_metadata({_FORMAT: b"1", _REFUSED: json.dumps(refused).encode()})
        _replace(Path(path), table)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Reference:
        """Read what `save` wrote.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        BadReferenceError
            If the file is no reference.
        """
        if not is_saved_reference(path):
            raise BadReferenceError(os.fspath(path), "is no saved reference", "Make one with Reference.of(…).save(…).")
        import pyarrow.parquet as pq  # here, because it imports pandas where there is one

        with pq.ParquetFile(path) as opened:
            table = opened.read()
        refused = json.loads(table.schema.metadata[_REFUSED])
        return cls(dict(from_rows(table)), {ColumnKey(column, k): why for column, k, why in refused})

    def __repr__(self) -> str:
        groups = max((len(item.group_keys) for item in self.columns.values()), default=0)
        return f"<Reference: {', '.join(str(key) for key in self.columns)} in {groups} groups>"


_KEYS = pa.schema([
    ("column_name", pa.string()), ("k", pa.int32()), ("period_start", pa.timestamp("us", tz="UTC")),
])  # fmt: skip


def _position(positions: Mapping[str, int], group: Mapping[str, str | None], version_column: str | None) -> int:
    found = positions.get(group_text(group))
    if found is None and version_column in group:
        found = positions.get(group_text({name: value for name, value in group.items() if name != version_column}))
    return -1 if found is None else found


def column_keys(columns: Mapping[str, Sequence[str]] | Sequence[str]) -> list[ColumnKey]:
    """Columns, with their k, of the drift metrics among `column_metrics`, or of names such as `interests@5`.

    Raises
    ------
    BadPlanError
        If one text stands for a list.
    UnknownMetricError
        If a metric name is unknown.
    """
    if isinstance(columns, str):
        raise BadPlanError("columns", f"is the text {columns!r}", f"Give a list: [{columns!r}].")
    if isinstance(columns, Mapping):
        parsed = [(column, parse_metric(name)) for column, names in columns.items() for name in names]
        return list(dict.fromkeys(ColumnKey(c, item.k) for c, item in parsed if item.metric.family is Family.DRIFT))
    keys = []
    for name in columns:
        head, at, k = name.rpartition("@")
        keys.append(ColumnKey(head, int(k)) if at and k.isdecimal() and int(k) else ColumnKey(name, None))
    return list(dict.fromkeys(keys))


def is_saved_reference(path: str | os.PathLike[str]) -> bool:
    """Whether a file is a saved reference, not a table of rows.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    """
    import pyarrow.parquet as pq

    with Path(path).open("rb") as file:
        if file.read(4) != b"PAR1":
            return False
    try:
        return _FORMAT in (pq.read_metadata(path).metadata or {})
    except pa.ArrowInvalid:
        return False


def _replace(path: Path, table: pa.Table) -> None:
    import pyarrow.parquet as pq

    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with temporary.open("xb") as file:
            pq.write_table(table, file, compression="zstd")
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
