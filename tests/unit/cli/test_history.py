"""`lupus compact | expire` on the embedded stores."""

from __future__ import annotations

import pytest

import lupus_provider.cli.history  # noqa: F401  (registers the commands)
from lupus_provider.errors import UnknownNameError
from lupus_provider.records import POINTS
from lupus_provider.stores import open_history
from lupus_provider.testing.builders import METRIC_SET, PROJECT, a_point, day, incoming, points

YAML = f"""
project: {PROJECT}
timezone: UTC
retention: {{history: 1d}}
metric_sets:
  {METRIC_SET}:
    period: hour
    source: {{path: orders.parquet, time_column: at}}
    column_metrics: {{age: [avg]}}
"""


@pytest.fixture
def history(tmp_path):
    history = open_history((tmp_path / "home" / "history").as_uri())
    history.load(POINTS, PROJECT, METRIC_SET, lambda: [incoming(day(n), points(a_point(n, day(n)))) for n in range(40)])
    return history


def test_closed_months_are_merged_and_told(run, history):
    result = run("compact", PROJECT)
    assert result.exit_code == 0, result.output
    assert "2 months merged, 40 files became 2, 40 rows" in result.output
    assert "0 months merged" in run("compact", PROJECT).output
    assert len(history.periods(POINTS, PROJECT, METRIC_SET)) == 40


def test_what_is_too_old_goes(run, history):
    result = run("expire", PROJECT, "--metric-set", METRIC_SET)
    assert result.exit_code == 0, result.output
    assert "the history dropped 40 days of 40 periods, 40 rows; the index forgot 0 periods" in result.output
    assert history.periods(POINTS, PROJECT, METRIC_SET) == {}


@pytest.mark.parametrize("word", ["compact", "expire"])
def test_unknown_names_are_refused_with_the_nearest_known(run, word):
    assert isinstance(run(word, "shpo").exception, UnknownNameError)
    assert isinstance(run(word, PROJECT, "--metric-set", "order").exception, UnknownNameError)
