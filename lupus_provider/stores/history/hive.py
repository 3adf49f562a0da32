"""Hive's catalogue of the history: partitions that are switched to a version's folder, or overwritten from an upload.

*External* (the server reads the history's own files): ALTER TABLE … SET LOCATION is atomic, and a reader that opened the old version reads
on. *Managed* (it cannot): INSERT OVERWRITE from an uploaded file, checked by its row count. A server that is killed in an overwrite leaves
the old data whole, and folders `.hive-staging…` beside it, which readers ignore: remove those older than a day with the warehouse's own
tools, Lupus has no business there. Laws: stores/history/catalog.py.
"""

# Pyarrow has no types, so its names say nothing to a type checker:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

from lupus_provider import clock
from lupus_provider.errors import BadPlanError, CatalogAwayError, CatalogError
from lupus_provider.stores.history import hive_sql as sql, hive_upload
from lupus_provider.stores.history.errors import DaysUntoldError
from lupus_provider.stores.history.hive_session import HiveSession
from lupus_provider.stores.history.hive_sessions import HiveSessions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from lupus_provider.records import RecordKind
    from lupus_provider.stores.history.catalog import Version

log = logging.getLogger(__name__)

Mode = Literal["external", "managed"]

ADDED_AT_ONCE = 100
"""Partitions in one ALTER TABLE … ADD; a thousand fail on some metastores."""
INSERTED_AT_ONCE = 30
"""Days in one INSERT OVERWRITE; a task of Hive writes at most 100 partitions by default, each with a buffer of its own."""
_INSTANTS = {1704067200: "2024-01-01 00:00:00", 1719792000: "2024-07-01 00:00:00"}
"""Epoch seconds → clock of UTC, winter and summer."""
# Hive's vectorised reader makes of an empty map one that its own writer breaks at; a server that knows no such setting ignores it.
_INSERT_SETTINGS = ("SET hive.vectorized.execution.enabled=false",)


@dataclass(frozen=True, slots=True, kw_only=True)
class HiveOptions:
    """What a catalogue is told beside its connection."""

    database: str = "lupus"
    mode: Mode = "external"
    table_prefix: str = "lupus_"
    """Tables are called by it and their kind: `lupus_points`."""
    schemes: Mapping[str, str] = field(default_factory=lambda: {"s3": "s3a"})
    """Scheme of an address → the server's word for it."""
    upload_url: str | None = None
    """Managed mode: folder that this process can write and the server can read."""
    timeout: float = 600.0
    """Seconds that a statement may take; then it is cancelled on the server."""
    sessions: int = 4
    """Sessions at once where many days are switched."""

    def __post_init__(self) -> None:
        if self.mode not in ("external", "managed"):
            raise BadPlanError("hive_mode", f"is {self.mode!r}", "Use 'external' or 'managed'.")
        if self.sessions < 1:
            raise BadPlanError("sessions", f"is {self.sessions}", "Give at least 1.")
        if self.mode == "managed" and not self.upload_url:
            hint = "Give the managed mode a folder that this process can write and Hive can read."
            raise BadPlanError("upload_url", "is missing", hint)
        sql.identifier(self.database, "database")
        sql.identifier(f"{self.table_prefix}points", "table")


