"""`lupus doctor | reconcile | rebuild-index` on the embedded stores."""

from __future__ import annotations

import json

import lupus_provider.cli.stores  # noqa: F401  (registers the commands)
from lupus_provider import stores
from lupus_provider.errors import ProjectFileError, UnknownNameError
from lupus_provider.records import POINTS
from lupus_provider.stores import open_index, open_stage
from lupus_provider.testing.builders import METRIC_SET, PROJECT, a_point, day, points

YAML = f"""
project: {PROJECT}
timezone: UTC
metric_sets:
  {METRIC_SET}:
    source: {{path: orders.parquet, time_column: at}}
    column_metrics: {{age: [avg]}}
"""


def test_the_doctor_finds_the_embedded_stores_well(run):
    result = run("doctor")
    assert result.exit_code == 0, result.output
    assert "1 projects with 1 metric sets" in result.output
    for name in ("stage", "history", "index", "ledger", "catalogue"):
        assert f"{name}: " in result.output


def test_the_doctor_tells_every_failure_and_no_password(run, monkeypatch):
    bad = {"conn_type": "http", "host": "db", "login": "me", "password": "pass-of-ledger"}
    monkeypatch.setenv("AIRFLOW_CONN_LUPUS_LEDGER", json.dumps(bad))
    away = {"conn_type": "lupus", "host": "sqlite:////proc/none/index.db"}
    monkeypatch.setenv("AIRFLOW_CONN_LUPUS_INDEX", json.dumps(away))
    result = run("doctor")
    assert result.exit_code == 1
    assert result.output.count("failed") == 2
    assert "is of type 'http'" in result.output
    assert "pass-of-ledger" not in result.output


def test_the_doctor_goes_on_when_a_project_file_is_broken(run, tmp_path):
    (tmp_path / "projects" / "broken.yaml").write_text("project: broken\nmetric_sets: 3\n")
    result = run("doctor")
    assert result.exit_code == 1
    assert "1 projects with 1 metric sets" in result.output
    assert "project file broken.yaml: " in result.output
    assert "broken.yaml:2:" in result.output
    assert result.output.count("failed") == 1


def test_reconcile_does_its_work_beside_a_broken_file_and_fails_at_its_end(run, tmp_path):
    (tmp_path / "projects" / "broken.yaml").write_text("project: broken\nmetric_sets: 3\n")
    span = ("--from", "2024-01-01", "--to", "2024-01-02")
    result = run("reconcile", PROJECT, *span)
    assert result.exit_code == 1
    assert "0 periods compared, 0 differences" in result.output
    assert "broken.yaml:2:" in result.output
    assert isinstance(run("reconcile", "broken", *span).exception, ProjectFileError)
    assert isinstance(run("rebuild-index", "shpo").exception, UnknownNameError)
    assert run("rebuild-index", PROJECT).exit_code == 1


def test_what_waits_on_the_stage_is_told_loaded_and_found_loaded(run, tmp_path):
    home = tmp_path / "home"
    open_stage((home / "stage").as_uri()).write(POINTS, PROJECT, METRIC_SET, day(), points(a_point(7.0)), day(400))
    span = ("--from", "2024-01-01", "--to", "2024-01-02")
    first = run("reconcile", PROJECT, *span)
    assert first.exit_code == 1
    assert "orders points 2024-01-01T00:00Z: missing in the history" in first.output
    assert run("reconcile", PROJECT, *span, "--mend").exit_code == 0
    again = run("reconcile", PROJECT, *span, "--deep")
    assert (again.exit_code, "1 periods compared, 0 differences" in again.output) == (0, True)
    rebuilt = run("rebuild-index", PROJECT)
    assert "1 periods written" in rebuilt.output
    found = open_index(f"sqlite:///{home / 'index.db'}").points([a_point()["series_id"]], None, None)
    assert [series.value.tolist() for series in found.values()] == [[7.0]]


def test_mending_tells_the_catalogue_what_it_was_not_told(run, tmp_path, monkeypatch):
    told = []
    home = tmp_path / "home"
    open_stage((home / "stage").as_uri()).write(POINTS, PROJECT, METRIC_SET, day(), points(a_point(7.0)), day(400))
    span = ("--from", "2024-01-01", "--to", "2024-01-02")
    assert run("reconcile", PROJECT, *span, "--mend").exit_code == 0  # loaded, and nobody was told

    class Catalog:
        name = "hive.lupus"

        def publish(self, kind, project, metric_set, versions):
            told.append((kind.name, project, metric_set, [version.dt for version in versions]))

    real = stores.open_history
    monkeypatch.setattr(stores, "open_history", lambda url, access: real(url, access, Catalog()))
    assert run("reconcile", PROJECT, *span).exit_code == 0
    assert told == [], "comparing tells nobody"
    result = run("reconcile", PROJECT, *span, "--mend")
    assert told == [("points", PROJECT, METRIC_SET, [day().date()])]
    assert "the catalogue hive.lupus knows" in result.output


def test_unknown_names_are_refused_with_the_nearest_known(run):
    assert isinstance(run("rebuild-index", "shpo").exception, UnknownNameError)
    assert isinstance(run("rebuild-index", PROJECT, "--metric-set", "order").exception, UnknownNameError)
