"""The history as a Spark DataFrame, for detection on a cluster: the rows that a scan finds, read by the executors.

Two doors to the same rows. `read_table` reads the table of a catalogue, by partition; `read_files` reads the files that the manifest names
now, merged months among them, so it needs no catalogue and sees one consistent version. Only DataFrames' public methods are used, so both work
over Spark Connect. Nobody sorts: a cluster groups by series anyway (tests/unit/stores/history/test_spark_read.py).
"""

# PySpark's types are known where it is installed only, so names of its objects say nothing to a type checker:
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from datetime import UTC
from functools import reduce
from operator import and_, or_
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from lupus_provider.naming import check_name, metric_set_path
from lupus_provider.stores.history.hive_sql import column_types, identifier
from lupus_provider.stores.history.manifest import Manifest
from lupus_provider.stores.history.reading import overlaps, sources

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lupus_provider.periods import Span
    from lupus_provider.records import RecordKind
    from lupus_provider.stores.history.base import HistoryQuery
    from lupus_provider.stores.objects.base import Objects

SCHEMES: Mapping[str, str] = {"s3": "s3a"}
"""Scheme of an address → Hadoop's word for it."""


def read_table(spark: Any, table: str, query: HistoryQuery) -> Any:
    """Return what a query asks of a catalogue's table, pruned to its partitions.

    Parameters
    ----------
    spark
        A SparkSession whose catalogue has the table.
    table
        Such as `lupus.lupus_points`: the database and the table of a `HiveOptions`.

    Returns
    -------
    pyspark.sql.DataFrame
        The columns of the query, in no order of rows. An instant is a `timestamp`: right whatever the session's zone, though `show` and
        `collect` tell it in that zone.

    Raises
    ------
    BadNameError
        If the table's, the project's or the metric set's name can be none.
    """
    quoted = ".".join(identifier(part, "table") for part in table.split("."))
    found = spark.table(quoted)
    kept = [
        found["project"] == check_name(query.project, "project"),
        found["metric_set"] == check_name(query.metric_set, "metric_set"),
    ]
    if query.span is not None:
        first, last = (moment.astimezone(UTC).date().isoformat() for moment in query.span)
        kept += [found["dt"] >= first, found["dt"] <= last]  # texts of one length: their order is that of the days
    return _asked(found, query, kept)


def read_files(spark: Any, objects: Objects, query: HistoryQuery, schemes: Mapping[str, str] = SCHEMES) -> Any:
    """Return what a query asks of the files that the manifest names now; returns as `read_table`.

    Parameters
    ----------
    spark
        A SparkSession whose executors can read the history's storage.
    objects
        The history's storage: `ParquetHistory.objects`.
    schemes
        Scheme of the storage's address → Spark's word for it.
    """
    manifest = Manifest.read(objects, f"{query.kind.name}/{metric_set_path(query.project, query.metric_set)}")
    chosen = sources(manifest, (day for day in manifest.days if overlaps(day, query.span)))
    groups = [[source for source in chosen if not source.only], *([source] for source in chosen if source.only)]
    parts = []
    for group in filter(None, groups):
        found = _opened(spark, query.kind, [_place(objects.url, source.path, schemes) for source in group])
        only = [reduce(or_, [_within(found, span) for span in group[0].only])] if group[0].only else []
        parts.append(_asked(found, query, only))
    if not parts:
        return _asked(spark.createDataFrame([], _ddl(query.kind)), query, [])
    return reduce(lambda one, other: one.unionAll(other), parts)


def _opened(spark: Any, kind: RecordKind, paths: Sequence[str]) -> Any:
    # A recursive look-up takes no column from the names of folders; a column that an older release did not write is null.
    return spark.read.schema(_ddl(kind)).option("recursiveFileLookup", "true").parquet(*paths)


def _ddl(kind: RecordKind) -> str:
    return ", ".join(f"{identifier(name)} {what}" for name, what in column_types(kind.schema).items())


def _place(url: str, path: str, schemes: Mapping[str, str]) -> str:
    parts = urlsplit(url)
    return f"{schemes.get(parts.scheme, parts.scheme)}://{parts.netloc}{unquote(parts.path)}/{path}"


def _within(found: Any, span: Span) -> Any:
    return (found["period_start"] >= span.start) & (found["period_start"] < span.end)


def _asked(found: Any, query: HistoryQuery, kept: list[Any]) -> Any:
    if query.span is not None:
        kept = [*kept, _within(found, query.span)]
    if query.series_ids:
        kept = [*kept, found["series_id"].isin(list(query.series_ids))]
    chosen = found.where(reduce(and_, kept)) if kept else found
    return chosen.select(*(query.columns or query.kind.schema.names))
