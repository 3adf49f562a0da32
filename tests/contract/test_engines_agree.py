# ruff: noqa: DTZ001  (naive times are what is tested)

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings, strategies as st

from lupus_provider.engines import engine_for
from lupus_provider.engines.source import Joined
from lupus_provider.engines.spark import SparkEngine
from lupus_provider.engines.spark_session import spark_session
from lupus_provider.errors import PlanFailedError, SourceUnreadableError, TimeColumnError
from lupus_provider.metrics.base import Family, NumberMetric, Primitive
from lupus_provider.metrics.bins import NumericBins
from lupus_provider.metrics.grammar import MetricExpression, known_metrics, parse_metric
from lupus_provider.metrics.plan import Measure, Sample, make_plan
from lupus_provider.periods import Span, periods_in
from lupus_provider.processors import DistributionProcessor
from lupus_provider.processors.assemble import Stamp, points
from lupus_provider.processors.base import ALWAYS
from lupus_provider.testing.spark import connect_server

KOLKATA = ZoneInfo("Asia/Kolkata")
PERIODS = periods_in(
    Span(datetime(2024, 2, 27, 18, 30, tzinfo=UTC), datetime(2024, 3, 1, 18, 30, tzinfo=UTC)), "day", KOLKATA
)
STAMP = Stamp("project", "set", "run", datetime(2024, 3, 2, tzinfo=UTC))
TEXTS = pa.list_(pa.string())
SCHEMA = pa.schema([
    ("region", pa.string()), ("level", pa.int32()), ("moment", pa.timestamp("us", tz="UTC")), ("version", pa.string()),
    ("float", pa.float64()), ("int", pa.int64()), ("bool", pa.bool_()), ("decimal", pa.decimal128(12, 2)), ("text", pa.string()),
    ("day", pa.date32()), ("naive", pa.timestamp("us")), ("aware", pa.timestamp("us", tz="UTC")),
    ("user", pa.struct([("age", pa.int32())])), ("small", pa.float32()),
    ("list_float", pa.list_(pa.float64())), ("list_text", TEXTS), ("list_bool", pa.list_(pa.bool_())), ("list_int", pa.list_(pa.int64())),
    ("score", pa.float64()), ("label", pa.string()), ("guess", pa.string()), ("target", pa.float64()), ("shown", TEXTS), ("wanted", TEXTS),
])  # fmt: skip

NUMBERS = ["sum", "avg", "min", "max", "variance", "stddev", "nan_ratio", "zero_ratio", "negative_ratio", "unique", "mode", "entropy",
           "p0", "p5", "median", "p99.9", "p100"]  # fmt: skip
ANY = ["null_count", "null_ratio"]
WORDS = ["count", "ratio", "unique", "mode", "entropy", "approx_unique"]
TIMES = [*ANY, "min", "max", "unique", "p50", "p75", "mode"]
COLUMN_METRICS = {
    "float": [*NUMBERS, *ANY, "histogram"], "int": [*NUMBERS, *ANY, "count"], "bool": [*NUMBERS, *WORDS, *ANY],
    "decimal": [*NUMBERS, *ANY], "text": [*WORDS, *ANY], "day": TIMES, "naive": TIMES, "aware": TIMES, "user.age": [*NUMBERS, "count"],
    "small": ["sum", "max", "unique", "p5"],
    "list_float": [*NUMBERS, *(f"{n}@2" for n in NUMBERS), *ANY, "empty_ratio", "length_avg", "length_p50", "length_unique", "avg@1"],
    "list_text": [*WORDS, *(f"{n}@2" for n in WORDS), *ANY, "empty_ratio", "length_max", "length_mode", "unique@1"],
    "list_bool": ["avg", "count", "count@1", "unique@2", "p50@2"], "list_int": ["sum", "sum@2", "min@1", "p50", "count@2", "stddev"],
    "missing": ["avg", "count"], "label": ["avg"],
}  # fmt: skip
MEASURES = [
    *(
        Measure(("score", "label"), expression, positive="yes") if expression.over(is_list=False).value == "scores"
        else Measure(("guess", "label"), expression, parameters=(("max_entities", 2.0),) if expression.metric.per_entity else ())
        for expression in (parse_metric(name, Family.CLASSIFICATION) for name in known_metrics(Family.CLASSIFICATION))
    ),
    *(Measure(("float", "target"), parse_metric(name, Family.REGRESSION)) for name in known_metrics(Family.REGRESSION)),
    *(
        Measure(("shown", "wanted"), parse_metric(name.replace("@10", k), Family.RANKING), parameters=(("catalog_size", 9.0),))
        for name in known_metrics(Family.RANKING) for k in ("@2", "@10") if "@10" in name or k == "@2"
    ),
    Measure(("list_float",), parse_metric("histogram@2"), bins=NumericBins((-1.0, 0.0, 0.1, 2.5))),
    Measure(("region", "level"), parse_metric("duplicate_ratio", Family.TABLE)),
]  # fmt: skip

