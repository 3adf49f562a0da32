"""Deequ on its own Spark: a runner a group over filtered rows (`mode` filters), or one runner with `where` (`mode` where).

It has no groups. With `where` there is neither an exact distinct count nor a histogram without a job each; percentiles are sketches,
and a null counts as the entity "NullValue".
"""

# Runs in an environment of its own, which the type checker does not see:
# pyright: reportMissingImports=false

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from peer import Task, play, value_name

if TYPE_CHECKING:
    from collections.abc import Mapping

os.environ.setdefault("SPARK_VERSION", "3.5")
JAR = "com.amazon.deequ:deequ:2.1.0-spark-3.5"
NOT_NEEDED = "net.sourceforge.f2j:arpack_combined_all,software.amazon.glue:dqdl"
QUARTILES = {"p25": 0.25, "p50": 0.5, "p75": 0.75}


def prepare(task: Task) -> Any:
    from sparks import LocalSpark

    packages = {"spark.jars.packages": JAR, "spark.jars.excludes": NOT_NEEDED}
    return LocalSpark(**packages, **{"spark.jars.ivy": task["ivy"]})


def analyzers(where: str | None) -> list[Any]:
    import pydeequ.analyzers as a

    condition = {} if where is None else {"where": where}
    found = [a.Mean("age", **condition), *(a.ApproxQuantile("age", share, **condition) for share in QUARTILES.values())]
    if where is None:
        return [*found, a.CountDistinct(["device"]), a.Histogram("device")]
    return [
        *found,
        a.ApproxCountDistinct("device", **condition),
        a.Size(**condition),
        a.Completeness("device", **condition),
    ]


def run(session: Any, frame: Any, asked: list[Any]) -> list[Any]:
    from pydeequ.analyzers import AnalysisRunner, AnalyzerContext

    builder = AnalysisRunner(session).onData(frame)
    for analyzer in asked:
        builder = builder.addAnalyzer(analyzer)
    return AnalyzerContext.successMetricsAsDataFrame(session, builder.run()).collect()


def work(spark: Any, task: Task, data: Mapping[str, str]) -> dict[str, list[Any]]:
    group, groups = task["group_column"], task["all_groups"][:2] if task.get("warming") else task["all_groups"]
    frame = spark.session.read.parquet(data["events"].removesuffix("/*.parquet")).select(group, "age", "device")
    if task["mode"] == "where":
        asked = [analyzer for name in groups for analyzer in analyzers(f"{group} = '{name}'")]
        return {"": run(spark.session, frame, asked)}
    return {name: run(spark.session, frame.where(frame[group] == name), analyzers(None)) for name in groups}


def named(name: str, value: float, group: str) -> dict[str, float]:
    if " (where: " in name:
        name, _, condition = name.partition(" (where: ")
        group = condition.split("'")[1]
    if name.startswith("ApproxQuantile-"):
        share = float(name.removeprefix("ApproxQuantile-"))
        return {value_name("age", f"p{share * 100:.0f}", group): value}
    if name.startswith("Histogram.abs."):
        return {value_name("device", "count", group, name.removeprefix("Histogram.abs.")): value}
    told = {
        "Mean": ("age", "avg"),
        "CountDistinct": ("device", "unique"),
        "ApproxCountDistinct": ("device", "approx_unique"),
    }
    return {value_name(*told[name], group): value} if name in told else {}


def describe(spark: Any, task: Task, found: dict[str, list[Any]]) -> dict[str, Any]:
    values: dict[str, float] = {}
    for group, rows in found.items():
        for row in rows:
            values |= named(row["name"], row["value"], group)
    probed = {name: value for name, value in values.items() if name.split("|")[2] in task["probe"]}
    return spark.counters() | {"n_values": len(values), "values": probed}


if __name__ == "__main__":
    play(prepare, work, describe)
