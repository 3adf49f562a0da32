"""Alert channels: the word in a project file becomes the place where its messages go.

`log` and `file` are built in; anything else is an Airflow connection, so that tokens stay where Airflow keeps secrets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException

from lupus_provider.alert.channels import Channel
from lupus_provider.errors import UnknownChannelError
from lupus_provider.hooks import settings

if TYPE_CHECKING:
    from airflow.sdk import Connection


def webhook_url(connection: Connection) -> str:
    """Return the address that a connection of type `http` describes.

    The scheme is the connection's schema (`https` if it has none), the path its extra `path` or `endpoint`.

    Raises
    ------
    UnknownChannelError
        If the connection is of another type or has no host.
    """
    if connection.conn_type not in ("http", "https"):
        raise UnknownChannelError(str(connection.conn_id), f"is a connection of type {connection.conn_type!r}")
    if not connection.host:
        raise UnknownChannelError(str(connection.conn_id), "is a connection without a host")
    extra = connection.extra_dejson
    path = str(extra.get("path") or extra.get("endpoint") or "").lstrip("/")
    host = connection.host.rstrip("/")
    port = f":{connection.port}" if connection.port else ""
    base = f"{host}{port}" if "://" in host else f"{connection.schema or 'https'}://{host}{port}"
    return f"{base}/{path}" if path else base


def open_channel(name: str) -> Channel:
    """Return the channel that a project file names.

    Raises
    ------
    UnknownChannelError
        If it is neither built in nor an `http` connection.
    """
    if name == "log":
        return Channel(name, "log")
    if name == "file":
        return Channel(name, "file", path=settings.home() / "alerts.jsonl")
    try:
        connection = BaseHook.get_connection(name)
    except AirflowNotFoundException as err:
        raise UnknownChannelError(name, "is not known") from err
    return Channel(name, "webhook", url=webhook_url(connection), token=connection.password or None)
