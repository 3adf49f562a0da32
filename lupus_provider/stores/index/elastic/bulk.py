"""Writes many documents: requests of a bounded size, a bounded number at once, each tried until every document is in or refused for good.

A request that is sent twice does no harm, because each document says which version it is (tests/fault/test_elastic.py).
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor, wait
from concurrent.futures._base import FIRST_COMPLETED
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from lupus_provider.stores.index.elastic.door import BUSY, FIRST_PAUSE, LONGEST_PAUSE, reason_of
from lupus_provider.stores.index.elastic.errors import ElasticRefusedError, ElasticUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from concurrent.futures import Future

    from lupus_provider.stores.index.elastic.door import Door

CHUNK_BYTES = 2_000_000
WORKERS = 3
DOCUMENT_BYTES = 50_000_000
"""Largest document that is sent; servers refuse requests of more than 100 MB."""
_JSON = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
TOO_LARGE, CONFLICT, GONE = 413, 409, 404


class Fenced(Exception):  # a signal between these files: it never leaves the room
    """Another loader took over; what we were about to write is out of date."""


class Action(NamedTuple):
    """One line of a bulk request, and the document below it."""

    name: str
    """What a refusal calls the document."""
    head: bytes
    body: bytes | None

    @property
    def size(self) -> int:
        """Bytes that it adds to a request."""
        return len(self.head) + len(self.body or b"") + 2


def action(verb: str, document_id: str, body: Any = None, *, routing: str | None = None, **options: Any) -> Action:
    """Return an action; arrays of numpy are lists in the document, NaN is null.

    Examples
    --------
    >>> action("index", "a", {"value": 1.5}, version=2).head
    b'{"index":{"_id":"a","version":2}}'
    """
    head = {"_id": document_id, **({"routing": routing} if routing else {}), **options}
    return Action(document_id, orjson.dumps({verb: head}), None if body is None else orjson.dumps(body, option=_JSON))


def write(door: Door, index: str, actions: Iterable[Action]) -> dict[str, str]:
    """Write documents into an alias; nothing is refreshed.

    Returns
    -------
    dict
        Document → why the server refused it for good. A document to delete that is gone is none.

    Raises
    ------
    Fenced
        If a document has a newer version than ours.
    ElasticUnavailableError
        If the server stayed away or busy.
    """
    refused: dict[str, str] = {}
    running: set[Future[dict[str, str]]] = set()
    with ThreadPoolExecutor(WORKERS) as pool:
        try:
            for chunk in _chunks(actions, refused):
                if len(running) > WORKERS:  # as fast as the server takes them, not as fast as we make them
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                    for future in done:
                        refused |= future.result()
                running.add(pool.submit(_send, door, index, chunk))
            for future in running:
                refused |= future.result()
        except BaseException:
            for future in running:
                future.cancel()
            raise
    return refused


def _chunks(actions: Iterable[Action], refused: dict[str, str]) -> Iterator[list[Action]]:
    chunk: list[Action] = []
    size = 0
    for item in actions:
        if item.size > DOCUMENT_BYTES:
            refused[item.name] = f"{item.size} bytes are more than the {DOCUMENT_BYTES} that one document may have"
            continue
        if chunk and size + item.size > CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
        chunk.append(item)
        size += item.size
    if chunk:
        yield chunk


def _send(door: Door, index: str, chunk: Sequence[Action]) -> dict[str, str]:
    """Send until each document is in or refused."""
    refused: dict[str, str] = {}
    pause, deadline = FIRST_PAUSE, time.monotonic() + door.access.patience
    while chunk:
        answers = items(door, index, chunk)
        if answers is None:
            return refused | _halved(door, index, chunk)
        busy = []
        for item, answer in zip(chunk, answers):
            status = answer["status"]
            if status < 300 or (status == GONE and "error" not in answer):
                continue
            if status == CONFLICT:
                raise Fenced(item.name)
            if status in BUSY:
                busy.append(item)
            elif status != GONE or b'"update"' not in item.head:  # an update of what was deleted since is no loss
                refused[item.name] = reason_of(answer)
        if busy and time.monotonic() + pause > deadline:
            raise ElasticUnavailableError(
                str(door.place), door.access.patience, f"{len(busy)} documents were turned away"
            )
        if busy:
            time.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
        chunk = busy
    return refused


def items(door: Door, index: str, chunk: Sequence[Action], *, refresh: bool = False) -> list[dict[str, Any]] | None:
    """Send one bulk request and return what became of each action; None if the request was too large."""
    lines = [line for item in chunk for line in (item.head, item.body) if line is not None]
    answer = door.ask(
        lambda client: client.bulk(
            index=index, operations=lines, require_alias=True, refresh=refresh, filter_path=["items.*.status", "items.*.error", "items.*._seq_no", "items.*._primary_term"],  # type: ignore[arg-type]
        ),
        accept=(TOO_LARGE,),
    )  # fmt: skip
    return None if answer == -TOO_LARGE else [next(iter(item.values())) for item in answer["items"]]


def _halved(door: Door, index: str, chunk: Sequence[Action]) -> dict[str, str]:
    if len(chunk) == 1:
        return {chunk[0].name: f"{chunk[0].size} bytes are more than the server takes in one request"}
    middle = len(chunk) // 2
    return _send(door, index, chunk[:middle]) | _send(door, index, chunk[middle:])


def all_in(door: Door, index: str, actions: Iterable[Action]) -> None:
    """Write documents of which none may be refused; ElasticRefusedError otherwise."""
    for name, reason in write(door, index, actions).items():
        what = f"{door.place} document {name}"
        raise ElasticRefusedError(what, 400, reason)
