"""Every ledger keeps the laws; a new one adds one line."""

from __future__ import annotations

from functools import partial

import pytest

from lupus_provider.stores import open_ledger
from lupus_provider.testing.ledger import LedgerLaws

FACTORIES = {"sqlite": lambda folder: f"sqlite:///{folder / 'ledger.db'}"}


@pytest.fixture(params=FACTORIES)
def reopen(request, tmp_path):
    return partial(open_ledger, FACTORIES[request.param](tmp_path))


@pytest.fixture
def ledger(reopen):
    return reopen()


class TestLedger(LedgerLaws):
    pass
