"""Every history keeps the laws; a new one adds one place."""

from __future__ import annotations

from functools import partial

import pytest

from lupus_provider.stores import open_history
from lupus_provider.testing.history import HistoryLaws


@pytest.fixture
def reopen(place):
    return partial(open_history, *place)


@pytest.fixture
def history(reopen):
    return reopen()


class TestHistory(HistoryLaws):
    pass
