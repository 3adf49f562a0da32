from __future__ import annotations

import math

import numpy as np
import pytest

from lupus_provider.metrics import SHELVES, Family, parse_metric
from lupus_provider.metrics.table import SchemaMetric

NOW = {"id": "int64", "name": "string", "price": "double"}
BEFORE = {"id": "int64", "price": "int64", "old": "bool"}


def metric_of(name):
    return parse_metric(name, Family.TABLE).metric


def finish(name, **state):
    return metric_of(name).finish(**{key: np.array([value], float) for key, value in state.items()}).tolist()[0]


def test_zero_rows_are_a_count():
    assert finish("row_count", rows=0) == 0
    assert finish("row_count", rows=float("nan")) == 0


def test_freshness_is_the_time_from_the_newest_row_to_the_end_of_the_period():
    assert finish("freshness_seconds", newest=1000, period_end=1060.5) == 60.5
    assert math.isnan(finish("freshness_seconds", newest=float("nan"), period_end=1060))


def test_repeated_keys_are_rows_beyond_the_distinct_ones():
    assert finish("duplicate_ratio", distinct=3, rows=4) == 0.25
    assert finish("duplicate_ratio", distinct=4, rows=4) == 0
    assert math.isnan(finish("duplicate_ratio", distinct=0, rows=0))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("column_count", [(None, 3.0)]),
        ("columns_added", [(None, 1.0), ("name", 1.0)]),
        ("columns_removed", [(None, 1.0), ("old", 1.0)]),
        ("columns_retyped", [(None, 1.0), ("price: int64 → double", 1.0)]),
    ],
)
def test_a_changed_schema_is_told_column_by_column(name, expected):
    assert metric_of(name).of_schema(NOW, BEFORE) == expected


@pytest.mark.parametrize("name", ["columns_added", "columns_removed", "columns_retyped"])
def test_the_same_schema_has_no_changes(name):
    assert metric_of(name).of_schema(NOW, dict(reversed(NOW.items()))) == [(None, 0.0)]


def hashed(schema):
    [(entity, value)] = metric_of("schema_hash").of_schema(schema, None)
    assert entity is None
    assert value == int(value) < 2**48
    return value


def test_the_hash_follows_names_and_types_and_not_the_order():
    assert hashed(NOW) == hashed(dict(reversed(NOW.items())))
    others = [BEFORE, {}, {"a": "bc"}, {"ab": "c"}, {"1:a": "b"}, {**NOW, "price": "float"}]
    assert len({hashed(schema) for schema in [NOW, *others]}) == 7
    assert hashed({"id": "int64"}) == 64900749828921, "stored series would seem to change"


@pytest.mark.parametrize("name", SHELVES[Family.TABLE])
def test_every_metric_says_what_its_values_mean(name):
    metric = metric_of(name)
    assert metric.__doc__
    assert metric.bounds[0] == 0
    assert isinstance(metric, SchemaMetric) or metric.state
