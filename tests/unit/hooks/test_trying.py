"""What the doctor looks at in a store, and what it says when that is wrong."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from lupus_provider import clock
from lupus_provider.errors import StoreUrlError
from lupus_provider.hooks import trying_sql
from lupus_provider.hooks.trying import check_clock, try_store
from lupus_provider.stores.objects.errors import StorageRefusedError
from lupus_provider.stores.sql import open_engine


def test_a_folder_is_written_read_and_left_as_it_was(tmp_path):
    assert "an object was put, read and deleted" in try_store("stage", tmp_path.as_uri(), None)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("kind", ["index", "ledger"])
def test_a_database_gets_its_tables_and_keeps_no_row_of_the_probe(kind, tmp_path):
    url = f"sqlite:///{tmp_path / 'store.db'}"
    assert "tables" not in try_store(kind, url, None)
    with open_engine(url).connect() as connection:
        assert sa.inspect(connection).get_table_names() == []
    assert "a row was written, read and deleted" in try_store(kind, url, None, is_deep=True)
    with open_engine(url).connect() as connection:
        assert {"lupus_metric_set", "lupus_outbox"} & set(sa.inspect(connection).get_table_names())
        table = "lupus_outbox" if kind == "ledger" else "lupus_metric_set"
        assert connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() == 0


def test_a_database_that_may_not_be_written_is_told_with_what_to_do(tmp_path):
    url = f"sqlite:///{tmp_path / 'store.db'}"
    try_store("ledger", url, None, is_deep=True)
    engine = open_engine(url)

    def only_reads(connection, _record):
        connection.execute("PRAGMA query_only = 1")

    sa.event.listen(engine, "connect", only_reads)
    with pytest.raises(StorageRefusedError, match=r"readonly.* Let the connection's user .* write"):
        try_store("ledger", url, None, is_deep=True)
    sa.event.remove(engine, "connect", only_reads)


def test_a_database_that_is_too_old_is_told_what_is_needed(tmp_path, monkeypatch):
    monkeypatch.setitem(trying_sql.OLDEST, "sqlite", (99, 1))
    with pytest.raises(StorageRefusedError, match=r"Lupus needs sqlite 99\.1 or newer"):
        try_store("index", f"sqlite:///{tmp_path / 'store.db'}", None)


@pytest.mark.parametrize(("seconds", "says"), [(-4000, "4000 s behind"), (120, "120 s ahead of")])
def test_clocks_that_differ_are_told(seconds, says):
    moment = clock.utc_now()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "utc_now", lambda: moment)
        with pytest.raises(StorageRefusedError, match=f"its clock is {says} this machine's.*NTP"):
            check_clock("place", moment + timedelta(seconds=seconds))
        check_clock("place", moment + timedelta(seconds=59))


def test_a_skewed_storage_is_told_and_its_probe_is_gone(tmp_path, monkeypatch):
    ahead = clock.utc_now() + timedelta(hours=2)
    monkeypatch.setattr(clock, "utc_now", lambda: ahead)
    with pytest.raises(StorageRefusedError, match="s behind this machine's"):
        try_store("stage", tmp_path.as_uri(), None)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_store_is_not_tried_at_an_address_of_another(tmp_path):
    with pytest.raises(StoreUrlError, match="ledger store"):
        try_store("ledger", tmp_path.as_uri(), None)
