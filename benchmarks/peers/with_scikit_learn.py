"""scikit-learn's metric functions in a loop over groups: the usual notebook."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from peer import Task, play, value_name

if TYPE_CHECKING:
    from collections.abc import Mapping

LABELS = ["a", "b", "c", "d", "e"]


def prepare(task: Task) -> Any:
    import pyarrow.dataset as ds
    import sklearn.metrics

    del task
    return ds, sklearn.metrics


def of_group(metrics: Any, frame: Any) -> dict[tuple[str, str], float]:
    """Return (metric, entity) → value of one group."""
    label, predicted, positive = frame["label"], frame["predicted"], (frame["label"] == "a")
    found = {("accuracy", ""): metrics.accuracy_score(label, predicted)}
    for average in (None, "macro", "micro", "weighted"):
        scores = metrics.precision_recall_fscore_support(
            label, predicted, labels=LABELS, average=average, zero_division=0
        )
        for name, score in zip(("precision", "recall", "f1"), scores):
            if average is None:
                found |= {(name, entity): value for entity, value in zip(LABELS, score)}
            else:
                found[(f"{name}_{average}", "")] = score
    counts = metrics.confusion_matrix(label, predicted, labels=LABELS)
    found |= {("confusion", f"{a} → {b}"): counts[i, j] for i, a in enumerate(LABELS) for j, b in enumerate(LABELS)}
    found |= {("label_count", entity): n for entity, n in zip(LABELS, counts.sum(axis=1))}
    score = frame["score"]
    return found | {
        ("log_loss", ""): metrics.log_loss(positive, score, labels=[False, True]),
        ("roc_auc", ""): metrics.roc_auc_score(positive, score),
        ("average_precision", ""): metrics.average_precision_score(positive, score),
        ("brier", ""): metrics.brier_score_loss(positive, score),
    }


def work(context: Any, task: Task, data: Mapping[str, str]) -> dict[Any, Any]:
    ds, metrics = context
    group = task["group_column"]
    frame = (
        ds.dataset(data["events"].removesuffix("/*.parquet"))
        .to_table(columns=[group, "label", "predicted", "score"])
        .to_pandas()
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {name: of_group(metrics, rows) for name, rows in frame.groupby(group, observed=True)}


def describe(context: Any, task: Task, found: dict[Any, Any]) -> dict[str, Any]:
    del context
    of_score = ("log_loss", "roc_auc", "average_precision", "brier")
    values = {
        value_name("score" if metric in of_score else "predicted", metric, group, entity): float(value)
        for group, metrics in found.items()
        if str(group) in task["probe"]
        for (metric, entity), value in metrics.items()
        if value and value == value  # not NaN
    }
    return {"n_values": sum(len(metrics) for metrics in found.values()), "values": values}


if __name__ == "__main__":
    play(prepare, work, describe)
