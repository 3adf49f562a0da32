"""Every error that Lupus raises: what was wrong, where, what to do, in that order.

Each class is Terminal (a retry cannot help) or Transient (it can), keeps its facts as fields and builds its own message, so that
the operator base can decide on retries and the server can answer with the same sentence (tests/unit/test_errors.py pickles all).
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


class LupusError(Exception):
    """Base of all errors of Lupus; pickles by its constructor arguments, because errors cross process borders."""

    _made_of: tuple[tuple[Any, ...], dict[str, Any]]

    def __new__(cls, *args: Any, **kwargs: Any) -> LupusError:
        """Keep what the error was made of, whatever its own constructor does."""
        self = super().__new__(cls)
        self._made_of = (args, kwargs)
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return (_remake, (type(self), *self._made_of))


def _remake(kind: type[LupusError], args: tuple[Any, ...], kwargs: dict[str, Any]) -> LupusError:
    return kind(*args, **kwargs)


class Terminal(LupusError):
    """A retry cannot help: somebody must change something."""


class Transient(LupusError):
    """A retry may help: a server was away, slow, or busy."""


@dataclass(frozen=True, slots=True)
class Where:
    """A place in a project file; line and column count from 1."""

    path: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        return ":".join(str(part) for part in (self.path, self.line, self.column) if part is not None)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Sentence that names the nearest known word, with a trailing space; empty if none is near.

    Examples
    --------
    >>> did_you_mean("perod", ["period", "schedule"])
    "Did you mean 'period'? "
    """
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"Did you mean {near[0]!r}? " if near else ""


class BadNameError(Terminal, ValueError):
    """A project or metric set whose name cannot be a folder, a DAG id and a partition."""

    def __init__(self, name: str, what: str) -> None:
        self.name, self.what = name, what
        super().__init__(
            f"{what} {name!r} cannot be used as a name. Use lower-case letters, digits and underscores, "
            "starting with a letter, at most 63 characters."
        )


class DuplicateNameError(Terminal, ValueError):
    """A registry was asked to take a name twice."""

    def __init__(self, shelf: str, name: str) -> None:
        self.shelf, self.name = shelf, name
        super().__init__(f"{shelf} {name!r} is registered twice. Rename one, or unregister the first.")


class UnknownNameError(Terminal, KeyError):
    """A registry was asked for a name that it does not know."""

    def __init__(self, shelf: str, name: str, known: Sequence[str]) -> None:
        self.shelf, self.name, self.known = shelf, name, tuple(known)
        super().__init__(f"{shelf} {name!r} is unknown. {did_you_mean(name, known)}Known: {', '.join(sorted(known))}.")

    def __str__(self) -> str:
        return str(self.args[0])


class MissingExtraError(Terminal, ImportError):
    """An optional library is needed and not installed."""

    def __init__(self, feature: str, extra: str) -> None:
        self.feature, self.extra = feature, extra
        super().__init__(
            f"{feature} needs an optional library. Install it with: pip install 'airflow-provider-lupus[{extra}]'"
        )


class BadSpanError(Terminal, ValueError):
    """A run was asked for a span of time that it cannot understand."""

    def __init__(self, where: str, wrong: str, hint: str) -> None:
        self.where, self.wrong, self.hint = where, wrong, hint
        super().__init__(f"{where}: {wrong}. {hint}")


class UnknownMetricError(Terminal, ValueError):
    """A metric name that the grammar does not know."""

    def __init__(self, metric: str, known: Sequence[str]) -> None:
        self.metric, self.known = metric, tuple(known)
        super().__init__(
            f"metric {metric!r} is unknown. {did_you_mean(metric, known)}Known: {', '.join(sorted(known))}."
        )


class UnknownDataError(Terminal, TypeError):
    """A processor was given something that no engine can measure."""

    def __init__(self, type_name: str) -> None:
        self.type_name = type_name
        super().__init__(
            f"data of type {type_name} cannot be measured. Give a DuckDB relation, a pandas or polars frame, an Arrow table, "
            "or the path of a Parquet, CSV or JSON-lines file."
        )


