"""whylogs: a profile of sketches a segment; lists it keeps as opaque objects, so only the scalar columns."""

# Runs in an environment of its own, which the type checker does not see:
# pyright: reportMissingImports=false

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from peer import Task, play, value_name

if TYPE_CHECKING:
    from collections.abc import Mapping

QUARTILES = {"p25": 0.25, "p50": 0.5, "p75": 0.75}


def prepare(task: Task) -> Any:
    import pyarrow.dataset as ds
    import whylogs
    from whylogs.core.schema import DatasetSchema
    from whylogs.core.segmentation_partition import segment_on_column

    schema = DatasetSchema(segments=segment_on_column(task["group_column"]))
    return ds, whylogs, schema


def work(context: Any, task: Task, data: Mapping[str, str]) -> dict[str, dict[str, float]]:
    ds, whylogs, schema = context
    group = task["group_column"]
    frame = ds.dataset(data["events"].removesuffix("/*.parquet")).to_table(columns=[group, "age", "device"]).to_pandas()
    profiled = whylogs.log(frame, schema=schema)
    found: dict[str, dict[str, float]] = {}
    for segment in profiled.segments():
        columns = profiled.profile(segment).view().get_columns()
        spread, entities = columns["age"].get_metric("distribution"), columns["device"].get_metric("frequent_items")
        values = {value_name("age", "avg", segment.key[0]): spread.mean.value}
        quantiles = spread.kll.value.get_quantiles(list(QUARTILES.values()))
        values |= {value_name("age", name, segment.key[0]): value for name, value in zip(QUARTILES, quantiles)}
        values |= {value_name("device", "count", segment.key[0], item.value): item.est for item in entities.strings}
        unique = columns["device"].get_metric("cardinality").estimate
        found[segment.key[0]] = values | {value_name("device", "unique", segment.key[0]): unique}
    return found


def describe(context: Any, task: Task, found: dict[str, dict[str, float]]) -> dict[str, Any]:
    del context
    values = {name: float(value) for group in task["probe"] for name, value in found.get(group, {}).items()}
    return {"n_values": sum(map(len, found.values())), "values": values}


if __name__ == "__main__":
    play(prepare, work, describe)
