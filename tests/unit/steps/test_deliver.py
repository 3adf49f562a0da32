"""deliver: every message leaves the outbox once, or says why not."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lupus_provider.alert.channels import Channel
from lupus_provider.errors import DeliveryError, DeliveryRefusedError
from lupus_provider.steps import deliver as step
from lupus_provider.steps.deliver import ATTEMPTS, LEASE, back_off, deliver
from lupus_provider.stores import open_ledger
from lupus_provider.testing.ledger import NOW, a_message

CHANNEL = Channel("log", "log")
AT_ONCE = timedelta(0)


class Sender:
    def __init__(self, *answers):
        self.answers, self.sent = list(answers), []

    def send(self, message_id, body):
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None:
            raise answer
        self.sent.append(message_id)


@pytest.fixture
def ledger(tmp_path):
    return open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")


@pytest.fixture
def sender(monkeypatch):
    sender = Sender()
    monkeypatch.setattr(step, "open_sender", lambda channel: sender)
    return sender


def queue(ledger, *ids):
    ledger.record([], [], [a_message(i) for i in ids], NOW)


def test_all_that_is_due_is_sent_once(ledger, sender):
    queue(ledger, "a", "b")
    assert deliver(ledger, CHANNEL, NOW) == (2, 0)
    assert deliver(ledger, CHANNEL, NOW + LEASE) == (0, 0)
    assert sender.sent == ["a", "b"]


def test_a_failed_delivery_is_tried_again_later_and_others_go_out(ledger, sender):
    queue(ledger, "a", "b")
    sender.answers = [DeliveryError("chat", "503")]
    with pytest.raises(DeliveryError, match="503"):
        deliver(ledger, CHANNEL, NOW)
    assert sender.sent == ["b"]
    assert deliver(ledger, CHANNEL, NOW + back_off(1) * 2) == (1, 0)
    assert sender.sent == ["b", "a"]


def test_a_retry_before_the_back_off_ends_says_that_a_message_waits(ledger, sender):
    queue(ledger, "a")
    sender.answers = [DeliveryError("chat", "503")]
    with pytest.raises(DeliveryError):
        deliver(ledger, CHANNEL, NOW)
    with pytest.raises(DeliveryError, match="wait"):
        deliver(ledger, CHANNEL, NOW, patience=AT_ONCE)
    assert sender.sent == []


def test_a_refused_message_fails_the_step_and_is_given_up(ledger, sender):
    queue(ledger, "a", "b")
    sender.answers = [DeliveryRefusedError("chat", "401")]
    with pytest.raises(DeliveryRefusedError):
        deliver(ledger, CHANNEL, NOW)
    assert [m.message_id for m in ledger.messages("failed")] == ["a"]
    assert deliver(ledger, CHANNEL, NOW + LEASE * 9) == (0, 0)
    assert sender.sent == ["b"]


def test_after_many_failures_a_message_is_given_up(ledger, sender):
    queue(ledger, "a")
    sender.answers = [DeliveryError("chat", "503")] * ATTEMPTS
    now = NOW
    for n in range(1, ATTEMPTS):
        with pytest.raises(DeliveryError):
            deliver(ledger, CHANNEL, now)
        now += back_off(n) + LEASE
    assert deliver(ledger, CHANNEL, now) == (0, 1)
    assert len(ledger.messages("failed")) == 1


def test_a_crash_between_sending_and_marking_repeats_the_message_once(ledger, sender):
    queue(ledger, "a")
    ledger.claim("log", NOW, LEASE, 1)
    sender.send("a", {})  # and here the process dies
    with pytest.raises(DeliveryError, match="wait"):
        deliver(ledger, CHANNEL, NOW + LEASE / 2, patience=AT_ONCE)
    assert deliver(ledger, CHANNEL, NOW + LEASE) == (1, 0)
    assert deliver(ledger, CHANNEL, NOW + LEASE * 5) == (0, 0)
    assert sender.sent == ["a", "a"]


def test_others_messages_are_sent_but_not_waited_for(ledger, sender):
    queue(ledger, "mine", "theirs")
    sender.answers = [None, DeliveryError("chat", "503")]
    assert deliver(ledger, CHANNEL, NOW, lambda m: m.message_id == "mine") == (1, 0)


def test_a_message_claimed_by_somebody_else_is_waited_for(ledger, sender, monkeypatch):
    queue(ledger, "a")
    ledger.claim("log", NOW, LEASE, 1)
    monkeypatch.setattr(step.time, "sleep", lambda _: ledger.sent("a", NOW))  # the other one finishes meanwhile
    assert deliver(ledger, CHANNEL, NOW) == (0, 0)


def test_an_unforeseen_error_of_a_sender_leaves_the_message_in_the_outbox(ledger, sender):
    queue(ledger, "a")
    sender.answers = [ValueError("a sender's mistake")]
    with pytest.raises(ValueError, match="mistake"):
        deliver(ledger, CHANNEL, NOW)
    assert deliver(ledger, CHANNEL, NOW + LEASE) == (1, 0)


def test_the_back_off_grows_to_a_limit_and_is_the_same_every_time():
    waits = [back_off(n) for n in range(1, 40)]
    assert waits == sorted(waits) == [back_off(n) for n in range(1, 40)]
    assert waits[-1] == timedelta(hours=1)
