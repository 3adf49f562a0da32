"""A chat to test against: takes messages by Slack's rules of incoming webhooks, shows them, and misbehaves when told to.

Senders are proven against something that answers as the real service does, refusals and rate limits included; by hand it is a place to
look at what would be sent: `python -m lupus_provider.testing.chat --port 8065`.
"""

from __future__ import annotations

import argparse
import json
import threading
from collections import deque
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, cast

from lupus_provider.clock import utc_now

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HOOKS = "/services/"
"""Where webhooks are: the rest of the path stands for the channel."""
SIZE_MAX = 1 << 20
"""Bytes of a body that are taken."""
KEPT = 1000
"""Messages that are remembered."""
_SHOWN = ("text", "blocks", "attachments")


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """A message that was taken."""

    channel: str
    """Path of the webhook below `/services/`."""
    received_at: str
    """UTC, ISO 8601."""
    idempotency_key: str | None
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ChatAnswer:
    """How a request is answered instead of being taken."""

    status: int = 500
    body: str = "internal_error"
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    """Seconds before the answer."""
    is_taken: bool = False
    """The message is taken all the same: only the answer goes wrong."""
    is_cut: bool = False
    """The connection is closed without an answer."""

    @classmethod
    def rate_limited(cls, seconds: int) -> ChatAnswer:
        """Return Slack's answer to who sends too much."""
        return cls(429, "rate_limited", {"Retry-After": str(seconds)})


class ChatServer:
    """The chat, on 127.0.0.1 unless told otherwise.

    Parameters
    ----------
    port
        0: a free one.
    host
        Where it listens.

    Examples
    --------
    >>> with ChatServer() as chat:
    ...     chat.plan(ChatAnswer.rate_limited(1))  # the next request, not those after it
    ...     chat.webhook("fatal").startswith("http://127.0.0.1:")
    True
    """

    def __init__(self, port: int = 0, host: str = "127.0.0.1") -> None:
        self._messages: deque[ChatMessage] = deque(maxlen=KEPT)
        self._planned: deque[ChatAnswer] = deque()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self.requests = 0
        self._http = _Http((host, port), _Handler)
        self._http.chat = self
        self._thread = threading.Thread(target=self._http.serve_forever, name="chat", daemon=True)

    @property
    def url(self) -> str:
        """Address of the page that shows the messages."""
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def webhook(self, channel: str) -> str:
        """Return the address by which a channel is told."""
        return f"{self.url}{HOOKS}{channel}"

    @property
    def messages(self) -> Sequence[ChatMessage]:
        """What was taken, oldest first."""
        with self._lock:
            return tuple(self._messages)

    def plan(self, *answers: ChatAnswer) -> None:
        """Answer the next requests so, one each."""
        with self._lock:
            self._planned.extend(answers)

    def answer(self, path: str, raw: bytes, key: str | None) -> ChatAnswer:
        """Take a request, or say why not, as Slack does."""
        with self._lock:
            self.requests += 1
            planned = self._planned.popleft() if self._planned else None
        if planned is not None and not planned.is_taken:
            return planned
        body = _parsed(raw)
        if not path.startswith(HOOKS) or path == HOOKS:
            return ChatAnswer(404, "no_service")
        if body is None:
            return ChatAnswer(400, "invalid_payload")
        if not any(body.get(shown) for shown in _SHOWN):
            return ChatAnswer(400, "no_text")
        message = ChatMessage(path.removeprefix(HOOKS), utc_now().isoformat(), key, body)
        with self._lock:
            self._messages.append(message)
        return planned or ChatAnswer(200, "ok")

    def wait(self, seconds: float) -> None:
        """Wait, but not beyond the end of the server."""
        self._stopping.wait(seconds)

    def __enter__(self) -> ChatServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._http.shutdown()
        self._http.server_close()

    def page(self) -> str:
        """Return the messages as a page, newest first."""
        rows = "".join(
            f"<tr><td>{escape(m.received_at[:19])}<td>{escape(m.channel)}<td><pre>{escape(_text(m.body))}</pre>"
            for m in reversed(self.messages)
        )
        style = "body{font:14px sans-serif;margin:2em}td{padding:.3em 1em;vertical-align:top;border-top:1px solid #ccc}pre{margin:0;white-space:pre-wrap}"
        return f"<!doctype html><meta charset=utf-8><title>Chat</title><style>{style}</style><h1>Chat</h1><table>{rows}</table>"


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    chat: ChatServer


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def chat(self) -> ChatServer:
        return cast("_Http", self.server).chat

    def do_POST(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        if size > SIZE_MAX:
            self.close_connection = True
            self._reply(ChatAnswer(413, "too_large"))
            return
        answer = self.chat.answer(self.path, self.rfile.read(size), self.headers.get("Idempotency-Key"))
        self.chat.wait(answer.delay)
        if answer.is_cut:
            self.close_connection = True
            self.connection.close()
            return
        self._reply(answer)

    def do_GET(self) -> None:
        chat = self.chat
        if self.path == "/messages":
            listed = json.dumps([asdict(message) for message in chat.messages])
            self._reply(ChatAnswer(200, listed, {"Content-Type": "application/json"}))
        elif self.path == "/":
            self._reply(ChatAnswer(200, chat.page(), {"Content-Type": "text/html; charset=utf-8"}))
        else:
            self._reply(ChatAnswer(404, "no_service"))

    def _reply(self, answer: ChatAnswer) -> None:
        content = answer.body.encode()
        with suppress(ConnectionError):  # who asked has gone: a time-out of theirs, often the very thing that is tested
            self.send_response(answer.status)
            for name, value in {"Content-Type": "text/plain", **answer.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Stay silent: paths of webhooks are secrets."""


def _parsed(raw: bytes) -> Mapping[str, Any] | None:
    try:
        body = json.loads(raw)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _text(body: Mapping[str, Any]) -> str:
    text = body.get("text")
    return text if isinstance(text, str) else json.dumps(body, indent=1, ensure_ascii=False)


def main() -> None:
    """Serve until Ctrl-C or SIGTERM."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example:\n  python -m lupus_provider.testing.chat --port 8065\n  curl -d '{\"text\": \"hello\"}' http://127.0.0.1:8065/services/fatal",
    )  # fmt: skip
    parser.add_argument("--port", type=int, default=8065)
    parser.add_argument("--host", default="127.0.0.1", help="where to listen (default: this machine only)")
    args = parser.parse_args()
    with ChatServer(args.port, args.host) as chat, suppress(KeyboardInterrupt):
        print(f"{chat.url}: messages; {HOOKS}CHANNEL takes them", flush=True)  # noqa: T201  (its output)
        chat.wait(float(threading.TIMEOUT_MAX))


if __name__ == "__main__":
    main()
