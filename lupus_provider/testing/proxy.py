"""A proxy for HTTP between a client and a real server, with scripted faults: cut, slow, refused answers, and answers that get lost.

A server's own failures come at moments that a test cannot choose. Here the test says which request fails, and how; everything else passes
through byte by byte, so that the client talks to the real server.
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from io import BufferedReader
    from types import TracebackType

Side = Literal["request", "response"]
_PIECE = 16_384
_BODYLESS = (204, 304)


@dataclass(frozen=True, slots=True)
class Request:
    """What the client asked for."""

    method: str
    path: str
    """With its query."""
    headers: dict[str, str]
    """Names in lower case."""


Matches = Callable[[Request], bool]


def _any(_request: Request) -> bool:
    return True


@dataclass
class Fault:
    """What happens to the next `times` requests that match."""

    matches: Matches = _any
    times: int = 1
    """How many requests it befalls; -1: all."""
    status: int | None = None
    """Answer with this status, and tell the server nothing."""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    delay: float = 0.0
    """Seconds before the server is told."""
    cut: Side | None = None
    """Reset the connection in the middle of this."""
    after_bytes: int = 0
    """How much of it passes before the cut, head included. A cut response at 0 is a lost answer: the server has done its work."""
    then: Callable[[], object] | None = None
    """Called when it strikes, such as a kill of the server."""
    struck: int = 0


class _CutError(Exception):
    """The script says that the connection ends here."""


class FaultProxy:
    """Passes HTTP/1.1 through to `target`, an address such as `http://127.0.0.1:9000`, and does to it what the script says.

    Examples
    --------
    >>> with FaultProxy("http://127.0.0.1:9000") as proxy:  # doctest: +SKIP
    ...     proxy.answer(503, times=5)
    ...     proxy.cut("response", 0, matches=lambda request: request.method == "PUT")
    ...     use(proxy.url)
    """

    def __init__(self, target: str) -> None:
        parts = urlsplit(target)
        self._upstream = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.requests: list[Request] = []
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._thread = threading.Thread(target=self._accept, daemon=True)

    # -- script ------------------------------------------------------------------------------------------------------

    def add(self, fault: Fault) -> Fault:
        """Put a fault at the end of the script; a request meets the first that matches it and is not used up."""
        with self._lock:
            self._faults.append(fault)
        return fault

    def answer(
        self,
        status: int,
        times: int = 1,
        matches: Matches = _any,
        headers: dict[str, str] | None = None,
        body: bytes = b"",
    ) -> Fault:
        """Answer the next requests with a status instead of asking the server."""
        return self.add(Fault(matches, times, status=status, headers=headers or {}, body=body))

    def cut(self, side: Side, after_bytes: int = 0, times: int = 1, matches: Matches = _any) -> Fault:
        """Reset the connections of the next requests in the middle of the request or of the response."""
        return self.add(Fault(matches, times, cut=side, after_bytes=after_bytes))

    def delay(self, seconds: float, times: int = -1, matches: Matches = _any) -> Fault:
        """Make the server slow."""
        return self.add(Fault(matches, times, delay=seconds))

    def clear(self) -> None:
        """Forget the script and what was asked."""
        with self._lock:
            self._faults.clear()
            self.requests.clear()

    # -- life --------------------------------------------------------------------------------------------------------

    def __enter__(self) -> FaultProxy:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._listener.close()
        with self._lock:
            left = list(self._open)
        for connection in left:
            _reset(connection)
        self._thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:  # closed: the proxy ends
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        """Serve one connection of a client until either side ends it."""
        server: socket.socket | None = None
        try:
            self._note(client)
            server = socket.create_connection(self._upstream)
            self._note(server)
            with client.makefile("rb") as asked, server.makefile("rb") as answered:
                while self._exchange(client, server, asked, answered):
                    pass
        except (OSError, _CutError, ValueError):  # an end like any other: the client sees it as its connection's
            pass
        finally:
            for connection in (client, server):
                if connection is not None:
                    _reset(connection)
                    with self._lock:
                        self._open.discard(connection)

    def _note(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._open.add(connection)

    # -- one request -------------------------------------------------------------------------------------------------

    def _exchange(
        self, client: socket.socket, server: socket.socket, asked: BufferedReader, answered: BufferedReader
    ) -> bool:
        head, headers = _head(asked)
        if not head:
            return False
        method, path, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
        request = Request(method, path, headers)
        fault = self._struck(request)
        if fault.delay:
            time.sleep(fault.delay)
        if fault.then is not None:
            fault.then()
        if "expect" in headers:  # answered here, so that a body always follows its head
            client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            head = b"\r\n".join(line for line in head.split(b"\r\n") if not line.lower().startswith(b"expect:"))
        if fault.status is not None:
            _pass_body(asked, headers, _Wire(None))
            client.sendall(_answer(fault, method))
            return True
        wire = _Wire(server, fault.after_bytes if fault.cut == "request" else None)
        wire.send(head)
        _pass_body(asked, headers, wire)
        return _pass_answer(answered, method, _Wire(client, fault.after_bytes if fault.cut == "response" else None))

    def _struck(self, request: Request) -> Fault:
        with self._lock:
            self.requests.append(request)
            for fault in self._faults:
                if fault.times and fault.matches(request):
                    fault.times -= fault.times > 0
                    fault.struck += 1
                    return fault
        return Fault()


class _Wire:
    """Where bytes go: to a socket, or nowhere; up to a number of them."""

    def __init__(self, to: socket.socket | None, limit: int | None = None) -> None:
        self._to, self._left = to, limit

    def send(self, data: bytes) -> None:
        if self._left is not None and len(data) >= self._left:
            if self._to is not None and self._left:
                self._to.sendall(data[: self._left])
            raise _CutError
        if self._left is not None:
            self._left -= len(data)
        if self._to is not None:
            self._to.sendall(data)


def _reset(connection: socket.socket) -> None:
    """Close with a reset, as a dying server's kernel does."""
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:  # it is closed already
        pass
    connection.close()


