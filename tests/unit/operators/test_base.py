from __future__ import annotations

from datetime import UTC, date, datetime
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from airflow.sdk.exceptions import AirflowFailException

from lupus_provider.errors import BadSpanError, Terminal, Transient
from lupus_provider.operators.base import LupusOperator, as_of, span_conf
from lupus_provider.periods import days_span

YAML = """
project: shop
timezone: Asia/Tokyo
metric_sets:
  orders:
    schedule: "0 6 * * *"
    source: {path: orders.parquet, time_column: at}
"""
DUE = datetime(2026, 3, 2, 21, tzinfo=UTC)


def context(conf=None, params=None, *, interval_end=None, logical_date=None):
    run = SimpleNamespace(
        run_id="r", conf=conf, data_interval_end=interval_end, run_after=DUE, logical_date=logical_date
    )
    return {"dag_run": run, "params": params or {}}


@pytest.fixture
def operator(tmp_path):
    path = tmp_path / "shop.yaml"
    path.write_text(YAML)
    return LupusOperator(task_id="t", project="shop", metric_set="orders", project_file=str(path))


def test_a_run_is_about_its_interval_and_else_about_when_it_was_due():
    end = datetime(2026, 1, 1, tzinfo=UTC)
    assert as_of(context(interval_end=end)) == end
    assert as_of(context()) == DUE


def test_the_logical_date_has_no_say():
    assert as_of(context(logical_date=datetime(1999, 1, 1, tzinfo=UTC))) == DUE


def test_a_run_without_conf_measures_the_last_complete_local_day(operator):
    # 21:00 UTC is 06:00 of 3 March in Tokyo, so 2 March is complete.
    day = date(2026, 3, 2)
    assert operator.target(context()).span == days_span(day, day, ZoneInfo("Asia/Tokyo"))


def test_conf_and_form_both_say_the_span(operator):
    asked = {"from": "2026-01-01", "to": "2026-01-31"}
    span = days_span(date(2026, 1, 1), date(2026, 1, 31), ZoneInfo("Asia/Tokyo"))
    assert operator.target(context(asked)).span == span
    assert operator.target(context(None, asked)).span == span
    assert operator.target(context({}, {"from": None, "to": None})).span != span


def test_conf_wins_over_the_form():
    assert span_conf(context({"from": "a"}, {"from": "b", "to": "c"})) == {"from": "a", "to": "c"}


def test_an_unknown_conf_key_fails_the_task_at_once(operator):
    with pytest.raises(AirflowFailException, match="'form' is unknown"), operator.work(context({"form": "2026-01-01"})):
        pass


def test_the_project_file_is_read_when_the_task_runs(operator, tmp_path):
    (tmp_path / "shop.yaml").write_text(YAML.replace("Asia/Tokyo", "Europe/Berlin"))
    assert operator.target(context()).project.timezone == "Europe/Berlin"


def test_a_metric_set_that_has_gone_is_named(operator, tmp_path):
    (tmp_path / "shop.yaml").write_text(YAML.replace("orders:", "order_lines:"))
    with pytest.raises(AirflowFailException, match="'orders' is unknown"), operator.work(context()):
        pass


@pytest.mark.parametrize(
    "error", [BadSpanError("here", "it is wrong", "Mend it."), Terminal("no"), AirflowFailException("own")]
)
def test_what_a_retry_cannot_help_fails_at_once_with_the_same_sentence(operator, error):
    with pytest.raises(AirflowFailException) as caught, operator.work(context()):
        raise error
    assert str(caught.value) == str(error)


@pytest.mark.parametrize("error", [Transient("busy"), OSError("gone"), ZeroDivisionError()])
def test_everything_else_is_left_to_airflows_retries(operator, error):
    with pytest.raises(type(error)) as caught, operator.work(context()):
        raise error
    assert caught.value is error


def test_stores_are_closed_also_after_an_error(operator):
    closed = []
    operator.__dict__["stores"] = SimpleNamespace(close=lambda: closed.append(True))
    with pytest.raises(OSError), operator.work(context()):  # noqa: PT011
        raise OSError
    assert closed == [True]
