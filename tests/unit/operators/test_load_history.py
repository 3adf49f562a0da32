from __future__ import annotations

from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import AirflowFailException, TaskDeferred

from lupus_provider.errors import DeferredWorkError
from lupus_provider.operators.load_history import LoadHistoryOperator
from lupus_provider.steps import load_history as step, publish_history

NAMES = {"task_id": "load_history", "project": "shop", "metric_set": "orders", "project_file": "shop.yaml"}


class Loaded:
    def as_xcom(self):
        return {"rows": 3}


class Catalog:
    cancelled = 0

    def cancel(self):
        self.cancelled += 1


@pytest.fixture
def operator(monkeypatch):
    """Make an operator whose history says which one was loaded."""

    def operator(told=True, **given):
        made, history = LoadHistoryOperator(**NAMES, **given), SimpleNamespace(catalog=Catalog() if told else None)
        made.__dict__["stores"] = SimpleNamespace(stage="S", history=history)
        made.loads = []
        monkeypatch.setattr(LoadHistoryOperator, "work", contextmanager(lambda self, context: iter(["target"])))
        monkeypatch.setattr(publish_history, "without_catalog", lambda _: "untold" if told else None)
        monkeypatch.setattr(step, "load_history", lambda *args, kind: made.loads.append((args[2], kind)) or Loaded())
        return made

    return operator


def test_a_deferrable_load_is_whole_before_the_catalogue_is_left_to_the_trigger(operator):
    made = operator(deferrable=True, kinds=["points"], history_conn_id="mine")
    with pytest.raises(TaskDeferred) as caught:
        made.execute({})
    assert made.loads == [("untold", "points")]
    assert caught.value.trigger.serialize()[1] == {
        "history_conn_id": "mine", "project": "shop", "metric_set": "orders", "kinds": ["points"],
    }  # fmt: skip
    assert caught.value.kwargs == {"loaded": {"points_rows": 3}}
    going_on = getattr(made, caught.value.method_name)
    assert going_on({}, {"status": "success"}, **caught.value.kwargs) == {"points_rows": 3}


@pytest.mark.parametrize("given", [{"deferrable": False}, {"deferrable": True, "told": False}])
def test_without_a_catalogue_or_a_wish_the_task_does_it_all(operator, given):
    made = operator(**given)
    assert made.execute({}) == {"points_rows": 3}
    assert made.loads == [(made.stores.history, "points")]


@pytest.mark.parametrize(("kind", "error"), [("terminal", AirflowFailException), ("transient", DeferredWorkError)])
def test_what_the_trigger_could_not_do_fails_the_task_as_it_would_have(operator, kind, error):
    event = {"status": "error", "kind": kind, "message": "catalogue hive.lupus refused"}
    with pytest.raises(error, match="refused"):
        operator().published({}, event, {})


def test_what_an_operator_is_told_goes_before_airflows_option(monkeypatch):
    monkeypatch.setenv("AIRFLOW__OPERATORS__DEFAULT_DEFERRABLE", "True")
    assert LoadHistoryOperator(**NAMES).deferrable is True
    assert LoadHistoryOperator(**NAMES, deferrable=False).deferrable is False


def test_killing_the_task_cancels_the_statement(operator):
    made = operator()
    made.on_kill()
    assert made.stores.history.catalog.cancelled == 1


def test_killing_a_task_that_has_opened_nothing_does_nothing():
    LoadHistoryOperator(**NAMES).on_kill()