def _head(stream: BufferedReader) -> tuple[bytes, dict[str, str]]:
    """Read up to the empty line; empty at the end of the stream."""
    lines = []
    while (line := stream.readline()) not in (b"", b"\r\n"):
        lines.append(line)
    if not lines:
        return b"", {}
    pairs = (line.decode("latin-1").partition(":") for line in lines[1:])
    return b"".join(lines) + b"\r\n", {name.strip().lower(): value.strip() for name, _, value in pairs}


def _pass_body(stream: BufferedReader, headers: dict[str, str], wire: _Wire) -> None:
    if "chunked" in headers.get("transfer-encoding", "").lower():
        while True:
            size = stream.readline()
            wire.send(size)
            n = int(size.split(b";")[0] or b"0", 16)
            if n == 0:
                break
            _pass(stream, n + 2, wire)
        while (line := stream.readline()) not in (b"", b"\r\n"):
            wire.send(line)
        wire.send(b"\r\n")
    else:
        _pass(stream, int(headers.get("content-length", 0)), wire)


def _pass(stream: BufferedReader, size: int, wire: _Wire) -> None:
    while size:
        piece = stream.read(min(size, _PIECE))
        if not piece:
            raise _CutError
        size -= len(piece)
        wire.send(piece)


def _pass_answer(stream: BufferedReader, method: str, wire: _Wire) -> bool:
    """Pass an answer back; False if the connection ends with it."""
    head, headers = _head(stream)
    if not head:
        return False
    wire.send(head)
    status = int(head.split(b" ", 2)[1])
    if method == "HEAD" or status in _BODYLESS:
        return True
    if "content-length" not in headers and "chunked" not in headers.get("transfer-encoding", "").lower():
        while piece := stream.read1(_PIECE):
            wire.send(piece)
        return False
    _pass_body(stream, headers, wire)
    return headers.get("connection", "").lower() != "close"


def _answer(fault: Fault, method: str) -> bytes:
    body = b"" if method == "HEAD" else fault.body
    headers = {"Content-Length": str(len(body)), **fault.headers}
    lines = [f"HTTP/1.1 {fault.status} Scripted", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


__all__ = ["Fault", "FaultProxy", "Request"]
