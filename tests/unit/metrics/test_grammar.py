from __future__ import annotations

import pytest

from lupus_provider.errors import UnknownMetricError
from lupus_provider.metrics import METRICS, Kind, Over, Unit, known_metrics, parse_metric


@pytest.mark.parametrize(
    ("text", "name", "k", "of_lengths"),
    [
        ("avg", "avg", None, False), (" avg ", "avg", None, False), ("avg@5", "avg@5", 5, False), ("unique@100", "unique@100", 100, False),
        ("p50", "p50", None, False), ("p50.0", "p50", None, False), ("p050", "p50", None, False), ("p0", "p0", None, False),
        ("p100", "p100", None, False), ("p99.9", "p99.9", None, False), ("p99.90", "p99.9", None, False),
        ("p99.99999", "p99.99999", None, False), ("p99.99999999", "p99.99999999", None, False), ("p0.00000001", "p0.00000001", None, False),
        ("median", "median", None, False), ("median@3", "median@3", 3, False), ("p95@3", "p95@3", 3, False), ("count@2", "count@2", 2, False),
        ("length_avg", "length_avg", None, True), ("length_p50.0", "length_p50", None, True), ("length_unique", "length_unique", None, True),
        ("row_count", "row_count", None, False), ("empty_ratio", "empty_ratio", None, False),
    ],
)  # fmt: skip
def test_a_name_means_one_thing_and_has_one_spelling(text, name, k, of_lengths):
    parsed = parse_metric(text)
    assert (parsed.name, parsed.k, parsed.of_lengths) == (name, k, of_lengths)
    assert parse_metric(parsed.name) == parsed
    assert hash(parse_metric(parsed.name)) == hash(parsed)


@pytest.mark.parametrize(
    "text",
    [
        "", "agv", "AVG", "avg@0", "avg@-1", "avg@", "avg@1.5", "avg@5@6", "@5", "p101", "p100.1", "p", "p-1", "p5e1", "p\uff15", "avg@\uff15", "p1.123456789",
        "length_", "length_count", "length_ratio", "length_null_ratio", "length_empty_ratio", "length_row_count", "length_avg@5",
        "null_ratio@5", "row_count@5", "empty_ratio@1", "length_length_avg", "avg@1234567", "avg;drop", "avg\nsum",
    ],
)  # fmt: skip
def test_what_is_no_metric_is_refused(text):
    with pytest.raises(UnknownMetricError, match="is unknown"):
        parse_metric(text)


def test_a_slip_is_told_with_the_nearest_name():
    with pytest.raises(UnknownMetricError, match=r"metric 'null_ratoi' is unknown. Did you mean 'null_ratio'"):
        parse_metric("null_ratoi")


def test_different_percentiles_never_share_a_name():
    texts = [
        "p99.9",
        "p99.99",
        "p99.999",
        "p99.9999",
        "p99.99999",
        "p99.999999",
        "p100",
        "p1",
        "p10",
        "p0.1",
        "p0.000001",
    ]
    assert len({parse_metric(t).name for t in texts}) == len(texts)
    assert len({p.alias for t in texts for p in parse_metric(t).metric.state.values()}) == len(texts)


@pytest.mark.parametrize("name", known_metrics())
def test_every_name_that_is_offered_parses_and_explains_itself(name):
    metric = parse_metric(name).metric
    assert metric.__doc__
    assert metric.bounds[0] < metric.bounds[1]
    assert metric.accepts


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_is_registered_under_its_own_name(name):
    assert parse_metric(name).metric.name == METRICS[name].name == name


@pytest.mark.parametrize(
    ("name", "kind", "is_list", "said"),
    [
        ("avg", Kind.TEXT, False, "does not measure columns of type T. Cast the column"), ("p50", Kind.TEXT, False, "does not measure"),
        ("avg", Kind.TIME, False, "does not measure"), ("min", Kind.TIME, False, None), ("p50", Kind.TIME, True, None),
        ("unique", Kind.OTHER, False, "does not measure"), ("count", Kind.TIME, False, "does not measure"), ("null_ratio", Kind.OTHER, False, None),
        ("avg@5", Kind.NUMBER, False, "measures lists, and the column is T"), ("length_avg", Kind.TEXT, False, "measures lists"),
        ("empty_ratio", Kind.TEXT, False, "measures lists"), ("length_avg", Kind.OTHER, True, None), ("count@2", Kind.TEXT, True, None),
        ("avg", Kind.BOOL, True, None), ("sum", Kind.TEXT, True, "does not measure"),
    ],
)  # fmt: skip
def test_a_metric_refuses_columns_that_it_cannot_measure_and_says_what_to_do(name, kind, is_list, said):
    refusal = parse_metric(name).refusal(kind, is_list=is_list, type_name="T")
    assert (refusal is None) == (said is None)
    assert said is None or said in refusal


@pytest.mark.parametrize(
    ("name", "is_list", "over"),
    [
        ("avg", False, Over.VALUES), ("avg", True, Over.ITEMS), ("null_ratio", True, Over.LISTS), ("null_ratio", False, Over.VALUES),
        ("length_avg", True, Over.LENGTHS), ("row_count", False, Over.ROWS), ("unique@5", True, Over.ITEMS),
    ],
)  # fmt: skip
def test_what_a_metric_measures_of_a_column(name, is_list, over):
    assert parse_metric(name).over(is_list=is_list) is over


def test_lengths_are_counted_in_items_and_never_negative():
    assert parse_metric("length_p50").unit is Unit.ITEMS
    assert parse_metric("length_p50").bounds[0] == 0
    assert parse_metric("length_unique").unit is Unit.COUNT
    assert parse_metric("avg").unit is Unit.COLUMN
