"""The webhook sender against a real server: what it sends, and that its secrets stay inside."""

from __future__ import annotations

import json
import logging
import socket
import threading
import traceback
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from lupus_provider.alert.senders import webhook
from lupus_provider.alert.senders.webhook import WebhookSender
from lupus_provider.errors import DeliveryError, DeliveryRefusedError, Terminal, Transient

TOKEN, PATH = "hunter2-token", "/services/secret-path"
BODY = {"title": "Zürich 🦊", "text": "a\nb", "episodes": [{"value": None}]}


class Receiver(ThreadingHTTPServer):
    """Answers every request in the way that the test sets, and remembers it."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.status, self.headers, self.hang, self.seen = 200, {}, threading.Event(), []
        self.hang.set()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}{PATH}"


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append((self.path, dict(self.headers), json.loads(body)))
        self.server.hang.wait(20)
        self.send_response(self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self):
        self.server.seen.append((self.path, dict(self.headers), None))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args):
        pass


@pytest.fixture
def receiver():
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.hang.set()
    server.shutdown()
    thread.join()
    server.server_close()


@contextmanager
def keeps_its_secrets(caplog, error=None):
    """Nothing that is logged or raised inside holds the address or the token."""
    for name in ("httpx", "httpcore", "lupus_provider"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    caplog.set_level(logging.DEBUG)
    raised = ""
    try:
        yield
    except (DeliveryError, DeliveryRefusedError) as err:
        raised = "".join(traceback.format_exception(err)) + repr(err.args) + repr(err.__context__) + repr(err.__cause__)
        raise
    finally:
        for name in ("httpx", "httpcore", "lupus_provider"):
            logging.getLogger(name).setLevel(logging.NOTSET)
        for secret in (TOKEN, "secret-path"):
            assert secret not in caplog.text + raised


def test_a_message_is_posted_as_json_with_its_identity_and_the_token(receiver, caplog):
    with keeps_its_secrets(caplog):
        WebhookSender("chat", receiver.url, TOKEN).send("m1", BODY)
    ((path, headers, body),) = receiver.seen
    assert (path, body) == (PATH, {"message_id": "m1", **BODY})
    assert headers["Idempotency-Key"] == "m1"
    assert headers["Authorization"] == f"Bearer {TOKEN}"
    assert headers["Content-Type"] == "application/json"


def test_no_token_is_no_header(receiver):
    WebhookSender("chat", receiver.url).send("m1", BODY)
    assert "Authorization" not in receiver.seen[0][1]


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_any_success_is_a_success(receiver, status):
    receiver.status = status
    WebhookSender("chat", receiver.url).send("m1", BODY)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_what_may_pass_is_tried_again(receiver, caplog, status):
    receiver.status = status
    with pytest.raises(DeliveryError, match=rf"'chat'.*{status}") as caught, keeps_its_secrets(caplog):
        WebhookSender("chat", receiver.url, TOKEN).send("m1", BODY)
    assert isinstance(caught.value, Transient)
    assert len(receiver.seen) == 1  # the outbox tries again, not the sender


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 413, 422])
def test_what_a_repeat_will_not_change_is_refused_for_good(receiver, caplog, status):
    receiver.status = status
    with pytest.raises(DeliveryRefusedError, match=str(status)) as caught, keeps_its_secrets(caplog):
        WebhookSender("chat", receiver.url, TOKEN).send("m1", BODY)
    assert isinstance(caught.value, Terminal)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_with_the_token(receiver, caplog, status):
    receiver.status, receiver.headers = status, {"Location": receiver.url + "/elsewhere"}
    with pytest.raises(DeliveryError, match=str(status)), keeps_its_secrets(caplog):
        WebhookSender("chat", receiver.url, TOKEN).send("m1", BODY)
    assert len(receiver.seen) == 1


def test_a_receiver_that_is_not_there_is_tried_again(caplog):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}{PATH}"
        with pytest.raises(DeliveryError, match="ConnectError"), keeps_its_secrets(caplog):
            WebhookSender("chat", url, TOKEN).send("m1", BODY)


def test_a_receiver_that_does_not_answer_is_left(receiver, caplog, monkeypatch):
    monkeypatch.setattr(webhook, "TIMEOUT_SECONDS", 0.2)
    receiver.hang.clear()
    with pytest.raises(DeliveryError, match="ReadTimeout"), keeps_its_secrets(caplog):
        WebhookSender("chat", receiver.url, TOKEN).send("m1", BODY)


@pytest.mark.parametrize(
    ("url", "token"),
    [
        ("nonsense/secret-path", TOKEN), ("ftp://x/secret-path", TOKEN), ("http://[::/secret-path", TOKEN), ("http://x:99999999/secret-path", TOKEN),
        (None, TOKEN + "\r\nX-Evil: 1"), (None, TOKEN + "é"),
    ],
)  # fmt: skip
def test_an_address_or_token_that_cannot_be_used_is_not_quoted(receiver, caplog, url, token):
    with pytest.raises(DeliveryError, match="'chat'"), keeps_its_secrets(caplog):
        WebhookSender("chat", url or receiver.url, token).send("m1", BODY)
    assert receiver.seen == []


def test_other_peoples_requests_are_logged_as_ever(receiver, caplog):
    import httpx

    caplog.set_level(logging.INFO, "httpx")
    httpx.get(f"http://127.0.0.1:{receiver.server_port}/open")
    assert "/open" in caplog.text
