"""The session against a driver that does what it is told; tests/fault/test_hive.py has the real servers."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import pytest
from pyhive.exc import OperationalError
from TCLIService.ttypes import TOperationState as State
from thrift.transport.TTransport import TTransportException

from lupus_provider.errors import CatalogAwayError, CatalogError
from lupus_provider.stores.history import hive_session
from lupus_provider.stores.history.hive_session import HiveSession

GONE = TTransportException(TTransportException.END_OF_FILE, "TSocket read 0 bytes")


class Driver:
    """Opens connections of which each answers by the next plan: an exception, or the states that a statement goes through."""

    def __init__(self, *plans):
        self.plans, self.opened, self.ran, self.cancelled, self.hung_up = list(plans), 0, [], [], 0
        self._transport = self
        self.client = self

    def __call__(self):
        self.opened += 1
        return self

    def cursor(self):
        return self

    description = (("x",),)
    _operationHandle = "handle"

    def execute(self, statement, async_):
        assert async_
        self.ran.append(statement)
        self.states = self.plans.pop(0) if self.plans else [State.FINISHED_STATE]
        if isinstance(self.states, Exception):
            raise self.states

    def poll(self, get_progress_update):
        del get_progress_update
        return SimpleNamespace(operationState=self.states.pop(0), errorMessage="SemanticException no", sqlState="42000")

    def fetchall(self):
        return [("row",)]

    def fetch_logs(self):
        return ["INFO  : Map 1: 0/3", "INFO  : Map 1: 2/3", ""]

    def CancelOperation(self, request):
        self.cancelled.append(request.operationHandle)

    def close(self):
        self.hung_up += 1


def session(driver, **given):
    return HiveSession(driver, "hive.lupus", timeout=given.pop("timeout", 60), **given)


def test_rows_come_back_from_one_session():
    driver = Driver()
    mine = session(driver)
    assert [mine.run("SELECT 1"), mine.run("SELECT 2")] == [[("row",)]] * 2
    assert (driver.opened, driver.ran) == (1, ["SELECT 1", "SELECT 2"])


def test_a_dead_session_is_replaced_once_with_its_settings():
    driver = Driver([State.FINISHED_STATE], GONE)
    assert session(driver, settings=["SET a=b"]).run("SELECT 1") == [("row",)]
    assert driver.ran == ["SET a=b", "SELECT 1", "SET a=b", "SELECT 1"]
    assert driver.opened - len(driver.cancelled) == 2  # cancelling takes a connection of its own


def test_a_session_that_dies_twice_is_away():
    driver = Driver(GONE, GONE)
    with pytest.raises(CatalogAwayError, match="TSocket read 0 bytes"):
        session(driver).run("SELECT 1")
    assert driver.ran == ["SELECT 1"] * 2


def test_a_refused_statement_keeps_its_session():
    driver = Driver([State.RUNNING_STATE, State.ERROR_STATE])
    mine = session(driver)
    with pytest.raises(CatalogError, match="SELECT 1"):
        mine.run("SELECT 1")
    mine.run("SELECT 2")
    assert (driver.opened, driver.cancelled) == (1, [])


def test_time_is_up_and_the_statement_is_cancelled_by_its_handle():
    driver = Driver([State.RUNNING_STATE] * 3)
    with pytest.raises(CatalogAwayError, match="longer than 0 s"):
        session(driver, timeout=0).run("SELECT 1")
    assert driver.cancelled == ["handle"]


def test_whatever_ends_the_task_cancels_the_statement():
    driver = Driver(KeyboardInterrupt())
    driver.plans = [[State.RUNNING_STATE]]
    driver.poll = lambda **_: (_ for _ in ()).throw(KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        session(driver).run("SELECT 1")
    assert driver.cancelled == ["handle"]
    assert driver.hung_up >= 1


def test_after_cancel_nothing_runs_any_more():
    driver = Driver()
    mine = session(driver)
    mine.cancel()
    with pytest.raises(CatalogAwayError, match="cancelled"):
        mine.run("SELECT 1")
    assert driver.ran == driver.cancelled == []


def test_cancel_while_a_statement_runs_reaches_the_server_and_ends_it():
    driver = Driver([State.RUNNING_STATE] * 5)
    mine, poll = session(driver), driver.poll

    def interrupted(**given):
        mine.cancel()  # as a signal handler does
        return poll(**given)

    driver.poll = interrupted
    with pytest.raises(CatalogAwayError, match="cancelled"):
        mine.run("SELECT 1")
    assert driver.cancelled == ["handle"]


def test_progress_is_told(monkeypatch, caplog):
    monkeypatch.setattr(hive_session, "PROGRESS_SECONDS", 0)
    driver = Driver([State.RUNNING_STATE, State.FINISHED_STATE])
    with caplog.at_level(logging.INFO, "lupus_provider"):
        session(driver).run("INSERT OVERWRITE TABLE `a`.`b` SELECT 1")
    assert "INSERT OVERWRITE TABLE `a`.`b`: INFO  : Map 1: 2/3" in caplog.text
    assert "0/3" not in caplog.text


def test_a_server_without_logs_is_no_error(monkeypatch):
    monkeypatch.setattr(hive_session, "PROGRESS_SECONDS", 0)
    driver = Driver([State.RUNNING_STATE, State.FINISHED_STATE])
    answer = SimpleNamespace(status=SimpleNamespace(errorMessage="Couldn't find log", sqlState=None))
    driver.fetch_logs = lambda: (_ for _ in ()).throw(OperationalError(answer))
    assert session(driver).run("SELECT 1") == [("row",)]


def test_closing_a_dead_session_is_no_error():
    driver = Driver()
    mine = session(driver)
    mine.run("SELECT 1")
    closes = iter([GONE])

    def close():
        for err in closes:
            raise err

    driver.close = close
    mine.close()
    mine.close()
