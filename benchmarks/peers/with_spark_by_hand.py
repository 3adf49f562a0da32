"""The monitoring job that teams write by hand on Spark: a job a metric family and column, rows pulled one by one.

`mode` says how lists are cut to their first items: `rdd` sends the rows through Python, `slice` stays in Spark. Everything else is
the same, so that the second is what a competent person would have written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from peer import Task, play
from sparks import LocalSpark

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

QUARTILES = {"p25": 0.25, "p50": 0.5, "p75": 0.75}
Row = tuple[str, str, str | None, str | None, float | None]
"""Column, metric, entity, group, value."""


def first_items(frame: Any, column: str, k: int, task: Task) -> Any:
    """Return group and list column with lists of at most k items."""
    from pyspark.sql import functions as F

    group = task["group_column"]
    if task["mode"] == "slice":
        return frame.select(group, F.slice(column, 1, k).alias(column))
    narrow = frame.select(group, column)
    return narrow.rdd.map(lambda row: (row[0], row[1][:k])).toDF(narrow.schema)


def items(frame: Any, column: str, group: str) -> Any:
    from pyspark.sql import functions as F

    return frame.select(group, F.explode(column).alias(column))


def pull(frame: Any, column: str, metrics: list[str]) -> Iterator[Row]:
    """Yield a row a group and metric."""
    for row in frame.toLocalIterator():
        for metric in metrics:
            yield (column, metric, None, None if row[0] is None else str(row[0]), row[metric])


def basic(frame: Any, column: str, group: str, metrics: list[str], suffix: str = "") -> Iterator[Row]:
    from pyspark.sql import functions as F

    asked = [getattr(F, metric)(column).alias(metric + suffix) for metric in metrics]
    yield from pull(frame.groupBy(group).agg(*asked), column, [metric + suffix for metric in metrics])


def percentiles(frame: Any, column: str, group: str) -> Iterator[Row]:
    from pyspark.sql import functions as F

    asked = [F.percentile(column, share).alias(name) for name, share in QUARTILES.items()]
    yield from pull(frame.groupBy(group).agg(*asked), column, list(QUARTILES))


def counts(frame: Any, column: str, group: str) -> Iterator[Row]:
    from pyspark.sql import functions as F

    counted = frame.where(F.col(column).isNotNull()).groupBy(group, column).count()
    for row in counted.toLocalIterator():
        yield (column, "count", row[1], None if row[0] is None else str(row[0]), float(row[2]))


def unique(frame: Any, column: str, group: str, name: str = "unique") -> Iterator[Row]:
    from pyspark.sql import functions as F

    yield from pull(frame.groupBy(group).agg(F.count_distinct(column).alias(name)), column, [name])


def prepare(task: Task) -> LocalSpark:
    del task
    return LocalSpark()


def work(spark: LocalSpark, task: Task, data: Mapping[str, str]) -> list[Row]:
    frame, group = spark.session.read.parquet(data["events"].removesuffix("/*.parquet")), task["group_column"]
    if task["question"] == "percentiles":
        return list(percentiles(frame, task["column"], group))
    found = [
        *basic(frame, "age", group, ["avg"]), *percentiles(frame, "age", group),
        *counts(frame, "device", group), *unique(frame, "device", group),
    ]  # fmt: skip
    if task["question"] == "scalars":
        return found
    ratings, interests = items(frame, "ratings", group), items(frame, "interests", group)
    return [
        *found,
        *basic(ratings, "ratings", group, ["avg", "min", "max"]),
        *basic(items(first_items(frame, "ratings", 5, task), "ratings", group), "ratings", group, ["avg"], "@5"),
        *counts(interests, "interests", group),
        *unique(interests, "interests", group),
        *unique(items(first_items(frame, "interests", 5, task), "interests", group), "interests", group, "unique@5"),
    ]


def describe(spark: LocalSpark, task: Task, rows: list[Row]) -> dict[str, Any]:
    import duckdb
    import pyarrow as pa
    from points import NAMES, described

    types = [pa.string(), pa.string(), pa.string(), pa.string(), pa.float64()]
    columns = zip(*rows)
    table = pa.table({name: pa.array(list(values), kind) for name, values, kind in zip(NAMES, columns, types)})
    return spark.counters() | described(duckdb.from_arrow(table), task)


if __name__ == "__main__":
    play(prepare, work, describe)
