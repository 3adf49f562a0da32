"""Statements over several sessions: all are run, failures keep to themselves, and a server that is away ends it."""

from __future__ import annotations

from threading import Barrier, Lock

import pytest

from lupus_provider.errors import CatalogAwayError, CatalogError
from lupus_provider.stores.history.hive_sessions import MANY, HiveSessions


class Session:
    """A session that notes what it ran; statements say how they end."""

    def __init__(self, ran, lock):
        self.ran, self.lock = ran, lock
        self.is_cancelled = self.is_closed = False

    def run(self, statement):
        with self.lock:
            self.ran.append((self, statement))
        if "refused" in statement:
            raise CatalogError("c", statement, "no")
        if "away" in statement:
            raise CatalogAwayError("c", statement, "gone")
        if "bug" in statement:
            raise ZeroDivisionError
        if "wait" in statement:
            self.barrier.wait(10)
        return [(1,)]

    def cancel(self):
        self.is_cancelled = True

    def close(self):
        self.is_closed = True


@pytest.fixture
def ran():
    return []


@pytest.fixture
def sessions(ran):
    lock = Lock()
    return HiveSessions(lambda: Session(ran, lock), 4)


def test_every_statement_is_run_once(sessions, ran):
    statements = [f"s{n}" for n in range(50)]
    assert sessions.run_each(statements) == {}
    assert sorted(statement for _, statement in ran) == sorted(statements)


def test_sessions_work_at_once(sessions, ran):
    Session.barrier = Barrier(4)  # nobody passes before four are there
    assert sessions.run_each(["wait"] * MANY) == {}
    assert len({id(session) for session, _ in ran}) == 4


def test_few_statements_keep_to_one_session(sessions, ran):
    sessions.run_each([f"s{n}" for n in range(MANY - 1)])
    assert len({id(session) for session, _ in ran}) == 1


def test_a_refused_statement_does_not_stop_the_others(sessions, ran):
    failed = sessions.run_each(["refused" if n in (3, 17) else f"s{n}" for n in range(30)])
    assert {number: type(err) for number, err in failed.items()} == {3: CatalogError, 17: CatalogError}
    assert len(ran) == 30


def test_a_server_that_is_away_ends_it_and_all_that_is_left_has_failed(sessions, ran):
    failed = sessions.run_each(["s", *["away"] * 20])
    assert set(failed) == set(range(1, 21))
    assert len(ran) <= 6


def test_a_bug_is_raised(sessions):
    with pytest.raises(ZeroDivisionError):
        sessions.run_each(["bug"] * 20)


def test_all_are_cancelled_and_closed(sessions):
    sessions.cancel()
    sessions.close()
    assert all(session.is_cancelled and session.is_closed for session in sessions._sessions)
