"""`lupus backtest | detect` on files and on the embedded history."""

from __future__ import annotations

import csv
import re
from datetime import timedelta

import pytest
from typer.testing import CliRunner

import lupus_provider.cli.backtest  # noqa: F401  (registers the commands)
from lupus_provider.cli.app import app
from lupus_provider.cli.backtest import BadCallError
from lupus_provider.errors import ProjectFileError
from lupus_provider.records import POINTS
from lupus_provider.steps.backtest import NothingSelectedError
from lupus_provider.stores import open_history
from lupus_provider.testing.builders import METRIC_SET, PROJECT, a_point, day, incoming, points

YAML = f"""
project: {PROJECT}
timezone: UTC
metric_sets:
  {METRIC_SET}:
    source: {{path: orders.parquet, time_column: at}}
    column_metrics: {{age: [avg]}}
    detect:
      - {{detector: threshold, max: 100}}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "projects").mkdir()
    (tmp_path / "projects" / "shop.yaml").write_text(YAML)
    monkeypatch.setenv("AIRFLOW__LUPUS__HOME", str(tmp_path / "home"))
    monkeypatch.setenv("AIRFLOW__LUPUS__PROJECTS_FOLDER", str(tmp_path / "projects"))
    monkeypatch.chdir(tmp_path)
    days = [f"a,{day(n):%Y-%m-%d},{500 if n in (40, 41) else 10 + n % 7},\n" for n in range(60)]
    (tmp_path / "series.csv").write_text("series_id,date,value,n_rows\n" + "".join(days))
    return tmp_path


def run(*words):
    result = CliRunner().invoke(app, list(words))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return re.sub(r"\s+", " ", result.output)


def test_a_file_is_judged_by_the_default_detector(folder):
    output = run("backtest", "--input", "series.csv", "--output", "found.csv")
    assert "1 alarm of 1 series" in output
    assert "of 60 series-days (not: " in output
    rows = list(csv.DictReader((folder / "found.csv").read_text().splitlines()))
    assert {f"{day(40):%Y-%m-%d}"} <= {row["date"] for row in rows} <= {f"{day(n):%Y-%m-%d}" for n in range(40, 44)}
    assert list(rows[0]) == ["series_id", "date", "value", "expected", "lower", "upper", "score", "kind", "detector"]
    assert rows[0]["detector"].startswith("seasonal:")


def test_detectors_come_from_a_file_and_take_the_holidays_of_the_call(folder):
    (folder / "detectors.yaml").write_text("- {detector: seasonal}\n- {detector: threshold, min: 11}\n")
    output = run("backtest", "--input", "series.csv", "--detectors", "detectors.yaml", "--holidays", "US")
    keys = re.findall(r"(seasonal:\w+)", output)
    plain = re.findall(r"(seasonal:\w+)", run("backtest", "--input", "series.csv"))
    assert keys
    assert keys != plain
    assert "threshold" in output


def test_a_typo_is_an_error_never_a_silent_zero(folder):
    (folder / "detectors.yaml").write_text("- {detector: missing, metrics: [row_cuont]}\n")
    with pytest.raises(NothingSelectedError):
        run("backtest", "--input", "series.csv", "--detectors", "detectors.yaml")
    (folder / "detectors.yaml").write_text("- {detector: threshold, mni: 3}\n")
    with pytest.raises(
        ProjectFileError, match=r"detectors.yaml:1:\d+: key 'mni' is unknown in detect rule 1. Did you mean 'min'"
    ):
        run("backtest", "--input", "series.csv", "--detectors", "detectors.yaml")


def test_a_whole_file_is_judged_with_parameters_of_the_command_line(folder):
    output = run(
        "detect", "--input", "series.csv", "--detector", "threshold", "--param", "max=100", "--output", "found.csv"
    )
    assert "wrote 2 anomalies to found.csv" in output
    with pytest.raises(BadCallError, match="NAME=VALUE"):
        run("detect", "--input", "series.csv", "--param", "max")
    with pytest.raises(ProjectFileError, match="'threshold'"):
        run("detect", "--input", "series.csv", "--detector", "treshold")


def test_the_stored_history_is_judged_by_the_projects_own_detectors(folder):
    table = points(*(a_point(500.0 if n == 3 else 5.0, day(n)) for n in range(6)))
    history = open_history(f"file://{folder / 'home' / 'history'}")
    history.load(POINTS, PROJECT, METRIC_SET, lambda: [incoming(day(n), table.slice(n, 1)) for n in range(6)])
    output = run("backtest", PROJECT)
    assert f"{PROJECT}.{METRIC_SET}" in output
    assert f"{day(3):%Y-%m-%d}" in output
    assert "evaluated 6 of 6 series-days" in output
    late = run("backtest", PROJECT, METRIC_SET, "--from", f"{day(4):%Y-%m-%d}")
    assert "0 alarms" in late
    assert "evaluated 2 of 2 series-days" in late
    assert "nothing stored in that span" in run(
        "backtest", PROJECT, "--from", f"{day(3) + timedelta(365):%Y-%m-%d}", "--to", "2030-01-01"
    )


def test_neither_project_nor_file_is_an_error(folder):
    with pytest.raises(BadCallError):
        run("backtest")
    with pytest.raises(BadCallError):
        run("backtest", PROJECT, "--input", "series.csv")
