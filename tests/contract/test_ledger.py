"""Every ledger keeps the laws; a new one adds one line."""

from __future__ import annotations

from functools import partial

import pytest

from lupus_provider.stores import open_ledger
from lupus_provider.testing.ledger import LedgerLaws


def sqlite(request):
    return f"sqlite:///{request.getfixturevalue('tmp_path') / 'ledger.db'}"


def postgres(request):
    return request.getfixturevalue("postgres_database")


LEDGERS = {"sqlite": sqlite, "postgres": postgres}


@pytest.fixture(params=LEDGERS)
def reopen(request):
    return partial(open_ledger, LEDGERS[request.param](request))


@pytest.fixture
def ledger(reopen):
    return reopen()


class TestLedger(LedgerLaws):
    pass
