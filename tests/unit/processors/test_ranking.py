from __future__ import annotations

import math

import pyarrow as pa
import pytest

from lupus_provider.errors import BadPlanError, UnknownMetricError
from lupus_provider.processors.ranking import RankingProcessor

LISTS = pa.list_(pa.string())


def measure(rows, metrics, **options):
    """Metrics of rows (predicted, truths); items are letters."""
    shown, chosen = ([None if row[i] is None else list(row[i]) for row in rows] for i in (0, 1))
    table = pa.table({"shown": pa.array(shown, LISTS), "chosen": pa.array(chosen, LISTS)})
    options = {"predicted_column": "shown", "truth_column": "chosen", **options}
    return RankingProcessor(table, metrics=metrics, **options).get_metrics()


DIFFERENT = {  # where libraries differ: rows (predicted, truths), metric, our value
    "a repeated item counts where it comes first": ([("axa", "a")], "mrr", 1),
    "a repeated item takes no place from others": ([("xxa", "a")], "recall@2", 1),
    "a repeated item moves those after it up": ([("xxa", "a")], "mrr", 1 / 2),
    "a repeated truth counts once": ([("a", "aab")], "recall@1", 1 / 2),
    "a row without truths is left out": ([("a", "a"), ("b", "")], "recall@1", 1),
    "rows without truths are counted": ([("a", "a"), ("b", ""), ("b", None)], "empty_truth_ratio", 1 / 2),
    "an empty prediction is a miss": ([("a", "a"), ("", "a")], "recall@1", 1 / 2),
    "a null prediction is a miss": ([("a", "a"), (None, "a")], "mrr", 1 / 2),
    "truths that were not shown lower the gain": ([("a", "ab")], "ndcg@2", 1 / (1 + 1 / math.log2(3))),
    "truths that were not shown lower the gain of the whole list": ([("a", "ab")], "ndcg", 1 / (1 + 1 / math.log2(3))),
    "recall divides by all truths": ([("a", "abc")], "recall@1", 1 / 3),
    "average precision divides by all truths": ([("a", "abc")], "map@1", 1 / 3),
    "precision divides by k": ([("a", "a")], "precision@4", 1 / 4),
    "the best list is cut at k": ([("a", "abc")], "ndcg@1", 1),
    "a gain is discounted by log2": ([("xa", "a")], "ndcg@2", 1 / math.log2(3)),
    "reciprocal rank looks at the whole list": ([("xya", "a")], "mrr", 1 / 3),
    "reciprocal rank at k looks at k items": ([("xya", "a")], "mrr@2", 0),
    "the order of the list decides, not the names": ([("ba", "a"), ("ab", "a")], "mrr", 3 / 4),
    "average precision by hand": ([("axbyc", "abcd")], "map", (1 + 2 / 3 + 3 / 5) / 4),
    "average precision at k by hand": ([("axbyc", "abcd")], "map@3", (1 + 2 / 3) / 4),
    "a hit is any truth among the first k": ([("xa", "ab"), ("xxa", "b")], "hit_rate@2", 1 / 2),
}


@pytest.mark.parametrize(("rows", "metric", "value"), DIFFERENT.values(), ids=DIFFERENT)
def test_definitions_that_differ_between_libraries(rows, metric, value):
    assert measure(rows, [metric]).value("shown", metric) == pytest.approx(value, abs=1e-15)


@pytest.mark.parametrize("length", [3, 99, 100, 101, 400])
@pytest.mark.parametrize("dropped", [[], [None], ["0"], [None, "0", None, "0"]], ids=str)
def test_long_lists_are_cleaned_as_short_ones_are(length, dropped):
    shown = [str(i) for i in range(length)]
    last = shown[-1]
    for truths in ([last], [*shown, *shown], [None, last, "never shown", last]):
        wanted = {t for t in truths if t is not None}
        metrics = measure([(["0", *dropped, *shown[1:]], truths)], ["mrr", "recall", f"recall@{length - 1}"])
        first = min(shown.index(t) for t in wanted if t in shown) + 1
        assert metrics.value("shown", "mrr") == 1 / first
        assert metrics.value("shown", "recall") == len(wanted & {*shown}) / len(wanted)
        assert metrics.value("shown", f"recall@{length - 1}") == len(wanted & {*shown[:-1]}) / len(wanted)


