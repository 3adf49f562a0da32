from __future__ import annotations

import logging
import subprocess
import sys
import warnings
from datetime import UTC, date, datetime, timedelta

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings, strategies as st

from lupus_provider.errors import BadPlanError, PlanFailedError, TimeColumnError, UnknownDataError
from lupus_provider.periods import Period
from lupus_provider.processors.expectation import ExpectationProcessor
from lupus_provider.records import POINTS

NOW = datetime(2024, 1, 9, tzinfo=UTC)
JAN = datetime(2024, 1, 1, tzinfo=UTC)
DAYS = [Period(JAN + timedelta(days=i), JAN + timedelta(days=i + 1)) for i in range(3)]
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
BETWEEN_NAME = "expect_column_values_to_be_between(max_value=1440, min_value=-60, mostly=0.6)"
MEAN_NAME = "expect_column_mean_to_be_between(max_value=60, min_value=0)"
ROWS_NAME = "expect_table_row_count_to_be_between(min_value=1)"
FLIGHTS = pa.table({
    "origin": ["EWR", "EWR", "EWR", "JFK", "JFK", None],
    "dep_delay": pa.array([10, -70, None, 30, 2000, 5], pa.int64()),
    "day": pa.array([date(2024, 1, 1), date(2024, 1, 1), date(2024, 1, 2), date(2024, 1, 1), date(2024, 1, 2), date(2024, 1, 2)]),
    "at": pa.array([JAN, JAN + timedelta(hours=23), JAN + timedelta(hours=24), JAN, JAN + timedelta(hours=40), JAN + timedelta(hours=47)],
                   pa.timestamp("us", tz="UTC")),
    "text": ["2024-01-01", "2024-01-02T01:00:00+02:00", "2024-01-02 00:00", "2024-01-01T12:30:00", "2024-01-02 16:00:00Z", "2024-01-02"],
    "unused": [{"x": 1}] * 6,
})  # fmt: skip


