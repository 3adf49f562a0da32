"""The laws of deadlines in a ledger: verdicts, heartbeats, watermarks. See `testing.ledger`."""

from __future__ import annotations

import itertools
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from lupus_provider.stores.ledger.base import Message
from lupus_provider.stores.ledger.errors import NoSuchRecordError
from lupus_provider.stores.ledger.heartbeats import Heartbeat
from lupus_provider.stores.ledger.verdicts import DeadlineVerdict
from lupus_provider.testing.builders import PROJECT, day
from lupus_provider.testing.threads import at_once

if TYPE_CHECKING:
    from lupus_provider.stores.ledger.base import LedgerStore

DUE = day(10, hour=8)
HOUR = timedelta(hours=1)


def a_verdict(verdict: Any = "MET", **given: Any) -> DeadlineVerdict:
    """Return a judgement, made when the deadline was due."""
    filled = {
        "deadline_id": "daily", "due_at": DUE, "project": PROJECT, "job": "train", "judged_at": DUE, "reason": "é", **given,
    }  # fmt: skip
    return DeadlineVerdict(verdict=verdict, **filled)


def kept(verdict: DeadlineVerdict) -> DeadlineVerdict:
    """Return what a ledger has of a first judgement."""
    return replace(verdict, first_verdict=verdict.verdict, first_judged_at=verdict.judged_at)


def a_heartbeat(state: Any = "started", hours: int = 0, **given: Any) -> Heartbeat:
    """Return a heartbeat of an hour of the day."""
    return Heartbeat(given.pop("project", PROJECT), given.pop("job", "train"), state, day(hour=hours), **given)


def all_of(ledger: LedgerStore) -> list[DeadlineVerdict]:
    """Return all verdicts of the project."""
    return list(ledger.verdicts([PROJECT], day(-999)))


class VerdictLaws:
    """What every ledger keeps of verdicts."""

    def test_verdicts_come_back_exactly(self, ledger: LedgerStore) -> None:
        full = a_verdict(
            "LATE", due_at=DUE + HOUR, started_at=DUE - HOUR, finished_at=DUE + timedelta(microseconds=1), told_at=DUE
        )
        assert ledger.record_verdicts([full, a_verdict(), a_verdict(project="other", deadline_id="x")], [], DUE) == 0
        assert all_of(ledger) == [kept(a_verdict()), kept(full)]
        assert ledger.verdicts([PROJECT], DUE, DUE + HOUR) == [kept(a_verdict())]
        assert ledger.verdicts([PROJECT], DUE + HOUR) == [kept(full)]
        assert ledger.verdicts([PROJECT], DUE, deadline_ids=[]) == ledger.verdicts([], DUE) == []
        assert len(ledger.verdicts([PROJECT, "other"], DUE, deadline_ids=["x"])) == 1

    def test_a_later_judgement_replaces_and_the_first_remains(self, ledger: LedgerStore) -> None:
        ledger.record_verdicts([a_verdict("RUNNING", told_at=DUE)], [], DUE)
        late = a_verdict("LATE", judged_at=DUE + HOUR, told_at=DUE + HOUR, finished_at=DUE + HOUR, reason="")
        ledger.record_verdicts([late], [], DUE + HOUR)
        assert all_of(ledger) == [replace(late, first_verdict="RUNNING", first_judged_at=DUE, told_at=DUE)]

    def test_judgements_recorded_in_any_order_and_number_give_the_same(self, ledger: LedgerStore) -> None:
        said = ("RUNNING", "LATE", "FAILED")
        judged = [a_verdict(word, judged_at=DUE + n * HOUR) for n, word in enumerate(said)]
        judged[1] = replace(judged[1], told_at=DUE + HOUR)
        wanted = replace(judged[2], first_verdict="RUNNING", first_judged_at=DUE, told_at=DUE + HOUR)
        for n, order in enumerate(itertools.permutations(judged)):
            for one in (*order, *order):
                ledger.record_verdicts([replace(one, deadline_id=f"d{n}")], [], DUE)
            assert ledger.verdicts([PROJECT], DUE, deadline_ids=[f"d{n}"]) == [replace(wanted, deadline_id=f"d{n}")]
        ledger.record_verdicts([*judged, *reversed(judged)], [], DUE)
        assert ledger.verdicts([PROJECT], DUE, deadline_ids=["daily"]) == [wanted]

    def test_what_a_reader_got_can_be_recorded_again(self, ledger: LedgerStore) -> None:
        ledger.record_verdicts([a_verdict("RUNNING")], [], DUE)
        ledger.excuse("daily", DUE, "ann", "holiday", DUE)
        before = all_of(ledger)
        ledger.record_verdicts(before, [], DUE)
        assert all_of(ledger) == before

    def test_an_excuse_outlasts_judgements_until_it_is_lifted(self, ledger: LedgerStore) -> None:
        ledger.record_verdicts([a_verdict("RUNNING")], [], DUE)
        excused = ledger.excuse("daily", DUE, "ann", "holiday", DUE + HOUR)
        ledger.record_verdicts([a_verdict("LATE", judged_at=DUE + 2 * HOUR)], [], DUE)
        (stored,) = all_of(ledger)
        assert (stored.verdict, stored.counts_as, stored.excused_by) == ("LATE", "EXCUSED", "ann")
        assert (stored.excuse, stored.excused_at, excused.counts_as) == ("holiday", DUE + HOUR, "EXCUSED")
        assert ledger.lift_excuse("daily", DUE).counts_as == "LATE"
        assert [(one.counts_as, one.excuse) for one in all_of(ledger)] == [("LATE", "")]

    def test_what_was_not_judged_cannot_be_excused(self, ledger: LedgerStore) -> None:
        for change in (lambda: ledger.excuse("daily", DUE, "ann", "", DUE), lambda: ledger.lift_excuse("daily", DUE)):
            with suppress(NoSuchRecordError):
                change()
                raise AssertionError

    def test_verdicts_and_messages_are_recorded_together_or_not_at_all(self, ledger: LedgerStore) -> None:
        good, broken = (Message(name, "log", PROJECT, body) for name, body in (("m1", {}), ("m2", {"x": object()})))
        with suppress(TypeError):
            ledger.record_verdicts([a_verdict()], [good, broken], DUE)
        assert (ledger.messages(), all_of(ledger)) == ([], [])
        assert [ledger.record_verdicts([a_verdict()], [good], DUE) for _ in range(2)] == [1, 0]
        assert [message.message_id for message in ledger.messages("pending")] == ["m1"]

    def test_judges_at_the_same_moment_lose_nothing(self, ledger: LedgerStore) -> None:
        def judge(n: int) -> int:
            mine = [a_verdict("LATE", deadline_id=f"d{i}", judged_at=DUE + n * HOUR) for i in range(5)]
            return ledger.record_verdicts(mine[:: 1 if n % 2 else -1], [Message("m", "log", PROJECT, {})], DUE)

        assert sum(at_once(6, judge)) == 1
        stored = all_of(ledger)
        assert len(stored) == 5
        assert {(one.judged_at, one.first_judged_at) for one in stored} == {(DUE + 5 * HOUR, DUE)}

    def test_an_excuse_at_the_moment_of_a_judgement_is_not_lost(self, ledger: LedgerStore) -> None:
        ledger.record_verdicts([a_verdict("RUNNING")], [], DUE)
        verdicts = [a_verdict("LATE", judged_at=DUE + n * HOUR) for n in range(6)]
        at_once(
            6,
            lambda n: (
                ledger.record_verdicts([verdicts[n]], [], DUE) if n else ledger.excuse("daily", DUE, "ann", "", DUE)
            ),
        )
        (stored,) = all_of(ledger)
        assert (stored.excused_by, stored.judged_at) == ("ann", DUE + 5 * HOUR)

    def test_old_verdicts_can_be_forgotten(self, ledger: LedgerStore) -> None:
        ledger.record_verdicts([a_verdict(due_at=DUE + n * HOUR) for n in range(3)], [], DUE)
        assert ledger.purge_verdicts(DUE + 2 * HOUR) == 2
        assert [one.due_at for one in all_of(ledger)] == [DUE + 2 * HOUR]