floats = st.one_of(
    st.none(),
    st.floats(-1e6, 1e6, allow_subnormal=False),
    st.sampled_from([0.0, -0.0, 0.1, 0.2, 1e300, math.nan, math.inf, -math.inf, 1e-12, 1e-200]),
)
texts = st.one_of(st.none(), st.sampled_from(["", "a", "b", "é", "日本", "…other", "null", 'O\'Brien "x" ${y} \\']))
items = st.one_of(st.none(), st.lists(st.one_of(st.none(), st.sampled_from("abcde")), max_size=5))
labels = st.sampled_from([None, "yes", "no", "é"])
naive = st.datetimes(datetime(1960, 1, 1), datetime(2050, 1, 1))
integers = st.one_of(st.none(), st.integers(-5, 5), st.integers(-(2**62), 2**62))
rows = st.fixed_dictionaries({
    "region": texts, "level": st.sampled_from([None, 0, 1]), "version": st.sampled_from([None, "v1", "v2"]),
    "moment": st.one_of(st.none(), st.integers(-9_000, 3 * 86_400).map(lambda s: PERIODS[0].start + timedelta(seconds=s))),
    "float": floats, "small": st.one_of(st.none(), st.floats(-100, 100, width=32)), "int": integers, "bool": st.sampled_from([None, True, False]),
    "decimal": st.one_of(st.none(), st.integers(-(10**9), 10**9).map(lambda i: Decimal(i) / 100)), "text": texts,
    "day": st.one_of(st.none(), st.dates(date(1950, 1, 1), date(2050, 1, 1))), "naive": st.one_of(st.none(), naive),
    "aware": st.one_of(st.none(), naive.map(lambda t: t.replace(tzinfo=timezone(timedelta(hours=9))))),
    "user": st.one_of(st.none(), st.fixed_dictionaries({"age": st.one_of(st.none(), st.integers(0, 99))})),
    "list_float": st.one_of(st.none(), st.lists(floats, max_size=4)), "list_text": st.one_of(st.none(), st.lists(texts, max_size=4)),
    "list_bool": st.one_of(st.none(), st.lists(st.sampled_from([None, True, False]), max_size=3)),
    "list_int": st.one_of(st.none(), st.lists(integers, max_size=3)),
    "score": st.one_of(st.none(), st.floats(0, 1), st.sampled_from([0.0, 0.5, 1.0, math.nan])), "label": labels, "guess": labels,
    "target": floats, "shown": items, "wanted": items,
})  # fmt: skip
frames = st.lists(rows, min_size=2, max_size=25).map(lambda found: pa.Table.from_pylist(found, schema=SCHEMA))
NOTHING = SCHEMA.empty_table()
ONE = pa.table({field.name: pa.nulls(1, field.type) for field in SCHEMA}, schema=SCHEMA)
few = settings(
    max_examples=2, deadline=None, phases=[Phase.explicit, Phase.generate], derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)  # fmt: skip
BY_TIME = {"periods": tuple(PERIODS), "time_column": "moment", "zone": "Asia/Kolkata"}
QUICK = {
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.ui.enabled": "false",
}
ODD = {
    "spark.sql.ansi.enabled": "false",
    "spark.sql.session.timeZone": "America/New_York",
    "spark.sql.caseSensitive": "true",
}


@pytest.fixture(scope="module", params=["in this process", "Spark Connect"])
def session(request):
    """Sessions whose settings differ in all that could change what SQL means."""
    if request.param == "Spark Connect":
        with connect_server({**QUICK, **ODD}) as address:
            remote = spark_session(remote=address)
            remote.conf.set("spark.sql.timestampType", "TIMESTAMP_NTZ")
            yield remote
            remote.stop()
    else:
        local = spark_session("local[2]", conf=QUICK)
        # Of the session, not of the process: pyspark keeps what a builder was told for the sessions after it.
        local.conf.set("spark.sql.timestampType", "TIMESTAMP_NTZ")
        yield local
        local.stop()


