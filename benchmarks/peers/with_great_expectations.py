"""Great Expectations on Spark: the scalar columns, ungrouped (`mode` whole) or with a filter a group (`mode` groups).

Expectations without bounds are measurements: each tells its observed value. Lists and `@k` it does not know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from peer import Task, play, value_name
from sparks import LocalSpark

if TYPE_CHECKING:
    from collections.abc import Mapping

QUARTILES = [0.25, 0.5, 0.75]
DEVICES = ["iOS", "Android", "Mac", "Windows", "Linux", "TV", "Web", "Other"]


class Context:
    """A Great Expectations context and the Spark session beside it."""

    def __init__(self) -> None:
        import great_expectations as gx

        self.spark = LocalSpark()
        self.reset = self.spark.reset
        self.gx = gx
        self.context = gx.get_context(mode="ephemeral")
        source = self.context.data_sources.add_spark("spark")
        self.batches = source.add_dataframe_asset("events").add_batch_definition_whole_dataframe("all")
        self.runs = 0


def expectations(gx: Any, group: str | None, where: str | None) -> list[Any]:
    """Return the expectations of one group."""
    condition = (
        {}
        if where is None
        else {"row_condition": f'col("{group}")=="{where}"', "condition_parser": "great_expectations"}
    )
    bounds = {"quantiles": QUARTILES, "value_ranges": [[None, None]] * 3}
    e, meta = gx.expectations, {"meta": {"group": where}}
    return [
        e.ExpectColumnMeanToBeBetween(column="age", min_value=-1e9, max_value=1e9, **condition, **meta),
        e.ExpectColumnQuantileValuesToBeBetween(column="age", quantile_ranges=bounds, **condition, **meta),
        e.ExpectColumnUniqueValueCountToBeBetween(column="device", min_value=0, max_value=10**9, **condition, **meta),
        e.ExpectColumnDistinctValuesToBeInSet(column="device", value_set=DEVICES, **condition, **meta),
    ]


def prepare(task: Task) -> Context:
    del task
    return Context()


def work(context: Context, task: Task, data: Mapping[str, str]) -> Any:
    gx, group = context.gx, task["group_column"]
    frame = context.spark.session.read.parquet(data["events"].removesuffix("/*.parquet")).select(group, "age", "device")
    context.runs += 1
    groups = task["all_groups"] if task["mode"] == "groups" else [None]
    suite = context.context.suites.add(gx.ExpectationSuite(name=f"suite {context.runs}"))
    for where in groups[:2] if task.get("warming") else groups:
        for expectation in expectations(gx, group, where):
            suite.add_expectation(expectation)
    # A ValidationDefinition would also store the results, and cannot: it meets a NumPy bool that JSON does not know.
    return context.batches.get_batch({"dataframe": frame}).validate(suite, result_format="COMPLETE")


def describe(context: Context, task: Task, outcome: Any) -> dict[str, Any]:
    del task
    values: dict[str, float] = {}
    for one in outcome.results:
        config = one.expectation_config
        observed, kind, group = one.result.get("observed_value"), config.type, (config.meta or {}).get("group") or ""
        if kind == "expect_column_mean_to_be_between":
            values[value_name("age", "avg", group)] = observed
        elif kind == "expect_column_quantile_values_to_be_between":
            values |= {value_name("age", f"p{s:.0%}"[:-1], group): v for s, v in zip(QUARTILES, observed["values"])}
        elif kind == "expect_column_unique_value_count_to_be_between":
            values[value_name("device", "unique", group)] = observed
        else:
            counts = one.result.get("details", {}).get("value_counts", [])
            values |= {value_name("device", "count", group, c["value"]): c["count"] for c in counts}
    return context.spark.counters() | {"n_values": len(values), "values": values}


if __name__ == "__main__":
    play(prepare, work, describe)
