"""Says in words what a project file would do: which DAGs, when, what is measured a group, who judges it.

People read this before they merge a file, so it speaks of effects, not of keys.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from lupus_provider.config.lint import selected
from lupus_provider.config.models import MetricSet, Project
from lupus_provider.config.schedule import fire_times
from lupus_provider.detectors import Detector
from lupus_provider.metrics import parse_metric
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
    source = metric_set.source
    place = source.table or source.path
    yield f"measures {place}" + (
        f" by {source.time_column}" if source.time_column else ", the whole of it in every run"
    )
    yield from _schedule_lines(project, metric_set, now)
    again = f", and again the {metric_set.revisit} before" if metric_set.revisit else ""
    yield f"each run: the last complete {metric_set.period}{again}"
    yield from _metric_lines(metric_set)
    if not metric_set.detect:
        yield "judged by nobody: there is no detect rule"
    for rule in metric_set.detect:
        yield f"{rule.detector} ({rule.severity}) judges {_chosen(rule, metric_set)}"


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


def _metric_lines(metric_set: MetricSet) -> Iterator[str]:
    columns = [f"{column} {' '.join(metrics)}" for column, metrics in metric_set.column_metrics.items()]
    asked = [
        *metric_set.table_metrics,
        *(metric for metrics in metric_set.column_metrics.values() for metric in metrics),
    ]
    entities = sum(parse_metric(metric).metric.per_entity for metric in asked)
    more = f" ({entities} of them one for each of up to {metric_set.max_entities:,} values)" if entities else ""
    yield f"{len(asked)} metrics a group{more}: {'; '.join([' '.join(metric_set.table_metrics), *columns])}"
    yield f"groups: {', '.join(_grouping(grouping) for grouping in metric_set.groupings)}"


def _chosen(rule: Detector, metric_set: MetricSet) -> str:
    series = selected(rule, metric_set)
    if not series:
        return "nothing"
    names = list(dict.fromkeys(f"{one.column_name} {one.metric}".strip() for one in series))
    groups = list(dict.fromkeys(_grouping(sorted(one.group_key)) for one in series))
    return f"{', '.join(names)} of {', '.join(groups)}"


def _grouping(columns: Sequence[str]) -> str:
    return f"every {' and '.join(columns)}" if columns else "the whole"
