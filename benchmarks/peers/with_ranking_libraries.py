"""ranx (`mode` ranx) or ir_measures (`mode` ir_measures): rankings as dictionaries, then the mean of each query's value by group.

The lists have no duplicates here: such libraries would keep the last of two.
"""

# Runs in an environment of its own, which the type checker does not see:
# pyright: reportMissingImports=false

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from peer import Task, play, value_name

if TYPE_CHECKING:
    from collections.abc import Mapping

NAMES = ("recall@10", "ndcg@10", "map@10", "mrr")


def prepare(task: Task) -> Any:
    import pyarrow.dataset as ds

    if task["mode"] == "ranx":
        import ranx

        return ds, ranx
    import ir_measures

    return ds, ir_measures


def of_ranx(ranx: Any, truths: dict[str, Any], runs: dict[str, Any]) -> dict[str, Any]:
    """Return metric → query → value."""
    names = {"recall@10": "recall@10", "ndcg@10": "ndcg@10", "map@10": "map@10", "mrr": "mrr"}
    run = ranx.Run(runs)
    ranx.evaluate(ranx.Qrels(truths), run, list(names.values()), return_mean=False)
    return {ours: run.scores[theirs] for ours, theirs in names.items()}


def of_ir_measures(ir: Any, truths: dict[str, Any], runs: dict[str, Any]) -> dict[str, Any]:
    """Return metric → query → value."""
    measures = dict(zip((ir.R @ 10, ir.nDCG @ 10, ir.AP @ 10, ir.RR), NAMES))
    found: dict[str, dict[str, float]] = {name: {} for name in NAMES}
    for one in ir.iter_calc(list(measures), truths, runs):
        found[measures[one.measure]][one.query_id] = one.value
    return found


def work(context: Any, task: Task, data: Mapping[str, str]) -> dict[str, dict[str, float]]:
    ds, library = context
    group = task["group_column"]
    table = ds.dataset(data["ranking"].removesuffix("/*.parquet")).to_table(
        columns=[group, "predicted_items", "true_items"]
    )
    groups, shown, wanted = (column.to_pylist() for column in table.columns)
    truths = {str(q): dict.fromkeys(items, 1) for q, items in enumerate(wanted)}
    runs = {str(q): {item: 100.0 - place for place, item in enumerate(items)} for q, items in enumerate(shown)}
    scores = (of_ranx if task["mode"] == "ranx" else of_ir_measures)(library, truths, runs)
    found: dict[str, dict[str, float]] = {}
    for name, by_query in scores.items():
        sums: dict[str, list[float]] = defaultdict(lambda: [0.0, 0])
        for query, value in by_query.items():
            entry = sums[groups[int(query)]]
            entry[0], entry[1] = entry[0] + value, entry[1] + 1
        found[name] = {key: total / n for key, (total, n) in sums.items()}
    return found


def describe(context: Any, task: Task, found: dict[str, dict[str, float]]) -> dict[str, Any]:
    del context
    values = {
        value_name("predicted_items", metric, group): float(value)
        for metric, by_group in found.items()
        for group, value in by_group.items()
        if group in task["probe"]
    }
    return {"n_values": sum(len(by_group) for by_group in found.values()), "values": values}


if __name__ == "__main__":
    play(prepare, work, describe)
