from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from lupus_provider.errors import NoSuchPointError, UnstampedError
from lupus_provider.periods import Span, periods_in
from lupus_provider.processors import DistributionProcessor, Metrics
from lupus_provider.records import POINTS
from lupus_provider.stores import open_stage

NOW = datetime(2024, 1, 1, tzinfo=UTC)
TABLE = pa.table(
    {"metric": ["<b>", "y", None], "year": [2013, 2013, 2014], "age": [20.0, 30.0, None], "device": ["iOS", "iOS", "x"]}
)


@pytest.fixture
def metrics():
    asked = {"age": ["avg", "p50"], "device": ["count"], "gone": ["avg"]}
    return DistributionProcessor(TABLE, group_sets=[[], ["metric"], ["year"]], column_metrics=asked).get_metrics()


def test_a_value_is_found_by_the_name_it_was_asked_by(metrics):
    assert metrics.value("age", "p50.0") == 25
    assert metrics.value("age", "avg", year=2013) == metrics.value("age", "avg", year="2013") == 25
    assert metrics.value("device", "count", entity="iOS", metric="y") == 1
    assert metrics.value("", "row_count", metric=None) == 1


@pytest.mark.parametrize(("column", "group"), [("nosuch", {}), ("age", {"year": 1999}), ("age", {"nosuch": "x"})])
def test_a_name_without_a_point_is_told(metrics, column, group):
    with pytest.raises(NoSuchPointError, match="0 points are called") as caught:
        metrics.value(column, "avg", **group)
    assert isinstance(caught.value, KeyError)


def test_the_table_can_be_looked_at(metrics, capsys):
    metrics.show(3)
    printed = capsys.readouterr().out
    assert "column_name" in printed
    assert f"… {len(metrics) - 3} more points" in printed
    assert repr(metrics).startswith(f"<Metrics: {len(metrics)} points>")
    assert "metric=null" in metrics._text(len(metrics))


def test_a_notebook_shows_texts_of_the_data_as_texts(metrics):
    page = metrics._repr_html_()
    assert "&lt;b&gt;" in page
    assert "<b>" not in page


def test_pandas_gets_groups_as_dicts(metrics):
    frame = metrics.to_pandas()
    assert len(frame) == len(metrics)
    assert {"metric": None} in list(frame["group_key"])
    assert frame["period_start"].dt.tz is not None


def test_errors_are_the_points_that_failed(metrics):
    assert {p["column_name"] for p in metrics.errors.to_pylist()} == {"gone"}
    assert len(metrics.errors) == 1 + 3 + 2  # in every group of every set


def test_points_stage_themselves_a_file_a_period_and_an_older_collection_changes_nothing(tmp_path):
    stage = open_stage(tmp_path.as_uri())
    periods = periods_in(Span(NOW, NOW + timedelta(days=2)), "day", ZoneInfo("UTC"))
    table = pa.table({"at": [NOW], "age": [3]})

    def staged(**stamp):
        processor = DistributionProcessor(table, column_metrics={"age": ["avg"]}, periods=periods, time_column="at")
        return processor.get_metrics(project="shop", metric_set="users", **stamp).stage(stage)

    assert staged(collected_at=NOW + timedelta(days=3)) == 2
    assert staged(collected_at=NOW) == 0
    files = stage.files(POINTS, "shop", "users", Span(NOW, NOW + timedelta(days=2)))
    assert [stage.read(POINTS, file).num_rows for file in files] == [2, 2]


def test_points_of_nobody_cannot_be_staged(tmp_path):
    with pytest.raises(UnstampedError, match="get_metrics"):
        Metrics(POINTS.empty()).stage(open_stage(tmp_path.as_uri()))


def test_a_name_that_a_training_run_gave_is_looked_up_as_it_is():
    with pytest.raises(NoSuchPointError):
        Metrics(POINTS.empty()).value("shop", "val_loss")
