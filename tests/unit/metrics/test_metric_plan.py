from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from lupus_provider.errors import BadPlanError, UnknownMetricError
from lupus_provider.metrics import Kind, Over
from lupus_provider.metrics.plan import ColumnType, Subject, make_plan, resolve
from lupus_provider.periods import Period

START = datetime(2024, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
NUMBER = ColumnType(Kind.NUMBER, False, "DOUBLE")
NUMBERS = ColumnType(Kind.NUMBER, True, "DOUBLE[]")


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
    names = [p.alias for p in work.primitives(Subject("age", Over.VALUES))]
    assert sorted(names) == sorted(set(names))
    assert {n.split("_")[0] for n in names} == {"count", "sum", "quantile", "rows", "nulls"}


def test_of_a_list_items_first_items_lengths_and_the_lists_themselves_are_four_subjects():
    work = resolve(make_plan({"ratings": ["avg", "avg@2", "length_avg", "null_ratio", "unique"]}), {"ratings": NUMBERS})
    assert {(s.over, s.k) for s in work.subjects if s.column} == {
        (Over.ITEMS, None), (Over.ITEMS, 2), (Over.LENGTHS, None), (Over.LISTS, None),
    }  # fmt: skip


def test_what_cannot_be_measured_is_refused_and_the_rest_stands():
    plan = make_plan({"age": ["avg", "row_count", "avg@2"], "gone": ["avg"]}, ["row_count", "avg"])
    work = resolve(plan, {"age": NUMBER, "gone": "column 'gone' is not in the table."})
    reasons = {(r.measure.column, r.measure.expression.name): r.reason for r in work.refused}
    assert set(reasons) == {("age", "row_count"), ("age", "avg@2"), ("gone", "avg"), ("", "avg")}
    assert "Name it under table_metrics" in reasons["age", "row_count"]
    assert reasons["", "avg"] == "'avg' needs a column."
    assert [m.expression.name for m in work.subjects[Subject("age", Over.VALUES)]] == ["avg"]


def test_the_rows_are_counted_even_if_nobody_asks():
    assert Subject("", Over.ROWS) in resolve(make_plan({}, table_metrics=()), {}).subjects