def drawn(n_rows: int) -> pa.Table:
    """A table of usual values, the same in every run."""
    random = np.random.default_rng(5)

    def some(values: list) -> list:
        return [values[i] for i in random.integers(0, len(values), n_rows)]

    lists = [[], None, ["a", "b", "a"], ["b", None, "é"], ["c"]]
    columns = {
        "region": some(["a", "b", "c", "é", None]), "level": some([0, 1, None]), "version": some(["v1", "v2"]),
        "moment": some([None, *(PERIODS[0].start + timedelta(hours=h) for h in range(0, 90, 7))]),
        "float": some([0.1, -0.2, 3.5, None, 1e-3, math.nan]), "int": some([1, 2, None, 40]), "bool": some([True, False, None]),
        "text": some(["x", "y", "z", "日本", None]), "list_text": some(lists), "list_float": some([[0.1, None, 2.0], [], None, [math.nan, 7.0]]),
        "label": some(["yes", "no", None]), "guess": some(["yes", "no"]), "shown": some(lists), "wanted": some(lists),
    }  # fmt: skip
    return pa.table(
        {f.name: pa.array(columns[f.name], f.type) if f.name in columns else pa.nulls(n_rows, f.type) for f in SCHEMA},
        SCHEMA,
    )


def measured(data, measures=MEASURES, **options) -> pa.Table:
    options = {"column_metrics": COLUMN_METRICS, **options}
    plan = make_plan(measures=measures, **options)
    return points(plan, engine_for(data).answers(plan), STAMP, plan.periods or (ALWAYS,))


def differences(here: pa.Table, there: pa.Table) -> list:
    """Points that are not the same in both, by name; zeros and bits count."""

    def named(table: pa.Table) -> dict:
        return {
            (p["column_name"], p["metric"], p["entity"], str(p["group_key"]), p["period_start"], p["model_version"]):
            (None if p["value"] is None else p["value"].hex(), p["n_rows"], p["error"], p["series_id"]) for p in table.to_pylist()
        }  # fmt: skip

    left, right = named(here), named(there)
    assert len(left) == here.num_rows, "two points have one name"
    return [(key, left.get(key), right.get(key)) for key in {**left, **right} if left.get(key) != right.get(key)]


def agree(session, table: pa.Table, **options) -> pa.Table:
    # Spark Connect makes no frame of no rows.
    frame = session.createDataFrame(table) if table.num_rows else session.createDataFrame(ONE).filter("1 = 0")
    local, remote = measured(table, **options), measured(frame, **options)
    assert differences(local, remote)[:5] == []
    return remote


def test_the_five_rows_of_the_talk_have_the_answer_written_by_hand(session):
    rows = [
        ("JP", 23, "iOS", [5.0, 4.0], ["a", "b", "c"]),
        ("JP", 30, "Android", [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], ["a", "d", "e", "f", "g", "h"]),
        ("JP", None, "iOS", [], None),
        ("TW", 41, None, None, []),
        (None, 18, "iOS", [3.0, None], ["b", None, "b"]),
    ]
    frame = session.createDataFrame(
        rows, "region string, age int, device string, ratings array<double>, interests array<string>"
    )
    metrics = DistributionProcessor(
        frame,
        group_columns=["region"],
        column_metrics={
            "age": ["avg", "p25", "p50", "p75"],
            "device": ["count", "unique"],
            "ratings": ["avg", "avg@5", "min", "max"],
            "interests": ["count", "unique", "unique@5"],
        },
    ).get_metrics()
    found = {}
    for point in metrics.to_arrow().to_pylist():
        group = f"[{dict(point['group_key']).get('region')}]" if point["group_key"] else "[]"
        name = " ".join(filter(None, [point["column_name"], point["metric"], point["entity"], group]))
        found[name] = [point["value"], point["n_rows"]]
    assert found == json.loads((Path(__file__).parents[1] / "golden" / "distribution_five_rows.json").read_text())


@few
@given(table=frames)
@example(table=NOTHING)
@example(table=ONE)
def test_the_whole_metric_matrix_is_the_same_bit_for_bit(session, table):
    found = agree(session, table, group_sets=[[], ["region"]], max_entities=3, table_metrics=["row_count"])
    errors = {p["column_name"] for p in found.to_pylist() if p["error"] and "infinite" not in p["error"]}
    assert errors == {"missing", "label"}


