"""What drift is measured against, ready for the processor: a fixed reference from its file, moving ones from stored histograms.

A fixed reference is measured once and kept as one small file, named by a hash of what defines it: the reference must not move
because its table does. A file is never replaced, so any number of tries find the same one.
"""

from __future__ import annotations

import hashlib
import json
import logging
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from lupus_provider.config.processors import DriftMetricSet
from lupus_provider.config.source import FixedReference, VersionReference, WindowReference
from lupus_provider.naming import metric_set_path
from lupus_provider.periods import Period, Span, days_span, last_complete
from lupus_provider.processors.reference import Reference, column_keys
from lupus_provider.processors.windows import MovingWindow, PreviousVersion
from lupus_provider.records import HISTOGRAMS
from lupus_provider.steps.sources import data_of, table_of
from lupus_provider.stores.objects.errors import ConflictError

if TYPE_CHECKING:
    from lupus_provider.steps.connections import Connections
    from lupus_provider.steps.target import Target
    from lupus_provider.stores.objects.base import Objects
    from lupus_provider.stores.stage.base import StageStore

log = logging.getLogger(__name__)

FORMAT = 1
"""Part of every file's name; changes when references should be measured anew."""
LOOKBACK = 400
"""Periods in which the previous version of a model is looked for."""
_SLACK = 2
"""A window of n periods is looked for in n times as many: periods without rows have no part in it."""
_DEFINING = ("reference", "source", "join", "categorical", "max_categories", "slices", "max_entities")


def reference_of(target: Target, stage: StageStore, data_folder: Path, connections: Connections) -> Any:
    """Return what a drift metric set of this run is compared with; None for any other metric set.

    Raises
    ------
    SourceUnreadableError, TimeColumnError, PlanFailedError, EngineFailedError
        If a fixed reference must be measured, and cannot be.
    """
    metric_set = target.metric_set
    if not isinstance(metric_set, DriftMetricSet):
        return None
    reference = metric_set.reference
    if isinstance(reference, WindowReference):
        return MovingWindow(reference.window, _stored(target, stage, _SLACK * reference.window))
    if isinstance(reference, VersionReference):
        return PreviousVersion(reference.window, _stored(target, stage, LOOKBACK))
    return _kept(target, metric_set, reference, stage, data_folder, connections)


def _stored(target: Target, stage: StageStore, periods: int) -> pa.Table:
    """Return the staged histograms of the periods before the run's own."""
    before = last_complete(target.span.start, target.metric_set.period, target.zone, periods)
    files = stage.files(HISTOGRAMS, target.project.project, target.metric_set_name, before)
    return pa.concat_tables([HISTOGRAMS.empty(), *(stage.read(HISTOGRAMS, file) for file in files)])


def _kept(
    target: Target,
    metric_set: DriftMetricSet,
    reference: FixedReference,
    stage: StageStore,
    data_folder: Path,
    connections: Connections,
) -> Reference:
    objects, key = stage.objects, reference_key(target, metric_set)
    with objects.exclusive(f"{key}.lock"):  # the second of two tries waits, rather than measuring the same again
        known = _loaded(objects, key)
        if known is not None:
            return known
        made = _measure(target, metric_set, reference, data_folder, connections)
        if not any(item.state["count"].sum() > 0 for item in made.columns.values()):
            log.warning("the reference of %s has no rows yet; it is measured again in the next run", target)
            return made
        try:
            objects.put(key, _content(made), if_absent=True)
        except ConflictError:  # another machine measured it in the meantime: all compare with the first
            return _loaded(objects, key) or made
        log.info("measured the reference of %s and kept it as %s/%s", target, stage.url, key)
        return made


def _loaded(objects: Objects, key: str) -> Reference | None:
    try:
        content, _ = objects.get(key)
    except FileNotFoundError:
        return None
    with TemporaryDirectory(prefix="lupus-") as folder:
        file = Path(folder) / Path(key).name
        file.write_bytes(content)
        return Reference.load(file)


def _content(reference: Reference) -> bytes:
    with TemporaryDirectory(prefix="lupus-") as folder:
        reference.save(Path(folder) / "reference.parquet")
        return (Path(folder) / "reference.parquet").read_bytes()


def reference_key(target: Target, metric_set: DriftMetricSet) -> str:
    """Return where on the stage a fixed reference is kept: it is named by a hash of all that defines it."""
    asked = metric_set.model_dump(mode="json", by_alias=True)
    definition = {
        **{key: asked[key] for key in _DEFINING}, "columns": sorted(map(str, column_keys(metric_set.column_metrics))),
        "groups": sorted(map(sorted, metric_set.groupings)), "zone": target.zone.key, "format": FORMAT,
    }  # fmt: skip
    digest = hashlib.blake2b(json.dumps(definition, sort_keys=True).encode(), digest_size=10).hexdigest()
    return f"references/{metric_set_path(target.project.project, target.metric_set_name)}/{digest}.parquet"


def _measure(
    target: Target, metric_set: DriftMetricSet, reference: FixedReference, data_folder: Path, connections: Connections
) -> Reference:
    source = metric_set.source
    rows: dict[str, Any] = {
        "group_sets": metric_set.groupings, "slices": metric_set.slices, "max_entities": metric_set.max_entities,
        "where": reference.where, "zone": target.zone.key, "time_zone": source.time_zone or "UTC",
    }  # fmt: skip
    if reference.has_own_table:
        data = table_of(reference, metric_set.engine, data_folder, connections)
    else:
        data = data_of(metric_set, data_folder, connections)
        rows["where"] = " AND ".join(f"({text})" for text in (source.where, reference.where) if text) or None
    if reference.first is not None and reference.last is not None:
        span: Span = days_span(reference.first, reference.last, target.zone)
        rows["periods"] = (Period(span.start, span.end),)
        rows["time_column"] = reference.time_column if reference.has_own_table else source.time_column
    return Reference.of(
        data,
        metric_set.column_metrics,
        categorical=metric_set.categorical,
        max_categories=metric_set.max_categories,
        **rows,
    )
