# ruff: noqa: DTZ001  (naive times are what is tested)

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings, strategies as st

from lupus_provider.metrics import METRICS, Kind, parse_metric
from lupus_provider.periods import Span, periods_in
from lupus_provider.processors import DistributionProcessor

KOLKATA = ZoneInfo("Asia/Kolkata")
PERIODS = periods_in(
    Span(datetime(2024, 2, 27, 18, 30, tzinfo=UTC), datetime(2024, 3, 1, 18, 30, tzinfo=UTC)), "day", KOLKATA
)
GROUP_SETS = [[], ["region"], ["region", "level"], ["level"]]
SCHEMA = pa.schema([
    ("region", pa.string()), ("level", pa.int32()), ("moment", pa.timestamp("us", tz="UTC")),
    ("float", pa.float64()), ("int", pa.int64()), ("bool", pa.bool_()), ("decimal", pa.decimal128(12, 2)), ("text", pa.string()),
    ("day", pa.date32()), ("naive", pa.timestamp("us")), ("aware", pa.timestamp("us", tz="Asia/Tokyo")),
    ("user", pa.struct([("age", pa.int32())])),
    ("list_float", pa.list_(pa.float64())), ("list_text", pa.list_(pa.string())), ("list_bool", pa.list_(pa.bool_())),
])  # fmt: skip
KINDS = {
    "float": Kind.NUMBER, "int": Kind.NUMBER, "bool": Kind.BOOL, "decimal": Kind.NUMBER, "text": Kind.TEXT,
    "day": Kind.TIME, "naive": Kind.TIME, "aware": Kind.TIME, "user.age": Kind.NUMBER,
    "list_float": Kind.NUMBER, "list_text": Kind.TEXT, "list_bool": Kind.BOOL,
}  # fmt: skip
FRACTIONS = ("float", "decimal", "list_float")
OF_ENTITIES = ("count", "ratio", "folded_entities", "approx_unique")

heads = [name for name in METRICS if name != "histogram"] + ["median", "p0", "p5", "p50", "p99.9", "p100"]


def names_for(column: str) -> list[str]:
    is_list = column.startswith("list_")
    names = [head for head in heads if not (column in FRACTIONS and head in OF_ENTITIES)]
    if is_list:
        lists = ("null_count", "null_ratio", "empty_ratio")
        names += [f"{n}@2" for n in names if n not in lists]
        names += [f"length_{n}" for n in heads if n not in (*lists, *OF_ENTITIES)]
    return [n for n in names if parse_metric(n).refusal(KINDS[column], is_list=is_list, type_name="") is None]


COLUMN_METRICS = {column: names_for(column) for column in KINDS}

floats = st.one_of(
    st.none(),
    st.floats(-1e6, 1e6, allow_subnormal=False),
    st.sampled_from([0.0, -0.0, 0.1, 0.2, math.nan, math.inf, -math.inf, 1e-12]),
)
texts = st.one_of(st.none(), st.sampled_from(["", "a", "b", "é", "日本", "…other", "null", 'O\'Brien "x"']))
moments = st.integers(0, 3 * 86_400 - 1).map(lambda s: PERIODS[0].start + timedelta(seconds=s))
naive = st.datetimes(datetime(1960, 1, 1), datetime(2050, 1, 1))
rows = st.fixed_dictionaries({
    "region": texts, "level": st.sampled_from([None, 0, 1]), "moment": moments,
    "float": floats, "int": st.one_of(st.none(), st.integers(-5, 5), st.integers(-(2**62), 2**62)), "bool": st.sampled_from([None, True, False]),
    "decimal": st.one_of(st.none(), st.integers(-(10**9), 10**9).map(lambda i: Decimal(i) / 100)), "text": texts,
    "day": st.one_of(st.none(), st.dates(date(1950, 1, 1), date(2050, 1, 1))), "naive": st.one_of(st.none(), naive),
    "aware": st.one_of(st.none(), naive.map(lambda t: t.replace(tzinfo=timezone(timedelta(hours=9))))),
    "user": st.one_of(st.none(), st.fixed_dictionaries({"age": st.one_of(st.none(), st.integers(0, 99))})),
    "list_float": st.one_of(st.none(), st.lists(floats, max_size=4)), "list_text": st.one_of(st.none(), st.lists(texts, max_size=4)),
    "list_bool": st.one_of(st.none(), st.lists(st.sampled_from([None, True, False]), max_size=3)),
})  # fmt: skip
frames = st.lists(rows, max_size=12)
FEW = {
    "float": ["sum", "avg", "stddev", "min", "p5", "unique"], "int": ["sum", "variance"], "text": ["count", "null_ratio"], "aware": ["max"],
    "list_float": ["avg@2", "sum", "length_avg"],
}  # fmt: skip
quick = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def call(frame, **changes):
    table = frame if isinstance(frame, pa.Table) else pa.Table.from_pylist(frame, schema=SCHEMA)
    options = {
        "group_sets": GROUP_SETS, "column_metrics": COLUMN_METRICS, "periods": PERIODS, "time_column": "moment", "zone": "Asia/Kolkata",
        **changes,
    }  # fmt: skip
    return DistributionProcessor(table, **options).get_metrics(collected_at=PERIODS[0].end).to_arrow()


