"""Says in words what a project file would do: which DAGs, when, what is measured a group, who judges it.

People read this before they merge a file, so it speaks of effects, not of keys.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from lupus_provider.config.measured import Measured, measured, selected
from lupus_provider.config.metric_set import MetricSet, ScannedMetricSet, TableMetricSet
from lupus_provider.config.models import Project
from lupus_provider.config.processors import DriftMetricSet, ExpectationsMetricSet, TrainingMetricSet
from lupus_provider.config.schedule import fire_times
from lupus_provider.config.source import FixedReference, Table, WindowReference
from lupus_provider.detectors import Detector
from lupus_provider.naming import dag_id
from lupus_provider.periods import days_span

_FIRES = 3


def plan(project: Project, now: datetime) -> str:
    """Return what the project would do, as text.

    Parameters
    ----------
    now
        Aware; the next fire times are after it.
    """
    owner = f", owned by {project.owner}" if project.owner else ""
    head = [f"Project {project.project}{owner}, days of {project.timezone}."]
    head.append(f"Anomalies of severity {project.alerts.severity} and above are told to: {project.alerts.channel}.")
    for name, metric_set in project.metric_sets.items():
        head += [
            "",
            f"DAG {dag_id(project.project, name)}",
            *(f"  {line}" for line in _lines(project, metric_set, now)),
        ]
    return "\n".join(head)


def _lines(project: Project, metric_set: MetricSet, now: datetime) -> Iterator[str]:
    yield from _source_lines(metric_set)
    yield from _schedule_lines(project, metric_set, now)
    again = f", and again the {metric_set.revisit} before" if metric_set.revisit else ""
    yield f"each run: the last complete {metric_set.period}{again}"
    items = measured(metric_set, project.zone)
    yield from _metric_lines(metric_set, items)
    if isinstance(metric_set, ExpectationsMetricSet):
        yield from _suite_lines(metric_set)
    if not metric_set.detect:
        yield "judged by nobody: there is no detect rule"
    for rule in metric_set.detect:
        yield f"{rule.detector} ({rule.severity}) judges {_chosen(rule, items)}"


def _source_lines(metric_set: MetricSet) -> Iterator[str]:
    if isinstance(metric_set, TrainingMetricSet):
        place = metric_set.tracking_uri or f"of connection {metric_set.tracking_conn_id}"
        yield f"reads training runs from the tracking store {place}"
    if not isinstance(metric_set, TableMetricSet):
        return
    source = metric_set.source
    by = f" by {source.time_column}" if source.time_column else ", the whole of it in every run"
    yield f"measures {_place(source)}{by}{' on Spark' if metric_set.engine == 'spark' else ''}"
    if isinstance(metric_set, ScannedMetricSet):
        yield from _row_lines(metric_set)
    if isinstance(metric_set, DriftMetricSet):
        yield f"compares with {_reference(metric_set)}"


def _row_lines(metric_set: ScannedMetricSet) -> Iterator[str]:
    join, sample = metric_set.join, metric_set.sample
    if join is not None:
        within = f", as far as they come within {join.within}" if join.within else ""
        yield f"with labels of {_place(join.labels)}, joined by {join.on}{within.removesuffix(', 0:00:00')}"
    if sample is not None and sample.ratio < 1:
        yield f"only {sample.ratio:.4g} of the rows{f', chosen by {sample.by}' if sample.by else ''}"
    if metric_set.min_group_rows:
        yield f"groups of fewer than {metric_set.min_group_rows:,} rows are measured together"
    if metric_set.slices:
        yield f"once more for the rows of: {', '.join(metric_set.slices)}"


def _reference(metric_set: DriftMetricSet) -> str:
    reference = metric_set.reference
    if isinstance(reference, WindowReference):
        return f"the {reference.window} {metric_set.period}s before"
    if not isinstance(reference, FixedReference):
        return f"the version before, its last {reference.window} {metric_set.period}s"
    days = f", {reference.first} … {reference.last}" if reference.first else ""
    return f"{_place(reference) if reference.has_own_table else 'itself'}{days}, measured once"


def _place(table: Table) -> str:
    return table.table or table.path or "itself"


def _suite_lines(metric_set: ExpectationsMetricSet) -> Iterator[str]:
    n, gate = len(metric_set.expectations), metric_set.gate
    yield f"{n} expectation{'s' * (n > 1)}: {', '.join(item.name or item.expect for item in metric_set.expectations)}"
    if gate is not None:
        yield f"the collect task fails where less than {gate.min_success_ratio:.4g} of them hold, after the points are staged"


def _schedule_lines(project: Project, metric_set: MetricSet, now: datetime) -> Iterator[str]:
    if metric_set.schedule is None:
        yield "runs only when somebody starts it"
        return
    first = f" from {metric_set.start_date}" if metric_set.start_date else ""
    last = f" until {metric_set.end_date}" if metric_set.end_date else ""
    yield f"runs at '{metric_set.schedule}' {project.timezone}{first}{last}"
    start = metric_set.start_date
    # Fire times come strictly after; the first instant of the first day may be one.
    after = now if start is None else max(now, days_span(start, start, project.zone).start - timedelta(microseconds=1))
    fires = fire_times(metric_set.schedule, project.zone, after, _FIRES)
    fires = [fire for fire in fires if metric_set.end_date is None or fire.date() <= metric_set.end_date]
    yield (
        f"next: {', '.join(f'{fire:%a %Y-%m-%d %H:%M %Z}' for fire in fires)}"
        if fires
        else "next: never, the last day is over"
    )


def _metric_lines(metric_set: MetricSet, items: list[Measured]) -> Iterator[str]:
    by_column: dict[str, list[str]] = {}
    for item in items:
        by_column.setdefault(item.column_name, []).append(item.metric)
    entities = sum(item.has_entities for item in items)
    limit = (
        f"up to {metric_set.max_entities:,} values" if isinstance(metric_set, ScannedMetricSet) else "their entities"
    )
    more = f" ({entities} of them one for each of {limit})" if entities else ""
    listed = "; ".join(f"{column} {' '.join(metrics)}".strip() for column, metrics in by_column.items())
    yield f"{len(items)} metrics a group{more}: {listed}"
    groupings = dict.fromkeys(grouping for item in items for grouping in item.groupings)
    yield f"groups: {', '.join(_grouping(grouping) for grouping in groupings)}"


def _chosen(rule: Detector, items: list[Measured]) -> str:
    chosen = selected(rule, items)
    if not chosen:
        return "nothing"
    names = list(dict.fromkeys(f"{series.column_name} {series.metric}".strip() for _, series in chosen))
    groups = list(dict.fromkeys(_grouping(list(series.group_key)) for _, series in chosen))
    return f"{', '.join(names)} of {', '.join(groups)}"


def _grouping(columns: Sequence[str]) -> str:
    return f"every {' and '.join(columns)}" if columns else "the whole"
