"""The index in Elasticsearch: who opens it needs `ElasticIndex` and `ElasticAccess`, and nothing of what is below."""

from __future__ import annotations

from lupus_provider.stores.index.elastic.access import ElasticAccess
from lupus_provider.stores.index.elastic.store import ElasticIndex

__all__ = ["ElasticAccess", "ElasticIndex"]
