"""The history as Parquet files in a folder, read through DuckDB; the embedded default.

`<root>/<kind>/project=P/metric_set=M/dt=D/v=<load>/part.parquet`, and one manifest a metric set that says which version of each day
is valid. Replacing the manifest is the switch; files never change, so a reader that opened the old manifest reads on undisturbed.
"""

from __future__ import annotations

import json
import shutil
import uuid
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from lupus_provider import clock
from lupus_provider.errors import CorruptStoreError
from lupus_provider.naming import day_path, metric_set_path
from lupus_provider.stores import parquet
from lupus_provider.stores.files import locked, replacing, sweep_temporary, sync_folder
from lupus_provider.stores.history.base import HistoryQuery, Incoming, Switched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from lupus_provider.records import RecordKind

MANIFEST = "manifest.json"
FORMAT = 1
GRACE = timedelta(hours=1)
"""How long a replaced version stays for readers that still have it open."""

Days = dict[str, dict[str, Any]]


class ParquetHistory:
    """History in a folder; see `stores.history.base.HistoryStore` for the laws.

    Parameters
    ----------
    root
        Absolute folder; made at the first load.
    grace
        How long replaced versions are kept for readers.
    """

    def __init__(self, root: Path, grace: timedelta = GRACE) -> None:
        self.root, self.grace = root, grace
        self.url = root.as_uri()

    # -- writing -----------------------------------------------------------------------------------------------------

    def load(
        self, kind: RecordKind, project: str, metric_set: str, gather: Callable[[], Sequence[Incoming]]
    ) -> Switched:
        """Make the periods that `gather` returns what the history says of them; see the protocol."""
        folder = self.root / kind.name / metric_set_path(project, metric_set)
        with locked(folder / ".lock"):
            sweep_temporary(self.root)
            days, retired = self._manifest(folder)
            incoming = sorted(gather(), key=lambda item: item.period_start)
            changed = [item for item in incoming if self._loaded(days, item) != item.digest]
            written: Days = {}
            for day, items in groupby(changed, key=_day):
                place = day_path(project, metric_set, day)
                written[day.isoformat()] = self._write_day(kind, place, days.get(day.isoformat()), list(items))
            kept = self._kept(retired, [_version(days[day]) for day in written if day in days])
            if written or kept != retired:
                self._switch(folder, {**days, **written}, kept)
            self._sweep(folder, {**days, **written}, kept)
        rows = sum(entry["rows"] for entry in written.values())
        touched = tuple(date.fromisoformat(day) for day in written)
        return Switched(touched, len(changed), len(incoming) - len(changed), rows)

    def _write_day(
        self, kind: RecordKind, place: str, old: dict[str, Any] | None, items: list[Incoming]
    ) -> dict[str, Any]:
        """Write the day's new file: what the history has of its other periods, and the incoming ones."""
        tables, periods = [], {}
        for item in items:
            table, periods[_start(item)] = item.taken(kind)
            tables.append(table)
        others = {} if old is None else {start: d for start, d in old["periods"].items() if start not in periods}
        if old is not None and others:
            before = parquet.read(str(self.root / old["path"]), kind)
            starts = [datetime.fromisoformat(start) for start in others]
            instants = pa.array(starts, kind.schema.field("period_start").type)
            tables.append(before.filter(pc.field("period_start").isin(instants)))
        table = kind.sort(pa.concat_tables(tables))
        version = f"{clock.utc_now():%Y%m%dT%H%M%S%f}-{uuid.uuid4().hex[:8]}"
        path = self.root / kind.name / place / f"v={version}" / "part.parquet"
        with replacing(self.root, path) as file:
            parquet.write(table, kind, file, kind.digest(table), max(item.written_at for item in items))
        sync_folder(path.parent.parent)
        return {
            "path": str(path.relative_to(self.root)),
            "rows": table.num_rows,
            "periods": dict(sorted({**others, **periods}.items())),
        }

    def _kept(self, retired: dict[str, str], replaced: Sequence[str]) -> dict[str, str]:
        """Return replaced versions that readers may still have open, with the time of their replacement."""
        now = clock.utc_now()
        recent = {v: since for v, since in retired.items() if datetime.fromisoformat(since) > now - self.grace}
        return recent | dict.fromkeys(replaced, now.isoformat())

    def _switch(self, folder: Path, days: Days, retired: dict[str, str]) -> None:
        manifest = {"format": FORMAT, "days": dict(sorted(days.items())), "retired": dict(sorted(retired.items()))}
        with replacing(self.root, folder / MANIFEST) as file:
            file.write(json.dumps(manifest, indent=0).encode())

    def _sweep(self, folder: Path, days: Days, retired: dict[str, str]) -> None:
        """Delete versions that are neither valid nor within their grace: the leavings of killed loads among them."""
        living = {_version(entry) for entry in days.values()} | set(retired)
        for version in folder.glob("dt=*/v=*"):
            if version.name not in living:
                shutil.rmtree(version, ignore_errors=True)

    # -- reading -----------------------------------------------------------------------------------------------------

    def scan(self, query: HistoryQuery) -> pa.RecordBatchReader:
        """Stream records, sorted by the kind's key; see the protocol."""
        days = self._manifest(self.root / query.kind.name / metric_set_path(query.project, query.metric_set))[0]
        files = [str(self.root / entry["path"]) for day, entry in sorted(days.items()) if _overlaps(day, query)]
        names = list(query.columns or query.kind.schema.names)
        schema = pa.schema([query.kind.schema.field(name) for name in names])
        if not files:
            return pa.RecordBatchReader.from_batches(schema, [])
        where, params = ["true"], [files]
        if query.span is not None:
            where.append("period_start >= ? AND period_start < ?")
            params += [query.span.start, query.span.end]
        if query.series_ids:
            where.append("series_id IN (SELECT unnest(?))")
            params.append(list(query.series_ids))
        quoted = ", ".join(f'"{name}"' for name in names)
        order = ", ".join(query.kind.key)
        source = "read_parquet(?, hive_partitioning = false)"
        # Only names of the schema are put into the text; every value is a parameter.
        statement = f"SELECT {quoted} FROM {source} WHERE {' AND '.join(where)} ORDER BY {order}"  # noqa: S608
        return pa.RecordBatchReader.from_batches(schema, _batches(statement, params, schema))

    def periods(self, kind: RecordKind, project: str, metric_set: str) -> Mapping[datetime, str]:
        """Return period start → digest of everything that is loaded."""
        days = self._manifest(self.root / kind.name / metric_set_path(project, metric_set))[0]
        return {
            datetime.fromisoformat(start): digest
            for entry in days.values()
            for start, digest in entry["periods"].items()
        }

    def _manifest(self, folder: Path) -> tuple[Days, dict[str, str]]:
        """Return the valid days, and replaced versions with the time of their replacement."""
        try:
            text = (folder / MANIFEST).read_text()
        except FileNotFoundError:
            return {}, {}
        try:
            manifest = json.loads(text)
            found, days, retired = manifest["format"], manifest["days"], manifest["retired"]
        except (ValueError, KeyError, TypeError) as err:
            raise CorruptStoreError(str(folder / MANIFEST), f"is not a manifest of format {FORMAT}") from err
        if found != FORMAT:
            raise CorruptStoreError(str(folder / MANIFEST), f"is of format {found}, not {FORMAT}")
        return days, retired

    @staticmethod
    def _loaded(days: Days, item: Incoming) -> str | None:
        return days.get(_day(item).isoformat(), {"periods": {}})["periods"].get(_start(item))


def _start(item: Incoming) -> str:
    return item.period_start.astimezone(UTC).isoformat()


def _day(item: Incoming) -> date:
    return item.period_start.astimezone(UTC).date()


def _version(entry: dict[str, Any]) -> str:
    return Path(entry["path"]).parent.name


def _overlaps(day: str, query: HistoryQuery) -> bool:
    if query.span is None:
        return True
    first, last = query.span.start.astimezone(UTC).date(), query.span.end.astimezone(UTC).date()
    return first <= date.fromisoformat(day) <= last


def _batches(statement: str, params: list[Any], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Run a query in a database of its own that ends with the reader."""
    import duckdb

    with duckdb.connect(":memory:") as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for batch in connection.sql(statement, params=params).to_arrow_reader():
            columns = [batch.column(i).cast(field.type) for i, field in enumerate(schema)]
            yield pa.RecordBatch.from_arrays(columns, schema=schema)
