"""The door to MLflow: runs, the steps of a metric, and versions of a registered model, read through its client only.

Reading must leave no trace: no store is made where none is, nothing is reported to anybody, and the process' own tracking address stays
as it was.
"""

from __future__ import annotations

import math
import os
import re
import sys
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from lupus_provider.errors import LupusError, MissingExtraError, Terminal, Transient, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from lupus_provider.periods import Span

_SECRET = re.compile(r"(?<=:)//[^/\s@]*@")
_MODEL = "registered model"
PAGE = 1_000
"""Rows that one request asks for."""
ENDED_WELL, ENDED_BADLY = "FINISHED", ("FAILED", "KILLED")
_ADDRESS = "MLFLOW_TRACKING_URI"
_QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
_LOCAL_FILES = {"MLFLOW_ALLOW_FILE_STORE": "true"}  # deprecated by MLflow, and full of people's runs
# MLflow's own patience is minutes; a retry of the task comes anyway.
_PATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2", "MLFLOW_HTTP_REQUEST_TIMEOUT": "30"}
_NO_RETRY_HELPS = frozenset({
    "INVALID_PARAMETER_VALUE", "BAD_REQUEST", "PERMISSION_DENIED", "UNAUTHENTICATED", "UNAUTHORIZED", "NOT_IMPLEMENTED",
    "ENDPOINT_NOT_FOUND", "INVALID_STATE",
})  # fmt: skip


class TrackingStoreAwayError(Transient):
    """An MLflow tracking store is not there, or does not answer."""

    def __init__(self, store: str, reason: str) -> None:
        self.store, self.reason = store, reason
        super().__init__(
            f"MLflow tracking store {store} cannot be read: {reason}. Check that it exists, that its server runs, "
            "and that this process may reach it."
        )


class BadTrackingStoreError(Terminal, ValueError):
    """An MLflow tracking store whose address, schema or rights rule reading out."""

    def __init__(self, store: str, reason: str) -> None:
        self.store, self.reason = store, reason
        super().__init__(
            f"MLflow tracking store {store} cannot be used: {reason}. Give an address such as https://mlflow.example.com, "
            "sqlite:////srv/mlflow.db or file:/srv/mlruns, and an account that may read it."
        )


class NotInTrackingStoreError(Terminal, ValueError):
    """An experiment or registered model that an MLflow tracking store does not have."""

    shown = 20

    def __init__(self, kind: str, name: str, store: str, known: Sequence[str]) -> None:
        self.kind, self.name, self.store, self.known = kind, name, store, tuple(known)
        more = f" and {len(self.known) - self.shown} more" if len(self.known) > self.shown else ""
        it_has = f"It has: {', '.join(self.known[: self.shown])}{more}." if self.known else "It has none."
        super().__init__(
            f"MLflow {kind} {name!r} is not in tracking store {store}. {did_you_mean(name, self.known)}{it_has}"
        )


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """A run as the store has it.

    Attributes
    ----------
    started, ended
        Aware, UTC; `ended` is None while it runs.
    metrics
        Metric → value of its last step; may be NaN or infinite.
    """

    run_id: str
    name: str
    experiment: str
    status: str
    started: datetime
    ended: datetime | None
    metrics: Mapping[str, float]
    params: Mapping[str, str]
    tags: Mapping[str, str]

    @property
    def is_over(self) -> bool:
        """Whether it ended, well or badly."""
        return self.ended is not None and self.status in (ENDED_WELL, *ENDED_BADLY)

    @property
    def moment(self) -> datetime:
        """When it counts: its end, or its start while it runs."""
        return self.ended if self.is_over and self.ended is not None else self.started


class TrackingStore:
    """An MLflow tracking store, and its model registry.

    Raises
    ------
    MissingExtraError
        If MLflow is not installed.
    TrackingStoreAwayError
        If the store is not there or does not answer (a retry may help).
    BadTrackingStoreError
        If its address or schema cannot be used, or it lets nobody in.
    """

    def __init__(self, tracking_uri: str, registry_uri: str | None = None) -> None:
        self.name, self._tracking_uri = without_password(tracking_uri), tracking_uri
        for uri in (tracking_uri, registry_uri or tracking_uri):
            _check_is_there(uri)
        self._client: Any = self._ask(lambda: _client(tracking_uri, registry_uri or tracking_uri))

    def experiments(self, names: Sequence[str] | None) -> dict[str, str]:
        """Return experiment id → name of the active experiments, or of those named.

        Raises
        ------
        NotInTrackingStoreError
            If a name is none.
        """
        rows = self._pages(lambda token: self._client.search_experiments(max_results=PAGE, page_token=token))
        found = {row.experiment_id: row.name for row in rows}
        if names is None:
            return found
        for name in names:
            if name not in found.values():
                raise NotInTrackingStoreError("experiment", name, self.name, sorted(found.values()))
        return {key: name for key, name in found.items() if name in names}

    def runs(self, experiments: Mapping[str, str], span: Span | None) -> list[TrainingRun]:
        """Return runs that are not deleted, oldest first; those that count in the span, or all."""
        if not experiments:
            return []
        found: dict[str, TrainingRun] = {}
        for condition in _conditions(span):
            for row in self._pages(lambda token, condition=condition: self._client.search_runs(
                list(experiments), condition, max_results=PAGE, order_by=["attributes.start_time ASC"], page_token=token,
            )):  # fmt: skip
                found[row.info.run_id] = _run(row, experiments[row.info.experiment_id])
        runs = [run for run in found.values() if span is None or span.start <= run.moment < span.end]
        return sorted(runs, key=lambda run: (run.moment, run.run_id))

    def steps(self, run: TrainingRun, metric: str) -> dict[int, float]:
        """Return step → value of a metric of a run, in order; of a step that was logged twice, the later value."""
        rows = self._ask(lambda: self._client.get_metric_history(run.run_id, metric))
        ordered = sorted(rows, key=lambda row: (row.step, row.timestamp))
        return {row.step: _number(row.value) for row in ordered}

    def versions(self, registered_model: str) -> dict[str, str]:
        """Return run id → version of a registered model; of a run that made several, the newest.

        Raises
        ------
        NotInTrackingStoreError
            If the registry has no such model.
        """
        known = sorted(
            row.name
            for row in self._pages(
                lambda token: self._client.search_registered_models(max_results=PAGE, page_token=token)
            )
        )
        if registered_model not in known:
            raise NotInTrackingStoreError(_MODEL, registered_model, self.name, known)
        quote = '"' if "'" in registered_model else "'"
        condition = f"name = {quote}{registered_model}{quote}"
        rows = self._pages(
            lambda token: self._client.search_model_versions(condition, max_results=PAGE, page_token=token)
        )
        newest = sorted(rows, key=lambda row: int(row.version))
        return {row.run_id: str(row.version) for row in newest if row.run_id}

    def _pages(self, ask: Callable[[str | None], Any]) -> Iterator[Any]:
        token = None
        while True:
            page = self._ask(lambda token=token: ask(token))
            yield from page
            token = page.token
            if not token:
                return

    def _ask(self, question: Callable[[], Any]) -> Any:
        with _quiet(self._tracking_uri):
            try:
                return question()
            except _failures() as err:
                # A server's address may hold a password, and MLflow's own messages tell it.
                raise _explained(err, self.name) from (None if _SECRET.search(str(err)) else err)