class SourceUnreadableError(Transient):
    """The table that is to be measured is not there or cannot be read; it may come later."""

    def __init__(self, source: str, reason: str) -> None:
        self.source, self.reason = source, reason
        super().__init__(
            f"source {source} cannot be read: {reason}. Check that it exists and that this process may read it."
        )


class TimeColumnError(Terminal, ValueError):
    """Rows cannot be sorted into periods."""

    def __init__(self, source: str, column: str | None, reason: str) -> None:
        self.source, self.column, self.reason = source, column, reason
        super().__init__(
            f"source {source}: time_column {column!r} {reason}. Name a column of timestamps, dates or ISO text under 'time_column'."
        )


class PlanFailedError(Terminal, ValueError):
    """A condition or group column of the plan is wrong, so that no metric can be computed."""

    def __init__(self, source: str, reason: str) -> None:
        self.source, self.reason = source, reason
        super().__init__(
            f"source {source}: the plan cannot be computed: {reason}. Check 'where' and the group columns."
        )


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a project file."""

    where: Where
    text: str

    def __str__(self) -> str:
        return f"{self.where}: {self.text}"


class ProjectFileError(Terminal, ValueError):
    """Project files that cannot be understood, with everything that is wrong in them."""

    shown = 20

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        more = len(self.problems) - self.shown
        lines = [str(problem) for problem in self.problems[: self.shown]]
        super().__init__("\n".join([*lines, f"… and {more} more."] if more > 0 else lines))


class BadStoreConnectionError(Terminal, ValueError):
    """An Airflow connection does not say where a store is."""

    def __init__(self, conn_id: str, wrong: str) -> None:
        self.conn_id, self.wrong = conn_id, wrong
        super().__init__(
            f"connection {conn_id!r} {wrong}. A store's connection is of type 'lupus' and its host is an address such as "
            "file:///srv/lupus/stage or postgresql://db/lupus."
        )


class UnknownChannelError(Terminal, ValueError):
    """A project's alert channel is neither built in nor an Airflow connection."""

    def __init__(self, channel: str, wrong: str) -> None:
        self.channel, self.wrong = channel, wrong
        super().__init__(
            f"alert channel {channel!r} {wrong}. Use 'log', 'file', or the id of an Airflow connection of type 'http'."
        )


class CorruptStoreError(Terminal):
    """A store holds something that Lupus did not write."""

    def __init__(self, place: str, wrong: str) -> None:
        self.place, self.wrong = place, wrong
        super().__init__(
            f"{place} {wrong}. Restore it from a backup, or move it away and load the history again from the stage."
        )


class StoreUrlError(Terminal, ValueError):
    """A store's address cannot be used."""

    def __init__(self, store: str, url: str, hint: str) -> None:
        self.store, self.url, self.hint = store, url, hint
        super().__init__(f"{store} store: address {url!r} cannot be used. {hint}")


class DeliveryError(Transient):
    """A message was not delivered; it stays in the outbox and is tried again."""

    def __init__(self, receiver: str, reason: str) -> None:
        self.receiver, self.reason = receiver, reason
        super().__init__(f"{receiver} did not take a message: {reason}. It stays in the outbox and is tried again.")


class DeliveryRefusedError(Terminal):
    """A receiver will never take a message as it is."""

    def __init__(self, receiver: str, reason: str) -> None:
        self.receiver, self.reason = receiver, reason
        super().__init__(f"{receiver} refused a message: {reason}. Check the channel's connection.")


class StoreBusyError(Transient):
    """Another process kept a store's lock for too long."""

    def __init__(self, place: str, seconds: float) -> None:
        self.place, self.seconds = place, seconds
        super().__init__(
            f"{place} was locked by another process for {seconds:.0f} s. Try again; if it stays so, end the process that holds it."
        )


class LedgerMovedError(Transient):
    """Somebody else changed episodes between reading and recording them; nothing was recorded."""

    def __init__(self, changed: int) -> None:
        self.changed = changed
        super().__init__(
            f"{changed} episodes of the ledger changed while they were looked at. Read them again and decide anew."
        )


class MissingToolError(Terminal):
    """A program that is needed is not installed."""

    def __init__(self, tool: str, hint: str) -> None:
        self.tool, self.hint = tool, hint
        super().__init__(f"{tool} is needed and not installed. {hint}")


