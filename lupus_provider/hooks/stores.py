"""Store connections: an Airflow connection becomes the address of a store, a missing one the embedded default.

Changing four connections moves a project from one machine to a cluster; project files never name a store
(tests/unit/hooks/test_stores.py).
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException

from lupus_provider.errors import BadStoreConnectionError, LupusError
from lupus_provider.hooks import settings
from lupus_provider.hooks.addresses import STORE_KINDS, StoreKind, check_address, kind_of

if TYPE_CHECKING:
    from pathlib import Path

    from airflow.sdk import Connection

_DATABASES = ("sqlite", "postgresql")

__all__ = ["STORE_KINDS", "LupusHook", "StoreKind", "access_of", "connection_url", "default_conn_id", "embedded_url"]


def default_conn_id(kind: StoreKind) -> str:
    """Return the id of the connection that a store is looked up under, `lupus_<kind>`."""
    return f"lupus_{kind}"


def embedded_url(kind: StoreKind, home: Path) -> str:
    """Return the address of an embedded store in the home folder.

    Examples
    --------
    >>> embedded_url("stage", Path("/srv/lupus")), embedded_url("index", Path("/srv/lupus"))
    ('file:///srv/lupus/stage', 'sqlite:////srv/lupus/index.db')
    """
    return f"file://{home / kind}" if kind in ("stage", "history") else f"sqlite:///{home / kind}.db"


def connection_url(connection: Connection, kind: StoreKind | None = None) -> str:
    """Return the store address that a connection of type `lupus` holds, with a database's login and password inside.

    Parameters
    ----------
    kind
        What the store is used as; None: what the connection's id or address says.

    Raises
    ------
    BadStoreConnectionError
        If the connection is of another type, or has no address.
    StoreUrlError
        If no store of the kind is behind such an address.
    """
    if connection.conn_type != LupusHook.conn_type:
        raise BadStoreConnectionError(str(connection.conn_id), f"is of type {connection.conn_type!r}")
    address = connection.host or ""
    if "://" not in address:
        raise BadStoreConnectionError(str(connection.conn_id), f"has the address {address!r}")
    check_address(kind or kind_of(str(connection.conn_id), address), address)
    if not connection.login or not address.startswith(_DATABASES):  # an index in Elasticsearch gets it apart
        return address
    from sqlalchemy.engine import make_url

    signed = make_url(address).set(username=connection.login, password=connection.password)
    return signed.render_as_string(hide_password=False)


def access_of(connection: Connection) -> Any:
    """Return how to get at the store of a connection, beside its address; None: the address says it all.

    A bucket's keys are in the AWS connection that the extra names as `aws_conn_id`. Elasticsearch's are the login and password, or `api_key`
    in the extra, which may also hold `ca_certs`, `verify_certs`, `request_timeout` and the other fields of `ElasticAccess`.
    """
    address, extra = connection.host or "", connection.extra_dejson
    if address.startswith("s3://"):
        from lupus_provider.hooks.s3 import s3_access

        return s3_access(extra.get("aws_conn_id") or None)
    if address.startswith(("http://", "https://")):
        from lupus_provider.stores.index.elastic import ElasticAccess

        known = {field.name for field in fields(ElasticAccess)} - {"login", "password"}
        given = {key: value for key, value in extra.items() if key in known and value is not None}
        return ElasticAccess(connection.login or None, connection.password or None, **given)
    return None


class LupusHook(BaseHook):
    """Opens the four stores that Airflow's connections name.

    Parameters
    ----------
    stage_conn_id, history_conn_id, index_conn_id, ledger_conn_id
        Connection ids of type `lupus`. A connection that does not exist means the embedded store in `[lupus] home`.
    """

    conn_name_attr = "conn_id"
    default_conn_name = "lupus_stage"
    conn_type = "lupus"
    hook_name = "Lupus store"

    def __init__(
        self,
        *,
        stage_conn_id: str = "lupus_stage",
        history_conn_id: str = "lupus_history",
        index_conn_id: str = "lupus_index",
        ledger_conn_id: str = "lupus_ledger",
        conn_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.conn_id = conn_id or stage_conn_id
        self._conn_ids: dict[StoreKind, str] = {
            "stage": stage_conn_id,
            "history": history_conn_id,
            "index": index_conn_id,
            "ledger": ledger_conn_id,
        }

    def url(self, kind: StoreKind) -> str:
        """Return the address of a store. It may hold a password: hand it to a store, never to a log or an XCom."""
        connection = self._connection(kind)
        return embedded_url(kind, settings.home()) if connection is None else connection_url(connection, kind)

    def _connection(self, kind: StoreKind) -> Connection | None:
        try:
            return self.get_connection(self._conn_ids[kind])
        except AirflowNotFoundException:
            return None

    def access(self, kind: StoreKind) -> Any:
        """Return how to get at a store whose address does not say it all: keys, certificates, patience; None: it does."""
        connection = self._connection(kind)
        return None if connection is None else access_of(connection)

    @cached_property
    def stage(self) -> Any:
        """Where points and anomalies lie as Parquet."""
        from lupus_provider.stores import open_stage

        return open_stage(self.url("stage"), self.access("stage"))

    @cached_property
    def history(self) -> Any:
        """The complete record; its connection may name a catalogue that is told of it."""
        from lupus_provider.stores import open_history

        history: Any = open_history(self.url("history"), access := self.access("history"))
        extra = {} if (connection := self._connection("history")) is None else connection.extra_dejson
        if extra.get("hive_conn_id"):
            from lupus_provider.hooks.hive import open_catalog

            history.catalog = open_catalog(extra, history.objects, access)
        return history

    @cached_property
    def index(self) -> Any:
        """What the page reads."""
        from lupus_provider.stores import open_index

        return open_index(self.url("index"), self.access("index"))

    @cached_property
    def ledger(self) -> Any:
        """What people and the sender change."""
        from lupus_provider.stores import open_ledger

        return open_ledger(self.url("ledger"))

    def close(self) -> None:
        """Close the stores that were opened, with their catalogue and pools; one that cannot be closed keeps no other open."""
        with ExitStack() as closing:
            for kind in STORE_KINDS:
                store = self.__dict__.pop(kind, None)
                for part in (store, getattr(store, "engine", None)):
                    end = getattr(part, "close", None) or getattr(part, "dispose", None)
                    if end is not None:
                        closing.callback(end)

    def check_catalogue(self) -> str:
        """Try the catalogue that the history's connection names, as a load would; say what was done.

        Raises
        ------
        LupusError
            What is wrong, with what to do.
        """
        from lupus_provider.hooks.trying_hive import try_catalogue

        catalog = getattr(self.history, "catalog", None)
        connection = self._connection("history")
        if catalog is None or connection is None:
            return "the history's connection names none"
        return try_catalogue(str(connection.extra_dejson["hive_conn_id"]), catalog, self.history.objects)

    def test_connection(self) -> tuple[bool, str]:
        """Try the store that the connection names, as its steps would use it; for Airflow's *Test* button."""
        from lupus_provider.hooks.trying import try_store

        try:
            connection = self.get_connection(self.conn_id)
            url = connection_url(connection)
            kind = kind_of(self.conn_id, url)
            told = try_store(kind, url, access_of(connection), is_read=kind == "history")
        except (LupusError, OSError, AirflowNotFoundException) as err:
            return False, str(err)
        return True, f"connection {self.conn_id!r}: {told}"