def test_rows_behind_a_value_are_the_judged_ones():
    metrics = measure(
        [("a", "a"), ("b", ""), ("b", None), (None, "b")], ["recall@1", "empty_truth_ratio", "label_coverage"]
    )
    points = {row["metric"]: (row["value"], row["n_rows"]) for row in metrics.to_arrow().to_pylist()}
    assert points == {
        "row_count": (4, 4),
        "recall@1": (0.5, 2),
        "empty_truth_ratio": (pytest.approx(1 / 3), 3),
        "label_coverage": (0.75, 4),
    }


SHOWN = [("abc", "a"), ("abd", "b"), ("aax", "a")]  # the first two items: a 3, b 2, x 1


def test_what_is_shown_by_hand():
    metrics = measure(SHOWN, ["unique@2", "coverage@2", "gini@2", "popularity@2", "novelty@2"], catalog_size=6)
    assert len(metrics.errors) == 0
    assert metrics.value("shown", "unique@2") == 3
    assert metrics.value("shown", "coverage@2") == 0.5
    # exposures 0 0 0 1 2 3: sum of (2 j - 7) x_j = 1 + 6 + 15
    assert metrics.value("shown", "gini@2") == pytest.approx(22 / 36)
    # chosen: a 2 of 3, b 1 of 3; x never
    assert metrics.value("shown", "popularity@2") == pytest.approx((3 * 2 / 3 + 2 * 1 / 3) / 6)
    assert metrics.value("shown", "novelty@2") == pytest.approx((3 * math.log2(3 / 2) + 3 * math.log2(3)) / 6)


def test_gini_without_a_catalogue_looks_at_shown_items():
    assert measure(SHOWN, ["gini@2"]).value("shown", "gini@2") == pytest.approx((-2 * 1 + 0 * 2 + 2 * 3) / (3 * 6))


def test_coverage_without_a_catalogue_is_a_point_that_says_so_and_the_rest_stands():
    metrics = measure(SHOWN, ["coverage@2", "unique@2"])
    [error] = metrics.errors.to_pylist()
    assert (error["metric"], error["value"]) == ("coverage@2", None)
    assert "Give catalog_size" in error["error"]
    assert metrics.value("shown", "unique@2") == 3


def test_items_of_any_type_and_language():
    table = pa.table({"shown": [[1, 2], [3]], "chosen": [[2], [4]]})
    processor = RankingProcessor(table, predicted_column="shown", truth_column="chosen", metrics=["hit_rate@2"])
    assert processor.get_metrics().value("shown", "hit_rate@2") == 0.5
    assert measure([("日é", "é")], ["mrr"]).value("shown", "mrr") == 0.5


@pytest.mark.parametrize(
    ("metrics", "options", "said"),
    [
        (["precision"], {}, "metrics has 'precision' without a cut. Say how many items count: 'precision@10'"),
        (["unique"], {}, "'unique' without a cut"),
        (["mrr"], {"catalog_size": 0}, "catalog_size is 0. Give the number of items"),
        (["mrr"], {"predicted_column": "chosen"}, "predicted_column and truth_column are both 'chosen'"),
        (["mrr"], {"truth_column": ""}, "truth_column is ''"),
        ([], {}, "metrics is empty"),
        ("mrr", {}, "metrics is the text 'mrr'"),
    ],
)
def test_arguments_that_do_not_fit_are_refused_with_what_to_do(metrics, options, said):
    with pytest.raises(BadPlanError, match=said):
        measure([], metrics, **options)


@pytest.mark.parametrize("name", ["empty_truth_ratio@3", "accuracy", "recall@0"])
def test_names_that_mean_nothing_here_are_unknown(name):
    with pytest.raises(UnknownMetricError, match="is unknown"):
        measure([], [name])


def test_columns_that_are_no_lists_are_refused():
    table = pa.table({"shown": ["a"], "chosen": [["a"]]})
    metrics = RankingProcessor(table, predicted_column="shown", truth_column="chosen", metrics=["mrr"]).get_metrics()
    assert "takes as predicted lists" in metrics.errors["error"][0].as_py()