class HeartbeatLaws:
    """What every ledger keeps of heartbeats and watermarks."""

    def test_heartbeats_come_back_exactly_and_once(self, ledger: LedgerStore) -> None:
        began = a_heartbeat(run_key="2024-01-01", message="é")
        ended = a_heartbeat("succeeded", 2, run_key="2024-01-01", duration=timedelta(hours=2, microseconds=1))
        assert [ledger.record_heartbeats(beats) for beats in ([ended, began], [began, ended], [])] == [2, 0, 0]
        ledger.record_heartbeats([a_heartbeat(job="other", hours=1), a_heartbeat(project="other")])
        assert ledger.heartbeats([PROJECT], day(), job="train") == [began, ended]
        assert ledger.heartbeats([PROJECT], day(), day(hour=2)) == [began, a_heartbeat(job="other", hours=1)]
        assert ledger.heartbeats([], day()) == []

    def test_nothing_that_a_job_said_replaces_what_it_said_before(self, ledger: LedgerStore) -> None:
        said = [
            a_heartbeat(state, n, run_key="r") for n, state in enumerate(("started", "failed", "started", "succeeded"))
        ]
        ledger.record_heartbeats(said)
        assert ledger.heartbeats([PROJECT], day()) == said

    def test_heartbeats_at_the_same_moment_are_recorded_once(self, ledger: LedgerStore) -> None:
        beats = [a_heartbeat(hours=n) for n in range(10)]
        assert sum(at_once(6, lambda n: ledger.record_heartbeats(beats[:: 1 if n % 2 else -1]))) == 10

    def test_old_heartbeats_can_be_forgotten(self, ledger: LedgerStore) -> None:
        ledger.record_heartbeats([a_heartbeat(hours=n) for n in range(3)])
        assert ledger.purge_heartbeats(day(hour=2)) == 2
        assert ledger.heartbeats([PROJECT], day()) == [a_heartbeat(hours=2)]

    def test_a_watermark_is_moved_by_those_who_saw_it(self, ledger: LedgerStore) -> None:
        assert ledger.checked_until("shop") is None
        assert not ledger.move_checked_until("shop", DUE, DUE + HOUR)
        assert ledger.move_checked_until("shop", None, DUE)
        assert not ledger.move_checked_until("shop", None, DUE + HOUR)
        assert ledger.move_checked_until("shop", DUE, DUE + HOUR)
        assert not ledger.move_checked_until("shop", DUE, DUE + 2 * HOUR)
        assert (ledger.checked_until("shop"), ledger.checked_until("other")) == (DUE + HOUR, None)

    def test_of_movers_at_the_same_moment_one_moves(self, ledger: LedgerStore) -> None:
        for seen, base in ((None, DUE), (DUE, DUE + HOUR)):
            until = [base + n * timedelta(seconds=1) for n in range(6)]
            moved = at_once(6, lambda n, seen=seen, until=until: ledger.move_checked_until("shop", seen, until[n]))
            assert moved.count(True) == 1
            assert ledger.checked_until("shop") == until[moved.index(True)]
            assert ledger.move_checked_until("shop", ledger.checked_until("shop"), DUE)


class DeadlineLaws(VerdictLaws, HeartbeatLaws):
    """What every ledger keeps of deadlines."""


__all__ = ["DeadlineLaws", "a_heartbeat", "a_verdict"]
