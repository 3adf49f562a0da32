"""Airflow's connection of an MLflow tracking store → its address with login, so that secrets are in no project file."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from lupus_provider.errors import BadStoreConnectionError

if TYPE_CHECKING:
    from airflow.sdk import Connection


def tracking_uri(connection: Connection) -> str:
    """Return the address that a connection holds, with its login and password inside.

    The host is an address (`https://mlflow.example.com`, `sqlite:////srv/mlflow.db`); without a scheme, that of the connection's schema, or https.

    Raises
    ------
    BadStoreConnectionError
        If the connection has no host.
    """
    host = (connection.host or "").rstrip("/")
    if not host:
        raise BadStoreConnectionError(str(connection.conn_id), "has no host")
    scheme, mark, rest = host.partition("://")
    if not mark:
        scheme, rest = connection.schema or "https", host
    login = ""
    if connection.login:
        login = f"{quote(connection.login, safe='')}:{quote(connection.password or '', safe='')}@"
    port = f":{connection.port}" if connection.port else ""
    return f"{scheme}://{login}{rest}{port}"
