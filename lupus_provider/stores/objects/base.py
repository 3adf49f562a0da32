"""Object storage: whole objects under keys, with writes that fail if somebody else wrote first.

The stage and the history are written against this, so that a folder and a bucket keep the same laws.

Laws (tests/contract/test_objects.py): an object is whole or absent, at any moment and after any crash · a conditional put succeeds for one of
many writers · a put whose answer got lost is no conflict with itself · a listing is complete, sorted by key, and shows no half-written object.
"""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Stored:
    """What a storage says of an object."""

    key: str
    etag: str
    """Changes with the content; opaque."""
    size: int
    """Bytes."""
    modified: datetime
    """By the storage's clock, UTC."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """What `put` was given, in a bucket; a folder keeps none, and a listing shows none."""


class Objects(Protocol):
    """Objects under keys such as `points/project=shop/…/part.parquet`, relative to `url`."""

    url: str
    """Without a slash at its end."""
    is_exclusive: bool
    """Whether `exclusive` keeps other writers out: then what no manifest names is garbage at once."""
    parallel: int
    """How many requests at once are worth while."""

    def get(self, key: str) -> tuple[bytes, Stored]:
        """Read an object. Raises FileNotFoundError if there is none."""
        ...

    def head(self, key: str) -> Stored | None:
        """Say what there is under a key; None: nothing."""
        ...

    def put(
        self,
        key: str,
        data: bytes | memoryview,
        metadata: Mapping[str, str] | None = None,
        *,
        if_match: str | None = None,
        if_absent: bool = False,
    ) -> str:
        """Write an object, whole and durable; return its etag.

        Parameters
        ----------
        if_match
            Only if the object still has this etag.
        if_absent
            Only if there is no object. In a folder both conditions are safe only within `exclusive`.

        Raises
        ------
        ConflictError
            If the condition does not hold.
        """
        ...

    def list(self, prefix: str, start_after: str = "") -> Iterator[Stored]:
        """List objects whose key starts with `prefix` and sorts after `start_after`, by key; lazily."""
        ...

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects; one that is not there is no error."""
        ...

    def exclusive(self, key: str) -> AbstractContextManager[None]:
        """Keep other writers of this machine out, where `is_exclusive`; raises StoreBusyError if it takes too long."""
        ...

    def check_conditions(self, key: str) -> None:
        """Check with a key that is taken that the storage keeps conditions. Raises StorageRefusedError if it does not."""
        ...

    def path(self, key: str) -> str | None:
        """Return the path under which any library can read the object; None: there is none."""
        ...

    def arrow(self) -> tuple[Any, str] | None:
        """Return a `pyarrow.fs` file system and the path of `url` in it; None: Arrow cannot reach it, read with `get`."""
        ...

    def sweep(self, prefix: str) -> int:
        """Delete what killed writers left of half-written objects, and empty folders below `prefix`; return how many files."""
        ...

    def explained(self, error: Exception) -> Exception:
        """Return the error to raise when a library failed that read through `arrow`."""
        ...


def at_once(parallel: int, call: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """Call for every item, so many at once; results in the items' order. The first error is raised when all have ended."""
    if parallel == 1 or len(items) < 2:
        return [call(item) for item in items]
    with ThreadPoolExecutor(min(parallel, len(items))) as pool:
        return list(pool.map(call, items))


def pause(attempt: int) -> None:
    """Wait before a lost race is run again: a random while, longer after each attempt, at most 2 s."""
    time.sleep(random.uniform(0, min(2.0, 0.02 * 2**attempt)))  # noqa: S311  (no secret)