def test_periods_slices_small_groups_a_sample_and_versions_are_the_same(session, caplog):
    table = drawn(40)
    few_metrics = {
        "float": ["sum", "p25", "unique"],
        "text": ["count", "unique"],
        "list_text": ["count@2", "unique"],
        "list_float": ["avg@1"],
    }
    found = agree(
        session, table, column_metrics=few_metrics, measures=MEASURES[:1], group_sets=[["region"], ["region", "level"]], **BY_TIME,
        slices=(("low", "level = 0"), ("named", "text IS NOT NULL")),
        where="level IS NULL OR level >= 0", sample=Sample(0.9, "region"), min_group_rows=3, model_version_column="version", max_entities=2,
    )  # fmt: skip
    keys = {k for p in found.to_pylist() for k in p["group_key"]}
    assert {("slice", "low"), ("slice", "named"), ("region", "…small")} <= keys
    assert {p["sample_ratio"] for p in found.to_pylist()} == {0.9}
    assert {p["model_version"] for p in found.to_pylist()} >= {None, "v1"}
    assert caplog.text.count("rows have no value in time_column 'moment'") == 2


class Skew(NumberMetric):
    """Needs counted values and a sum at once."""

    name = "skew"
    stands_on = Primitive("values")
    state = {"half": Primitive("quantile", 0.5), "total": Primitive("sum"), "count": Primitive("count"), "distinct": Primitive("distinct")}  # fmt: skip

    def finish(self, **state):
        return (state["total"] / state["count"] - state["half"]) / state["distinct"]


class NullItems(NumberMetric):
    """Counts nulls among the first k items."""

    name = "null_items"
    stands_on = Primitive("rows")
    state = {"nulls": Primitive("nulls")}

    def finish(self, **state):
        return state["nulls"]


def test_metrics_of_one_s_own_may_mix_primitives(session):
    measures = [Measure((c,), MetricExpression("skew", Skew())) for c in ("float", "list_float", "int")]
    measures += [Measure(("list_text",), MetricExpression(f"null_items@{k}", NullItems(), k)) for k in (1, 2)]
    others = {"list_text": ["approx_unique@1"], "float": ["sum", "p50"], "list_float": ["sum", "avg@1", "max@2"]}
    found = agree(session, drawn(30), measures=measures, column_metrics=others, group_columns=["region"])
    values = [p["value"] for p in found.to_pylist() if p["metric"] in ("skew", "null_items@2")]
    assert any(values)


def test_labels_that_came_late_are_joined_alike(session):
    at = PERIODS[0].start
    predictions = pa.table(
        {"id": [1, 2, 3, None], "made": pa.array([at] * 4, pa.timestamp("us", tz="UTC")), "guess": ["a", "b", "a", "c"]}
    )
    labels = pa.table({
        "id": [1, 1, 2, 9, None], "came": pa.array([at + timedelta(days=d) for d in (1, 3, 20, 1, 1)], pa.timestamp("us", tz="UTC")),
        "label": ["x", "a", "b", "a", "c"],
    })  # fmt: skip
    measures = [
        Measure(("guess", "label"), parse_metric(name, Family.CLASSIFICATION))
        for name in ("confusion", "label_coverage", "accuracy")
    ]
    for join in (
        {},
        {"within": timedelta(days=14), "time_column": "made", "label_time_column": "came"},
        {"label_time_column": "came"},
    ):
        local = Joined(predictions, labels, "id", **join)
        remote = Joined(session.createDataFrame(predictions), session.createDataFrame(labels), "id", **join)
        options = {"measures": measures, "column_metrics": {"label": ["count"]}}
        assert differences(measured(local, **options), measured(remote, **options)) == []


