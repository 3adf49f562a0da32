"""Pushes points from outside Airflow: from a notebook, an Argo step or any job that measured them itself.

A push is safe to repeat: a period is stored whole under its own name, and of two collections the newer one stays.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

import httpx

from lupus_provider.errors import Terminal, Transient
from lupus_provider.processors.pushed import request_of
from lupus_provider.wire import PushResponse

if TYPE_CHECKING:
    from datetime import datetime
    from types import TracebackType

    import pyarrow as pa

API = "/lupus/api/v1"
TRIES, PAUSE_SECONDS = 4, 1.0
"""Requests before a push is given up, and the first pause between two; it doubles."""


class PushRefusedError(Terminal):
    """The server will not take these points, however often they are sent."""

    def __init__(self, url: str, status: int, reason: str) -> None:
        self.url, self.status, self.reason = url, status, reason
        hint = {
            401: "Log in anew: tokens expire.",
            403: "Ask for the right to trigger the DAG of that metric set.",
            404: "Check the names, the address, and that you may read the project.",
        }.get(status, "Correct the points and push again.")
        super().__init__(f"{url} refused the points ({status}): {reason}. {hint}")


class ServerAwayError(Transient):
    """The server did not answer, or not with an answer."""

    def __init__(self, url: str, reason: str) -> None:
        self.url, self.reason = url, reason
        super().__init__(f"{url} did not take the points: {reason}. Push again later; a push may be repeated.")


class LupusClient:
    """Talks to the API of Lupus in an Airflow api-server.

    Parameters
    ----------
    url
        Address of Airflow, such as `https://airflow.example.com`.
    token
        Airflow's access token (`POST /auth/token`); `LupusClient.login` gets one.
    timeout
        Seconds to wait for an answer.
    transport
        How requests are sent, for tests and proxies.
    """

    def __init__(
        self, url: str, token: str, *, timeout: float = 60.0, transport: httpx.BaseTransport | None = None
    ) -> None:
        headers = {"Authorization": f"Bearer {token}", "X-Lupus": "1"}
        self.url = url.rstrip("/")
        self._http = httpx.Client(base_url=self.url, headers=headers, timeout=timeout, transport=transport)

    @classmethod
    def login(cls, url: str, username: str, password: str, **options: Any) -> Self:
        """Open a client with a login of Airflow; options as of the class.

        Raises
        ------
        PushRefusedError, ServerAwayError
            If the login is wrong, or nobody answers.
        """
        with cls(url, "", **options) as nobody:
            answer = nobody._answer("/auth/token", {"username": username, "password": password})
        return cls(url, answer["access_token"], **options)

    def push(
        self,
        project: str,
        metric_set: str,
        table: pa.Table,
        period_start: datetime,
        run_id: str,
        collected_at: datetime,
    ) -> bool:
        """Store the points of one period; `Metrics.push` does so for all.

        Parameters
        ----------
        table
            Points of that period, schema `records.POINTS`; none is an answer, too.
        run_id, collected_at
            Who measured them; when the reading began, aware.

        Returns
        -------
        bool
            False if a newer collection of the period is there already.

        Raises
        ------
        PushRefusedError
            If the server will not take them.
        ServerAwayError
            If it does not answer, after some tries.
        """
        path = f"{API}/projects/{quote(project, safe='')}/metric_sets/{quote(metric_set, safe='')}/points"
        body = request_of(table, period_start, run_id, collected_at).model_dump()
        return PushResponse.model_validate(self._answer(path, body)).stored

    def _answer(self, path: str, body: Any) -> Any:
        for attempt in range(TRIES):
            try:
                response = self._http.post(path, json=body)
            except httpx.TransportError as err:
                failure, cause = ServerAwayError(self.url, type(err).__name__), err
            else:
                if response.is_success:
                    return response.json()
                if response.status_code < 500 and response.status_code != 429:
                    raise PushRefusedError(self.url, response.status_code, _reason(response))
                failure, cause = ServerAwayError(self.url, f"{response.status_code} {_reason(response)}"), None
            if attempt == TRIES - 1:
                raise failure from cause
            time.sleep(PAUSE_SECONDS * 2**attempt)
        raise AssertionError

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _reason(response: httpx.Response) -> str:
    """Return what the server says, without its final full stop; not a page of HTML."""
    try:
        found = response.json()
    except ValueError:
        return response.reason_phrase or "no reason given"
    detail = found.get("detail") if isinstance(found, dict) else None
    return str(detail or response.reason_phrase)[:500].rstrip(".")
