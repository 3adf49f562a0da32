from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from lupus_provider.errors import BadPlanError
from lupus_provider.periods import Period
from lupus_provider.processors.expectation import ExpectationProcessor
from lupus_provider.processors.suite_result import ExpectationsFailedError

JAN = datetime(2024, 1, 1, tzinfo=UTC)
DAYS = [Period(JAN + timedelta(days=i), JAN + timedelta(days=i + 1)) for i in range(2)]
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
    "at": [JAN, JAN + timedelta(hours=23), JAN + timedelta(hours=24), JAN, JAN + timedelta(hours=40), JAN + timedelta(hours=47)],
})  # fmt: skip


def test_a_gate_opens_when_enough_holds_everywhere():
    processor = ExpectationProcessor(FLIGHTS, SUITE)
    assert processor.check(min_success_ratio=0.5) is processor.result
    with pytest.raises(ExpectationsFailedError) as caught:
        processor.check(min_success_ratio=0.51)
    assert [failure.verdict.expectation for failure in caught.value.failures] == [
        "origin is known",
        "expect_column_mean_to_be_between(max_value=60, min_value=0)",
    ]
    assert "2 of 4 checks" in str(caught.value)
    assert "origin origin is known: 1 values unexpected (16.667%), 6 rows" in str(caught.value)
    assert "observed 395" in str(caught.value)


def test_a_gate_looks_at_every_group_and_period():
    processor = ExpectationProcessor(FLIGHTS, [BETWEEN], group_columns=["origin"], periods=DAYS, time_column="at")
    with pytest.raises(ExpectationsFailedError) as caught:
        processor.check()
    assert [(f.period.start.day, dict(f.group_key)) for f in caught.value.failures] == [
        (1, {"origin": "EWR"}),
        (2, {"origin": "JFK"}),
    ]
    assert "[2024-01-01T00:00:00+00:00; origin=EWR]" in str(caught.value)


def test_a_gate_lets_mild_expectations_fail_and_never_one_that_could_not_be_computed():
    mild = [{**SUITE[1], "severity": "warning"}, {**SUITE[2], "severity": "info"}, BETWEEN]
    processor = ExpectationProcessor(FLIGHTS, mild)
    processor.check(severity="critical")
    for severity, failed in (("warning", 1), ("info", 2)):
        with pytest.raises(ExpectationsFailedError) as caught:
            processor.check(severity=severity)
        assert len(caught.value.failures) == failed
    with pytest.raises(ExpectationsFailedError, match="could not be computed"):
        ExpectationProcessor(
            FLIGHTS, [{"expect": "expect_column_values_to_match_regex", "column": "origin", "regex": "["}]
        ).check()
    with pytest.raises(BadPlanError, match="Use one of info, warning, critical"):
        processor.check(severity="high")
    with pytest.raises(BadPlanError, match="from 0 to 1"):
        processor.check(min_success_ratio=99)


def test_a_gate_tells_values_of_rows_only_when_asked():
    processor = ExpectationProcessor(FLIGHTS, [{**BETWEEN, "mostly": 1}])
    with pytest.raises(ExpectationsFailedError) as caught:
        processor.check()
    assert "-70" not in str(caught.value)
    assert "2000" not in str(caught.value)
    assert caught.value.failures[0].verdict.examples == (("-70", 1), ("2000", 1))
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
    with pytest.raises(ExpectationsFailedError, match="such as '-70', 1 times"):
        processor.check(show_values=1)