def without_password(uri: str) -> str:
    """Return an address, or a text that holds some, as it may be shown."""
    return _SECRET.sub("//", uri)


@contextmanager
def _quiet(tracking_uri: str) -> Iterator[None]:
    """Set MLflow's switches, where nobody set them, for as long as it is asked; its own deprecations are no news to our users."""
    ours = {name: value for name, value in {**_QUIET, **_LOCAL_FILES, **_PATIENCE}.items() if name not in os.environ}
    # A registry in files asks the default store about each version, and without one would make one in the working directory.
    before = os.environ.get(_ADDRESS)
    os.environ.update({**ours, _ADDRESS: tracking_uri})
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            warnings.simplefilter("ignore", FutureWarning)
            yield
    finally:
        for name in (*ours, _ADDRESS):
            os.environ.pop(name, None)
        if before is not None:
            os.environ[_ADDRESS] = before


def _client(tracking_uri: str, registry_uri: str) -> Any:
    try:
        from mlflow import MlflowClient
    except ImportError as err:
        raise MissingExtraError("TrainingProcessor", "training") from err
    return MlflowClient(tracking_uri, registry_uri=registry_uri)


def _check_is_there(uri: str) -> None:
    """Refuse a local store that does not exist: MLflow would make one."""
    parts = urlsplit(uri)
    if parts.scheme.partition("+")[0] == "sqlite":
        path = Path(unquote(parts.path[1:]))
        if not path.is_file() or not path.stat().st_size:
            raise TrackingStoreAwayError(uri, "there is no such file" if not path.is_file() else "the file is empty")
    elif parts.scheme in ("", "file"):
        path = Path(unquote(parts.path))
        if not path.is_dir():
            raise TrackingStoreAwayError(uri, "there is no such folder")
        if not (path / ".trash").is_dir() and not any(path.glob("*/meta.yaml")):
            raise TrackingStoreAwayError(uri, "the folder holds no experiments")


def _failures() -> tuple[type[Exception], ...]:
    """Return what can go wrong at the door; anything else is our own mistake."""
    found: list[type[Exception]] = [OSError, ModuleNotFoundError]
    for module, name in (("mlflow.exceptions", "MlflowException"), ("sqlalchemy.exc", "SQLAlchemyError")):
        if module in sys.modules:
            found.append(getattr(sys.modules[module], name))
    return tuple(found)


def _explained(err: Exception, store: str) -> LupusError:
    text = without_password(str(err).strip())
    reason = (text.splitlines() or [type(err).__name__])[0][:300].rstrip(".")
    hopeless = getattr(err, "error_code", None) in _NO_RETRY_HELPS or isinstance(err, ModuleNotFoundError)
    return (BadTrackingStoreError if hopeless or "database schema" in text else TrackingStoreAwayError)(store, reason)


def _conditions(span: Span | None) -> tuple[str, ...]:
    """Return searches that together find every run that counts in the span, and some more."""
    if span is None:
        return ("",)
    first, last = math.floor(span.start.timestamp() * 1000), math.ceil(span.end.timestamp() * 1000)
    return tuple(f"attributes.{name} >= {first} AND attributes.{name} < {last}" for name in ("end_time", "start_time"))


def _run(row: Any, experiment: str) -> TrainingRun:
    info, data = row.info, row.data
    ended = None if info.end_time is None else _instant(info.end_time)
    metrics = {name: _number(value) for name, value in data.metrics.items()}
    name = info.run_name or ""
    return TrainingRun(
        info.run_id, name, experiment, info.status, _instant(info.start_time or 0), ended, metrics, data.params, data.tags,
    )  # fmt: skip


def _instant(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _number(value: float) -> float:
    """Undo what a database does to infinity: MLflow keeps the largest double for it."""
    return math.copysign(math.inf, value) if abs(value) >= sys.float_info.max else float(value)
