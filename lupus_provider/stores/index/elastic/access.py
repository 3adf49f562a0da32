"""Where an Elasticsearch is and as whom it is asked: address, credentials, patience.

Plain and picklable, so that a connection can be handed to other processes; secrets never appear in its repr.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from lupus_provider.errors import StoreUrlError

DEFAULT_PREFIX = "lupus"
_PREFIX = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


@dataclass(frozen=True, slots=True)
class ElasticAccess:
    """How to get in, and how long to wait."""

    login: str | None = None
    password: str | None = field(default=None, repr=False)
    api_key: str | None = field(default=None, repr=False)
    """Encoded API key; goes before login and password."""
    ca_certs: str | None = None
    """File of certificates that the server's one is checked against."""
    verify_certs: bool = True
    request_timeout: float = 30.0
    """Seconds that one request may take."""
    patience: float = 120.0
    """Seconds for which a request that met a busy or absent server is tried again."""
    lease: float = 10.0
    """Seconds without a sign of life after which a loader counts as dead."""


@dataclass(frozen=True, slots=True)
class Place:
    """What an address says."""

    node: str
    """`https://host:9200`, without credentials."""
    prefix: str
    """What the names of all indices start with."""
    login: str | None = None
    password: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return f"{self.node}/{self.prefix}"


def place_of(url: str) -> Place:
    """Read an address, `https://host:9200/prefix`; a path in front of the prefix is that of a proxy.

    Raises
    ------
    StoreUrlError
        If it is no such address.

    Examples
    --------
    >>> str(place_of("http://localhost:9200")), place_of("https://es.example:443/search/lupus").node
    ('http://localhost:9200/lupus', 'https://es.example:443/search')
    """
    parts = urlsplit(url)
    shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    folder, _, prefix = parts.path.rstrip("/").rpartition("/")
    prefix = prefix or DEFAULT_PREFIX
    if parts.scheme not in ("http", "https") or not parts.hostname or not _PREFIX.fullmatch(prefix):
        raise StoreUrlError("index", shown, "Give an address such as https://elasticsearch:9200/lupus.")
    try:
        port = parts.port or 9200
    except ValueError as err:
        raise StoreUrlError("index", shown, "Its port is no number from 1 to 65535.") from err
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    login, password = (unquote(part) if part else None for part in (parts.username, parts.password))
    return Place(f"{parts.scheme}://{host}:{port}{folder}", prefix, login, password)


def client_options(place: Place, access: ElasticAccess) -> dict[str, Any]:
    """Return the keyword arguments of the official client."""
    options: dict[str, Any] = {"hosts": [place.node], "request_timeout": access.request_timeout, "max_retries": 0}
    login, password = (access.login, access.password) if access.login else (place.login, place.password)
    if access.api_key:
        options["api_key"] = access.api_key
    elif login:
        options["basic_auth"] = (login, password or "")
    if place.node.startswith("https"):
        options |= {"verify_certs": access.verify_certs, "ssl_show_warn": access.verify_certs}
        if access.ca_certs:
            options["ca_certs"] = access.ca_certs
    return options
