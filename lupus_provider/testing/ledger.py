"""The laws of a ledger, as tests: subclass `LedgerLaws` and give the fixtures `ledger` and `reopen`.

`reopen` is a picklable call without arguments that opens the same ledger in another process. The laws of episodes and the outbox
are here, those of what people say and of deadlines in files of their own.
"""

# ruff: noqa: D102  (the names of the laws are their sentences)

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from lupus_provider.errors import LedgerMovedError
from lupus_provider.stores.ledger.base import Episode, Message
from lupus_provider.testing.builders import METRIC_SET, PROJECT, day
from lupus_provider.testing.ledger_deadlines import DeadlineLaws
from lupus_provider.testing.ledger_people import PeopleLaws
from lupus_provider.testing.processes import run_together
from lupus_provider.testing.threads import at_once

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lupus_provider.stores.ledger.base import LedgerStore

LEASE = timedelta(minutes=1)
NOW = day(30)


def an_episode(episode_id: str = "e1", **given: Any) -> Episode:
    """Return an episode of one day."""
    filled = {
        "project": PROJECT, "metric_set": METRIC_SET, "series_id": "s1", "name": "age avg [país=東京]", "first_period": day(),
        "last_period": day(), "state": "open", "worst_period": day(), "kind": "spike", "severity": "high",
        "detector": "window:00000000", "value": 9.0, "expected": None, "score": 1e-300, "is_told": False, **given,
    }  # fmt: skip
    return Episode(episode_id, **filled)


def a_message(message_id: str = "m1", channel: str = "log") -> Message:
    """Return a message."""
    return Message(message_id, channel, PROJECT, {"title": "é", "n": 1, "metric_set": METRIC_SET})


def send_all(reopen: Callable[[], LedgerStore], diary: Path) -> None:
    """Claim and mark until nothing is due, writing down what was sent; a process of its own runs this."""
    ledger = reopen()
    with diary.open("a", buffering=1) as file:
        while claimed := ledger.claim("log", NOW, LEASE, 3):
            for message in claimed:
                file.write(f"{message.message_id}\n")
                ledger.sent(message.message_id, NOW)


def queue(reopen: Callable[[], LedgerStore], first: int) -> None:
    """Record messages one by one; a process of its own runs this."""
    ledger = reopen()
    for n in range(first, first + 20):
        ledger.record([an_episode(f"e{n}")], [], [a_message(f"m{n}")], NOW)