class HiveCatalog:
    """Tables of the history in HiveServer2 or Spark Thrift Server; see `stores.history.catalog.Catalog` for the laws.

    Parameters
    ----------
    connect
        Opens a PyHive connection.
    options
        Database, mode and limits.
    name
        For messages, such as `hive_default.lupus`; the database by default.
    fetch
        Managed mode: returns the Parquet file of a version's folder.
    upload_filesystem
        Managed mode: Arrow's file system and path of `upload_url`; None: Arrow opens the address by itself.
    """

    def __init__(
        self,
        connect: Callable[[], Any],
        options: HiveOptions | None = None,
        *,
        name: str | None = None,
        fetch: Callable[[str], bytes] = hive_upload.read_version,
        upload_filesystem: tuple[Any, str] | None = None,
    ) -> None:
        self.options = options or HiveOptions()
        self.name = name or self.options.database
        settings = _INSERT_SETTINGS if self.options.mode == "managed" else ()
        timeout = self.options.timeout
        self._sessions = HiveSessions(lambda: HiveSession(connect, self.name, timeout, settings), self.options.sessions)
        self._fetch = fetch
        self._uploads = hive_upload.Uploads(self.options.upload_url or "", upload_filesystem)
        self._tables: dict[str, dict[str, str]] = {}
        self._has_swept = False

    def publish(self, kind: RecordKind, project: str, metric_set: str, versions: Sequence[Version]) -> None:
        """Switch readers of the catalogue to these versions; tables are made and grow if need be.

        Raises
        ------
        CatalogError
            If a statement was refused.
        DaysUntoldError
            If some days could not be switched; the others are.
        CatalogAwayError
            If the server is away or too slow, rows were lost on the way, or `cancel` was called.
        StoreUrlError
            If a version's folder has a name that Hive cannot be told.
        """
        newest = {version.dt: version for version in sorted(versions, key=lambda version: version.dt)}
        if not newest:
            return
        chosen = list(newest.values())
        self._make_table(kind, chosen[0])
        if self.options.mode == "managed":
            self._insert(kind, project, metric_set, chosen)
        else:
            self._switch(kind, project, metric_set, chosen)
        log.info("%s: told of %d days of %s of %s/%s", self.name, len(chosen), kind, project, metric_set)

    def drop(self, kind: RecordKind, project: str, metric_set: str, days: Sequence[date]) -> None:
        """Drop days; of an external table only the catalogue's knowledge of them. Raises as `publish`."""
        table = self.table(kind)
        if not days or self._columns(table) is None:
            return
        self._check_mode(table)
        for chunk in _chunks(sorted(days), ADDED_AT_ONCE):
            self._run(sql.drop_partitions(table, project, metric_set, chunk))
        log.info("%s: dropped %d days of %s of %s/%s", self.name, len(days), kind, project, metric_set)

    def check(self) -> str:
        """Ask the server for its databases; say what was found. Raises as `publish`."""
        self._check_time_zone()
        known = {row[0] for row in self._run("SHOW DATABASES")}
        there = "is there" if self.options.database in known else "is made by the first load"
        return f"{self.name} answers; database {self.options.database!r} {there}"

    def _check_time_zone(self) -> None:
        """Refuse a server of another zone than UTC: its readers would find instants and days shifted."""
        statement = f"SELECT {', '.join(f'from_unixtime({at})' for at in _INSTANTS)}"
        shown = [str(text) for text in self._run(statement)[0]]
        if shown != list(_INSTANTS.values()):
            reason = (
                f"its sessions are not in UTC: {next(iter(_INSTANTS.values()))} UTC is {shown[0]} there. Set hive.local.time.zone "
                "(and -Duser.timezone) of Hive, or spark.sql.session.timeZone of Spark, to UTC"
            )
            raise CatalogError(self.name, statement, reason)

    def cancel(self) -> None:
        """Cancel the running statement on the server, and refuse all others; callable from a signal handler."""
        self._sessions.cancel()

    def close(self) -> None:
        """End the sessions; the next statement opens another one."""
        self._sessions.close()

    # -- tables ------------------------------------------------------------------------------------------------------

    def table(self, kind: RecordKind) -> str:
        """Return the quoted name of a kind's table."""
        return sql.qualified(self.options.database, f"{self.options.table_prefix}{kind.name}")

    def _make_table(self, kind: RecordKind, version: Version) -> None:
        if kind.name in self._tables:
            return
        table, wanted = self.table(kind), sql.column_types(kind.schema)
        found = self._columns(table)
        if found is None:
            found = self._created(table, wanted, version)
        self._check_mode(table)
        other = [name for name in wanted.keys() & found.keys() if wanted[name] != found[name]]
        if other:
            raise CatalogError(
                self.name, f"DESCRIBE {table}", f"columns {', '.join(sorted(other))} are of another type"
            )
        missing = {name: kind for name, kind in wanted.items() if name not in found}
        if missing:
            self._grow(table, missing)
            found = self._columns(table) or {}
        self._tables[kind.name] = {name: kind for name, kind in found.items() if name not in sql.PARTITION_COLUMNS}

    def _created(self, table: str, wanted: dict[str, str], version: Version) -> dict[str, str]:
        """Make a table, or find that another load has made it meanwhile: Hive's IF NOT EXISTS fails where two come at once."""
        try:
            self._make_database()
            self._run(sql.create_table(table, wanted, self.options.mode, self._table_place(version)))
        except (CatalogError, CatalogAwayError):
            found = self._columns(table)
            if found is None:
                raise
            return found
        return self._columns(table) or {}

    def _table_place(self, version: Version) -> str | None:
        if self.options.mode == "managed":
            return None
        return sql.location(sql.table_folder(version.url), self.options.schemes)

    def _columns(self, table: str) -> dict[str, str] | None:
        """Return column → type of a table, partition columns among them; None if it cannot be described."""
        try:
            rows = self._run(f"DESCRIBE {table}")
        except CatalogError as err:
            log.debug("%s has no table %s yet: %s", self.name, table, err)
            return None
        named = [(str(name).strip(), str(kind).strip()) for name, kind, *_ in rows if name]
        return dict(pair for pair in named if not pair[0].startswith("#"))

    def _make_database(self) -> None:
        try:
            if not self._has_database():
                self._run(f"CREATE DATABASE IF NOT EXISTS {sql.identifier(self.options.database, 'database')}")
        except (CatalogError, CatalogAwayError):
            if not self._has_database():
                raise

    def _has_database(self) -> bool:
        return self.options.database in [row[0] for row in self._run("SHOW DATABASES")]

    def _check_mode(self, table: str) -> None:
        """Refuse a table of the other mode: an overwrite would go into a version's folder, which must never change."""
        found = {str(row[0]).strip(): str(row[1]).strip() for row in self._run(f"SHOW TBLPROPERTIES {table}")}
        made = found.get(sql.MODE_PROPERTY)
        if made != self.options.mode:
            raise CatalogError(
                self.name, f"SHOW TBLPROPERTIES {table}",
                f"it was made for mode {made!r} and this connection says {self.options.mode!r}; use another database",
            )  # fmt: skip

    def _grow(self, table: str, missing: Mapping[str, str]) -> None:
        statement = f"ALTER TABLE {table} ADD COLUMNS ({sql.columns_text(missing)})"
        try:
            # Partitions of Hive have columns of their own, and without CASCADE they would never show the new ones.
            self._run(f"{statement} CASCADE")
        except CatalogError as err:
            log.debug("%s: %s", self.name, err)
            if (
                missing.keys() - (self._columns(table) or {}).keys()
            ):  # else a try before, or beside, this one has added them
                self._run(statement)  # Spark knows no CASCADE, and its partitions have no columns of their own

    # -- external ----------------------------------------------------------------------------------------------------

    def _switch(self, kind: RecordKind, project: str, metric_set: str, versions: Sequence[Version]) -> None:
        """Add the days that are new, and let the others say where they are now."""
        table = self.table(kind)
        places = {version.dt: sql.location(version.url, self.options.schemes) for version in versions}
        known = self._days(kind, project, metric_set)
        new = [day for day in places if day.isoformat() not in known]
        for days in _chunks(new, ADDED_AT_ONCE):
            parts = (f"{sql.partition(project, metric_set, day)} LOCATION {places[day]}" for day in days)
            self._run(f"ALTER TABLE {table} ADD IF NOT EXISTS {' '.join(parts)}")
        moved = [day for day in places if day.isoformat() in known]
        failed = self._sessions.run_each(
            [
                f"ALTER TABLE {table} {sql.partition(project, metric_set, day)} SET LOCATION {places[day]}"
                for day in moved
            ]
        )
        if failed and len(failed) == len(places):
            raise failed[min(failed)]
        if failed:
            untold = {moved[number]: err for number, err in failed.items()}
            raise DaysUntoldError(self.name, untold, len(places) - len(untold))

    # -- managed -----------------------------------------------------------------------------------------------------

    def _insert(self, kind: RecordKind, project: str, metric_set: str, versions: Sequence[Version]) -> None:
        self._sweep()
        for chunk in _chunks(versions, INSERTED_AT_ONCE):
            name = hive_upload.new_name(clock.utc_now())
            try:
                self._insert_some(kind, project, metric_set, chunk, name)
            except BaseException:
                log.warning("%s: upload %s stays until a later load sweeps it", self.name, name)
                raise
            self._remove(name)

    def _insert_some(
        self, kind: RecordKind, project: str, metric_set: str, versions: Sequence[Version], name: str
    ) -> None:
        source, target = self._upload_table(name), self.table(kind)
        url = self._uploads.put(name, kind, versions, self._fetch)
        columns = self._tables[kind.name]  # an insert goes by position, and columns that came later stand at the end
        self._run(sql.create_upload(source, columns, sql.location(url, self.options.schemes)))
        if any(version.n_rows for version in versions):
            days = sql.partition(project, metric_set).removesuffix(")") + ", `dt`)"
            self._run(f"INSERT OVERWRITE TABLE {target} {days} {sql.select([*columns, 'dt'], source)}")
        for version in versions:
            if not version.n_rows:  # partitions that are taken from the rows are none where no row is
                day = sql.partition(project, metric_set, version.dt)
                self._run(f"INSERT OVERWRITE TABLE {target} {day} {sql.select(columns, source)} WHERE false")
        self._check_counts(kind, project, metric_set, versions)

    def _check_counts(self, kind: RecordKind, project: str, metric_set: str, versions: Sequence[Version]) -> None:
        found = self.row_counts(kind, project, metric_set, [version.dt for version in versions])
        wrong = {version.dt: version.n_rows for version in versions if found.get(version.dt, 0) != version.n_rows}
        for day, wanted in wrong.items():
            reason = f"{day} has {found.get(day, 0)} rows and {wanted} were inserted ({len(wrong)} days are wrong)"
            raise CatalogAwayError(self.name, f"INSERT OVERWRITE TABLE {self.table(kind)}", reason)

    def _remove(self, name: str) -> None:
        self._run(f"DROP TABLE IF EXISTS {self._upload_table(name)}")
        self._uploads.remove(name)

    def _sweep(self) -> None:
        """Drop what killed loads left behind; once in the life of a catalogue."""
        if self._has_swept:
            return
        now = clock.utc_now()
        rows = self._run(f"SHOW TABLES IN {sql.identifier(self.options.database, 'database')}")
        prefix = self.options.table_prefix
        for row in rows:
            table = str(row[:2][-1])  # Hive: (table,), Spark: (database, table, is temporary)
            if table.startswith(prefix) and hive_upload.is_abandoned(table.removeprefix(prefix), now):
                self._run(f"DROP TABLE IF EXISTS {sql.qualified(self.options.database, table)}")
        self._uploads.sweep(now)
        self._has_swept = True

    def _upload_table(self, name: str) -> str:
        return sql.qualified(self.options.database, f"{self.options.table_prefix}{name}")

    # -- reading -----------------------------------------------------------------------------------------------------

    def partitions(self, kind: RecordKind, project: str, metric_set: str) -> dict[date, str]:
        """Return day → folder that the catalogue reads; a statement a day, so ask only where you must."""
        places: dict[date, str] = {}
        if self._columns(self.table(kind)) is None:
            return places
        for day in sorted(self._days(kind, project, metric_set).values()):
            rows = self._run(f"DESCRIBE FORMATTED {self.table(kind)} {sql.partition(project, metric_set, day)}")
            places[day] = _place(rows)
        return places

    def row_counts(self, kind: RecordKind, project: str, metric_set: str, days: Sequence[date] = ()) -> dict[date, int]:
        """Return day → rows that a reader of the catalogue finds; days without any are not in it."""
        if self._columns(self.table(kind)) is None:
            return {}
        statement = sql.count_rows(self.table(kind), sql.condition(project, metric_set, days))
        try:
            rows = self._run(statement)
        except CatalogAwayError as err:
            if "FILE_NOT_EXIST" not in err.reason:
                raise
            # A session of Spark lists a table's files once, and somebody has overwritten them since; the next session lists anew.
            rows = self._run(statement)
        return {date.fromisoformat(text): n for text, n in rows}

    def _days(self, kind: RecordKind, project: str, metric_set: str) -> dict[str, date]:
        rows = self._run(f"SHOW PARTITIONS {self.table(kind)} {sql.partition(project, metric_set)}")
        texts = [str(row[0]).rpartition("dt=")[2] for row in rows]
        return {text: date.fromisoformat(text) for text in texts}

    def _run(self, statement: str) -> list[tuple[Any, ...]]:
        return self._sessions.run(statement)


def _chunks(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    return (items[at : at + size] for at in range(0, len(items), size))


def _place(rows: Sequence[tuple[Any, ...]]) -> str:
    """Return the partition's location among the rows of DESCRIBE FORMATTED; Spark tells the table's, too, further down."""
    named = ((str(row[0] or "").strip().rstrip(":"), str(row[1] or "").strip()) for row in rows)
    return next(value for name, value in named if name == "Location")