def by_name(points: pa.Table) -> dict:
    found = {
        (r["column_name"], r["metric"], r["entity"], tuple(sorted(r["group_key"])), r["period_start"]): (
            r["value"],
            r["n_rows"],
            r["error"],
        )
        for r in points.to_pylist()
    }
    assert len(found) == points.num_rows, "two points have one name"
    return found


def group_value(value):
    return None if value is None else str(value)


def wanted(expected, frame, max_entities=1000) -> dict:
    answer = {}
    for period in PERIODS:
        inside = [row for row in frame if period.start <= row["moment"] < period.end]
        for group_set in GROUP_SETS:
            keys = {tuple((c, group_value(row[c])) for c in group_set) for row in inside} | (
                set() if group_set else {()}
            )
            for key in keys:
                members = [row for row in inside if all(group_value(row[c]) == v for c, v in key)]
                for column, names in {"": ["row_count"], **COLUMN_METRICS}.items():
                    for name in names:
                        for entity, result in expected(members, column, name, max_entities).items():
                            answer[column, name, entity, tuple(sorted(key)), period.start] = result
    return answer


def same(got: float | None, want: float | None, scale: float) -> bool:
    if want is None or math.isnan(want) or math.isinf(want):
        return got is None
    return got is not None and math.isclose(got, want, rel_tol=1e-9, abs_tol=1e-12 * scale)


@quick
@given(frame=frames)
@example(frame=[])
def test_every_metric_equals_its_definition_in_every_group_and_period(frame, expected):
    found, answer = by_name(call(frame)), wanted(expected, frame)

    assert found.keys() == answer.keys()
    for key, (want, n_rows) in answer.items():
        got, n, error = found[key]
        scale = 1e19 if key[0] == "int" and "variance" not in key[1] else 1e38 if key[0] == "int" else 1.0
        scale = 1.0 if "ratio" in key[1] or want is None else max(scale * (abs(want) > 1e15), 1e6)
        assert same(got, want, scale), (key, got, want)
        assert n == n_rows, (key, n, n_rows)
        infinite = want is not None and math.isinf(want)
        assert (error is not None) == infinite, (key, error, want)


@quick
@given(frame=frames)
def test_many_periods_in_one_scan_equal_one_call_a_period_bit_for_bit(frame):
    one_by_one = pa.concat_tables([call(frame, column_metrics=FEW, periods=[period]) for period in PERIODS])
    assert call(frame, column_metrics=FEW).to_pylist() == one_by_one.to_pylist()


@quick
@given(frame=frames)
def test_group_sets_in_one_scan_equal_separate_calls_bit_for_bit(frame):
    separate = [call(frame, group_sets=[group_set], column_metrics=FEW, table_metrics=()) for group_set in GROUP_SETS]
    together = call(frame, column_metrics=FEW, table_metrics=())
    order = [("period_start", "ascending"), ("series_id", "ascending")]
    assert together.to_pylist() == pa.concat_tables(separate).sort_by(order).to_pylist()


@quick
@given(frame=frames, seed=st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_no_bit(frame, seed):
    shuffled = list(frame)
    seed.shuffle(shuffled)
    assert call(frame, column_metrics=FEW).to_pylist() == call(shuffled, column_metrics=FEW).to_pylist()


@quick
@given(frame=frames, limit=st.integers(1, 3))
def test_entities_beyond_the_limit_are_one_entity_and_totals_still_add_up(frame, limit, expected):
    metrics = {"text": ["count", "ratio"], "list_text": ["count", "count@2"]}
    found = by_name(call(frame, column_metrics=metrics, max_entities=limit))
    everything = wanted(expected, frame, limit)
    answer = {k: v for k, v in everything.items() if k[1] in metrics.get(k[0], ()) or k[0] == ""}
    told = {
        "text": ["folded_entities"],
        "list_text": ["folded_entities", "folded_entities@2"],
    }  # by themselves, where some are folded
    answer |= {k: v for k, v in everything.items() if k[1] in told.get(k[0], ()) and v[0]}

    assert {k: v[:2] for k, v in found.items()} == {k: (pytest.approx(v[0]), v[1]) for k, v in answer.items()}
    for (column, metric, _, group, start), (_, n_rows, _) in found.items():
        if metric == "count":
            alike = [v[0] for k, v in found.items() if (k[0], k[1], k[3], k[4]) == (column, metric, group, start)]
            assert sum(alike) == n_rows
            assert len(alike) <= limit + 1
