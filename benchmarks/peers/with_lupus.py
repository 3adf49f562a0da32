"""Lupus, on DuckDB or on Spark: the processors as a user calls them."""

from __future__ import annotations

import importlib
from datetime import date
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from peer import NotThereYetError, Task, play
from points import described

if TYPE_CHECKING:
    from collections.abc import Mapping

THE_CALL = {
    "age": ["avg", "p25", "p50", "p75"],
    "device": ["count", "unique"],
    "ratings": ["avg", "avg@5", "min", "max"],
    "interests": ["count", "unique", "unique@5"],
}
SCALARS = {name: THE_CALL[name] for name in ("age", "device")}
BY_DAY = THE_CALL | {"interests": ["unique", "unique@5"]}
LABEL_METRICS = [
    "accuracy", *(f"{name}{kind}" for name in ("precision", "recall", "f1") for kind in ("", "_macro", "_micro", "_weighted")),
    "confusion", "label_count",
]  # fmt: skip
SCORE_METRICS = ["log_loss", "roc_auc", "average_precision", "brier"]
RANKING_METRICS = ["recall@10", "ndcg@10", "map@10", "mrr"]
DISTANCES = ["psi", "ks", "js", "wasserstein"]
ALL_ENTITIES = 10_000
"""More than the columns have: competitors return all of them."""


class Lupus:
    """The engine by the type of the data: a path goes to DuckDB, a frame to Spark."""

    def __init__(self, engine: str) -> None:
        self.spark: Any = None
        self.reference: Any = None
        if engine == "spark":
            from sparks import LocalSpark

            self.spark = LocalSpark()
            self.reset = self.spark.reset

    def table(self, glob: str) -> Any:
        return glob if self.spark is None else self.spark.session.read.parquet(glob.removesuffix("/*.parquet"))

    def counters(self) -> dict[str, int]:
        return {} if self.spark is None else self.spark.counters()


def processor(name: str) -> Any:
    """Return a processor of the library."""
    package = importlib.import_module("lupus_provider.processors")
    if not hasattr(package, name):
        raise NotThereYetError(f"{package.__name__}.{name}")
    return getattr(package, name)


def days(task: Task) -> list[Any]:
    """Return the periods of the year, two of them while warming up."""
    from lupus_provider.periods import days_span, periods_in

    utc = ZoneInfo("UTC")
    last = date(2025, 1, 2) if task.get("warming") else date(2025, 12, 31)
    return list(periods_in(days_span(date(2025, 1, 1), last, utc), "day", utc))


def groups(task: Task) -> list[str]:
    return [task["group_column"]] if task.get("group_column") else []


def of_distributions(lupus: Lupus, task: Task, data: Mapping[str, str]) -> list[Any]:
    metrics = {
        "distribution": THE_CALL,
        "scalars": SCALARS,
        "percentiles": {task.get("column", ""): ["p25", "p50", "p75"]},
        "periods": BY_DAY,
    }[task["question"]]
    limit = {"max_entities": 100 if task.get("mode") == "largest" else ALL_ENTITIES}
    call = {"group_columns": groups(task), "column_metrics": metrics} | limit
    scans: list[dict[str, Any]] = [call]
    if task["question"] == "periods" and task["mode"] != "whole":
        timed = call | {"time_column": "event_time"}
        one_scan = task["mode"] == "one scan"
        scans = [timed | {"periods": p} for p in ([days(task)] if one_scan else [[day] for day in days(task)])]
    distribution = processor("DistributionProcessor")
    return [distribution(lupus.table(data["events"]), **scan).get_metrics().to_arrow() for scan in scans]


def of_classification(lupus: Lupus, task: Task, data: Mapping[str, str]) -> list[Any]:
    scores = {} if task.get("mode") == "labels" else {"score_column": "score", "positive_label": "a"}
    names = LABEL_METRICS + (SCORE_METRICS if scores else [])
    made = processor("ClassificationProcessor")(
        lupus.table(data["events"]), label_column="label", prediction_column="predicted", **scores, metrics=names,
        group_columns=groups(task),
    )  # fmt: skip
    return [made.get_metrics().to_arrow()]


def of_ranking(lupus: Lupus, task: Task, data: Mapping[str, str]) -> list[Any]:
    made = processor("RankingProcessor")(
        lupus.table(data["ranking"]), predicted_column="predicted_items", truth_column="true_items",
        metrics=RANKING_METRICS, group_columns=groups(task),
    )  # fmt: skip
    return [made.get_metrics().to_arrow()]


def of_drift(lupus: Lupus, task: Task, data: Mapping[str, str]) -> list[Any]:
    reference = lupus.table(data["reference"]) if lupus.reference is None else lupus.reference
    made = processor("DriftProcessor")(
        lupus.table(data["current"]), reference=reference,
        column_metrics=dict.fromkeys(task["columns"], DISTANCES),
    )  # fmt: skip
    return [made.get_metrics().to_arrow()]


QUESTIONS = {
    "distribution": of_distributions, "scalars": of_distributions, "percentiles": of_distributions, "periods": of_distributions,
    "classification": of_classification, "ranking": of_ranking, "drift": of_drift,
}  # fmt: skip


def prepare(task: Task) -> Lupus:
    lupus = Lupus(task["engine"])
    if task.get("mode") == "stored reference":
        from lupus_provider.processors.reference import Reference

        lupus.reference = Reference.of(lupus.table(task["data"]["reference"]), task["columns"])
    return lupus


def work(lupus: Lupus, task: Task, data: Mapping[str, str]) -> list[Any]:
    return QUESTIONS[task["question"]](lupus, task, data)


def describe(lupus: Lupus, task: Task, tables: list[Any]) -> dict[str, Any]:
    import duckdb
    import pyarrow as pa

    counters = lupus.counters()
    database = duckdb.connect()
    database.register("points", pa.concat_tables(tables))
    errors = database.execute("SELECT DISTINCT error FROM points WHERE error IS NOT NULL LIMIT 3").fetchall()
    group = "map_values(group_key)[1]" if task["question"] != "periods" else "strftime(period_start, '%Y-%m-%d')"
    told = database.sql(f"SELECT *, CAST({group} AS VARCHAR) AS grp FROM points")
    answer = described(told, task) | counters | {"n_points": sum(table.num_rows for table in tables)}
    return answer | ({"errors": [text for (text,) in errors]} if errors else {})


if __name__ == "__main__":
    play(prepare, work, describe)
