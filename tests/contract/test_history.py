"""Every history keeps the laws; a new one adds one line."""

from __future__ import annotations

from functools import partial

import pytest

from lupus_provider.stores import open_history
from lupus_provider.testing.history import HistoryLaws

HISTORIES = {"parquet": lambda folder: (folder / "history").as_uri()}


@pytest.fixture(params=HISTORIES)
def reopen(request, tmp_path):
    return partial(open_history, HISTORIES[request.param](tmp_path))


@pytest.fixture
def history(reopen):
    return reopen()


class TestHistory(HistoryLaws):
    pass
