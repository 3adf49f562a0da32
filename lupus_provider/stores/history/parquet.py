"""The history as Parquet objects in a folder or a bucket, read through DuckDB; the embedded default is a folder.

`<url>/<kind>/project=P/metric_set=M/dt=D/v=<load>/part.parquet`, and one manifest a metric set that says which version of each day
is valid. Replacing the manifest is the switch; files never change, so a reader that opened the old manifest reads on undisturbed.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from lupus_provider.naming import metric_set_path
from lupus_provider.stores.history.loading import Loading
from lupus_provider.stores.history.manifest import Days, Manifest
from lupus_provider.stores.history.publishing import publish
from lupus_provider.stores.objects.base import at_once
from lupus_provider.stores.objects.local import LocalObjects

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from lupus_provider.records import RecordKind
    from lupus_provider.stores.history.base import HistoryQuery, Incoming, Switched
    from lupus_provider.stores.history.catalog import Catalog
    from lupus_provider.stores.objects.base import Objects

GRACE = timedelta(hours=1)
"""How long a replaced version stays for readers that still have it open."""
_FILES_AHEAD = 16


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

    def scan(self, query: HistoryQuery) -> pa.RecordBatchReader:
        """Stream records, sorted by the kind's key; see the protocol."""
        days = self._days(query.kind, query.project, query.metric_set)
        entries = [entry for day, entry in sorted(days.items()) if _overlaps(day, query)]
        names = list(query.columns or query.kind.schema.names)
        schema = pa.schema([query.kind.schema.field(name) for name in names])
        if not entries:
            return pa.RecordBatchReader.from_batches(schema, [])
        paths = [self.objects.path(entry["path"]) for entry in entries]
        if None in paths:
            return pa.RecordBatchReader.from_batches(schema, self._remote(query, entries, names, schema))
        where, params = ["true"], [paths]
        if query.span is not None:
            where.append("period_start >= ? AND period_start < ?")
            params += [query.span.start, query.span.end]
        if query.series_ids:
            where.append("series_id IN (SELECT unnest(?))")
            params.append(list(query.series_ids))
        source = f"read_parquet(?, hive_partitioning = false) WHERE {' AND '.join(where)}"
        return pa.RecordBatchReader.from_batches(schema, _batches(_statement(query, names, source), params, schema))

    def _remote(
        self, query: HistoryQuery, entries: Sequence[Mapping[str, Any]], names: Sequence[str], schema: pa.Schema
    ) -> Iterator[pa.RecordBatch]:
        """Read through Arrow, pruned to files, row groups and columns; DuckDB puts the rows in order."""
        import duckdb

        try:
            found = self._dataset(query.kind, entries)
            needed = list(dict.fromkeys([*names, *query.kind.key]))
            options = {"columns": needed, "filter": _filter(query), "fragment_readahead": _FILES_AHEAD}
            yield from _batches(_statement(query, names, "found"), [], schema, found.scanner(**options).to_reader())
        except (OSError, duckdb.Error) as err:
            told = self.objects.explained(err)
            if told is err:
                raise
            raise told from err

    def _dataset(self, kind: RecordKind, entries: Sequence[Mapping[str, Any]]) -> Any:
        import pyarrow.dataset as ds

        form, door = ds.ParquetFileFormat(), self.objects.arrow()
        if door is None:
            contents = at_once(self.objects.parallel, lambda entry: self.objects.get(entry["path"])[0], entries)
            fragments = [form.make_fragment(pa.BufferReader(content)) for content in contents]
        else:
            fs, root = door  # with its size known, a file is not asked for before it is read
            fragments = [form.make_fragment(f"{root}/{e['path']}", fs, file_size=e.get("bytes")) for e in entries]
        return ds.FileSystemDataset(fragments, kind.schema, form)

    def periods(self, kind: RecordKind, project: str, metric_set: str) -> Mapping[datetime, str]:
        """Return period start → digest of everything that is loaded."""
        days = self._days(kind, project, metric_set)
        return {
            datetime.fromisoformat(start): digest
            for entry in days.values()
            for start, digest in entry["periods"].items()
        }

    def _days(self, kind: RecordKind, project: str, metric_set: str) -> Days:
        return Manifest.read(self.objects, f"{kind.name}/{metric_set_path(project, metric_set)}").days


def _overlaps(day: str, query: HistoryQuery) -> bool:
    if query.span is None:
        return True
    first, last = query.span.start.astimezone(UTC).date(), query.span.end.astimezone(UTC).date()
    return first <= date.fromisoformat(day) <= last


def _filter(query: HistoryQuery) -> Any:
    import pyarrow.compute as pc

    found = None
    if query.span is not None:
        start = pc.field("period_start")
        unit = query.kind.schema.field("period_start").type
        found = (start >= pa.scalar(query.span.start, unit)) & (start < pa.scalar(query.span.end, unit))
    if query.series_ids:
        mine = pc.field("series_id").isin(pa.array(query.series_ids, pa.string()))
        found = mine if found is None else found & mine
    return found


def _statement(query: HistoryQuery, names: Sequence[str], source: str) -> str:
    quoted = ", ".join(f'"{name}"' for name in names)
    # Only names of the schema are put into the text; every value is a parameter.
    return f"SELECT {quoted} FROM {source} ORDER BY {', '.join(query.kind.key)}"  # noqa: S608


def _batches(statement: str, params: list[Any], schema: pa.Schema, found: Any = None) -> Iterator[pa.RecordBatch]:
    """Run a query in a database of its own that ends with the reader; `found` is a table of that name in it."""
    import duckdb

    with duckdb.connect(":memory:") as connection:
        connection.execute("SET TimeZone = 'UTC'")
        if found is not None:
            connection.register("found", found)
        for batch in connection.sql(statement, params=params).to_arrow_reader():
            columns = [batch.column(i).cast(field.type) for i, field in enumerate(schema)]
            yield pa.RecordBatch.from_arrays(columns, schema=schema)
