"""Base of all operators: says what a run works on, and which errors a retry can help.

Here and nowhere else errors become task states: Terminal fails the task at once, Transient is left to Airflow's retries
(tests/unit/operators/test_base.py).
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException

from lupus_provider.errors import DeferredWorkError, Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from airflow.sdk import Context

    from lupus_provider.hooks.stores import LupusHook
    from lupus_provider.steps.target import Target

SPAN_KEYS = ("from", "to")


def run_of(context: Context) -> Any:
    """Return the DAG run of a task; Airflow gives it to every task, although its type says that it may not."""
    return context["dag_run"]  # pyright: ignore[reportTypedDictNotRequiredAccess]


def as_of(context: Context) -> datetime:
    """Return the instant that a run is about: the end of its data interval, else when it was due.

    Never `logical_date`, which is missing in manual runs and means something else in each timetable. All tasks of a run see the
    same instant, so each of them may compute the run's span for itself.
    """
    run = run_of(context)
    return run.data_interval_end or run.run_after


def span_conf(context: Context) -> dict[str, Any]:
    """Return what a run was asked for: its conf, filled up with the `from` and `to` of its params (the trigger form)."""
    params: Mapping[str, Any] = context.get("params") or {}
    asked = dict(run_of(context).conf or {})
    for key in SPAN_KEYS:
        if asked.get(key) is None and params.get(key) is not None:
            asked[key] = params[key]
    return asked


def raise_for(event: Mapping[str, Any], work: str) -> None:
    """Raise what a trigger's event says went wrong, so that retries are decided as if the task had done the work itself.

    Raises
    ------
    AirflowFailException
        If a retry cannot help.
    DeferredWorkError
        If it may.
    """
    if event["status"] != "error":
        return
    if event["kind"] == "terminal":
        raise AirflowFailException(event["message"])
    raise DeferredWorkError(work, event["message"])


class LupusOperator(BaseOperator):
    """Base of the operators of a metric set.

    Parameters
    ----------
    project, metric_set
        Names, as in the project file.
    project_file
        Path of the project file; read when the task runs, so that a retry sees a corrected file.
    stage_conn_id, history_conn_id, index_conn_id, ledger_conn_id
        Connections of the stores; one that does not exist means the embedded store.
    """

    template_fields = ("project", "metric_set", "project_file")
    ui_color = "#e6f2ef"

    def __init__(
        self,
        *,
        project: str,
        metric_set: str,
        project_file: str,
        stage_conn_id: str = "lupus_stage",
        history_conn_id: str = "lupus_history",
        index_conn_id: str = "lupus_index",
        ledger_conn_id: str = "lupus_ledger",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.project = project
        self.metric_set = metric_set
        self.project_file = project_file
        self.stage_conn_id = stage_conn_id
        self.history_conn_id = history_conn_id
        self.index_conn_id = index_conn_id
        self.ledger_conn_id = ledger_conn_id

    @cached_property
    def stores(self) -> LupusHook:
        """The stores of this task."""
        from lupus_provider.hooks.stores import LupusHook

        return LupusHook(
            stage_conn_id=self.stage_conn_id,
            history_conn_id=self.history_conn_id,
            index_conn_id=self.index_conn_id,
            ledger_conn_id=self.ledger_conn_id,
        )

    def target(self, context: Context) -> Target:
        """Return what this run works on, from the project file as it is now."""
        from lupus_provider.config import load_project
        from lupus_provider.errors import UnknownNameError
        from lupus_provider.steps.target import Target, span_of

        project = load_project(self.project_file)
        if self.metric_set not in project.metric_sets:
            raise UnknownNameError("metric_set", self.metric_set, sorted(project.metric_sets))
        return Target(project, self.metric_set, span_of(span_conf(context), as_of(context), project, self.metric_set))

    @contextmanager
    def work(self, context: Context) -> Iterator[Target]:
        """Give the target of a run; close the stores after it and turn what a retry cannot help into a failed task."""
        try:
            target = self.target(context)
            self.log.info("%s: %s", type(self).__name__, target)
            yield target
        except Terminal as err:
            raise AirflowFailException(str(err)) from err
        finally:
            self.stores.close()
