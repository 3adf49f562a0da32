"""The one door to Elasticsearch: the official client, with patience where the server is busy and our errors where it refuses.

Every request that goes through here may be repeated: writes carry a version or the sequence number that they replace.
"""

from __future__ import annotations

import os
import random
import ssl
import time
from typing import TYPE_CHECKING, Any

from lupus_provider.errors import MissingExtraError
from lupus_provider.stores.index.elastic.access import ElasticAccess, client_options, place_of
from lupus_provider.stores.index.elastic.errors import (
    ElasticRefusedError,
    ElasticUnavailableError,
    ElasticUntrustedError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from elasticsearch import Elasticsearch

BUSY = frozenset({429, 502, 503, 504})
"""Answers that another moment may change."""
FEATURE = "an index in Elasticsearch"
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0


class Door:
    """Asks one Elasticsearch. Safe to share between threads and after a fork."""

    def __init__(self, url: str, access: ElasticAccess | None = None) -> None:
        self.place, self.access = place_of(url), access or ElasticAccess()
        self._client: tuple[int, Any] | None = None

    @property
    def client(self) -> Elasticsearch:
        """Official client; a forked child gets its own, because sockets are not shared."""
        if self._client is None or self._client[0] != os.getpid():
            self._client = (os.getpid(), self._opened())
        return self._client[1]

    def _opened(self) -> Elasticsearch:
        try:
            from elasticsearch import Elasticsearch, OrjsonSerializer
        except ImportError as err:
            raise MissingExtraError(FEATURE, "elasticsearch") from err
        self._check_authority()
        json = OrjsonSerializer()
        known = {"application/json": json, "application/vnd.elasticsearch+json": json}
        return Elasticsearch(serializers=known, **client_options(self.place, self.access))

    def _check_authority(self) -> None:
        """Read the file of certificates: the client would say only that something is not there, and try again."""
        if self.access.ca_certs and self.place.node.startswith("https"):
            try:
                ssl.create_default_context(cafile=self.access.ca_certs)
            except OSError as err:
                raise ElasticUntrustedError(str(self.place), f"{self.access.ca_certs}: {err.strerror or err}") from None

    def ask(self, question: Callable[[Elasticsearch], Any], *, accept: Sequence[int] = ()) -> Any:
        """Put a question to the client until it is answered.

        Parameters
        ----------
        accept
            Statuses that are answers, too: the caller gets the `ApiError`'s status as a negative number.

        Raises
        ------
        ElasticUnavailableError
            If the server did not answer within the patience of the access.
        ElasticRefusedError
            If it answered that it will not.
        ElasticUntrustedError
            If its certificate is not one that the access trusts.
        """
        from elastic_transport import TlsError
        from elasticsearch import ApiError, TransportError

        deadline, pause = time.monotonic() + self.access.patience, FIRST_PAUSE
        while True:
            try:
                answer = question(self.client)
                if getattr(answer, "body", None) not in (None, ""):
                    return answer
                failure = "an answer without a body"  # it was cut off within its headers
            except ApiError as err:
                status = err.meta.status
                if status in accept:
                    return -status
                if status not in BUSY and status >= 300:  # below: its headers were cut off, or it is no Elasticsearch
                    raise ElasticRefusedError(str(self.place), status, reason_of(err.body)) from None
                failure = f"{status}: {reason_of(err.body)}"
            except TlsError as err:
                if "certificate" in err.message.lower():  # a handshake that was cut off may succeed the next time
                    raise ElasticUntrustedError(str(self.place), err.message) from None
                failure = f"{type(err).__name__}: {err.message}"
            except TransportError as err:
                failure = f"{type(err).__name__}: {err.message}"
            if time.monotonic() + pause > deadline:
                raise ElasticUnavailableError(str(self.place), self.access.patience, failure)
            time.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311  (spreads the load, guards nothing)
            pause = min(pause * 2, LONGEST_PAUSE)

    def answers(self, index: str, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Put several searches (header, body, header, body …) in one request; all are answered, or none."""
        deadline, pause = time.monotonic() + self.access.patience, FIRST_PAUSE
        while True:
            found = self.ask(lambda c: c.msearch(index=index, searches=lines))["responses"]
            failed = [answer for answer in found if "error" in answer]
            if not failed:
                return found
            status, reason = failed[0]["status"], reason_of(failed[0])
            if status not in BUSY:
                raise ElasticRefusedError(str(self.place), status, reason)
            if time.monotonic() + pause > deadline:
                raise ElasticUnavailableError(str(self.place), self.access.patience, reason)
            time.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    def close(self) -> None:
        """Close the sockets of this process."""
        if self._client is not None and self._client[0] == os.getpid():
            self._client[1].close()
        self._client = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_client": None}


def reason_of(body: Any) -> str:
    """Words in which the server refused: its innermost cause, cut to a readable length."""
    error = body.get("error", body) if isinstance(body, dict) else body
    while isinstance(error, dict) and isinstance(error.get("caused_by"), dict):
        error = error["caused_by"]
    if isinstance(error, dict):
        roots = error.get("failed_shards") or [{}]
        inner = roots[0].get("reason", {}) if isinstance(roots[0], dict) else {}
        error = inner.get("reason") or error.get("reason") or error.get("type") or error
    return str(error)[:500]
