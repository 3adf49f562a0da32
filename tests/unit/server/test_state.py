from __future__ import annotations

import os

import pytest

from lupus_provider.server import state


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("AIRFLOW__LUPUS__PROJECTS_FOLDER", str(tmp_path))
    return tmp_path


def write(path, owner):
    text = f"project: shop\nowner: {owner}\nmetric_sets:\n  m:\n    schedule: '0 6 * * *'\n    source: {{path: x.parquet}}\n"
    path.write_text(text)


def test_a_changed_file_is_read_again_and_an_unchanged_one_is_not(folder, monkeypatch):
    write(folder / "shop.yaml", "a")
    first = state.find_project("shop")
    assert first is not None
    assert first.owner == "a"
    assert state.find_project("shop") is first
    write(folder / "shop.yaml", "b")
    os.utime(folder / "shop.yaml", ns=(1, 1))
    again = state.find_project("shop")
    assert again is not None
    assert again.owner == "b"


def test_a_project_without_a_readable_file_is_none(folder):
    assert state.find_project("shop") is None
    (folder / "shop.yaml").write_text("project: shop\nmetric_sets: 7\n")
    assert state.find_project("shop") is None


def test_the_same_index_is_opened_once(monkeypatch, index_url):
    assert state.index_store() is state.index_store()


def test_an_index_that_could_not_be_opened_is_tried_again(monkeypatch):
    calls = []

    def opens(url):
        calls.append(url)
        if len(calls) == 1:
            raise OSError("disk away")
        return "index"

    monkeypatch.setattr(state, "open_index", opens)
    state._opened.cache_clear()
    with pytest.raises(OSError, match="away"):
        state.index_store()
    assert state.index_store() == "index"
    state._opened.cache_clear()


def test_a_connection_kept_in_airflows_database_is_found(airflow_db, monkeypatch, index_url):
    from airflow.models.connection import Connection
    from airflow.utils.session import create_session

    monkeypatch.delenv("AIRFLOW_CONN_LUPUS_INDEX")
    monkeypatch.setenv("_AIRFLOW_PROCESS_CONTEXT", "server")  # as Airflow's api-server sets it
    with create_session() as session:
        session.add(Connection(conn_id="lupus_index", conn_type="lupus", host="sqlite:////somewhere/index.db"))
    try:
        assert state.LupusHook().url("index") == "sqlite:////somewhere/index.db"
    finally:
        with create_session() as session:
            session.query(Connection).filter_by(conn_id="lupus_index").delete()
