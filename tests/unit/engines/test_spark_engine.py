from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings, strategies as st

from lupus_provider.engines import engine_for
from lupus_provider.engines.base import ROWS
from lupus_provider.engines.source import Joined, TableSource
from lupus_provider.engines.spark_counts import CountsQuery, Task
from lupus_provider.engines.spark_reading import DIALECT, rows_error
from lupus_provider.engines.spark_run import SparkRelation, interpolated
from lupus_provider.engines.sql.grouping import Grouping
from lupus_provider.engines.sql.run import with_wholes
from lupus_provider.errors import BadPlanError, PlanFailedError, SourceUnreadableError, UnknownDataError
from lupus_provider.metrics.base import Kind, Shape
from lupus_provider.metrics.plan import ColumnType, make_plan, primitives, resolve

TYPES = {"age": ColumnType(Kind.NUMBER, False, "INTEGER", "integer"), "tags": ColumnType(Kind.TEXT, True, "VARCHAR[]")}
finite = st.floats(-1e9, 1e9, allow_subnormal=False)


def relation(plan):
    grouping = Grouping(plan, plan.group_sets, folded=False, sliced=False)
    return SparkRelation(DIALECT, grouping, {"age": "v0", "tags": "v1"}, TYPES, "base")


def query_of(plan) -> CountsQuery:
    work = resolve(plan, TYPES)
    tasks = [Task(s, Shape.NUMBERS, tuple(m), tuple(primitives(m))) for s, m in work.numbers.items() if m and s.columns]
    tasks += [Task(subject, shape, tuple(m)) for (subject, shape), m in work.tables.items()]
    return CountsQuery(relation(plan), DIALECT, tasks, 1000)


@settings(max_examples=200, deadline=None)
@given(
    values=st.lists(finite, min_size=1, max_size=9),
    fraction=st.sampled_from([0.0, 0.05, 0.25, 0.3, 0.5, 0.9, 0.999, 1.0]),
)
def test_a_percentile_has_the_bits_of_duckdb(values, fraction):
    expected = duckdb.sql(
        f"SELECT quantile_cont(x, [{fraction!r}])[1] FROM (SELECT unnest(?::DOUBLE[]) AS x)", params=[values]
    ).fetchall()[0][0]
    ordered, place = sorted(values), (len(values) - 1) * fraction
    low, high = ordered[int(np.floor(place))], ordered[int(np.ceil(place))]
    found = interpolated(np.array([low]), np.array([high]), np.array([len(values)]), fraction)
    assert (found[0] + 0.0).hex() == (expected + 0.0).hex()


def test_percentiles_between_infinities_follow_ieee_754():
    low, high = np.array([-np.inf, 1.0, -np.inf, np.inf]), np.array([np.inf, np.inf, 3.0, np.inf])
    assert str(interpolated(low, high, np.array([2, 2, 2, 2]), 0.5).tolist()) == "[nan, inf, -inf, inf]"


def test_a_column_is_read_once_for_all_that_its_values_are_counted_for():
    plan = make_plan(
        {"age": ["p25", "p50", "unique", "mode"], "tags": ["count", "unique", "unique@5", "entropy@2", "count@5"]}
    )
    sql = query_of(plan).sql
    assert sql.count("FROM base") == 2
    assert sql.count("posexplode(v1)") == 1
    assert "percentile" not in sql
    assert "DISTINCT" not in sql


def test_lists_are_cut_before_they_are_taken_apart_where_nobody_asks_for_the_rest():
    sql = query_of(make_plan({"tags": ["unique@2", "count@5"]})).sql
    assert "posexplode(slice(v1, 1, 5))" in sql
    assert "explode(slice(v1, 1, 5)) exploded AS item" in query_of(make_plan({"tags": ["count@5"]})).sql


def test_keys_of_a_kind_that_no_column_has_are_left_out():
    assert query_of(make_plan({"age": ["p50"]})).keys == ["long_key"]
    assert query_of(make_plan({"age": ["p50"], "tags": ["unique"]})).keys == ["long_key", "text_key"]