class LedgerLaws(PeopleLaws, DeadlineLaws):
    """What every ledger keeps."""

    def test_episodes_come_back_exactly(self, ledger: LedgerStore) -> None:
        late = an_episode("e2", first_period=day(1), last_period=day(3), is_told=True, expected=-1.5)
        ledger.record([late, an_episode()], [], [], NOW)
        assert ledger.episodes(PROJECT, METRIC_SET, day(-9)) == [an_episode(), late]
        assert ledger.episodes(PROJECT, METRIC_SET, day(3)) == [late]
        assert ledger.episodes(PROJECT, "other", day(-9)) == []

    def test_recording_twice_equals_recording_once(self, ledger: LedgerStore) -> None:
        assert ledger.record([an_episode()], [], [a_message()], NOW) == 1
        assert ledger.record([an_episode()], [], [a_message()], NOW) == 0
        assert len(ledger.messages()) == 1
        assert len(ledger.episodes(PROJECT, METRIC_SET, day())) == 1

    def test_a_sent_message_is_not_queued_again(self, ledger: LedgerStore) -> None:
        ledger.record([], [], [a_message()], NOW)
        ledger.sent("m1", NOW)
        assert ledger.record([], [], [a_message()], NOW) == 0
        assert ledger.claim("log", NOW + LEASE * 9, LEASE, 9) == []

    def test_removed_episodes_are_gone(self, ledger: LedgerStore) -> None:
        ledger.record([an_episode("e1"), an_episode("e2")], [], [], NOW)
        ledger.record([], ["e1", "nobody"], [], NOW)
        assert [e.episode_id for e in ledger.episodes(PROJECT, METRIC_SET, day())] == ["e2"]

    def test_who_decided_on_changed_episodes_records_nothing(self, ledger: LedgerStore) -> None:
        ledger.record([an_episode()], [], [], NOW)
        seen = ledger.episodes(PROJECT, METRIC_SET, day())
        ledger.record([replace(seen[0], is_told=True)], [], [], NOW, seen=seen)
        for stale in (seen, []):
            with suppress(LedgerMovedError):
                ledger.record([replace(seen[0], state="over")], [], [a_message()], NOW, seen=stale)
                raise RuntimeError(stale)
        assert ledger.messages() == []
        assert ledger.episodes(PROJECT, METRIC_SET, day())[0].state == "open"

    def test_episodes_and_messages_are_recorded_together_or_not_at_all(self, ledger: LedgerStore) -> None:
        broken = Message("m2", "log", PROJECT, {"x": object()})
        with suppress(TypeError):
            ledger.record([an_episode()], [], [a_message(), broken], NOW)
        assert ledger.messages() == []
        assert ledger.episodes(PROJECT, METRIC_SET, day()) == []

    def test_a_message_is_claimed_once_within_its_lease(self, ledger: LedgerStore) -> None:
        ledger.record([], [], [a_message()], NOW)
        (claimed,) = ledger.claim("log", NOW, LEASE, 9)
        assert (claimed.message_id, claimed.attempts, claimed.body) == ("m1", 1, a_message().body)
        assert ledger.claim("log", NOW + LEASE / 2, LEASE, 9) == []

    def test_a_message_is_claimed_again_when_its_lease_ends_without_an_answer(self, ledger: LedgerStore) -> None:
        ledger.record([], [], [a_message()], NOW)
        ledger.claim("log", NOW, LEASE, 9)
        (again,) = ledger.claim("log", NOW + LEASE, LEASE, 9)
        assert again.attempts == 2

    def test_claims_are_of_one_channel_oldest_first(self, ledger: LedgerStore) -> None:
        for n in (2, 0, 1):
            ledger.record([], [], [a_message(f"m{n}"), a_message(f"x{n}", "chat")], NOW + timedelta(seconds=n))
        assert [m.message_id for m in ledger.claim("log", NOW + LEASE, LEASE, 2)] == ["m0", "m1"]

    def test_a_failed_message_waits_and_a_refused_one_is_given_up(self, ledger: LedgerStore) -> None:
        ledger.record([], [], [a_message("m1"), a_message("m2")], NOW)
        ledger.claim("log", NOW, LEASE, 9)
        ledger.failed("m1", "503", NOW + LEASE * 2)
        ledger.failed("m2", "401", None)
        assert ledger.claim("log", NOW + LEASE, LEASE, 9) == []
        assert [m.message_id for m in ledger.claim("log", NOW + LEASE * 2, LEASE, 9)] == ["m1"]
        assert [m.message_id for m in ledger.messages("failed")] == ["m2"]

    def test_senders_side_by_side_send_each_message_once(
        self, ledger: LedgerStore, reopen: Callable[[], LedgerStore], tmp_path: Path
    ) -> None:
        ledger.record([], [], [a_message(f"m{n}") for n in range(40)], NOW)
        diaries = [tmp_path / f"diary{n}" for n in range(4)]
        assert run_together(*((send_all, reopen, diary) for diary in diaries)) == [0, 0, 0, 0]
        sent = sorted(line for diary in diaries for line in diary.read_text().split())
        assert sent == sorted(f"m{n}" for n in range(40))
        assert ledger.messages("pending") == []

    def test_claimers_at_the_same_moment_never_take_the_same_message(self, ledger: LedgerStore) -> None:
        ledger.record([], [], [a_message(f"m{n}") for n in range(60)], NOW)
        claimed = at_once(8, lambda _: [m.message_id for _ in range(3) for m in ledger.claim("log", NOW, LEASE, 2)])
        taken = [message_id for ids in claimed for message_id in ids]
        assert sorted(taken) == sorted(set(taken))
        rest = [m.message_id for m in ledger.claim("log", NOW, LEASE, 99)]
        assert sorted(taken + rest) == sorted(f"m{n}" for n in range(60))

    def test_of_deciders_at_the_same_moment_one_records(self, ledger: LedgerStore) -> None:
        def decide(n: int) -> bool:
            with suppress(LedgerMovedError):
                ledger.record([an_episode(value=float(n))], [], [a_message(f"m{n}")], NOW, seen=[])
                return True
            return False

        recorded = at_once(8, decide)
        assert recorded.count(True) == 1
        assert [m.message_id for m in ledger.messages()] == [f"m{recorded.index(True)}"]
        assert ledger.episodes(PROJECT, METRIC_SET, day())[0].value == recorded.index(True)

    def test_writers_of_the_same_messages_in_any_order_do_not_wait_for_each_other(self, ledger: LedgerStore) -> None:
        messages = [a_message(f"m{n}") for n in range(20)]
        new = at_once(6, lambda n: ledger.record([], [], messages[:: 1 if n % 2 else -1], NOW))
        assert sum(new) == 20
        assert len(ledger.messages()) == 20

    def test_any_text_can_be_told(self, ledger: LedgerStore) -> None:
        odd = an_episode("e\N{SNOWMAN}", name="a\0b 'quoted' \\ \U0001f600")
        ledger.record([odd], [], [Message("m1", "log", PROJECT, {"title": "a\0b"})], NOW)
        (stored,) = ledger.episodes(PROJECT, METRIC_SET, day())
        assert stored.name in (odd.name, odd.name.replace("\0", "\ufffd"))
        assert ledger.messages()[0].body == {"title": "a\0b"}

    def test_writers_side_by_side_lose_nothing(self, ledger: LedgerStore, reopen: Callable[[], LedgerStore]) -> None:
        assert run_together(*((queue, reopen, first) for first in (0, 10, 20, 30))) == [0, 0, 0, 0]
        assert len(ledger.messages()) == 50
        assert len(ledger.episodes(PROJECT, METRIC_SET, day())) == 50


__all__ = ["LedgerLaws", "a_message", "an_episode"]
