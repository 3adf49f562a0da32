"""Airflow's HiveServer2 connection → the history's catalogue, as the history's own connection asks for it.

The extra of the history's connection: `{"hive_conn_id": "hiveserver2_default", "hive_mode": "external", "database": "lupus"}`, and where
Hive cannot read the history, `"hive_mode": "managed", "upload_url": "hdfs://namenode/lupus/uploads"` (tests/unit/hooks/test_hive.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException

from lupus_provider.errors import BadHiveConnectionError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lupus_provider.stores.history.hive import HiveCatalog, HiveOptions
    from lupus_provider.stores.objects.access import S3Access
    from lupus_provider.stores.objects.base import Objects

CONN_TYPE = "hiveserver2"
_OPTIONS = {
    "database": "database", "hive_mode": "mode", "table_prefix": "table_prefix", "schemes": "schemes", "upload_url": "upload_url",
    "hive_timeout": "timeout",
}  # fmt: skip


def open_catalog(
    extra: Mapping[str, Any], objects: Objects | None = None, access: S3Access | None = None
) -> HiveCatalog | None:
    """Return the catalogue that a history's connection names in its extra; None if it names none.

    Parameters
    ----------
    extra
        `hive_conn_id`, and any of `hive_mode`, `database`, `table_prefix`, `schemes`, `upload_url`, `hive_timeout`.
    objects, access
        The history's storage and the way to it: the managed mode reads the one, and writes its uploads with the other.

    Raises
    ------
    BadHiveConnectionError
        If `hive_conn_id` names no connection of type `hiveserver2`.
    BadPlanError, BadNameError
        If the options contradict themselves.
    MissingExtraError
        If Airflow's Hive provider is not installed.
    """
    conn_id = extra.get("hive_conn_id")
    if not conn_id:
        return None
    from lupus_provider.stores.history.hive import HiveCatalog
    from lupus_provider.stores.history.hive_upload import read_through, read_version

    options = options_of(extra)
    return HiveCatalog(
        connector(str(conn_id)),
        options,
        name=f"{conn_id}.{options.database}",
        fetch=read_version if objects is None else read_through(objects),
        upload_filesystem=_filesystem(options.upload_url, access),
    )


def options_of(extra: Mapping[str, Any]) -> HiveOptions:
    """Return the catalogue's options in a connection's extra."""
    from lupus_provider.stores.history.hive import HiveOptions

    given = {option: extra[key] for key, option in _OPTIONS.items() if extra.get(key) is not None}
    if "timeout" in given:
        given["timeout"] = float(given["timeout"])
    return HiveOptions(**given)


def connector(conn_id: str) -> Callable[[], Any]:
    """Return a function that opens sessions through Airflow's HiveServer2Hook, with all kinds of authentication that it knows."""
    hook_class = _hook_class()
    try:
        connection = BaseHook.get_connection(conn_id)
    except AirflowNotFoundException as err:
        raise BadHiveConnectionError(conn_id, "does not exist") from err
    if connection.conn_type != CONN_TYPE:
        raise BadHiveConnectionError(conn_id, f"is of type {connection.conn_type!r}")
    if not connection.host:
        raise BadHiveConnectionError(conn_id, "has no host")
    hook = hook_class(hiveserver2_conn_id=conn_id)
    # Looked up once: sessions are opened in threads and while a task is being killed, when nobody may talk to Airflow.
    hook.get_connection = lambda _: connection
    return hook.get_conn


def cancel_catalog(stores: Any) -> None:
    """Cancel what runs in the catalogue of the history that a LupusHook has opened; nothing happens if it has opened none."""
    catalog = getattr(vars(stores).get("history"), "catalog", None)
    if catalog is not None:
        catalog.cancel()


def _hook_class() -> Any:
    try:
        from airflow.providers.apache.hive.hooks.hive import HiveServer2Hook
    except ImportError as err:
        raise MissingExtraError("Hive's catalogue from Airflow", "hive") from err  # noqa: TRY003  (a name, not a message)
    return HiveServer2Hook


def _filesystem(upload_url: str | None, access: S3Access | None) -> tuple[Any, str] | None:
    """Return Arrow's way to the uploads where they need the history's keys; it opens other addresses by itself."""
    if upload_url is None or access is None or not upload_url.startswith("s3"):
        return None
    from lupus_provider.stores.objects import open_objects

    return open_objects("upload", upload_url, access).arrow()
