"""Polars' streaming engine: the same metrics as a lazy query of a Polars expert."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from peer import Task, play

if TYPE_CHECKING:
    from collections.abc import Mapping

QUARTILES = {"p25": 0.25, "p50": 0.5, "p75": 0.75}


def prepare(task: Task) -> Any:
    import polars

    del task
    return polars


def queries(pl: Any, task: Task, data: Mapping[str, str]) -> dict[str, Any]:
    """Return name → lazy frame; one collection runs all of them."""
    frame, group = pl.scan_parquet(data["events"]).rename({task["group_column"]: "grp"}), "grp"
    column = pl.col(task.get("column") or "age")
    quartiles = [column.quantile(share, "linear").alias(name) for name, share in QUARTILES.items()]
    if task["question"] == "percentiles":
        return {"percentiles": frame.group_by(group).agg(*quartiles)}
    devices = frame.select(group, "device").drop_nulls("device").group_by(group, "device").len()
    found = {"scalars": frame.group_by(group).agg(pl.col("age").mean().alias("avg"), *quartiles), "devices": devices}
    if task["question"] == "scalars":
        return found
    ratings, first = pl.col("ratings").list, pl.col("ratings").list.head(5).list
    found["ratings"] = frame.group_by(group).agg(
        (ratings.sum().sum() / ratings.len().sum()).alias("avg"), (first.sum().sum() / first.len().sum()).alias("avg@5"),
        ratings.min().min().alias("min"), ratings.max().max().alias("max"),
    )  # fmt: skip
    every = frame.select(group, pl.col("interests")).explode("interests").drop_nulls("interests")
    some = frame.select(group, pl.col("interests").list.head(5)).explode("interests").drop_nulls("interests")
    found["interests"] = every.group_by(group, "interests").len()
    found["first interests"] = some.group_by(group).agg(pl.col("interests").n_unique().alias("unique@5"))
    return found


def work(pl: Any, task: Task, data: Mapping[str, str]) -> dict[str, Any]:
    lazy = queries(pl, task, data)
    return dict(zip(lazy, pl.collect_all(list(lazy.values()), engine="streaming")))


def told(pl: Any, name: str, frame: Any, task: Task) -> list[Any]:
    """Return frames of column, metric, entity, grp, value."""
    grp, value = pl.col("grp").cast(pl.String), pl.col("value").cast(pl.Float64)
    blank = pl.lit(None, pl.String)

    def shaped(column: str, metric: Any, entity: Any, rows: Any) -> Any:
        return rows.select(
            pl.lit(column).alias("column_name"), metric.alias("metric"), entity.alias("entity"), grp.alias("grp"), value.alias("value"),
        )  # fmt: skip

    if name in ("devices", "interests"):
        column = name.removesuffix("s") if name == "devices" else name
        counted = frame.rename({"len": "value"})
        distinct = frame.group_by("grp").len("value")
        return [
            shaped(column, pl.lit("count"), pl.col(column), counted),
            shaped(column, pl.lit("unique"), blank, distinct),
        ]
    column = {"scalars": "age", "ratings": "ratings", "first interests": "interests"}.get(name, task.get("column"))
    long = frame.with_columns(pl.exclude("grp").cast(pl.Float64)).unpivot(index="grp", variable_name="metric")
    return [shaped(str(column), pl.col("metric"), blank, long)]


def describe(pl: Any, task: Task, found: dict[str, Any]) -> dict[str, Any]:
    import duckdb
    from points import described

    table = pl.concat([part for name, frame in found.items() for part in told(pl, name, frame, task)]).to_arrow()
    return described(duckdb.from_arrow(table), task)


if __name__ == "__main__":
    play(prepare, work, describe)
