"""The history as Parquet objects in a folder or a bucket, read through DuckDB; the embedded default is a folder.

`<url>/<kind>/project=P/metric_set=M/dt=D/v=<load>/part.parquet`, for merged months `…/month=YYYY-MM/v=…/part.parquet`, and one manifest a
metric set that says which version of each day is valid. Replacing the manifest is the switch; files never change, so a reader that opened the old manifest reads on undisturbed.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from lupus_provider.naming import metric_set_path
from lupus_provider.stores.history.base import Expired
from lupus_provider.stores.history.expiring import drop_days, has_before
from lupus_provider.stores.history.loading import Loading
from lupus_provider.stores.history.manifest import Days, Manifest
from lupus_provider.stores.history.merging import Merging
from lupus_provider.stores.history.publishing import publish
from lupus_provider.stores.history.reading import Source, overlaps, readers, sources
from lupus_provider.stores.objects.local import LocalObjects

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import date

    from lupus_provider.records import RecordKind
    from lupus_provider.stores.history.base import Compacted, HistoryQuery, Incoming, Switched
    from lupus_provider.stores.history.catalog import Catalog
    from lupus_provider.stores.objects.base import Objects

GRACE = timedelta(hours=1)
"""How long a replaced version stays for readers that still have it open."""
_WITHIN = "(period_start >= ? AND period_start < ?)"


class ParquetHistory:
    """History over an object storage; see `stores.history.base.HistoryStore` for the laws.

    Parameters
    ----------
    objects
        A folder or a bucket; a path is short for the folder.
    catalog
        Told of every new version, so that other people's SQL finds it; None: nobody is.
    grace
        How long replaced versions are kept for readers.
    """

    def __init__(self, objects: Objects | Path, catalog: Catalog | None = None, grace: timedelta = GRACE) -> None:
        self.objects: Objects = LocalObjects(objects) if isinstance(objects, Path) else objects
        self.catalog, self.grace, self.url = catalog, grace, self.objects.url

    def load(
        self,
        kind: RecordKind,
        project: str,
        metric_set: str,
        gather: Callable[[], Sequence[Incoming]],
        *,
        force: bool = False,
    ) -> Switched:
        """Make the periods that `gather` returns what the history says of them; see the protocol.

        Raises
        ------
        CatalogError
            If the catalogue cannot be told; all is loaded then, and a retry tells it.
        """
        loading = Loading(self.objects, kind, project, metric_set, self.grace)
        with self.objects.exclusive(f"{loading.folder}/.lock"):
            switched = loading.run(gather, force=force)
            if self.catalog is not None:
                publish(self.objects, self.catalog, kind, project, metric_set, loading.folder)
        return switched

    def compact(self, kind: RecordKind, project: str, metric_set: str, closed_before: date) -> Compacted:
        """Merge the day files of closed months; see the protocol.

        Raises
        ------
        CorruptStoreError
            If a day's records are not what the manifest says of them; its month stays as it is, and the others are merged.
        """
        merging = Merging(self.objects, kind, project, metric_set, self.grace)
        return merging.run(closed_before, keep_days=self.catalog is not None)

    def expire(self, kind: RecordKind, project: str, metric_set: str, before: date) -> Expired:
        """Drop the days before a UTC date; see the protocol. Raises CatalogError if the catalogue cannot be told; a retry tells it."""
        folder = f"{kind.name}/{metric_set_path(project, metric_set)}"
        if not has_before(Manifest.read(self.objects, folder), before):
            return Expired()
        with self.objects.exclusive(f"{folder}/.lock"):
            expired = drop_days(self.objects, folder, before, self.grace)
            if self.catalog is not None:
                publish(self.objects, self.catalog, kind, project, metric_set, folder)
        return expired

    def close(self) -> None:
        """End the catalogue's sessions, if it has any; the history can be used again."""
        close: Callable[[], None] | None = getattr(self.catalog, "close", None)
        if close is not None:
            close()

    def scan(self, query: HistoryQuery) -> pa.RecordBatchReader:
        """Stream records, sorted by the kind's key; see the protocol."""
        manifest = self._manifest(query.kind, query.project, query.metric_set)
        chosen = sources(manifest, (day for day in manifest.days if overlaps(day, query.span)))
        names = list(query.columns or query.kind.schema.names)
        schema = pa.schema([query.kind.schema.field(name) for name in names])
        if not chosen:
            return pa.RecordBatchReader.from_batches(schema, [])
        if self.objects.path(chosen[0].path) is None:
            return pa.RecordBatchReader.from_batches(schema, self._remote(query, chosen, names, schema))
        found, params = self._local(query, chosen)
        return pa.RecordBatchReader.from_batches(schema, _batches(_statement(query, names, found), params, schema))

    def _local(self, query: HistoryQuery, chosen: Sequence[Source]) -> tuple[list[str], list[Any]]:
        """Return sources of SQL that together are what the query asks of files of this machine, and their parameters."""
        groups = [[source for source in chosen if not source.only], *([source] for source in chosen if source.only)]
        found: list[str] = []
        params: list[Any] = []
        for group in filter(None, groups):
            spans, kept = group[0].only, ["true"]
            params.append([self.objects.path(source.path) for source in group])
            if spans:
                kept.append(f"({' OR '.join([_WITHIN] * len(spans))})")
                params += [moment for span in spans for moment in span]
            if query.span is not None:
                kept.append(_WITHIN)
                params += query.span
            if query.series_ids:
                kept.append("series_id IN (SELECT unnest(?))")
                params.append(list(query.series_ids))
            found.append(f"read_parquet(?, hive_partitioning = false) WHERE {' AND '.join(kept)}")
        return found, params

    def _remote(
        self, query: HistoryQuery, chosen: Sequence[Source], names: Sequence[str], schema: pa.Schema
    ) -> Iterator[pa.RecordBatch]:
        """Read through Arrow, pruned to files, row groups and columns; DuckDB puts the rows in order."""
        import duckdb

        try:
            needed = list(dict.fromkeys([*names, *query.kind.key]))
            found = {f"found{i}": one for i, one in enumerate(readers(self.objects, query, chosen, needed))}
            yield from _batches(_statement(query, names, list(found)), [], schema, found)
        except (OSError, duckdb.Error) as err:
            told = self.objects.explained(err)
            if told is err:
                raise
            raise told from err

    def periods(self, kind: RecordKind, project: str, metric_set: str) -> Mapping[datetime, str]:
        """Return period start → digest of everything that is loaded."""
        days = self._manifest(kind, project, metric_set).days
        return {
            datetime.fromisoformat(start): digest
            for entry in days.values()
            for start, digest in entry["periods"].items()
        }

    def _manifest(self, kind: RecordKind, project: str, metric_set: str) -> Manifest:
        return Manifest.read(self.objects, f"{kind.name}/{metric_set_path(project, metric_set)}")

    def _days(self, kind: RecordKind, project: str, metric_set: str) -> Days:
        return self._manifest(kind, project, metric_set).days


def _statement(query: HistoryQuery, names: Sequence[str], found: Sequence[str]) -> str:
    # Only names of the schema are put into the text; every value is a parameter.
    needed = ", ".join(f'"{name}"' for name in dict.fromkeys([*names, *query.kind.key]))
    together = " UNION ALL ".join(f"SELECT {needed} FROM {one}" for one in found)  # noqa: S608
    quoted = ", ".join(f'"{name}"' for name in names)
    return f"SELECT {quoted} FROM ({together}) ORDER BY {', '.join(query.kind.key)}"  # noqa: S608


def _batches(
    statement: str, params: list[Any], schema: pa.Schema, found: Mapping[str, Any] | None = None
) -> Iterator[pa.RecordBatch]:
    """Run a query in a database of its own that ends with the reader; `found` are tables in it."""
    import duckdb

    with duckdb.connect(":memory:") as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for name, table in (found or {}).items():
            connection.register(name, table)
        for batch in connection.sql(statement, params=params).to_arrow_reader():
            columns = [batch.column(i).cast(field.type) for i, field in enumerate(schema)]
            yield pa.RecordBatch.from_arrays(columns, schema=schema)