class BadPlanError(Terminal, ValueError):
    """A processor was called with arguments that contradict themselves."""

    def __init__(self, argument: str, wrong: str, hint: str) -> None:
        self.argument, self.wrong, self.hint = argument, wrong, hint
        super().__init__(f"{argument} {wrong}. {hint}")


class EngineFailedError(Transient):
    """An engine ran out of memory, disk or luck; the metrics themselves are not to blame."""

    def __init__(self, source: str, reason: str) -> None:
        self.source, self.reason = source, reason
        super().__init__(
            f"measuring {source} broke off: {reason}. Try again, with more memory or fewer metrics at once."
        )


class NoSuchPointError(Terminal, KeyError):
    """A name stands for no point, or for more than one."""

    def __init__(self, name: str, found: int) -> None:
        self.name, self.found = name, found
        super().__init__(
            f"{found} points are called {name!r}, and one was asked for. Look with show(), or filter to_arrow()."
        )

    def __str__(self) -> str:
        return str(self.args[0])


class DetectorsFailedError(Terminal):
    """Detectors broke, so that their series were not judged."""

    def __init__(self, where: str, broken: Mapping[str, int]) -> None:
        self.where, self.broken = where, dict(broken)
        named = ", ".join(f"{detector} ({series} series)" for detector, series in self.broken.items())
        super().__init__(
            f"{where}: detectors broke: {named}. All other verdicts are stored and told. "
            "The log of the detect task has the tracebacks; mend the rule and clear that task."
        )


class BadReferenceError(Terminal, ValueError):
    """A reference of drift that cannot be read, or that does not fit to another one."""

    def __init__(self, where: str, wrong: str, hint: str) -> None:
        self.where, self.wrong, self.hint = where, wrong, hint
        super().__init__(f"{where} {wrong}. {hint}")


class BadSparkConnectionError(Terminal, ValueError):
    """An Airflow connection does not say where Spark is."""

    def __init__(self, conn_id: str, wrong: str) -> None:
        self.conn_id, self.wrong = conn_id, wrong
        super().__init__(
            f"connection {conn_id!r} {wrong}. Spark's connection is of type 'spark' with a master as host, such as spark://host and port 7077, "
            "or of type 'spark_connect'. Without that connection Spark runs inside the task."
        )


class UnstampedError(Terminal, ValueError):
    """Points that do not say whose they are cannot be staged."""

    def __init__(self) -> None:
        super().__init__(
            "these points do not say whose they are. Stage what a processor's get_metrics(project=…, metric_set=…) returned."
        )


class CatalogError(Terminal):
    """A history's catalogue refused a statement, and will refuse it again."""

    def __init__(self, catalog: str, statement: str, reason: str) -> None:
        self.catalog, self.statement, self.reason = catalog, statement, reason
        super().__init__(
            f"catalogue {catalog} refused {statement!r}: {reason}. The history itself is whole; the day is told to the catalogue "
            "again by the next load. Mend the table, the connection or its rights."
        )


class CatalogAwayError(Transient):
    """A history's catalogue is away, too slow or busy, or a statement was cancelled."""

    def __init__(self, catalog: str, statement: str, reason: str) -> None:
        self.catalog, self.statement, self.reason = catalog, statement, reason
        super().__init__(
            f"catalogue {catalog} did not do {statement!r}: {reason}. The history itself is whole; the day is told to the catalogue "
            "again by the next load."
        )


class BadHiveConnectionError(Terminal, ValueError):
    """An Airflow connection does not say where Hive is."""

    def __init__(self, conn_id: str, wrong: str) -> None:
        self.conn_id, self.wrong = conn_id, wrong
        super().__init__(
            f"connection {conn_id!r} {wrong}. Hive's connection is of type 'hiveserver2' with host and port; the history's connection names it "
            "in its extra as 'hive_conn_id'."
        )


class DeferredWorkError(Transient):
    """What a task left to the triggerer broke off, and may be tried again."""

    def __init__(self, work: str, reason: str) -> None:
        self.work, self.reason = work, reason
        super().__init__(f"{work} broke off in the triggerer: {reason}")
