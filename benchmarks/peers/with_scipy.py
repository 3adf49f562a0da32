"""SciPy in a loop over columns: exact distances of samples, and histograms over the reference's deciles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from peer import Task, play, value_name

if TYPE_CHECKING:
    from collections.abc import Mapping

FLOOR = 1e-4
"""Share of an empty bin in `psi`."""


def prepare(task: Task) -> Any:
    import numpy as np
    import pyarrow.dataset as ds
    from scipy import spatial, stats

    del task
    return ds, np, stats, spatial.distance


def work(context: Any, task: Task, data: Mapping[str, str]) -> dict[str, dict[str, float]]:
    ds, np, stats, distance = context
    tables = [
        ds.dataset(data[name].removesuffix("/*.parquet")).to_table(columns=task["columns"])
        for name in ("current", "reference")
    ]
    found = {}
    for column in task["columns"]:
        current, reference = (table[column].to_numpy() for table in tables)
        edges = np.unique(np.quantile(reference, np.linspace(0, 1, 11)))
        edges[0], edges[-1] = -np.inf, np.inf
        p, q = (np.histogram(values, edges)[0] / len(values) for values in (current, reference))
        floored = [np.maximum(shares, FLOOR) for shares in (p, q)]
        found[column] = {
            "psi": float(((floored[0] - floored[1]) * np.log(floored[0] / floored[1])).sum()),
            "js": float(distance.jensenshannon(p, q, base=2) ** 2),
            "ks": float(stats.ks_2samp(current, reference).statistic),
            "wasserstein": float(stats.wasserstein_distance(current, reference)),
        }
    return found


def describe(context: Any, task: Task, found: dict[str, dict[str, float]]) -> dict[str, Any]:
    del context, task
    values = {
        value_name(column, metric): value for column, metrics in found.items() for metric, value in metrics.items()
    }
    return {"n_values": len(values), "values": values}


if __name__ == "__main__":
    play(prepare, work, describe)
