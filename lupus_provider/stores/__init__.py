"""The shelf of stores, opened by address. Opening one imports its library, listing them none."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from lupus_provider.errors import StoreUrlError

if TYPE_CHECKING:
    from lupus_provider.stores.history.base import HistoryStore
    from lupus_provider.stores.index.base import IndexStore
    from lupus_provider.stores.ledger.base import LedgerStore
    from lupus_provider.stores.stage.base import StageStore


def _folder(store: str, url: str) -> Path:
    parts = urlsplit(url)
    if parts.scheme != "file" or parts.netloc not in ("", "localhost") or not parts.path.startswith("/"):
        raise StoreUrlError(store, url, "Give an absolute folder, such as file:///var/lib/lupus.")
    return Path(unquote(parts.path))


def open_stage(url: str) -> StageStore:
    """Open a stage.

    Parameters
    ----------
    url
        `file:///folder`.

    Raises
    ------
    StoreUrlError
        If no stage is behind such an address.
    """
    from lupus_provider.stores.stage.local import LocalStage

    return LocalStage(_folder("stage", url))


def open_history(url: str) -> HistoryStore:
    """Open a history: `file:///folder`. Raises StoreUrlError if no history is behind such an address."""
    from lupus_provider.stores.history.parquet import ParquetHistory

    return ParquetHistory(_folder("history", url))


def open_index(url: str) -> IndexStore:
    """Open an index: an SQLAlchemy address, `sqlite:////file.db`. Raises StoreUrlError if it is none."""
    from lupus_provider.stores.index.sql import SqlIndex

    return SqlIndex(url)


def open_ledger(url: str) -> LedgerStore:
    """Open a ledger: an SQLAlchemy address, `sqlite:////file.db`. Raises StoreUrlError if it is none."""
    from lupus_provider.stores.ledger.sql import SqlLedger

    return SqlLedger(url)
