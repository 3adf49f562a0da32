"""Every index keeps the laws; a new one adds one line."""

from __future__ import annotations

from functools import partial

import pytest

from lupus_provider.stores import open_index
from lupus_provider.testing.index import IndexLaws

FACTORIES = {"sqlite": lambda folder: f"sqlite:///{folder / 'index.db'}"}


@pytest.fixture(params=FACTORIES)
def reopen(request, tmp_path):
    return partial(open_index, FACTORIES[request.param](tmp_path))


@pytest.fixture
def index(reopen):
    return reopen()


class TestIndex(IndexLaws):
    pass
