from __future__ import annotations

from pathlib import Path

import pytest

from lupus_provider.hooks import settings


@pytest.fixture(autouse=True)
def _no_options(monkeypatch):
    for name in ("HOME", "DATA_FOLDER", "PROJECTS_FOLDER"):
        monkeypatch.delenv(f"AIRFLOW__LUPUS__{name}", raising=False)
    monkeypatch.setenv("AIRFLOW_HOME", "/srv/airflow")


def test_without_options_everything_is_in_airflows_home():
    assert settings.home() == Path("/srv/airflow/lupus")
    assert settings.data_folder() == Path("/srv/airflow/lupus/data")
    assert settings.projects_folder() == Path("/srv/airflow/include/projects")


def test_the_data_folder_follows_the_home(monkeypatch):
    monkeypatch.setenv("AIRFLOW__LUPUS__HOME", "/var/lupus")
    assert settings.home() == Path("/var/lupus")
    assert settings.data_folder() == Path("/var/lupus/data")


def test_options_win_and_expand_variables(monkeypatch):
    monkeypatch.setenv("WAREHOUSE", "/mnt/warehouse")
    monkeypatch.setenv("AIRFLOW__LUPUS__DATA_FOLDER", "$WAREHOUSE/tables")
    monkeypatch.setenv("AIRFLOW__LUPUS__PROJECTS_FOLDER", "/etc/projects")
    assert settings.data_folder() == Path("/mnt/warehouse/tables")
    assert settings.projects_folder() == Path("/etc/projects")