def test_what_fails_is_a_point_with_an_error_and_the_rest_stands(session, tmp_path):
    from pyspark.sql.types import StringType

    pq.write_table(drawn(6), tmp_path / "a.parquet")
    session.udf.register("unlucky", lambda value: 1 / 0, StringType())
    frame = session.read.parquet(str(tmp_path / "a.parquet")).selectExpr(
        "*", "unlucky(text) AS thrown", "array(unlucky(text)) AS thrown_list", "CAST(label AS INT) AS cast", "level + 2147483647 AS sum",
    )  # fmt: skip
    metrics = {"thrown": ["unique", "count"], "thrown_list": ["count", "empty_ratio"], "cast": ["avg"], "sum": ["avg", "p50"],
               "missing": ["avg"], "text": ["count", "avg"], "int": ["avg", "p50"], "list_text": ["unique"]}  # fmt: skip
    found = measured(frame, measures=(), column_metrics=metrics).to_pylist()
    errors = {(p["column_name"], p["metric"]): p["error"] for p in found if p["error"]}
    strict = (
        {("cast", "avg"), ("sum", "avg"), ("sum", "p50")}
        if session.conf.get("spark.sql.ansi.enabled") == "true"
        else set()
    )
    always = {("thrown", "unique"), ("thrown", "count"), ("thrown_list", "count"), ("missing", "avg"), ("text", "avg")}
    assert errors.keys() - {("thrown_list", "empty_ratio")} == always | strict
    assert "division by zero" in errors["thrown", "unique"]
    assert all("\n" not in text for text in errors.values())
    assert {("", "row_count"), ("text", "count"), ("int", "p50"), ("list_text", "unique")} <= {
        (p["column_name"], p["metric"]) for p in found
    }
    assert session.catalog.listTables() == []


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"where": "nothing > 1"}, PlanFailedError, "nothing"),
        ({"slices": (("a", "nothing > 1"),)}, PlanFailedError, "nothing"),
        ({"group_columns": ["nothing"]}, PlanFailedError, "nothing"),
        ({"where": "raise_error('odd') IS NULL"}, PlanFailedError, "odd"),
        ({**BY_TIME, "time_column": "text"}, TimeColumnError, "which is no time"),
        ({**BY_TIME, "time_column": "bool"}, TimeColumnError, "is BOOLEAN"),
    ],
)
def test_a_plan_that_cannot_be_computed_says_why_in_one_line(session, options, error, message):
    with pytest.raises(error, match=message) as caught:
        measured(session.createDataFrame(drawn(6)), measures=(), column_metrics={}, **options)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_gone_is_the_source_s_fault(session, tmp_path):
    with pytest.raises(SourceUnreadableError):
        list(SparkEngine(str(tmp_path / "gone.parquet"), session).answers(make_plan({})))


def test_a_file_has_the_same_points_in_both_engines(session, tmp_path):
    pq.write_table(drawn(8).drop_columns(["naive"]), tmp_path / "a.parquet")
    path, plan = (
        str(tmp_path / "a.parquet"),
        make_plan({"float": ["p50", "sum"], "text": ["count"], "list_float": ["max@2"]}, group_columns=["region"]),
    )
    local = points(plan, engine_for(path).answers(plan), STAMP, (ALWAYS,))
    assert differences(local, points(plan, SparkEngine(path, session).answers(plan), STAMP, (ALWAYS,))) == []
    assert SparkEngine(path, session).schema() == engine_for(path).schema()


@pytest.mark.parametrize("options", [{}, {"min_group_rows": 2}, {"group_sets": [[], ["x"], ["x", "y"]]}], ids=str)
def test_groups_of_floats_have_one_spelling(session, options):
    odd = [math.nan, math.inf, -math.inf, None, 2.0**70, 1.17549435e-38]
    numbers = [*[0.0, -0.0, 0.1, 1e7, 1e-5, 1e16, 123456789.0, 2.0e-3, *odd] * 2, 3.5, 4.5]
    table = pa.table({"x": numbers, "y": pa.array(numbers, pa.float32()), "v": range(len(numbers))})
    options = {"group_columns": ["x", "y"], **options} if "group_sets" not in options else options
    plan = make_plan({"v": ["sum", "count"]}, **options)
    local = points(plan, engine_for(table).answers(plan), STAMP, (ALWAYS,))
    frame = session.createDataFrame(table)
    assert differences(local, points(plan, SparkEngine(frame).answers(plan), STAMP, (ALWAYS,))) == []
    groups = {dict(key).get("x") for key in local["group_key"].to_pylist()}
    assert {"0.0", "0.1", "10000000.0", "1e-05", "1e+16", "nan", "inf", None} <= groups
    assert "-0.0" not in groups


def test_a_sample_without_a_column_is_the_same_rows_in_every_engine_run_and_order(session):
    table = drawn(200)
    plan = make_plan(
        {"int": ["sum", "count"], "text": ["count"], "float": ["p50"]}, sample=Sample(0.4), group_columns=["level"]
    )
    backwards = table.take([*range(table.num_rows)][::-1])
    found = [points(plan, engine_for(data).answers(plan), STAMP, (ALWAYS,)) for data in (table, backwards)]
    remote = points(plan, SparkEngine(session.createDataFrame(table).repartition(3)).answers(plan), STAMP, (ALWAYS,))
    assert differences(found[0], found[1]) == []
    assert differences(found[0], remote) == []
    n = next(p["value"] for p in found[0].to_pylist() if p["metric"] == "row_count" and not p["group_key"])
    assert 50 < n < 110