@pytest.fixture(scope="module")
def spark():
    from pyspark.sql import SparkSession

    session = (
        SparkSession.builder.master("local[1]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "1")
        .config("spark.sql.session.timeZone", "America/New_York")  # periods must not depend on it
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("OFF")
    yield session
    session.stop()


SOURCES = ["pandas", "arrow", "polars", "relation", "parquet", "csv", "spark"]


@pytest.fixture(params=SOURCES)
def flights(request, tmp_path):
    """The five rows in every form that a processor takes."""
    flat = FLIGHTS.drop_columns(["unused"])
    if request.param == "pandas":
        return flat.to_pandas()
    if request.param == "polars":
        return pl.from_arrow(FLIGHTS)
    if request.param == "relation":
        return duckdb.connect().from_arrow(FLIGHTS)
    if request.param == "parquet":
        pq.write_table(FLIGHTS, tmp_path / "flights.parquet")
        return str(tmp_path / "flights.parquet")
    if request.param == "csv":
        flat.to_pandas().to_csv(tmp_path / "flights.csv", index=False)
        return tmp_path / "flights.csv"
    if request.param == "spark":
        pq.write_table(FLIGHTS, tmp_path / "flights.parquet")
        return request.getfixturevalue("spark").read.parquet(str(tmp_path / "flights.parquet"))
    return FLIGHTS


def measure(data=FLIGHTS, suite=SUITE, **options):
    return ExpectationProcessor(data, suite, **options).get_metrics(collected_at=NOW)


def told(metrics):
    """(group, entity or "", metric) → value, n_rows."""
    return {
        (*(v for _, v in row["group_key"]), row["entity"] or "", row["metric"]): (row["value"], row["n_rows"])
        for row in metrics.to_arrow().to_pylist()
    }


def test_every_kind_of_table_gives_the_same_points_by_hand(flights):
    metrics = measure(flights)
    assert told(metrics) == {
        ("", "success_ratio"): (0.5, 6),
        (BETWEEN_NAME, "success_ratio"): (1.0, 6), (BETWEEN_NAME, "unexpected_ratio"): (2 / 5, 6),
        ("origin is known", "success_ratio"): (0.0, 6), ("origin is known", "unexpected_ratio"): (1 / 6, 6),
        (MEAN_NAME, "success_ratio"): (0.0, 6), (MEAN_NAME, "observed_value"): (395.0, 6),
        (ROWS_NAME, "success_ratio"): (1.0, 6), (ROWS_NAME, "observed_value"): (6.0, 6),
    }  # fmt: skip
    assert len(metrics.errors) == 0
    rows = {row["entity"]: row["column_name"] for row in metrics.to_arrow().to_pylist()}
    assert rows == {
        None: "",
        BETWEEN_NAME: "dep_delay",
        "origin is known": "origin",
        MEAN_NAME: "dep_delay",
        ROWS_NAME: "",
    }


@pytest.mark.parametrize("time_column", ["day", "at", "text"])
def test_every_group_and_period_is_validated_on_its_own(flights, time_column):
    metrics = measure(
        flights,
        [BETWEEN],
        group_sets=[[], ["origin"]],
        periods=DAYS,
        time_column=time_column,
        where="dep_delay IS NULL OR dep_delay <> 5",
    )
    rows = metrics.to_arrow().to_pylist()
    ratios = {
        (row["period_start"].day, *(v for _, v in row["group_key"])): (row["value"], row["n_rows"])
        for row in rows if row["metric"] == "unexpected_ratio"
    }  # fmt: skip
    assert ratios == {
        (1,): (1 / 3, 3), (1, "EWR"): (1 / 2, 2), (1, "JFK"): (0.0, 1),
        (2,): (1.0, 2), (2, "EWR"): (None, 1), (2, "JFK"): (1.0, 1),
        (3,): (None, 0),
    }  # fmt: skip
    assert len(metrics.errors) == 0


def test_a_group_of_null_is_a_group_and_text_needs_no_escape(flights):
    metrics = told(measure(flights, [BETWEEN], group_columns=["origin"]))
    assert {key[0]: value for key, value in metrics.items() if key[2] == "unexpected_ratio"} == {
        "EWR": (1 / 2, 3), "JFK": (1 / 2, 2), None: (0.0, 1),
    }  # fmt: skip


def test_strange_group_names_find_their_rows(spark):
    names = ["it's", 'say "hi"', "back\\slash", "", "naïve", "`", "%"]
    frame = spark.createDataFrame([(name, i) for i, name in enumerate(names)], "`a b` string, `x``y` int")
    suite = [{"expect": "expect_column_max_to_be_between", "column": "x`y", "min_value": 0}]
    for data in (frame, pa.table({"a b": names, "x`y": list(range(7))})):
        found = told(measure(data, suite, group_columns=["a b"]))
        counts = {key[0]: value[1] for key, value in found.items() if key[1] == ""}
        assert counts == dict.fromkeys(names, 1)


def test_points_have_the_schema_of_points_and_are_sorted_and_one_a_series_and_period():
    table = measure(group_sets=[[], ["origin"]], periods=DAYS, time_column="at").to_arrow()
    assert table.schema == POINTS.schema
    keys = list(zip(table["period_start"].to_pylist(), table["series_id"].to_pylist()))
    assert keys == sorted(set(keys))
    assert POINTS.digest(POINTS.sort(table))


def test_a_period_without_any_group_is_told_as_the_whole():
    rows = measure(group_columns=["origin"], periods=DAYS, time_column="at").to_arrow().to_pylist()
    last = [row for row in rows if row["period_start"] == DAYS[2].start]
    assert {(row["entity"], tuple(row["group_key"]), row["n_rows"]) for row in last if row["metric"] == "success_ratio"} == {
        (entity, (), 0) for entity in (None, BETWEEN_NAME, "origin is known", MEAN_NAME, ROWS_NAME)
    }  # fmt: skip


def test_an_empty_table_gives_points_and_fails_the_row_count():
    found = told(measure(FLIGHTS.slice(0, 0)))
    assert found[ROWS_NAME, "success_ratio"] == (0.0, 0)
    assert found[BETWEEN_NAME, "unexpected_ratio"] == (None, 0)
    assert found[MEAN_NAME, "observed_value"] == (None, 0)
    assert told(measure(FLIGHTS, []))[("", "success_ratio")] == (None, 6)


BROKEN = [
    BETWEEN,
    {"expect": "expect_column_values_to_match_regex", "column": "origin", "regex": "["},
    {"expect": "expect_column_max_to_be_between", "column": "dep_dealy", "min_value": 1},
]


@pytest.mark.parametrize("form", ["arrow", "pandas", "spark"])
def test_an_expectation_that_raises_is_points_with_error_and_the_others_still_come(form, request):
    data = FLIGHTS.drop_columns(["unused"]).to_pandas()[["origin", "dep_delay"]]
    if form == "spark":
        data = request.getfixturevalue("spark").createDataFrame(
            [("EWR", 10), ("JFK", -70)], "origin string, dep_delay int"
        )
    metrics = measure(FLIGHTS if form == "arrow" else data, BROKEN)
    errors = {(row["column_name"], row["metric"]): row["error"] for row in metrics.errors.to_pylist()}
    assert set(errors) == {
        ("origin", "success_ratio"), ("origin", "unexpected_ratio"), ("dep_dealy", "success_ratio"), ("dep_dealy", "observed_value"),
    }  # fmt: skip
    assert all(len(text) < 400 and "\n" not in text for text in errors.values())
    assert told(metrics)[BETWEEN_NAME, "success_ratio"][0] in (0.0, 1.0)
    assert told(metrics)["", "success_ratio"][0] == (1 / 3 if form != "spark" else 0.0)


def test_a_missing_column_is_told_with_the_nearest():
    (error, *_) = measure(FLIGHTS.drop_columns(["unused"]).to_pandas(), BROKEN[2:]).errors["error"].to_pylist()
    assert "dep_dealy" in error
    assert "Did you mean 'dep_delay'?" in error


def test_integers_beside_missing_values_stay_integers():
    table = pa.table({"n": pa.array([1, None, 30], pa.int32()), "s": ["1", None, "30"]})
    suite = [{"expect": "expect_column_values_to_match_regex", "column": c, "regex": "^[0-9]+$"} for c in ("n", "s")]
    assert measure(table, suite).to_arrow()["value"].to_pylist().count(0.0) == 2  # both unexpected ratios
    assert told(measure(table, suite))["", "success_ratio"] == (1.0, 3)


def test_nothing_is_written_or_logged_of_rows(tmp_path, monkeypatch, caplog):
    monkeypatch.chdir(tmp_path)
    with caplog.at_level(logging.DEBUG, logger="lupus_provider"):
        measure()
    assert list(tmp_path.iterdir()) == []
    assert "2000" not in caplog.text


def test_a_model_version_stands_in_the_points_of_its_rows():
    table = pa.table({"v": ["1", "1", "2"], "x": [1, 2, -1]})
    suite = [{"expect": "expect_column_values_to_be_between", "column": "x", "min_value": 0}]
    rows = measure(table, suite, model_version_column="v").to_arrow().to_pylist()
    assert {(tuple(r["group_key"]), r["model_version"], r["value"]) for r in rows if r["metric"] == "unexpected_ratio"} == {
        ((), None, 1 / 3), ((("v", "1"),), "1", 0.0), ((("v", "2"),), "2", 1.0),
    }  # fmt: skip


def test_what_cannot_be_read_is_an_error_of_the_whole(spark):
    with pytest.raises(UnknownDataError):
        measure(42)
    frame = spark.createDataFrame([("soon", 1)], "t string, dep_delay int")
    for data in (frame, pa.table({"t": ["soon"], "dep_delay": [1]})):
        with pytest.raises(PlanFailedError):
            measure(data, [BETWEEN], where="nonsense >")
        with pytest.raises(PlanFailedError, match="orgin"):
            measure(data, [BETWEEN], group_columns=["orgin"])
        with pytest.raises(TimeColumnError):
            measure(data, [BETWEEN], periods=DAYS, time_column="t")
        with pytest.raises(TimeColumnError):
            measure(data, [BETWEEN], periods=DAYS)
        with pytest.raises(TimeColumnError):
            measure(data, [BETWEEN], periods=DAYS, time_column="tt")


def test_too_many_batches_are_refused_before_any_is_validated(spark):
    table = pa.table({"g": [str(i) for i in range(30)], "dep_delay": [1] * 30})
    for data in (table, table.to_pandas(), spark.createDataFrame(table.to_pandas())):
        with pytest.raises(BadPlanError, match="more than 20 batches"):
            measure(data, [BETWEEN], group_columns=["g"], max_batches=20)


def test_spark_rows_are_kept_once_and_let_go(spark):
    frame = spark.createDataFrame([("EWR", 10), ("JFK", -70)], "origin string, dep_delay int")
    measure(frame, SUITE, group_columns=["origin"])
    assert spark.sparkContext._jsc.sc().getPersistentRDDs().size() == 0


def test_a_local_timestamp_is_of_its_zone_on_both_engines(spark):
    frame = spark.sql(
        "SELECT TIMESTAMP_NTZ'2024-01-02 08:59:59' AS at, 1 AS dep_delay UNION ALL SELECT TIMESTAMP_NTZ'2024-01-02 09:00:00', 2"
    )
    arrow = pa.table({"at": pa.array([datetime(2024, 1, 2, 8, 59, 59), datetime(2024, 1, 2, 9)]), "dep_delay": [1, 2]})  # noqa: DTZ001
    for data in (frame, arrow):
        rows = (
            measure(data, [BETWEEN], periods=DAYS[:2], time_column="at", time_zone="Asia/Tokyo").to_arrow().to_pylist()
        )
        assert [row["n_rows"] for row in rows if row["metric"] == "unexpected_ratio"] == [1, 1]


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["a", "b", None]), st.none() | st.integers(-100, 100)), max_size=40))
def test_groups_are_those_of_pandas_and_ratios_are_exact(rows):
    frame = pd.DataFrame(rows, columns=["g", "x"]).astype({"g": object, "x": "float64"})
    suite = [{"expect": "expect_column_values_to_be_between", "column": "x", "min_value": 0}]
    found = told(measure(frame, suite, group_sets=[[], ["g"]]))
    for key in {g for g, _ in rows}:
        values = np.array([x for g, x in rows if g == key and x is not None])
        value, n_rows = next(v for k, v in found.items() if len(k) == 3 and k[0] == key and k[2] == "unexpected_ratio")
        assert n_rows == sum(g == key for g, _ in rows)
        assert value == ((values < 0).sum() / len(values) if len(values) else None)


def test_great_expectations_is_imported_when_it_is_used_and_not_before():
    code = "import sys, lupus_provider.processors.expectation; assert not {'great_expectations', 'pandas', 'pyspark'} & set(sys.modules)"
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)


def test_no_warning_of_the_library_reaches_the_user():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        measure()
    assert [str(w.message) for w in caught] == []


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ({"slices": {"a": "x > 1"}}, "row_condition"), ({"sample": 0.1}, "Choose rows with 'where'"),
        ({"min_group_rows": 5}, "group by less"), ({"slces": 1}, "Leave it out"),
    ],
    ids=str,
)  # fmt: skip
def test_what_expectations_do_not_know_is_refused_with_what_to_do(argument, said):
    with pytest.raises(BadPlanError, match=said):
        ExpectationProcessor(pa.table({"x": [1]}), [{"expect": "expect_column_to_exist", "column": "x"}], **argument)
