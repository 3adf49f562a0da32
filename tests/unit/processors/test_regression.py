from __future__ import annotations

import math

import pyarrow as pa
import pytest

from lupus_provider.errors import BadPlanError, UnknownMetricError
from lupus_provider.processors.regression import RegressionProcessor

DELAYS = pa.table({
    "origin": ["EWR", "EWR", "EWR", "JFK", "JFK"], "predicted": [12.0, -4.0, 3.0, None, math.nan], "delay": [10.0, 0.0, None, 5.0, 6.0],
})  # fmt: skip


def measure(table=DELAYS, **options):
    return RegressionProcessor(
        table, **{"target_column": "delay", "prediction_column": "predicted", **options}
    ).get_metrics()


def test_a_table_by_hand():
    metrics = measure(metrics=["mae", "rmse", "mape", "smape", "r2", "bias", "label_coverage"])
    assert {(r["metric"], r["n_rows"]): r["value"] for r in metrics.to_arrow().to_pylist() if r["column_name"]} == {
        ("mae", 2): 3, ("rmse", 2): pytest.approx(math.sqrt(10)), ("bias", 2): -1, ("r2", 2): pytest.approx(1 - 20 / 50),
        ("mape", 2): pytest.approx((0.2 + 4 / 2.220446049250313e-16) / 2), ("smape", 2): pytest.approx((4 / 22 + 2) / 2),
        ("label_coverage", 5): 0.8,
    }  # fmt: skip


def test_groups_without_a_pair_are_undefined():
    metrics = measure(group_columns=["origin"])
    assert metrics.value("predicted", "mae", origin="EWR") == 3
    assert metrics.value("predicted", "mae", origin="JFK") is None
    assert metrics.value("predicted", "label_coverage", origin="JFK") == 1


def test_a_target_that_never_changes_leaves_r2_undefined():
    table = pa.table({"predicted": [1.0, 2.0], "delay": [0.1, 0.1]})
    assert measure(table).value("predicted", "r2") is None


def test_zero_for_zero_is_no_error():
    assert measure(pa.table({"predicted": [0.0], "delay": [0.0]})).value("predicted", "smape") == 0


def test_integers_and_decimals_are_numbers():
    table = pa.table({"predicted": [1, 2], "delay": pa.array([1, 4]).cast(pa.decimal128(20, 1))})
    assert measure(table).value("predicted", "mae") == 1


def test_texts_are_refused():
    metrics = measure(pa.table({"predicted": ["1"], "delay": [1.0]}), metrics=["mae"])
    assert "takes as prediction single values" in metrics.errors["error"][0].as_py()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"prediction_column": "delay"}, "prediction_column and target_column are both 'delay'"),
        ({"target_column": None}, "target_column is None. Name a column"),
        ({"metrics": "mae"}, "metrics is the text 'mae'"),
        ({"metrics": ()}, "metrics is empty. Name some of: bias"),
    ],
)
def test_arguments_that_do_not_fit_are_refused_with_what_to_do(options, said):
    with pytest.raises(BadPlanError, match=said):
        measure(**options)


def test_metrics_of_other_families_are_unknown_here():
    with pytest.raises(UnknownMetricError, match="'accuracy' is unknown"):
        measure(metrics=["accuracy"])
