"""`lupus backtest | detect` on files and on the embedded history."""

from __future__ import annotations

import csv
import re
from datetime import timedelta

import pytest

import lupus_provider.cli.backtest  # noqa: F401  (registers the commands)
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
    monkeypatch.chdir(tmp_path)
    days = [f"a,{day(n):%Y-%m-%d},{500 if n in (40, 41) else 10 + n % 7},\n" for n in range(60)]
    (tmp_path / "series.csv").write_text("series_id,date,value,n_rows\n" + "".join(days))
    return tmp_path


@pytest.fixture
def told(run, folder):
    """Return what a command prints on one line, or raise what went wrong."""
    del folder

    def told(*words):
        result = run(*words)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return re.sub(r"\s+", " ", result.output)

    return told


def test_a_file_is_judged_by_the_default_detector(folder, told):
    output = told("backtest", "--input", "series.csv", "--output", "found.csv")
    assert "1 alarm of 1 series" in output
    assert "of 60 series-days (not: " in output
    rows = list(csv.DictReader((folder / "found.csv").read_text().splitlines()))
    assert {f"{day(40):%Y-%m-%d}"} <= {row["date"] for row in rows} <= {f"{day(n):%Y-%m-%d}" for n in range(40, 44)}
    assert list(rows[0]) == ["series_id", "date", "value", "expected", "lower", "upper", "score", "kind", "detector"]
    assert rows[0]["detector"].startswith("seasonal:")


def test_detectors_come_from_a_file_and_take_the_holidays_of_the_call(folder, told):
    (folder / "detectors.yaml").write_text("- {detector: seasonal}\n- {detector: threshold, min: 11}\n")
    output = told("backtest", "--input", "series.csv", "--detectors", "detectors.yaml", "--holidays", "US")
    keys = re.findall(r"(seasonal:\w+)", output)
    plain = re.findall(r"(seasonal:\w+)", told("backtest", "--input", "series.csv"))
    assert keys
    assert keys != plain
    assert "threshold" in output


def test_a_typo_is_an_error_never_a_silent_zero(folder, told):
    (folder / "detectors.yaml").write_text("- {detector: missing, metrics: [row_cuont]}\n")
    with pytest.raises(NothingSelectedError):
        told("backtest", "--input", "series.csv", "--detectors", "detectors.yaml")
    (folder / "detectors.yaml").write_text("- {detector: threshold, mni: 3}\n")
    with pytest.raises(
        ProjectFileError, match=r"detectors.yaml:1:\d+: key 'mni' is unknown in detect rule 1. Did you mean 'min'"
    ):
        told("backtest", "--input", "series.csv", "--detectors", "detectors.yaml")


def test_a_whole_file_is_judged_with_parameters_of_the_command_line(folder, told):
    output = told(
        "detect", "--input", "series.csv", "--detector", "threshold", "--param", "max=100", "--output", "found.csv"
    )
    assert "wrote 2 anomalies to found.csv" in output
    with pytest.raises(BadCallError, match="NAME=VALUE"):
        told("detect", "--input", "series.csv", "--param", "max")
    with pytest.raises(ProjectFileError, match="'threshold'"):
        told("detect", "--input", "series.csv", "--detector", "treshold")


def test_the_stored_history_is_judged_by_the_projects_own_detectors(folder, told):
    table = points(*(a_point(500.0 if n == 3 else 5.0, day(n)) for n in range(6)))
    history = open_history(f"file://{folder / 'home' / 'history'}")
    history.load(POINTS, PROJECT, METRIC_SET, lambda: [incoming(day(n), table.slice(n, 1)) for n in range(6)])
    output = told("backtest", PROJECT)
    assert f"{PROJECT}.{METRIC_SET}" in output
    assert f"{day(3):%Y-%m-%d}" in output
    assert "evaluated 6 of 6 series-days" in output
    late = told("backtest", PROJECT, METRIC_SET, "--from", f"{day(4):%Y-%m-%d}")
    assert "0 alarms" in late
    assert "evaluated 2 of 2 series-days" in late
    assert "nothing stored in that span" in told(
        "backtest", PROJECT, "--from", f"{day(3) + timedelta(365):%Y-%m-%d}", "--to", "2030-01-01"
    )


def test_neither_project_nor_file_is_an_error(folder, told):
    with pytest.raises(BadCallError):
        told("backtest")
    with pytest.raises(BadCallError):
        told("backtest", PROJECT, "--input", "series.csv")
