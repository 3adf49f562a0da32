"""Ranking metrics against trec_eval (pytrec_eval) and plain Python: the whole way from a table to points."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
import pytrec_eval
from hypothesis import HealthCheck, example, given, settings, strategies as st

from lupus_provider.processors.ranking import RankingProcessor

K, CATALOG = 3, 9
OF_TREC = {
    "recall@3": "recall_3", "precision@3": "P_3", "ndcg@3": "ndcg_cut_3", "ndcg": "ndcg", "map@3": "map_cut_3", "map": "map",
    "mrr": "recip_rank", "hit_rate@3": "success_3", "recall": "set_recall",
}  # fmt: skip
OURS = ("mrr@3", "unique@3", "coverage@3", "gini@3", "novelty@3", "popularity@3", "empty_truth_ratio", "label_coverage")
NAMES = [*OF_TREC, *OURS]
items = st.one_of(st.none(), st.sampled_from(["a", "b", "c", "d", "e", "f", "é", "日"]))
lists = st.one_of(st.none(), st.lists(items, max_size=7))
SCHEMA = pa.schema({"region": pa.string(), "shown": pa.list_(pa.string()), "chosen": pa.list_(pa.string())})


def clean(items):
    """Without nulls and repeats: the first occurrence counts."""
    return list(dict.fromkeys(item for item in items or [] if item is not None))


def trec(rows):
    """Metric → mean over judged rows (predicted, truths), by trec_eval."""
    judged = {str(i): row for i, row in enumerate(rows) if row[1]}
    if not judged:
        return dict.fromkeys(OF_TREC)
    measures = {"recall.3", "P.3", "ndcg_cut.3", "ndcg", "map_cut.3", "map", "recip_rank", "success.3", "set_recall"}
    evaluator = pytrec_eval.RelevanceEvaluator({i: dict.fromkeys(row[1], 1) for i, row in judged.items()}, measures)
    run = {i: {item: float(-place) for place, item in enumerate(row[0])} for i, row in judged.items() if row[0]}
    found = evaluator.evaluate(run)
    return {
        ours: sum(found.get(i, {}).get(theirs, 0.0) for i in judged) / len(judged) for ours, theirs in OF_TREC.items()
    }


def gini(exposures):
    x = np.array(exposures, float)
    return np.abs(x[:, None] - x[None, :]).mean() / (2 * x.mean())


def wanted(raw):
    """Metric → value of raw rows (predicted, truths)."""
    rows = [(clean(p), None if t is None else clean(t)) for p, t in raw]
    judged = [row for row in rows if row[1]]
    known = [row for row in rows if row[1] is not None]
    shown = Counter(item for p, _ in rows for item in p[:K])
    chosen = Counter(item for _, t in known for item in t)
    places, choices = sum(shown.values()), sum(chosen.values())
    ranks = [next((1 / (i + 1) for i, item in enumerate(p[:K]) if item in t), 0.0) for p, t in judged]
    surprise = [n * math.log2(choices / max(chosen[item], 1)) for item, n in shown.items()] if choices else []
    return {
        **trec(rows),
        "mrr@3": sum(ranks) / len(ranks) if ranks else None,
        "unique@3": len(shown),
        "coverage@3": len(shown) / CATALOG if shown else None,
        "gini@3": gini([*shown.values(), *[0] * (CATALOG - len(shown))]) if shown else None,
        "novelty@3": sum(surprise) / places if places and choices else None,
        "popularity@3": sum(n * chosen[item] for item, n in shown.items()) / choices / places
        if places and choices
        else None,
        "empty_truth_ratio": (len(known) - len(judged)) / len(known) if known else None,
        "label_coverage": len(known) / len(rows) if rows else None,
    }


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from(["JP", "TW", None]), lists, lists), max_size=20))
@example([])
@example([("JP", None, ["a"]), ("JP", [], ["a"]), ("TW", ["a"], None), ("TW", ["a"], [])])
@example([("JP", ["a", "a", "b", None, "c", "d"], ["d", "d", "b", None])])
def test_points(rows):
    table = pa.Table.from_pylist([dict(zip(SCHEMA.names, row)) for row in rows], schema=SCHEMA)
    processor = RankingProcessor(
        table,
        predicted_column="shown",
        truth_column="chosen",
        metrics=NAMES,
        catalog_size=CATALOG,
        group_sets=[[], ["region"]],
    )
    found = {
        (row["metric"], dict(row["group_key"]).get("region", "whole")): (row["value"], row["error"])
        for row in processor.get_metrics().to_arrow().to_pylist()
        if row["column_name"] == "shown"
    }
    groups = {"whole": rows} | {g: [row for row in rows if row[0] == g] for g in {row[0] for row in rows}}
    for group, members in groups.items():
        for name, value in wanted([row[1:] for row in members]).items():
            expected = None if value is None else pytest.approx(value, rel=1e-12, abs=4e-14)
            assert found[name, group] == (expected, None), (name, group)
