"""Checks what a project file means: rules that judge nothing, groups that are not measured, periods that no run covers.

Models refuse what cannot be understood; lint finds what can be understood and still cannot be meant. Nothing here looks at data.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from itertools import pairwise

from lupus_provider.config.folder import doubled_name
from lupus_provider.config.loader import Document, read_document
from lupus_provider.config.measured import Measured, check, measured, selected, series_of
from lupus_provider.config.metric_set import GroupedMetricSet, MetricSet, ScannedMetricSet, TableMetricSet
from lupus_provider.config.schedule import fire_times
from lupus_provider.detectors import Detector
from lupus_provider.errors import (
    BadPlanError,
    MissingExtraError,
    Problem,
    ProjectFileError,
    Terminal,
    UnknownMetricError,
    did_you_mean,
)  # fmt: skip
from lupus_provider.periods import Span, period_at, periods_in

_FROM = datetime(2024, 1, 1, tzinfo=UTC)
"""Fixed, so that lint says the same tomorrow; schedules repeat within the fires that are looked at."""
_FIRES = 60
_LOOK = timedelta(days=400)


def lint(path: str | os.PathLike[str]) -> list[Problem]:
    """Return what is wrong in a project file, with places; empty if nothing is.

    Raises
    ------
    FileNotFoundError
        If the file is not there.
    """
    try:
        document = read_document(path)
    except ProjectFileError as err:
        return list(err.problems)
    return sorted(_all_problems(document), key=lambda problem: (problem.where.line or 0, problem.where.column or 0))


def lint_names(paths: Iterable[str | os.PathLike[str]]) -> list[Problem]:
    """Return a problem for every file whose project has the name of an earlier file's; files that cannot be read are left out."""
    files: dict[str, str] = {}
    problems = []
    for path in paths:
        try:
            document = read_document(path)
        except ProjectFileError:  # told by `lint`
            continue
        name = document.project.project
        if name in files:
            problems.append(doubled_name(document.where("project"), name, files[name]))
        files.setdefault(name, document.path)
    return problems


def _all_problems(document: Document) -> Iterator[Problem]:
    for name, metric_set in document.project.metric_sets.items():
        for keys, text in _metric_set_problems(document, metric_set):
            yield Problem(document.where("metric_sets", name, *keys), f"metric set {name}: {text}")
    rules = [rule for metric_set in document.project.metric_sets.values() for rule in metric_set.detect]
    wanted = document.project.alerts.severity
    loudest = max((rule.severity.rank for rule in rules), default=None)
    if loudest is not None and loudest < wanted.rank:
        yield Problem(
            document.where("alerts", "severity"), f"no rule has severity {wanted} or above, so nobody is ever told."
        )


Found = Iterator[tuple[tuple[str | int, ...], str]]


def _metric_set_problems(document: Document, metric_set: MetricSet) -> Found:
    if isinstance(metric_set, GroupedMetricSet):
        yield from _group_problems(metric_set)
    if isinstance(metric_set, ScannedMetricSet):
        yield from _metric_problems(metric_set)
    if isinstance(metric_set, TableMetricSet):
        yield from _time_problems(metric_set)
    yield from _schedule_problems(document, metric_set)
    contradictions = list(_contradictions(metric_set, document))
    yield from contradictions
    for number, rule in enumerate(metric_set.detect):
        if rule in metric_set.detect[:number]:
            yield (
                ("detect", number),
                f"detect rule {number + 1} is the same as rule {metric_set.detect.index(rule) + 1}. Remove one.",
            )
        for keys, text in () if contradictions else _rule_problems(rule, measured(metric_set, document.project.zone)):
            yield ("detect", number, *keys), f"detect rule {number + 1} ({rule.detector}): {text}"


def _contradictions(metric_set: MetricSet, document: Document) -> Found:
    """Ask the processor itself what it thinks of its arguments; nothing is read."""
    try:
        check(metric_set, document.project.zone)
    except MissingExtraError:  # said when the suite runs; whoever only edits the file needs no library for it
        return
    except BadPlanError as err:
        yield (err.argument,), f"{err}"
    except UnknownMetricError as err:
        yield (), f"{err}"
    except Terminal as err:
        number = getattr(err, "number", None)  # of an expectation
        if number is None:
            raise
        yield ("expectations", number - 1), f"{err}"


