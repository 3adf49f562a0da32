"""Every index keeps the laws; a new one adds one line."""

from __future__ import annotations

from functools import partial

import pytest

from lupus_provider.stores import open_index
from lupus_provider.stores.index.elastic import ElasticAccess
from lupus_provider.testing.elastic import wipe
from lupus_provider.testing.index import IndexLaws


def sqlite(request):
    return f"sqlite:///{request.getfixturevalue('tmp_path') / 'index.db'}", None


def elasticsearch(request):
    server = request.getfixturevalue("elasticsearch_server")
    return f"{server.url}/laws", ElasticAccess(lease=2.0)


def postgres(request):
    return request.getfixturevalue("postgres_database"), None


INDEXES = {"sqlite": sqlite, "postgres": postgres, "elasticsearch": elasticsearch}


@pytest.fixture(params=INDEXES)
def reopen(request):
    return partial(open_index, *INDEXES[request.param](request))


@pytest.fixture
def index(reopen):
    index = reopen()
    if hasattr(index, "door"):
        wipe(index)
    yield index
    if hasattr(index, "close"):
        index.close()


class TestIndex(IndexLaws):
    pass
