from __future__ import annotations

import pytest
from typer.testing import CliRunner

from lupus_provider.cli.app import app
from lupus_provider.cli.flights import prepare_flights


@pytest.fixture(scope="session")
def whole_year(tmp_path_factory):
    """The prepared data folder of the flights project; read only."""
    data = tmp_path_factory.mktemp("data")
    prepare_flights(data)
    return data


@pytest.fixture
def run(request, tmp_path, monkeypatch):
    """Call the command on embedded stores below the test's folder, and on the project file that the module's YAML is."""
    (tmp_path / "projects").mkdir()
    (tmp_path / "projects" / "shop.yaml").write_text(request.module.YAML)
    monkeypatch.setenv("AIRFLOW__LUPUS__HOME", str(tmp_path / "home"))
    monkeypatch.setenv("AIRFLOW__LUPUS__PROJECTS_FOLDER", str(tmp_path / "projects"))
    return lambda *words: CliRunner().invoke(app, list(words))
