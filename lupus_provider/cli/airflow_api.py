"""What the commands ask of Airflow's REST API: log in, switch a DAG on, start a run, see how far it is.

Retries what a busy Airflow on SQLite answers now and then (503, a closed connection); a run is started under a name of our choice, so
asking twice starts one run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from lupus_provider.cli.errors import AirflowAwayError, AirflowRefusedError, UnknownDagError

_RETRY_SECONDS = 30.0
DONE_STATES = frozenset({"success", "failed"})


@dataclass(frozen=True, slots=True)
class Task:
    """One task of a run, as Airflow tells it now."""

    task_id: str
    state: str | None
    try_number: int


class AirflowApi:
    """A logged-in client of Airflow's REST API.

    Parameters
    ----------
    url
        Address of Airflow, such as `http://127.0.0.1:8080`.
    user, password
        Login, exchanged for a token on first use.
    patience
        How long to try again when Airflow is busy or away, seconds.
    transport
        Replaces the network in tests.
    """

    def __init__(
        self,
        url: str,
        user: str,
        password: str,
        *,
        patience: float = _RETRY_SECONDS,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        self._login = {"username": user, "password": password}
        self._patience = patience
        self._client = httpx.Client(base_url=self.url, timeout=30, transport=transport)

    def __enter__(self) -> AirflowApi:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def find_dag(self, dag_id: str) -> dict[str, Any] | None:
        """Return a DAG, None if Airflow does not know it (yet)."""
        found = self._send("GET", f"/api/v2/dags/{dag_id}", missing_ok=True)
        return found if found is not None and not found.get("is_stale") else None

    def import_errors(self) -> dict[str, str]:
        """Return why DAG files could not be read, by file name."""
        answer = self._send("GET", "/api/v2/importErrors", params={"limit": 100})
        return {error["filename"]: error["stack_trace"] for error in (answer or {}).get("import_errors", [])}

    def unpause(self, dag_id: str) -> None:
        """Switch a DAG on; a run of a paused DAG would wait for ever.

        Raises
        ------
        UnknownDagError
            If there is no such DAG.
        """
        if self._send("PATCH", f"/api/v2/dags/{dag_id}", json={"is_paused": False}, missing_ok=True) is None:
            raise UnknownDagError(dag_id, self.url)

    def find_run(self, dag_id: str, run_id: str) -> dict[str, Any] | None:
        """Return a run, None if there is none of that name."""
        return self._send("GET", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}", missing_ok=True)

    def start_run(self, dag_id: str, run_id: str, conf: dict[str, str]) -> None:
        """Start a run without a logical date; nothing happens if a run of that name exists."""
        body = {"dag_run_id": run_id, "logical_date": None, "conf": conf}
        self._send("POST", f"/api/v2/dags/{dag_id}/dagRuns", json=body, taken_ok=True)

    def retry_run(self, dag_id: str, run_id: str) -> None:
        """Run what failed in a run again."""
        body = {"dry_run": False, "only_failed": True}
        self._send("POST", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/clear", json=body)

    def tasks(self, dag_id: str, run_id: str) -> list[Task]:
        """Return the tasks of a run."""
        answer = self._send("GET", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances", params={"limit": 100})
        rows = (answer or {}).get("task_instances", [])
        return [Task(row["task_id"], row["state"], row["try_number"]) for row in rows]

    def _send(
        self, method: str, path: str, *, missing_ok: bool = False, taken_ok: bool = False, **body: Any
    ) -> dict[str, Any] | None:
        retrying = Retrying(
            retry=retry_if_exception_type(AirflowAwayError),
            wait=wait_random_exponential(multiplier=0.2, max=3),
            stop=stop_after_delay(self._patience),
            reraise=True,
        )
        response = retrying(self._once, method, path, **body)
        if (missing_ok and response.status_code == httpx.codes.NOT_FOUND) or (
            taken_ok and response.status_code == httpx.codes.CONFLICT
        ):
            return None
        if response.is_error:
            raise AirflowRefusedError(path, response.status_code, response.text[:300])
        return dict(response.json())

    def _once(self, method: str, path: str, **body: Any) -> httpx.Response:
        if "Authorization" not in self._client.headers and path != "/auth/token":
            self._log_in()
        try:
            response = self._client.request(method, path, **body)
        except httpx.TransportError as err:
            raise AirflowAwayError(self.url, str(err) or type(err).__name__) from err
        if response.is_server_error:
            raise AirflowAwayError(self.url, f"status {response.status_code}")
        if response.status_code == httpx.codes.UNAUTHORIZED and path != "/auth/token":
            # A token lives a day, a demo may live longer.
            del self._client.headers["Authorization"]
            self._log_in()
            response = self._client.request(method, path, **body)
        return response

    def _log_in(self) -> None:
        response = self._once("POST", "/auth/token", json=self._login)
        if response.is_error:
            raise AirflowRefusedError("/auth/token", response.status_code, response.text[:300])
        self._client.headers["Authorization"] = f"Bearer {response.json()['access_token']}"
