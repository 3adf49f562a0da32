"""Lets browsers keep answers and ask whether they still hold: a wall that has not changed costs one small answer.

Never without asking: what somebody may see can change at any moment, and the next user of a browser may see less.
"""

from __future__ import annotations

import hashlib
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

KEEP = "private, no-cache"
"""Only the browser itself may keep it, and must ask before it shows it again."""


class Revalidation:
    """Middleware: an ETag on every GET answer that has none, 304 where the caller holds it already.

    The ETag is weak, because Airflow compresses answers on their way out.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; see the class."""
        if scope["type"] != "http" or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        await self.app(scope, receive, _Answer(Headers(scope=scope).get("if-none-match", ""), send))


class _Answer:
    """Holds one answer back until it is whole, then sends it, or that it is known."""

    def __init__(self, known: str, send: Send) -> None:
        self.known = {tag.strip() for tag in known.split(",")}
        self.send = send
        self.start: Message | None = None
        self.body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if "cache-control" not in Headers(raw=message["headers"]):  # the page's files have rules of their own
                self.start = message
                return
        elif self.start is not None:
            self.body += message.get("body", b"")
            if message.get("more_body", False):
                return
            await self._finish(self.start)
            return
        await self.send(message)

    async def _finish(self, start: Message) -> None:
        headers = MutableHeaders(raw=start["headers"])
        headers["Cache-Control"] = KEEP if start["status"] == 200 else "no-store"
        headers.add_vary_header("Authorization, Cookie")
        if start["status"] == 200:
            headers["ETag"] = f'W/"{hashlib.blake2b(self.body, digest_size=12).hexdigest()}"'
            if headers["ETag"] in self.known:
                await self._send_known(headers)
                return
        await self.send(start)
        await self.send({"type": "http.response.body", "body": self.body})

    async def _send_known(self, headers: MutableHeaders) -> None:
        kept: list[Any] = [
            (name, value) for name, value in headers.raw if name not in (b"content-length", b"content-type")
        ]
        await self.send({"type": "http.response.start", "status": 304, "headers": kept})
        await self.send({"type": "http.response.body", "body": b""})
