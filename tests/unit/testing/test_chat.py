"""The chat that senders are tested against takes, refuses and shows messages as the real one does."""

from __future__ import annotations

import json

import httpx
import pytest

from lupus_provider.alert.senders.webhook import WebhookSender
from lupus_provider.errors import DeliveryError, DeliveryRefusedError
from lupus_provider.testing.chat import SIZE_MAX, ChatAnswer, ChatServer


@pytest.fixture
def chat():
    with ChatServer() as server:
        yield server


def test_our_sender_reaches_a_channel_once_with_its_key(chat):
    WebhookSender("fatal", chat.webhook("fatal")).send("m1", {"text": "dep_delay is strange"})
    (message,) = chat.messages
    assert (message.channel, message.idempotency_key, message.body["text"]) == ("fatal", "m1", "dep_delay is strange")


@pytest.mark.parametrize(
    ("content", "status", "word"),
    [(b"{", 400, "invalid_payload"), (b"[]", 400, "invalid_payload"), (b"{}", 400, "no_text")],
)
def test_it_refuses_what_slack_refuses(chat, content, status, word):
    answer = httpx.post(chat.webhook("fatal"), content=content)
    assert (answer.status_code, answer.text) == (status, word)
    assert not chat.messages


def test_an_address_without_a_channel_is_no_service(chat):
    assert httpx.post(f"{chat.url}/services/", json={"text": "x"}).text == "no_service"


def test_what_is_too_large_is_refused_unread(chat):
    assert httpx.post(chat.webhook("fatal"), content=b" " * (SIZE_MAX + 1)).status_code == 413


def test_planned_answers_come_once_each_in_order(chat):
    chat.plan(ChatAnswer.rate_limited(7), ChatAnswer(503), ChatAnswer(is_cut=True), ChatAnswer(500, is_taken=True))
    first = httpx.post(chat.webhook("fatal"), json={"text": "1"})
    assert (first.status_code, first.headers["Retry-After"]) == (429, "7")
    sender = WebhookSender("fatal", chat.webhook("fatal"))
    with pytest.raises(DeliveryError, match="503"):
        sender.send("2", {"text": "2"})
    with pytest.raises(DeliveryError, match=r"RemoteProtocolError|ReadError"):
        sender.send("3", {"text": "3"})
    with pytest.raises(DeliveryError, match="500"):
        sender.send("4", {"text": "taken, and not told so"})
    sender.send("5", {"text": "5"})
    assert [message.idempotency_key for message in chat.messages] == ["4", "5"]
    assert chat.requests == 5


def test_a_refusal_is_not_retried_by_the_sender(chat):
    with pytest.raises(DeliveryRefusedError, match="400"):
        WebhookSender("fatal", chat.webhook("fatal")).send("1", {"text": ""})


def test_the_page_shows_messages_as_text_only(chat):
    httpx.post(chat.webhook("a"), json={"text": "<script>alert(1)</script>"})
    page = httpx.get(chat.url).text
    assert "&lt;script&gt;" in page
    assert "<script>" not in page
    assert json.loads(httpx.get(f"{chat.url}/messages").text)[0]["channel"] == "a"
