"""The shelf of stores, opened by address. Opening one imports its library, listing them none."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lupus_provider.stores.history.base import HistoryStore
    from lupus_provider.stores.history.catalog import Catalog
    from lupus_provider.stores.index.base import IndexStore
    from lupus_provider.stores.index.elastic import ElasticAccess
    from lupus_provider.stores.ledger.base import LedgerStore
    from lupus_provider.stores.objects.s3 import S3Access
    from lupus_provider.stores.stage.base import StageStore


def open_stage(url: str, access: S3Access | None = None) -> StageStore:
    """Open a stage.

    Parameters
    ----------
    url
        `file:///folder` or `s3://bucket/prefix`.
    access
        How to get at S3 (`stores.objects.s3.S3Access`); None: boto3's own search for credentials.

    Raises
    ------
    StoreUrlError
        If no stage is behind such an address.
    """
    from lupus_provider.stores.objects import open_objects
    from lupus_provider.stores.stage.parquet import ParquetStage

    return ParquetStage(open_objects("stage", url, access))


def open_history(url: str, access: S3Access | None = None, catalog: Catalog | None = None) -> HistoryStore:
    """Open a history.

    Parameters
    ----------
    url, access
        As for `open_stage`.
    catalog
        Told of every new version (`stores.history.catalog`); None: nobody is.

    Raises
    ------
    StoreUrlError
        If no history is behind such an address.
    """
    from lupus_provider.stores.history.parquet import ParquetHistory
    from lupus_provider.stores.objects import open_objects

    return ParquetHistory(open_objects("history", url, access), catalog)


def open_index(url: str, access: ElasticAccess | None = None) -> IndexStore:
    """Open an index.

    Parameters
    ----------
    url
        An SQLAlchemy address, `sqlite:////file.db`, or that of an Elasticsearch, `https://host:9200/prefix`.
    access
        How to get at Elasticsearch (`stores.index.elastic.ElasticAccess`).

    Raises
    ------
    StoreUrlError
        If no index is behind such an address.
    """
    if url.startswith(("http://", "https://")):
        from lupus_provider.stores.index.elastic import ElasticIndex

        return ElasticIndex(url, access)
    from lupus_provider.stores.index.sql import SqlIndex

    return SqlIndex(url)


def open_ledger(url: str) -> LedgerStore:
    """Open a ledger: an SQLAlchemy address, `sqlite:////file.db`. Raises StoreUrlError if it is none."""
    from lupus_provider.stores.ledger.sql import SqlLedger

    return SqlLedger(url)
