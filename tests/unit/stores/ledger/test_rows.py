"""Records become rows of the columns that have their names, and come back the same."""

from __future__ import annotations

from dataclasses import fields

import pytest

from lupus_provider.stores.ledger import tables as t
from lupus_provider.stores.ledger.acknowledgements import Acknowledgement
from lupus_provider.stores.ledger.dashboards import Dashboard
from lupus_provider.stores.ledger.errors import RecordTooLongError
from lupus_provider.stores.ledger.favourites import Favourite
from lupus_provider.stores.ledger.feedback import Feedback
from lupus_provider.stores.ledger.heartbeats import Heartbeat
from lupus_provider.stores.ledger.mutes import Mute
from lupus_provider.stores.ledger.rows import row_of
from lupus_provider.stores.ledger.verdicts import DeadlineVerdict
from lupus_provider.testing.builders import day

PAIRS = [
    (t.feedback, Feedback), (t.dashboard, Dashboard), (t.favourite, Favourite), (t.mute, Mute), (t.heartbeat, Heartbeat),
    (t.acknowledgement, Acknowledgement), (t.verdict, DeadlineVerdict),
]  # fmt: skip


@pytest.mark.parametrize(("table", "kind"), PAIRS, ids=lambda one: getattr(one, "name", ""))
def test_every_field_has_a_column(table, kind):
    assert {field.name for field in fields(kind)} <= set(table.c.keys())


def test_a_text_as_long_as_its_column_is_kept_and_a_longer_one_is_refused():
    assert row_of(t.favourite, Favourite("東" * 255, "series", "s", day()))["user"] == "東" * 255
    with pytest.raises(RecordTooLongError, match="user has 256 characters, and the ledger keeps 255"):
        row_of(t.favourite, Favourite("東" * 256, "series", "s", day()))


def test_text_columns_have_no_end():
    assert len(row_of(t.acknowledgement, Acknowledgement("episode", "e", "ann", day(), "x" * 10**6))["note"]) == 10**6
