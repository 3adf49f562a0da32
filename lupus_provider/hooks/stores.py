"""Store connections: an Airflow connection becomes the address of a store, a missing one the embedded default.

Changing four connections moves a project from one machine to a cluster; project files never name a store
(tests/unit/hooks/test_stores.py).
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, get_args

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException

from lupus_provider.errors import BadStoreConnectionError
from lupus_provider.hooks import settings

if TYPE_CHECKING:
    from pathlib import Path

    from airflow.sdk import Connection

StoreKind = Literal["stage", "history", "index", "ledger"]
STORE_KINDS: tuple[StoreKind, ...] = get_args(StoreKind)


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


def connection_url(connection: Connection) -> str:
    """Return the store address that a connection of type `lupus` holds, with its login and password inside.

    Raises
    ------
    BadStoreConnectionError
        If the connection is of another type, or has no address.
    """
    if connection.conn_type != LupusHook.conn_type:
        raise BadStoreConnectionError(str(connection.conn_id), f"is of type {connection.conn_type!r}")
    address = connection.host or ""
    if "://" not in address:
        raise BadStoreConnectionError(str(connection.conn_id), f"has the address {address!r}")
    if not connection.login:
        return address
    from sqlalchemy.engine import make_url

    signed = make_url(address).set(username=connection.login, password=connection.password)
    return signed.render_as_string(hide_password=False)


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
        try:
            connection = self.get_connection(self._conn_ids[kind])
        except AirflowNotFoundException:
            return embedded_url(kind, settings.home())
        return connection_url(connection)

    @cached_property
    def stage(self) -> Any:
        """Where points and anomalies lie as Parquet."""
        from lupus_provider.stores import open_stage

        return open_stage(self.url("stage"))

    @cached_property
    def history(self) -> Any:
        """The complete record."""
        from lupus_provider.stores import open_history

        return open_history(self.url("history"))

    @cached_property
    def index(self) -> Any:
        """What the page reads."""
        from lupus_provider.stores import open_index

        return open_index(self.url("index"))

    @cached_property
    def ledger(self) -> Any:
        """What people and the sender change."""
        from lupus_provider.stores import open_ledger

        return open_ledger(self.url("ledger"))

    def close(self) -> None:
        """Close the stores that were opened."""
        for kind in STORE_KINDS:
            store = self.__dict__.pop(kind, None)
            if store is not None and hasattr(store, "close"):
                store.close()

    def test_connection(self) -> tuple[bool, str]:
        """Say whether the connection holds an address that a store can be opened by; shown by Airflow's *Test* button."""
        try:
            connection_url(self.get_connection(self.conn_id))
        except (BadStoreConnectionError, AirflowNotFoundException) as err:
            return False, str(err)
        return True, f"connection {self.conn_id!r} holds the address of a store"
