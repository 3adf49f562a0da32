"""Which addresses a store can have: one sentence for a wrong one, before a library is asked that knows nothing of stores."""

from __future__ import annotations

from typing import Literal, get_args

from lupus_provider.errors import StoreUrlError

StoreKind = Literal["stage", "history", "index", "ledger"]
STORE_KINDS: tuple[StoreKind, ...] = get_args(StoreKind)

_OBJECTS = ("file", "s3"), "file:///srv/lupus or s3://bucket/lupus"
_SQL = "sqlite:////srv/lupus.db or postgresql+psycopg://host/lupus"
_SUPPORTED: dict[StoreKind, tuple[tuple[str, ...], str]] = {
    "stage": _OBJECTS,
    "history": _OBJECTS,
    "index": (("sqlite", "postgresql", "http", "https"), f"{_SQL} or https://elasticsearch:9200/lupus"),
    "ledger": (("sqlite", "postgresql"), _SQL),
}


def check_address(kind: StoreKind, url: str) -> None:
    """Refuse an address that no store of the kind is behind.

    Raises
    ------
    StoreUrlError
        It names what is supported, and shows no login.

    Examples
    --------
    >>> check_address("stage", "ftp://me:secret@host/stage")
    Traceback (most recent call last):
    lupus_provider.errors.StoreUrlError: stage store: address 'ftp://host/stage' cannot be used. Give file:///srv/lupus or s3://bucket/lupus.
    """
    schemes, examples = _SUPPORTED[kind]
    scheme, colon, rest = url.partition(":")
    if colon and scheme.partition("+")[0] in schemes:
        return
    shown = f"{scheme}://{rest.removeprefix('//').rpartition('@')[2]}" if colon else url.rpartition("@")[2]
    raise StoreUrlError(kind, shown, f"Give {examples}.")


def kind_of(conn_id: str, url: str) -> StoreKind:
    """Return what a connection is used as: what its default id says, else what its address can be.

    Examples
    --------
    >>> kind_of("lupus_ledger", "sqlite:////srv/ledger.db"), kind_of("team_search", "https://es:9200/lupus")
    ('ledger', 'index')
    """
    scheme = url.partition(":")[0].partition("+")[0]
    named: list[StoreKind] = [kind for kind in STORE_KINDS if conn_id == f"lupus_{kind}"]
    possible: list[StoreKind] = [kind for kind in STORE_KINDS if scheme in _SUPPORTED[kind][0]]
    return (*named, *possible, STORE_KINDS[0])[0]
