from __future__ import annotations

import pickle

import pyarrow as pa
import pytest

from lupus_provider.errors import Terminal
from lupus_provider.processors.expectation import ExpectationProcessor
from lupus_provider.processors.expectations import BadExpectationError, Suite
from lupus_provider.processors.great_expectations import open_library

BETWEEN = {
    "expect": "expect_column_values_to_be_between",
    "column": "dep_delay",
    "min_value": -60,
    "max_value": 1440,
    "mostly": 0.6,
}
SUITE = [
    BETWEEN,
    {"expect": "expect_column_values_to_not_be_null", "column": "origin", "name": "origin is known"},
    {"expect": "expect_column_mean_to_be_between", "column": "dep_delay", "min_value": 0, "max_value": 60},
    {"expect": "expect_table_row_count_to_be_between", "min_value": 1},
]
FLIGHTS = pa.table({
    "origin": ["EWR", "EWR", "EWR", "JFK", "JFK", None],
    "dep_delay": pa.array([10, -70, None, 30, 2000, 5], pa.int64()),
    "unused": [{"x": 1}] * 6,
})  # fmt: skip


def told(suite, data=FLIGHTS):
    """(entity or "", metric) → value, n_rows."""
    rows = ExpectationProcessor(data, suite).get_metrics().to_arrow().to_pylist()
    return {(row["entity"] or "", row["metric"]): (row["value"], row["n_rows"]) for row in rows}


def test_a_suite_of_great_expectations_is_taken_and_left_as_it_was():
    open_library()
    import great_expectations as gx
    import great_expectations.expectations as gxe

    between = gxe.ExpectColumnValuesToBeBetween(
        column="dep_delay", min_value=-60, max_value=1440, mostly=0.6, meta={"owner": "ann"}
    )
    named = gxe.ExpectColumnValuesToNotBeNull(column="origin", meta={"name": "origin is known"})
    suite = gx.ExpectationSuite("flights", expectations=[between, named])
    before = suite.to_json_dict()
    found = told(suite)
    assert found == told(SUITE[:2])
    assert suite.to_json_dict() == before


def test_a_context_that_is_in_use_stays_the_current_one():
    open_library()
    import great_expectations as gx
    from great_expectations.data_context.data_context.context_factory import project_manager

    mine = gx.get_context(mode="ephemeral")
    try:
        told(SUITE)
        assert project_manager.get_current_project() is mine
    finally:
        project_manager.set_project(None)
    told(SUITE)
    with pytest.raises(Exception, match=r"[Cc]ontext"):
        project_manager.get_current_project()


def test_only_columns_that_the_suite_needs_are_read():
    assert Suite(SUITE).columns == {"dep_delay", "origin"}
    pair = {"expect": "expect_column_pair_values_to_be_equal", "column_A": "a", "column_B": "b"}
    several = {"expect": "expect_compound_columns_to_be_unique", "column_list": ["c", "d"]}
    assert Suite([pair, several]).columns == {"a", "b", "c", "d"}
    assert (
        Suite([{"expect": "expect_table_columns_to_match_set", "column_set": ["a"], "exact_match": True}]).columns
        is None
    )
    assert told([{"expect": "expect_table_column_count_to_equal", "value": 3}])["", "success_ratio"] == (1.0, 6)


@pytest.mark.parametrize(
    ("item", "said"),
    [
        (
            {"expect": "expect_column_value_to_be_between", "column": "a"},
            "Did you mean 'expect_column_values_to_be_between'",
        ),
        (
            {"expect": "expect_column_values_to_be_between", "column": "a", "min": 1},
            "unknown argument 'min'.*Did you mean 'min_value'",
        ),
        ({"expect": "expect_column_values_to_be_between", "min_value": 1}, "lacks the argument 'column'"),
        (
            {"expect": "expect_column_values_to_be_between", "column": "a", "min_value": 1, "mostly": 3},
            "wrong argument 'mostly'",
        ),
        (
            {"expect": "expect_column_values_to_be_between", "column": "a"},
            "min_value and max_value cannot both be None",
        ),
        ({"column": "a"}, "does not say what to expect"),
        ("expect_column_to_exist", "does not say what to expect"),
    ],
)
def test_a_wrong_expectation_is_refused_before_any_row_is_read(item, said):
    with pytest.raises(BadExpectationError, match=f"(?s)expectation 2 of the suite.*{said}") as caught:
        ExpectationProcessor("nowhere.parquet", [BETWEEN, item])
    assert isinstance(caught.value, Terminal)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_an_expectation_given_twice_needs_a_name():
    with pytest.raises(BadExpectationError, match="given twice"):
        Suite([BETWEEN, dict(BETWEEN)])
    assert len(Suite([BETWEEN, {**BETWEEN, "name": "again"}])) == 2
    with pytest.raises(BadExpectationError, match="is no list"):
        Suite(BETWEEN)


def test_the_name_of_an_expectation_does_not_depend_on_the_order_of_its_arguments_and_is_never_long():
    turned = dict(reversed(BETWEEN.items()))
    many = {
        "expect": "expect_column_values_to_be_in_set",
        "column": "a",
        "value_set": [f"value {i}" for i in range(999)],
    }
    other = {**many, "value_set": [*many["value_set"], "one more"]}
    names = [told([item], pa.table({"a": ["x"], "dep_delay": [1]})).keys() for item in (BETWEEN, turned, many, other)]
    assert names[0] == names[1]
    entities = [{entity for entity, _ in keys} - {""} for keys in names]
    assert entities[2] != entities[3]
    assert all(len(entity) <= 200 for (entity,) in entities)
