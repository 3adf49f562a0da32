from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from lupus_provider.errors import BadPlanError, UnknownMetricError
from lupus_provider.metrics import Kind, Over
from lupus_provider.metrics.plan import ColumnType, Sample, Subject, make_plan, primitives, resolve
from lupus_provider.periods import Period

START = datetime(2024, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
NUMBER = ColumnType(Kind.NUMBER, False, "DOUBLE", "float")
NUMBERS = ColumnType(Kind.NUMBER, True, "DOUBLE[]", "float")


def test_a_metric_that_is_asked_twice_is_measured_once():
    plan = make_plan({"age": ["p50", "p50.0", "avg", "avg"]}, ["row_count", "row_count"])
    assert [(m.column, m.expression.name) for m in plan.measures] == [("", "row_count"), ("age", "p50"), ("age", "avg")]


def test_group_sets_that_differ_only_in_order_or_repeats_are_one():
    plan = make_plan({}, group_sets=[["a", "b"], ["b", "a"], [], ["a", "a"], ["a"], []])
    assert plan.group_sets == (("a", "b"), (), ("a",))
    assert plan.group_columns == ("a", "b")


def test_no_groups_are_the_whole():
    assert make_plan({}).group_sets == make_plan({}, group_sets=[]).group_sets == ((),)
    assert make_plan({}, group_columns=["a"]).group_sets == (("a",),)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"group_columns": "region"}, r"group_columns is the text 'region'. Give a list: \['region'\]"),
        ({"group_sets": ["region"]}, "group_sets is the text 'region'"),
        ({"group_columns": ["a"], "group_sets": [[]]}, "group_columns and group_sets are both given"),
        ({"table_metrics": "row_count"}, "table_metrics is the text"),
        ({"time_zone": "Mars/Olympus"}, "time_zone 'Mars/Olympus' is unknown"),
        ({"zone": ""}, "zone '' is unknown"),
        ({"max_entities": 0}, "max_entities is 0"),
        ({"min_group_rows": -1}, "min_group_rows is -1"),
        ({"sample": Sample(0.0)}, "sample is 0.0"),
        ({"sample": Sample(1.5)}, "sample is 1.5"),
        ({"periods": (Period(START, START + HOUR), Period(START, START + HOUR))}, "periods are not in order"),
    ],
)  # fmt: skip
def test_arguments_that_contradict_themselves_are_refused(options, said):
    with pytest.raises(BadPlanError, match=said):
        make_plan({}, **options)


def test_a_metric_name_in_place_of_a_list_is_not_read_letter_by_letter():
    with pytest.raises(BadPlanError, match="age is the text 'avg'"):
        make_plan({"age": "avg"})
    with pytest.raises(UnknownMetricError):
        make_plan({"age": ["agv"]})


def test_metrics_that_share_a_subject_share_its_primitives():
    plan = make_plan({"age": ["avg", "sum", "p50", "median", "null_ratio"]})
    work = resolve(plan, {"age": NUMBER})
    names = [p.alias for p in primitives(work.numbers[Subject(("age",), Over.VALUES)])]
    assert sorted(names) == sorted(set(names))
    assert {n.split("_")[0] for n in names} == {"count", "sum", "quantile", "rows", "nulls"}


def test_of_a_list_items_first_items_lengths_and_the_lists_themselves_are_four_subjects():
    work = resolve(make_plan({"ratings": ["avg", "avg@2", "length_avg", "null_ratio", "unique"]}), {"ratings": NUMBERS})
    assert {(s.over, s.k) for s in work.numbers if s.column} == {
        (Over.ITEMS, None), (Over.ITEMS, 2), (Over.LENGTHS, None), (Over.LISTS, None),
    }  # fmt: skip


def test_what_cannot_be_measured_is_refused_and_the_rest_stands():
    plan = make_plan({"age": ["avg", "avg@2"], "gone": ["avg"]})
    work = resolve(plan, {"age": NUMBER, "gone": "column 'gone' is not in the table."})
    assert {(r.measure.column, r.measure.expression.name) for r in work.refused} == {("age", "avg@2"), ("gone", "avg")}
    assert [m.expression.name for m in work.numbers[Subject(("age",), Over.VALUES)]] == ["avg"]


@pytest.mark.parametrize("arguments", [({"age": ["row_count"]},), ({}, ["avg"]), ({"age": ["recall@10"]},)])
def test_a_metric_of_another_family_is_unknown(arguments):
    with pytest.raises(UnknownMetricError):
        make_plan(*arguments)


def test_every_group_set_is_measured_once_more_by_model_version():
    plan = make_plan({}, group_sets=[[], ["a"]], model_version_column="version")
    assert plan.group_sets == ((), ("a",), ("version",), ("a", "version"))


def test_the_rows_are_counted_even_if_nobody_asks():
    assert Subject((), Over.ROWS) in resolve(make_plan({}, table_metrics=()), {}).numbers
