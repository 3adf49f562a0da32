"""A metric set → its DAG: the steps of the way of a point, in order.

The same file always gives the same DAG, byte for byte (no time of day, sorted tags), because every difference is a new DAG version.
Nothing here opens a store or imports an engine: operators do that when they run (tests/dags/test_factory_imports.py).
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import DAG, CronTriggerTimetable, Param

from lupus_provider.naming import dag_id
from lupus_provider.operators.alert import AlertOperator
from lupus_provider.operators.collect import CollectOperator
from lupus_provider.operators.compact import CompactOperator
from lupus_provider.operators.detect import DetectOperator
from lupus_provider.operators.expire import ExpireOperator
from lupus_provider.operators.load_history import LoadHistoryOperator
from lupus_provider.operators.load_index import LoadIndexOperator
from lupus_provider.periods import days_span

if TYPE_CHECKING:
    from lupus_provider.config.loader import Document
    from lupus_provider.config.models import MetricSet, Project

_VERDICTS = ("anomalies", "evaluations")


def build_dag(document: Document, name: str) -> DAG:
    """Return the DAG of one metric set.

    Parameters
    ----------
    document
        The project file, read.
    name
        A metric set of the project.
    """
    project = document.project
    metric_set = project.metric_sets[name]
    dag = DAG(
        dag_id(project.project, name),
        description=f"{project.description or project.project}: {name}",
        doc_md=_doc(document, name),
        schedule=_schedule(project, metric_set),
        catchup=False,
        max_active_runs=1,
        params=_params(project),  # type: ignore[arg-type]  (Airflow takes any mapping here)
        tags=["lupus", f"project:{project.project}"],
        default_args=_default_args(project),
        **_dates(project, metric_set),
    )
    expires = any(age is not None for age in (project.retention_of(name).history, project.retention_of(name).index))
    _add_steps(dag, {"project": project.project, "metric_set": name, "project_file": document.path}, expires=expires)
    return dag


def _add_steps(dag: DAG, target: dict[str, str], *, expires: bool) -> None:
    common: dict[str, Any] = {**target, "dag": dag}
    collect = CollectOperator(task_id="collect", **common)
    load_history = LoadHistoryOperator(task_id="load_history", kinds=("points",), **common)
    load_index = LoadIndexOperator(task_id="load_index", kinds=("points",), **common)
    detect = DetectOperator(task_id="detect", **common)
    load_history_verdicts = LoadHistoryOperator(task_id="load_history_verdicts", kinds=_VERDICTS, **common)
    load_index_verdicts = LoadIndexOperator(task_id="load_index_verdicts", kinds=_VERDICTS, **common)
    alert = AlertOperator(task_id="alert", **common)
    collect.set_downstream([load_history, load_index])
    load_history.set_downstream(detect)
    detect.set_downstream([load_history_verdicts, load_index_verdicts])
    compact = CompactOperator(task_id="compact", **common)
    load_history_verdicts.set_downstream([alert, compact])
    if expires:
        ExpireOperator(task_id="expire", **common).set_upstream([compact, load_index_verdicts])


def _schedule(project: Project, metric_set: MetricSet) -> CronTriggerTimetable | None:
    if metric_set.schedule is None:
        return None
    return CronTriggerTimetable(metric_set.schedule, timezone=project.timezone)


def _dates(project: Project, metric_set: MetricSet) -> dict[str, Any]:
    # Without a start date a DAG that is switched on waits for its next cron point, which is what people expect.
    dates: dict[str, Any] = {}
    if metric_set.start_date is not None:
        dates["start_date"] = days_span(metric_set.start_date, metric_set.start_date, project.zone).start
    if metric_set.end_date is not None:
        dates["end_date"] = days_span(metric_set.end_date, metric_set.end_date, project.zone).end - timedelta(
            microseconds=1
        )
    return dates


def _params(project: Project) -> dict[str, Param]:
    def day(title: str, description: str) -> Param:
        return Param(None, type=["null", "string"], format="date", title=title, description=description)

    return {
        "from": day(
            "From", f"First day to measure, a day of {project.timezone}. Leave both empty for the last complete period."
        ),
        "to": day("To", "Last day to measure, inclusive."),
    }


def _default_args(project: Project) -> dict[str, Any]:
    return {
        "owner": project.owner or "lupus",
        "retries": 2,
        "retry_delay": timedelta(seconds=10),
        "retry_exponential_backoff": 3,
        "max_retry_delay": timedelta(minutes=5),
    }


def _doc(document: Document, name: str) -> str:
    project, text = document.project, document.excerpt(name)
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return "\n".join(
        [
            f"Measures the metric set **{name}** of the project **{project.project}**, judges it and tells what is wrong.",
            f"Days are days of {project.timezone}. Made from the project file; to change the DAG, change the file:",
            "",
            f"{fence}yaml",
            text,
            fence,
        ]
    )
