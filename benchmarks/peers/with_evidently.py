"""Evidently's reports: scalar columns, classification, ranking and drift, ungrouped (`mode` whole) or by `GroupBy`.

It takes pandas frames; lists raise, so rankings are spread to a row an item, as its own examples do.
"""

# Runs in an environment of its own, which the type checker does not see:
# pyright: reportMissingImports=false

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from peer import Task, play, value_name

if TYPE_CHECKING:
    from collections.abc import Mapping

RANKING_ROWS = 20_000
"""More would not end in reasonable time."""


class Evidently:
    """The package's names, loaded once."""

    def __init__(self) -> None:
        import evidently
        import evidently.metrics as metrics
        import pandas as pd
        import pyarrow.dataset as ds

        self.root, self.metrics, self.pd, self.ds = evidently, metrics, pd, ds

    def frame(self, glob: str, columns: list[str]) -> Any:
        return self.ds.dataset(glob.removesuffix("/*.parquet")).to_table(columns=columns).to_pandas()

    def run(self, metrics: list[Any], current: Any, reference: Any = None) -> list[dict[str, Any]]:
        snapshot = self.root.Report(metrics).run(current, reference)
        return snapshot.dict()["metrics"]

    def dataset(self, frame: Any, **definition: Any) -> Any:
        return self.root.Dataset.from_pandas(frame, data_definition=self.root.DataDefinition(**definition))


def grouped(evidently: Evidently, metrics: list[Any], task: Task) -> list[Any]:
    if task["mode"] == "whole":
        return metrics
    return [evidently.metrics.GroupBy(metric, task["group_column"]) for metric in metrics]


def scalars(evidently: Evidently, task: Task, data: Mapping[str, str]) -> Any:
    m, group = evidently.metrics, task["group_column"]
    frame = evidently.frame(data["events"], [group, "age", "device"])
    asked = [m.MeanValue(column="age"), *(m.QuantileValue(column="age", quantile=q) for q in (0.25, 0.5, 0.75)),
             m.UniqueValueCount(column="device")]  # fmt: skip
    definition = {"numerical_columns": ["age"], "categorical_columns": ["device", group]}
    return evidently.run(grouped(evidently, asked, task), evidently.dataset(frame, **definition))


def classification(evidently: Evidently, task: Task, data: Mapping[str, str]) -> Any:
    m, group = evidently.metrics, task["group_column"]
    frame = evidently.frame(data["events"], [group, "label", "predicted"])
    asked = [
        m.Accuracy(),
        m.Precision(),
        m.Recall(),
        m.F1Score(),
        m.PrecisionByLabel(),
        m.RecallByLabel(),
        m.F1ByLabel(),
    ]
    definition = {
        "categorical_columns": ["label", "predicted", group],
        "classification": [evidently.root.MulticlassClassification(target="label", prediction_labels="predicted")],
    }
    return evidently.run(grouped(evidently, asked, task), evidently.dataset(frame, **definition))


def ranking(evidently: Evidently, task: Task, data: Mapping[str, str]) -> Any:
    m, pd = evidently.metrics, evidently.pd
    rows = evidently.frame(data["ranking"], ["predicted_items", "true_items"]).head(
        (task["warming"] and 50) or RANKING_ROWS
    )
    spread = rows.reset_index(names="user").explode("predicted_items", ignore_index=True)
    spread["position"] = spread.groupby("user").cumcount() + 1
    spread["relevant"] = [int(item in truth) for item, truth in zip(spread["predicted_items"], spread["true_items"])]
    asked = [m.RecallTopK(k=10), m.NDCG(k=10), m.MAP(k=10), m.MRR(k=10)]
    definition = {
        "categorical_columns": ["user", "predicted_items"],
        "numerical_columns": ["position", "relevant"],
        "ranking": [
            evidently.root.Recsys(user_id="user", item_id="predicted_items", target="relevant", prediction="position")
        ],
    }
    frame = spread.drop(columns=["true_items"]).astype({"user": str})
    assert isinstance(frame, pd.DataFrame)
    return evidently.run(asked, evidently.dataset(frame, **definition))


def drift(evidently: Evidently, task: Task, data: Mapping[str, str]) -> Any:
    m, columns = evidently.metrics, task["columns"]
    methods = ("psi", "ks", "jensenshannon", "wasserstein")
    asked = [m.ValueDrift(column=column, method=method) for column in columns for method in methods]
    tables = [
        evidently.dataset(evidently.frame(data[n], columns), numerical_columns=columns)
        for n in ("current", "reference")
    ]
    return evidently.run(asked, *tables)


QUESTIONS = {"scalars": scalars, "classification": classification, "ranking": ranking, "drift": drift}


def prepare(task: Task) -> Evidently:
    del task
    return Evidently()


def work(evidently: Evidently, task: Task, data: Mapping[str, str]) -> Any:
    return QUESTIONS[task["question"]](evidently, {"warming": False} | task, data)


SINGLE = {"MeanValue": ("age", "avg"), "Accuracy": ("predicted", "accuracy")}
BY_LABEL = {"PrecisionByLabel": "precision", "RecallByLabel": "recall", "F1ByLabel": "f1"}
RANKED = {"RecallTopK": "recall@10", "NDCG": "ndcg@10", "MAP": "map@10", "MRR": "mrr"}
DISTANCES = {"jensenshannon": "js_distance", "ks": "ks_pvalue", "wasserstein": "wasserstein_normed"}
"""Method → what it is called here: its `ks` is the p-value, its `wasserstein` normed."""


def named(kind: str, config: dict[str, Any], value: Any, group: str) -> dict[str, float]:
    """Return the values of one metric under the names by which competitors are compared."""
    if kind in SINGLE:
        return {value_name(*SINGLE[kind], group): value}
    if kind == "QuantileValue":
        return {value_name("age", f"p{config['quantile'] * 100:.0f}", group): value}
    if kind == "UniqueValueCount":
        return {
            value_name("device", "count", group, entity): n
            for entity, n in value["counts"].items()
            if entity is not None
        }
    if kind in BY_LABEL:
        return {value_name("predicted", BY_LABEL[kind], group, label): number for label, number in value.items()}
    if kind in RANKED:  # NDCG and MRR number the cuts from 2
        return {value_name("predicted_items", RANKED[kind], group): list(value["value"].values())[9]}
    if kind == "ValueDrift":
        return {value_name(config["column"], str(DISTANCES.get(config["method"], config["method"]))): value}
    return {value_name("predicted", kind): value}


def describe(evidently: Evidently, task: Task, found: list[dict[str, Any]]) -> dict[str, Any]:
    del evidently, task
    values: dict[str, float] = {}
    for one in found:
        config, group = one["config"], one["config"].get("label", "")
        config = config.get("metric", config)
        values |= named(config["type"].rpartition(":")[2], config, one["value"], group)
    return {"n_values": len(values), "values": {name: float(value) for name, value in values.items()}}


if __name__ == "__main__":
    play(prepare, work, describe)