def test_what_leaves_spark_has_no_column_that_nobody_asks_for():
    assert " AS doubles" not in query_of(make_plan({"tags": ["count"]})).sql
    assert " AS entity" not in query_of(make_plan({"age": ["p50"], "tags": ["entropy"]})).sql
    assert " AS size" not in query_of(make_plan({"age": ["p50"], "tags": ["count"]})).sql


def test_rows_of_the_whole_are_the_sum_of_one_group_set():
    plan = make_plan({}, group_sets=[["a"], ["b"]])
    table = pa.table({
        "period": pa.array([0, 0, 1, 0], pa.int32()), "group_set": pa.array([0, 0, 0, 1], pa.int32()),
        "g0": ["x", None, "x", None], "g1": [None, None, None, "y"], ROWS: [2, 3, 4, 5], f"s0_{ROWS}": [2, 3, 4, 5], "s1_sum": [1.0, 2.0, 3.0, 4.0],
    })  # fmt: skip
    wholes = [row for row in with_wholes(table, plan).to_pylist() if row["group_set"] == -1]
    assert sorted((w["period"], w[ROWS], w[f"s0_{ROWS}"], w["g0"], w["g1"], w["s1_sum"]) for w in wholes) == [
        (0, 5, 5, None, None, None), (1, 4, 4, None, None, None),
    ]  # fmt: skip


def test_one_group_set_is_grouped_without_copying_rows():
    plan = make_plan({"age": ["avg"]}, group_columns=["region"])
    assert "GROUPING SETS" not in relation(plan).grouping.group_by()
    assert "GROUPING(" not in relation(plan).grouping.selected()


@pytest.mark.parametrize(
    "text", ["it's", 'a "b"', "${spark.app.name}", "back\\slash", "line\nbreak", "日本", "", "…other"]
)
def test_a_text_is_quoted_so_that_no_setting_changes_it(text):
    literal = DIALECT.literal(text)
    assert not {"\\", "$", '"'} & set(literal)
    assert literal in (f"'{text}'", f"CAST(X'{text.encode().hex()}' AS STRING)")


def test_infinity_has_no_literal():
    assert (DIALECT.number(-1e-05), DIALECT.number(0.1)) == ("(-1e-05D)", "0.1D")
    with pytest.raises(ValueError, match="inf"):
        DIALECT.number(float("inf"))


def test_rows_that_cannot_be_counted_are_the_fault_of_a_condition_or_of_the_source():
    assert isinstance(rows_error("bad", make_plan({}, where="1 / 0"), "t"), PlanFailedError)
    assert isinstance(rows_error("bad", make_plan({}), "t"), SourceUnreadableError)


def fake_frame(module: str):
    return type("DataFrame", (), {"__module__": module, "__arrow_c_stream__": lambda self, schema=None: 1 / 0})()


@pytest.mark.parametrize(
    "module", ["pyspark.sql.dataframe", "pyspark.sql.classic.dataframe", "pyspark.sql.connect.dataframe"]
)
def test_frames_of_both_sparks_are_measured_by_spark(module):
    frame = fake_frame(module)
    assert type(engine_for(frame)).__name__ == "SparkEngine"
    assert type(engine_for(Joined(frame, frame, "id"))).__name__ == "SparkEngine"
    with pytest.raises(UnknownDataError):
        engine_for(frame, "duckdb")


@pytest.mark.parametrize("data", ["a.parquet", TableSource(path="a.csv"), Joined("a.parquet", "b.parquet", "id")])
def test_a_path_goes_to_the_engine_that_is_named(data):
    assert type(engine_for(data)).__name__ == type(engine_for(data, "duckdb")).__name__ == "DuckDBEngine"
    assert type(engine_for(data, "spark")).__name__ == "SparkEngine"


def test_what_spark_cannot_read_is_refused_by_name():
    with pytest.raises(UnknownDataError):
        engine_for(pa.table({}), "spark")
    with pytest.raises(BadPlanError, match="'polars'"):
        engine_for("a.parquet", "polars")
