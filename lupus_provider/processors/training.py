"""Training runs in an MLflow store as points: losses, counts, durations, by experiment, parameter, tag and model version.

A period is told by the last run that finished in it, because that is the model people will get; how many ran and failed is counted.
"""

from __future__ import annotations

import logging
from bisect import bisect_right
from collections import defaultdict
from typing import TYPE_CHECKING, get_args
from zoneinfo import ZoneInfo

from lupus_provider import clock
from lupus_provider.errors import BadPlanError, did_you_mean
from lupus_provider.metrics.plan import make_plan
from lupus_provider.periods import Period, PeriodName, Span, period_at
from lupus_provider.processors.assemble import Stamp
from lupus_provider.processors.made_elsewhere import MadePoint, points
from lupus_provider.processors.mlflow import ENDED_BADLY, ENDED_WELL, TrackingStore
from lupus_provider.processors.result import Metrics

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from lupus_provider.processors.mlflow import TrainingRun

log = logging.getLogger(__name__)

GroupKey = tuple[tuple[str, str | None], ...]
Cells = dict[tuple[Period, str, GroupKey], list["TrainingRun"]]

RUN_METRICS = ("run_count", "failed_run_count", "running_run_count", "duration_seconds")
"""What every period tells of its runs, whatever they logged."""
_OF_RUN = ("experiment", "run_name", "run_id", "model_version")


