"""The history as Parquet files in a folder, read through DuckDB; the embedded default.

`<root>/<kind>/project=P/metric_set=M/dt=D/v=<load>/part.parquet`, and one manifest a metric set that says which version of each day
is valid. Replacing the manifest is the switch; files never change, so a reader that opened the old manifest reads on undisturbed.
"""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from lupus_provider import clock
from lupus_provider.errors import CorruptStoreError
from lupus_provider.naming import day_path, metric_set_path
from lupus_provider.records import RecordKind
from lupus_provider.stores import parquet
from lupus_provider.stores.files import locked, replacing, sweep_temporary, sync_folder
from lupus_provider.stores.history.base import HistoryQuery, Incoming, Switched

MANIFEST = "manifest.json"
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

    def load(self, kind: RecordKind, project: str, metric_set: str, gather: Callable[[], Sequence[Incoming]]) -> Switched:
        """Make the periods that `gather` returns what the history says of them; see the protocol."""
        folder = self.root / kind.name / metric_set_path(project, metric_set)
        with locked(folder / ".lock"):
            sweep_temporary(self.root)
            days, retired = self._manifest(folder)
            incoming = sorted(gather(), key=lambda item: item.period_start)
            changed = [item for item in incoming if self._loaded(days, item) != item.digest]
            written: Days = {}
            for day, items in groupby(changed, key=lambda item: item.period_start.date()):
                written[day.isoformat()] = self._write_day(kind, project, metric_set, day, days.get(day.isoformat()), list(items))
            now = clock.utc_now()
            kept = {version: since for version, since in retired.items() if datetime.fromisoformat(since) > now - self.grace}
            kept.update({_version(days[day]): now.isoformat() for day in written if day in days})
            if written or kept != retired:
                self._switch(folder, {**days, **written}, kept)
            self._sweep(folder, {**days, **written}, kept)
        rows = sum(entry["rows"] for entry in written.values())
        return Switched(tuple(date.fromisoformat(day) for day in written), len(changed), len(incoming) - len(changed), rows)

    def _write_day(
        self, kind: RecordKind, project: str, metric_set: str, day: date, old: dict[str, Any] | None, items: list[Incoming]
    ) -> dict[str, Any]:
        """Write the day's new file: what the history has of its other periods, and the incoming ones."""
        tables = [item.read() for item in items]
        periods = {item.period_start.isoformat(): item.digest for item in items}
        if old is not None:
            kept = {start: digest for start, digest in old["periods"].items() if start not in periods}
            if kept:
                before = parquet.read(str(self.root / old["path"]), kind)
                starts = pa.array([datetime.fromisoformat(start) for start in kept], kind.schema.field("period_start").type)
                tables.append(before.filter(pc.is_in(before["period_start"], starts)))
                periods.update(kept)
        table = kind.sort(pa.concat_tables(tables))
        written_at = max(item.written_at for item in items)
        version = f"{clock.utc_now():%Y%m%dT%H%M%S%f}-{uuid.uuid4().hex[:8]}"
        path = self.root / kind.name / day_path(project, metric_set, day) / f"v={version}" / "part.parquet"
        with replacing(self.root, path) as file:
            parquet.write(table, kind, file, kind.digest(table), written_at)
        sync_folder(path.parent)
        return {"path": str(path.relative_to(self.root)), "rows": table.num_rows, "periods": dict(sorted(periods.items()))}

    def _switch(self, folder: Path, days: Days, retired: dict[str, str]) -> None:
        manifest = {"format": 1, "days": dict(sorted(days.items())), "retired": dict(sorted(retired.items()))}
        with replacing(self.root, folder / MANIFEST) as file:
            file.write(json.dumps(manifest, indent=0).encode())
        sync_folder(folder)

    def _sweep(self, folder: Path, days: Days, retired: dict[str, str]) -> None:
        """Delete versions that are neither valid nor within their grace: the leavings of killed loads among them."""
        living = {_version(entry) for entry in days.values()} | set(retired)
        for version in folder.glob("dt=*/v=*"):
            if version.name not in living:
                shutil.rmtree(version, ignore_errors=True)

    # -- reading -----------------------------------------------------------------------------------------------------

    def scan(self, query: HistoryQuery) -> pa.RecordBatchReader:
        """Stream records, sorted by the kind's key; see the protocol."""
        import duckdb

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
        connection = duckdb.connect(":memory:")
        connection.execute("SET TimeZone = 'UTC'")
        answer = connection.sql(
            f"SELECT {quoted} FROM read_parquet(?, hive_partitioning = false) WHERE {' AND '.join(where)} ORDER BY {order}", params=params
        )
        reader = answer.to_arrow_reader()
        return pa.RecordBatchReader.from_batches(schema, (_cast(batch, schema) for batch in _closing(reader, connection)))

    def periods(self, kind: RecordKind, project: str, metric_set: str) -> Mapping[datetime, str]:
        """Return period start → digest of everything that is loaded."""
        days = self._manifest(self.root / kind.name / metric_set_path(project, metric_set))[0]
        return {datetime.fromisoformat(start): digest for entry in days.values() for start, digest in entry["periods"].items()}

    def _manifest(self, folder: Path) -> tuple[Days, dict[str, str]]:
        """Valid days, and replaced versions with the time of their replacement."""
        try:
            text = (folder / MANIFEST).read_text()
        except FileNotFoundError:
            return {}, {}
        try:
            manifest = json.loads(text)
            return manifest["days"], manifest["retired"]
        except (ValueError, KeyError) as err:
            raise CorruptStoreError(str(folder / MANIFEST), "is not a manifest of format 1") from err

    @staticmethod
    def _loaded(days: Days, item: Incoming) -> str | None:
        return days.get(item.period_start.date().isoformat(), {"periods": {}})["periods"].get(item.period_start.isoformat())


def _version(entry: dict[str, Any]) -> str:
    return Path(entry["path"]).parent.name


def _overlaps(day: str, query: HistoryQuery) -> bool:
    return query.span is None or query.span.start.date() <= date.fromisoformat(day) <= query.span.end.date()


def _closing(reader: Any, connection: Any) -> Any:
    try:
        yield from reader
    finally:
        connection.close()


def _cast(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([batch.column(i).cast(field.type) for i, field in enumerate(schema)], schema=schema)
