"""Airflow's AWS connection → the way to a bucket, through the amazon provider's own hook: keys, roles, endpoint, TLS, client options.

Keys that the connection holds are handed over as they are; a role's are renewed by the provider's session while a task runs.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException

from lupus_provider.errors import BadStoreConnectionError, MissingExtraError

if TYPE_CHECKING:
    from lupus_provider.stores.objects.access import S3Access

DEFAULT_CONN_ID = "aws_default"


def s3_access(conn_id: str | None = None) -> S3Access:
    """Return the access that an Airflow connection of type `aws` describes.

    Parameters
    ----------
    conn_id
        None: `aws_default`, and where that does not exist, boto3's own search (environment, files, the machine's role).

    Raises
    ------
    BadStoreConnectionError
        If the connection does not exist.
    MissingExtraError
        If Airflow's amazon provider is not installed.
    """
    from lupus_provider.stores.objects.access import S3Access

    if not _exists(conn_id or DEFAULT_CONN_ID):
        if conn_id:
            raise BadStoreConnectionError(conn_id, "does not exist")
        return S3Access()
    hook = _hook(conn_id or DEFAULT_CONN_ID)
    given = hook.conn_config
    config = {key: value for key, value in (given.extra_config.get("config_kwargs") or {}).items() if value is not None}
    style = (config.get("s3") or {}).get("addressing_style")
    access: dict[str, Any] = {
        "region": given.region_name, "endpoint_url": given.get_service_endpoint_url("s3"), "config": config,
        "verify": True if given.verify is None else given.verify, "path_style": None if style in (None, "auto") else style == "path",
    }  # fmt: skip
    if given.aws_access_key_id and not given.role_arn:
        keys = given.aws_access_key_id, given.aws_secret_access_key, given.aws_session_token
        return S3Access(*keys, **access)
    return S3Access(session=partial(open_session, conn_id or DEFAULT_CONN_ID), **access)


def open_session(conn_id: str) -> Any:
    """Return the provider's boto3 session of a connection; it renews the credentials of a role."""
    return _hook(conn_id).get_session()


def _exists(conn_id: str) -> bool:
    try:
        BaseHook.get_connection(conn_id)
    except AirflowNotFoundException:
        return False
    return True


def _hook(conn_id: str) -> Any:
    try:
        from airflow.providers.amazon.aws.hooks.s3 import S3Hook
    except ImportError as err:
        raise MissingExtraError("A store in S3", "s3") from err  # noqa: TRY003  (a name, not a message)
    return S3Hook(aws_conn_id=conn_id)