class TrainingProcessor:
    """Turn the runs of an MLflow tracking store into points.

    A run belongs to the period in which it ended, or in which it started while it still runs. The value of a metric is the last one
    logged by the last run of the period that finished and logged it. `column_name` is the experiment, because rules and charts select
    by column; with `registered_model` it is that model, because runs of several experiments may feed one model.

    Parameters
    ----------
    tracking_uri
        Address of a server (`https://…`), a database (`sqlite:////srv/mlflow.db`) or a folder (`file:/srv/mlruns`).
    experiment_names
        Experiments to read; these always have counts, also of no run. None: every active experiment that has runs; with
        `registered_model`: the runs that made its versions.
    metrics
        Metric names as logged; these have a point in every period. None: whatever the finished runs logged.
    per_step
        Also give the value of each step, with the step as `entity`.
    period, zone
        Length of a period, and the IANA zone whose days they are, where `periods` are not given.
    periods
        Periods to tell, oldest first, without overlap; None: every period that has a run.
    group_columns, group_sets
        What splits the runs: `params.<name>`, `tags.<name>`, `experiment`, `run_name`, `run_id`, `model_version`. A run without the
        parameter belongs to the group of null.
    registered_model
        Model of the registry whose versions stand in `model_version` of the points of the runs that made them.
    registry_uri
        Address of the registry, where it is not the tracking store's.
    max_steps
        Steps a run and metric that `per_step` keeps; of more, evenly spaced ones and the last.

    Raises
    ------
    BadPlanError
        If arguments contradict themselves.
    """

    def __init__(
        self,
        tracking_uri: str,
        *,
        experiment_names: Sequence[str] | None = None,
        metrics: Sequence[str] | None = None,
        per_step: bool = False,
        period: PeriodName = "day",
        zone: str = "UTC",
        periods: Sequence[Period] | None = None,
        group_columns: Sequence[str] = (),
        group_sets: Sequence[Sequence[str]] | None = None,
        registered_model: str | None = None,
        registry_uri: str | None = None,
        max_steps: int = 1_000,
    ) -> None:
        bounds = None if periods is None else tuple(periods)
        self.plan = make_plan({}, (), group_columns, group_sets, periods=bounds, zone=zone)
        for argument, names in (("experiment_names", experiment_names), ("metrics", metrics)):
            if isinstance(names, str):
                raise BadPlanError(argument, f"is the text {names!r}", f"Give a list: [{names!r}].")
        if period not in get_args(PeriodName):
            raise BadPlanError("period", f"is {period!r}", f"Use one of {', '.join(get_args(PeriodName))}.")
        if max_steps < 1:
            raise BadPlanError("max_steps", f"is {max_steps}", "Give 1 or more.")
        for column in self.plan.group_columns:
            _check_group(column)
        self.tracking_uri, self.registry_uri = str(tracking_uri), registry_uri
        self.experiment_names, self.registered_model = experiment_names, registered_model
        self.metrics = None if metrics is None else tuple(name for name in metrics if name not in RUN_METRICS)
        self.period: PeriodName = period
        self.per_step, self.max_steps = per_step, max_steps

    def get_metrics(
        self,
        *,
        project: str = "local",
        metric_set: str = "training",
        run_id: str = "local",
        collected_at: datetime | None = None,
    ) -> Metrics:
        """Read the runs.

        Parameters
        ----------
        project, metric_set, run_id
            Whose points they are and which run (of Lupus) read them; series ids depend on the first two.
        collected_at
            Aware; when the reading began. Now, if not given.

        Returns
        -------
        Metrics
            A metric that no finished run logged is a point with `error`; a loss of NaN is a point without value, an infinite one has an
            `error`. `n_rows` of counts is the number of runs; on how many rows a loss stands, MLflow does not say.

        Raises
        ------
        MissingExtraError
            If MLflow is not installed.
        TrackingStoreAwayError, BadTrackingStoreError
            If the store cannot be read now, or never.
        NotInTrackingStoreError
            If it has no such experiment or registered model.
        """
        stamp = Stamp(project, metric_set, run_id, collected_at or clock.utc_now())
        store = TrackingStore(self.tracking_uri, self.registry_uri)
        versions = store.versions(self.registered_model) if self.registered_model is not None else {}
        experiments = store.experiments(self.experiment_names)
        runs = [run for run in store.runs(experiments, self._span) if self._is_asked(run, versions)]
        cells = self._cells(runs, versions)
        made = (point for cell, members in cells.items() for point in self._told(cell, members, versions, store))
        return Metrics(points(made, stamp), stamp, [period.start for period in self.plan.periods or ()])

    @property
    def _span(self) -> Span | None:
        periods = self.plan.periods
        return Span(periods[0].start, periods[-1].end) if periods else None

    def _is_asked(self, run: TrainingRun, versions: Mapping[str, str]) -> bool:
        return self.registered_model is None or self.experiment_names is not None or run.run_id in versions

    def _cells(self, runs: Sequence[TrainingRun], versions: Mapping[str, str]) -> Cells:
        """Sort runs by period, column and group; every period tells of the experiments that were named, if only that none ran."""
        cells: Cells = defaultdict(list)
        for run in runs:
            period = self._period_of(run)
            if period is None:
                continue
            for group_set in self.plan.group_sets:
                key = tuple((column, _group_value(run, column, versions)) for column in group_set)
                cells[period, self._column(run), key].append(run)
        told = {(period, column) for period, column, _ in cells}
        for period in self.plan.periods or sorted({period for period, _ in told}):
            for column in (
                (self.registered_model,) if self.registered_model is not None else self.experiment_names or ()
            ):
                if () in self.plan.group_sets or (period, column) not in told:
                    cells[period, column, ()].extend(())
        return cells

    def _column(self, run: TrainingRun) -> str:
        return run.experiment if self.registered_model is None else self.registered_model

    def _period_of(self, run: TrainingRun) -> Period | None:
        if self.plan.periods is None:
            return period_at(run.moment, self.period, ZoneInfo(self.plan.zone))
        index = bisect_right(self.plan.periods, run.moment, key=lambda period: period.start) - 1
        period = self.plan.periods[index] if index >= 0 else None
        return period if period and run.moment < period.end else None

    def _told(
        self, cell: tuple[Period, str, GroupKey], runs: Sequence[TrainingRun], versions: Mapping[str, str], store: TrackingStore
    ) -> Iterator[MadePoint]:  # fmt: skip
        period, column, key = cell
        group = dict(key)
        yield from _counts(period, column, group, runs)
        finished = [run for run in runs if run.is_over and run.status == ENDED_WELL]
        last = finished[-1] if finished else None
        seconds = (last.ended - last.started).total_seconds() if last and last.ended else None
        version = versions.get(last.run_id) if last else None
        yield MadePoint(period, column, "duration_seconds", seconds, None, group, len(finished), None, version)
        for metric in self._metric_names(finished):
            run = next((run for run in reversed(finished) if metric in run.metrics), None)
            if run is None:
                error = _nobody_logged(metric, finished) if finished else None
                yield MadePoint(period, column, metric, None, None, group, None, error, group.get("model_version"))
                continue
            version = versions.get(run.run_id)
            yield MadePoint(period, column, metric, run.metrics[metric], None, group, None, None, version)
            for step, value in self._steps(run, metric, store):
                yield MadePoint(period, column, metric, value, str(step), group, None, None, version)

    def _metric_names(self, finished: Sequence[TrainingRun]) -> Sequence[str]:
        if self.metrics is not None:
            return tuple(dict.fromkeys(self.metrics))
        logged = {name for run in finished for name in run.metrics}
        for name in logged.intersection(RUN_METRICS):
            log.warning(
                "runs of %s log a metric %r, which is left out: Lupus' own has that name", finished[-1].experiment, name
            )
        return sorted(logged.difference(RUN_METRICS))

    def _steps(self, run: TrainingRun, metric: str, store: TrackingStore) -> list[tuple[int, float]]:
        if not self.per_step:
            return []
        steps = list(store.steps(run, metric).items())
        stride = -(-len(steps) // self.max_steps)
        if stride <= 1:
            return steps
        log.info("run %s has %d steps of %s: every %dth and the last are kept", run.run_id, len(steps), metric, stride)
        return [*steps[:-1:stride][: self.max_steps - 1], steps[-1]]


def _check_group(column: str) -> None:
    head, _, name = column.partition(".")
    if column not in _OF_RUN and not (head in ("params", "tags") and name):
        raise BadPlanError(
            "group_columns",
            f"have {column!r}, which a run does not have",
            f"Use 'params.{column}' or 'tags.{column}', or one of {', '.join(_OF_RUN)}.",
        )


def _group_value(run: TrainingRun, column: str, versions: Mapping[str, str]) -> str | None:
    head, _, name = column.partition(".")
    if head == "params":
        return run.params.get(name)
    if head == "tags":
        return run.tags.get(name)
    return {
        "experiment": run.experiment,
        "run_name": run.name,
        "run_id": run.run_id,
        "model_version": versions.get(run.run_id),
    }[column]


def _counts(
    period: Period, column: str, group: Mapping[str, str | None], runs: Sequence[TrainingRun]
) -> Iterator[MadePoint]:
    counts = {
        "run_count": len(runs),
        "failed_run_count": sum(run.is_over and run.status in ENDED_BADLY for run in runs),
        "running_run_count": sum(not run.is_over for run in runs),
    }
    for metric, count in counts.items():
        yield MadePoint(period, column, metric, count, None, group, len(runs), model_version=group.get("model_version"))


def _nobody_logged(metric: str, finished: Sequence[TrainingRun]) -> str:
    logged = sorted({name for run in finished for name in run.metrics})
    shown = ", ".join(logged[:20]) or "nothing"
    return f"no finished run of the period logged {metric!r}. {did_you_mean(metric, logged)}They logged: {shown}."
