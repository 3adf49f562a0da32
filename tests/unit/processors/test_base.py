from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from lupus_provider.errors import BadPlanError, UnknownMetricError
from lupus_provider.metrics.plan import Sample
from lupus_provider.periods import Period
from lupus_provider.processors.classification import ClassificationProcessor
from lupus_provider.processors.distribution import DistributionProcessor
from lupus_provider.processors.ranking import RankingProcessor
from lupus_provider.processors.regression import RegressionProcessor
from lupus_provider.processors.table import TableProcessor

START = datetime(2024, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
PERIODS = [Period(START, START + DAY), Period(START + DAY, START + 2 * DAY)]
TABLE = pa.table({
    "moment": pa.array([START, START + DAY / 2, START + DAY, START + DAY]), "region": ["JP", "TW", "JP", "JP"], "version": ["1", "1", "2", "2"],
    "truth": ["a", "b", "a", "b"], "guess": ["a", "a", "a", "b"], "p": [0.9, 0.6, 0.8, 0.1],
    "target": [1.0, 2.0, 3.0, 4.0], "predicted": [1.0, 1.0, 3.0, 3.0],
    "shown": [["x"], ["y"], ["x", "y"], ["y"]], "chosen": [["x"], ["x"], ["y"], ["y"]],
})  # fmt: skip
FAMILIES = {
    "distribution": (DistributionProcessor, {"column_metrics": {"p": ["avg"]}}, ("p", "avg", None), [0.75, 0.45]),
    "classification": (
        ClassificationProcessor, {"label_column": "truth", "prediction_column": "guess", "metrics": ["accuracy"]},
        ("guess", "accuracy", None), [0.5, 1.0],
    ),
    "regression": (
        RegressionProcessor, {"target_column": "target", "prediction_column": "predicted", "metrics": ["mae"]},
        ("predicted", "mae", None), [0.5, 0.5],
    ),
    "ranking": (
        RankingProcessor, {"predicted_column": "shown", "truth_column": "chosen", "metrics": ["mrr"]}, ("shown", "mrr", None), [0.5, 0.75],
    ),
    "table": (TableProcessor, {"key_columns": ["region"], "table_metrics": ["duplicate_ratio"]}, ("region", "duplicate_ratio", None), [0.0, 0.5]),
}  # fmt: skip
each_family = pytest.mark.parametrize(("kind", "options", "series", "values"), FAMILIES.values(), ids=FAMILIES)


def found(metrics, series):
    """(period, group) → value of one metric."""
    column, metric, entity = series
    return {
        (row["period_start"], tuple(row["group_key"])): row["value"]
        for row in metrics.to_arrow().to_pylist()
        if (row["column_name"], row["metric"], row["entity"]) == (column, metric, entity)
    }


@each_family
def test_every_family_splits_rows_by_period(kind, options, series, values):
    metrics = kind(TABLE, **options, periods=PERIODS, time_column="moment").get_metrics()
    assert found(metrics, series) == {
        (START, ()): pytest.approx(values[0]),
        (START + DAY, ()): pytest.approx(values[1]),
    }


@each_family
def test_every_family_takes_conditions_groups_slices_and_versions(kind, options, series, values):
    first_day = {"where": "moment < TIMESTAMPTZ '2024-01-02 00:00:00Z'"}
    assert list(found(kind(TABLE, **options, **first_day).get_metrics(), series).values()) == [pytest.approx(values[0])]
    metrics = kind(TABLE, **options, group_sets=[[], ["region"]], slices={"second": "version = '2'"}).get_metrics()
    groups = {group for _, group in found(metrics, series)}
    assert groups >= {(), (("region", "JP"),), (("region", "TW"),), (("slice", "second"),)}
    assert found(metrics, series)[
        metrics.to_arrow()["period_start"][0].as_py(), (("slice", "second"),)
    ] == pytest.approx(values[1])
    by_version = kind(TABLE, **options, model_version_column="version").get_metrics()
    assert {tuple(row["group_key"]): row["model_version"] for row in by_version.to_arrow().to_pylist()} == {
        (): None, (("version", "1"),): "1", (("version", "2"),): "2",
    }  # fmt: skip


@each_family
def test_every_family_measures_columns_in_the_same_scan(kind, options, series, values):
    options = {**options, "column_metrics": {**options.get("column_metrics", {}), "target": ["max"]}}
    assert kind(TABLE, **options).get_metrics().value("target", "max") == 4


@each_family
def test_an_empty_table_gives_points_without_values(kind, options, series, values):
    metrics = kind(TABLE.slice(0, 0), **options).get_metrics()
    assert list(found(metrics, series).values()) == [None]
    assert len(metrics.errors) == 0


@each_family
def test_a_column_that_is_missing_costs_only_its_own_metrics(kind, options, series, values):
    renamed = TABLE.rename_columns([f"{name}_" if name == series[0] else name for name in TABLE.column_names])
    metrics = kind(
        renamed,
        **{
            "table_metrics": ["row_count"],
            **options,
            "column_metrics": {**options.get("column_metrics", {}), "target_": ["avg"]},
        },
    )
    table = metrics.get_metrics().to_arrow().to_pylist()
    errors = {(row["column_name"], row["metric"]): row["error"] for row in table}
    assert series[0] in errors[series[0], series[1]]
    assert {key for key, error in errors.items() if error is None} >= (
        {("", "row_count")} if kind is not TableProcessor else set()
    )


@each_family
def test_an_unknown_metric_of_a_column_is_refused_at_once(kind, options, series, values):
    with pytest.raises(UnknownMetricError, match=r"'agv' is unknown\. Did you mean 'avg'"):
        kind(TABLE, **{**options, "column_metrics": {"p": ["agv"]}})


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"slices": ["x"]}, r"slices is \['x'\]. Give a mapping of name to condition"),
        ({"slices": {"": "a = 1"}}, "slices has '': 'a = 1'. Give each slice a name"),
        ({"slices": {"x": " "}}, "slices has 'x': ' '"),
        ({"sample": 1.5}, "sample is 1.5. Give a share above 0 and at most 1"),
        ({"sample": 0}, "sample is 0"),
        ({"table_metrics": "row_count"}, r"table_metrics is the text 'row_count'. Give a list: \['row_count'\]"),
        ({"table_metrics": ["duplicate_ratio"]}, r"Use TableProcessor\(key_columns=\[…\]\)"),
        ({"table_metrics": ["columns_added"]}, r"Use TableProcessor\(reference_schema=…\)"),
        ({"table_metrics": ["freshness_seconds"], "time_column": "moment"}, "needs the end of a period. Give time_column and periods"),
    ],
)  # fmt: skip
def test_arguments_that_cannot_be_meant_are_refused_with_what_to_do(options, said):
    with pytest.raises(BadPlanError, match=said):
        DistributionProcessor(TABLE, column_metrics={}, **options)


def test_a_misspelt_argument_is_refused():
    with pytest.raises(TypeError, match="group_column"):
        DistributionProcessor(TABLE, column_metrics={}, group_column=["region"])


def test_a_sample_is_a_share_or_says_by_which_column():
    by_user = Sample(0.5, "region")
    assert DistributionProcessor(TABLE, column_metrics={}, sample=by_user).plan.sample == by_user
    assert DistributionProcessor(TABLE, column_metrics={}, sample=1).plan.sample == Sample(1.0)


def test_schema_metrics_and_freshness_are_there_for_every_family():
    metrics = DistributionProcessor(
        TABLE, column_metrics={}, table_metrics=["row_count", "column_count", "freshness_seconds"], periods=PERIODS,
        time_column="moment", group_columns=["region"],
    ).get_metrics()  # fmt: skip
    assert list(found(metrics, ("", "column_count", None)).values()) == [10, 10]
    assert found(metrics, ("moment", "freshness_seconds", None)) == {
        (START, (("region", "JP"),)): 86_400, (START, (("region", "TW"),)): 43_200, (START + DAY, (("region", "JP"),)): 86_400,
    }  # fmt: skip
    starts = metrics.to_arrow()["period_start"].to_pylist()
    assert starts == sorted(starts)