def _group_problems(metric_set: GroupedMetricSet) -> Found:
    for number, grouping in enumerate(metric_set.group_sets or ()):
        if len(set(grouping)) < len(grouping):
            yield ("group_sets", number), f"group set {_label(grouping)} names a column twice."
        if set(grouping) in map(set, (metric_set.group_sets or ())[:number]):
            yield ("group_sets", number), f"group set {_label(grouping)} is here twice. Remove one."
    if metric_set.group_sets is None:
        return
    unused = sorted(
        set(metric_set.group_columns) - {column for grouping in metric_set.group_sets for column in grouping}
    )
    if unused:
        yield ("group_columns",), f"group column {unused[0]!r} is in no group set, so nothing is grouped by it."


def _metric_problems(metric_set: ScannedMetricSet) -> Found:
    lists = {("column_metrics", column): metrics for column, metrics in metric_set.column_metrics.items()}
    further = {(key,): getattr(metric_set, key, None) or () for key in ("table_metrics", "metrics")}
    for keys, metrics in {**lists, **further}.items():
        for metric, count in Counter(metrics).items():
            if count > 1:
                yield keys, f"metric {metric!r} is asked for {count} times. Once is enough."


def _time_problems(metric_set: TableMetricSet) -> Found:
    if metric_set.source.time_column is not None:
        return
    if metric_set.source.time_zone is not None:
        yield ("source", "time_zone"), "'time_zone' is about 'time_column', which is not given."
    if metric_set.revisit or "period" in metric_set.model_fields_set:
        key = "revisit" if metric_set.revisit else "period"
        yield (
            (key,),
            f"{key!r} without 'time_column' in 'source': every period would get the numbers of the whole table.",
        )


def _schedule_problems(document: Document, metric_set: MetricSet) -> Found:
    is_whole = isinstance(metric_set, TableMetricSet) and metric_set.source.time_column is None
    if metric_set.schedule is None or is_whole:
        return
    gap = _widest_gap(metric_set, document)
    if gap > 1 + metric_set.revisit:
        covered = f"{1 + metric_set.revisit} {metric_set.period}{'s' if metric_set.revisit else ''}"
        yield (
            ("schedule",),
            f"runs are up to {gap} {metric_set.period}s apart and measure {covered}, so the rest is never measured. Set revisit: {gap - 1}.",
        )


def _widest_gap(metric_set: MetricSet, document: Document) -> int:
    """Largest number of periods between two runs that follow each other."""
    zone, period = document.project.zone, metric_set.period
    fires = fire_times(metric_set.schedule or "", zone, _FROM, _FIRES)
    near = [fire for fire in fires if fire - _FROM < _LOOK] if fires[1] - _FROM < _LOOK else fires[:2]
    ends = [period_at(fire, period, zone).start for fire in near]
    return max(len(periods_in(Span(start, end), period, zone)) for start, end in pairwise(ends))


def _rule_problems(rule: Detector, items: list[Measured]) -> Found:
    dead = False
    groups = {",".join(sorted(series.group_key)) for _, series in series_of(items)}
    metrics, columns = {item.metric for item in items}, {item.column_name for item in items}
    for field, known in (("metrics", metrics), ("columns", columns), ("groups", groups)):
        for number, pattern in enumerate(getattr(rule, field)):
            if not _matches(field, pattern, known):
                dead = True
                yield (field, number), f"{field[:-1]} {pattern!r} is not measured here. {_hint(pattern, known)}"
    if "*" in metrics | columns:  # only the run knows what there is
        return
    chosen = selected(rule, items)
    if not chosen and not dead:
        yield (), "no series has such a metric, column and group together, so nothing is judged."
    if chosen and rule.entities != ("*",) and not any(item.has_entities for item, _ in chosen):
        yield ("entities",), "no selected metric is about entities, as 'count' is; this rule judges nothing."


def _matches(field: str, pattern: str, known: set[str]) -> bool:
    if field == "groups":
        return pattern == "*" or ",".join(sorted(filter(None, pattern.replace(" ", "").split(",")))) in known
    return "*" in known or any(fnmatchcase(name, pattern) for name in known)


def _hint(pattern: str, known: set[str]) -> str:
    named = sorted(filter(None, known))
    return did_you_mean(pattern, named).strip() or f"Measured: {', '.join(named) or 'only the whole'}."


def _label(grouping: Sequence[str]) -> str:
    return f"[{', '.join(grouping)}]"
