"""The folder by which records come into a warehouse that cannot read the history: one Parquet file an upload, removed after the insert.

Names hold the time of the upload, so that what a killed load left behind is found and swept (tests/unit/stores/test_hive_upload.py).
"""

# Pyarrow has no types, so its names say nothing to a type checker:
# pyright: reportAttributeAccessIssue=false, reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lupus_provider.records import RecordKind
    from lupus_provider.stores.history.catalog import Version
    from lupus_provider.stores.objects.base import Objects

PREFIX = "upload_"
KEPT = timedelta(days=1)
"""Age at which an upload is nobody's any more."""
_STAMP = "%Y%m%dt%H%M%S"
_NAME = re.compile(rf"{PREFIX}(\d{{8}}t\d{{6}})_[0-9a-f]{{8}}")


def new_name(now: datetime) -> str:
    """Return a name that no other upload has, such as `upload_20240101t000000_0a1b2c3d`."""
    return f"{PREFIX}{now.astimezone(UTC).strftime(_STAMP)}_{uuid.uuid4().hex[:8]}"


def is_abandoned(name: str, now: datetime) -> bool:
    """Say whether a name is one of `new_name` and older than a day."""
    found = _NAME.fullmatch(name)
    return found is not None and datetime.strptime(found[1], _STAMP).replace(tzinfo=UTC) < now - KEPT


def read_version(url: str) -> bytes:
    """Return the one Parquet file of a version's folder, from any address that Arrow opens by itself.

    Raises
    ------
    FileNotFoundError
        If there is none.
    """
    opened, root = fs.FileSystem.from_uri(url.rstrip("/"))
    files = [info.path for info in opened.get_file_info(fs.FileSelector(root)) if info.path.endswith(".parquet")]
    if len(files) != 1:
        raise FileNotFoundError(2, f"one Parquet file was expected and {len(files)} are there", url)
    with opened.open_input_stream(files[0]) as file:
        return file.read()


def read_through(objects: Objects) -> Callable[[str], bytes]:
    """Return a `read_version` for the versions of a history over these objects."""

    def read(url: str) -> bytes:
        key = url.removeprefix(f"{objects.url}/").rstrip("/")
        return objects.get(f"{key}/part.parquet")[0]

    return read


class Uploads:
    """Writes the files of uploads below one folder.

    Parameters
    ----------
    url
        Folder that this process can write and the server can read, such as `hdfs://namenode/lupus/uploads` or `s3://bucket/uploads`.
    filesystem
        Arrow's file system and the folder's path in it; None: Arrow opens the address by itself.
    """

    def __init__(self, url: str, filesystem: tuple[Any, str] | None = None) -> None:
        self.url = url.rstrip("/")
        self._filesystem = filesystem

    def _place(self, name: str) -> tuple[Any, str]:
        opened, root = self._filesystem or fs.FileSystem.from_uri(self.url)
        return opened, f"{root.rstrip('/')}/{name}"

    def put(self, name: str, kind: RecordKind, versions: Iterable[Version], fetch: Callable[[str], bytes]) -> str:
        """Write the records of some days into one file with a column `dt`, a day at a time; return its folder's address.

        Raises
        ------
        OSError
            If a version cannot be read or the upload cannot be written.
        """
        opened, folder = self._place(name)
        opened.create_dir(folder, recursive=True)
        schema = kind.schema.append(pa.field("dt", pa.string()))
        with opened.open_output_stream(f"{folder}/part.parquet") as file, pq.ParquetWriter(file, schema) as writer:
            for version in versions:
                table = _in_full(pq.read_table(pa.BufferReader(fetch(version.url))), kind)
                days = pa.repeat(version.dt.isoformat(), table.num_rows)
                writer.write_table(table.append_column(schema.field("dt"), days))
        return f"{self.url}/{name}"

    def remove(self, name: str) -> None:
        """Delete an upload, if it is there."""
        opened, folder = self._place(name)
        if opened.get_file_info(folder).type == fs.FileType.Directory:
            opened.delete_dir(folder)

    def sweep(self, now: datetime) -> int:
        """Delete uploads that killed loads left behind more than a day ago; return how many."""
        opened, root = self._place("")
        found = opened.get_file_info(fs.FileSelector(root.rstrip("/"), allow_not_found=True))
        names = [info.base_name for info in found if is_abandoned(info.base_name, now)]
        for name in names:
            self.remove(name)
        return len(names)


def _in_full(table: pa.Table, kind: RecordKind) -> pa.Table:
    """Return a version's records with today's columns: a version that an older release wrote may lack some."""
    for field in kind.schema:
        if field.name not in table.schema.names:
            table = table.append_column(field, pa.nulls(table.num_rows, field.type))
    return table.select(kind.schema.names).cast(kind.schema).replace_schema_metadata(None)
