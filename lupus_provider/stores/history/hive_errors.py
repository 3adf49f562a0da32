"""What a failure of Hive or Spark Thrift means: somebody must change something, the server is away, or only the session died.

Both servers put their reasons into text, so the text is read here and nowhere else; passwords in addresses are blotted out
(tests/unit/stores/test_hive_errors.py).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from lupus_provider.errors import CatalogAwayError, CatalogError

if TYPE_CHECKING:
    from lupus_provider.errors import LupusError

REASON_CHARACTERS = 300
_DEAD = re.compile(
    r"Invalid (Session|Operation)Handle|Session .{0,60}(does not exist|is closed|not found)", re.IGNORECASE
)
_AWAY = re.compile(
    r"TTransportException|MetaException.{0,80}(connect|transport)|Could not connect to meta ?store|LockException|ConnectException|"
    r"SocketTimeout|SessionHiveMetaStoreClient|timed out|OutOfMemory|SafeMode|RetriableException|StandbyException",
    re.IGNORECASE | re.DOTALL,
)
_REFUSED = re.compile(
    r"SemanticException|ParseException|AnalysisException|PARSE_SYNTAX_ERROR|NoSuch\w+Exception|AlreadyExistsException|"
    r"Permission denied|AccessControlException|HiveAccessControl|not authorized|InvalidOperationException|InvalidObjectException|"
    r"Error validating the login|AuthenticationFailed",
    re.IGNORECASE,
)
_TIMED_OUT = 3  # TTransportException.TIMED_OUT
_REFUSED_STATES = ("22", "42")  # SQLSTATE classes: data exception, syntax error or access rule violation
_SECRET = (
    (re.compile(r"(://)[^/@\s'\"]+@"), r"\1…@"),
    (re.compile(r"(?i)([\w.-]*(?:password|secret|token|access.?key)[\w.-]*\s*[=:]\s*)[^\s,;'\"]+"), r"\1…"),
)


class DeadSessionError(Exception):
    """The server does not know this session any more, or the line to it broke; another session may do."""


def head(statement: str) -> str:
    """Return a statement's first words, for messages; they hold names of tables and no data.

    Examples
    --------
    >>> head("ALTER TABLE `lupus`.`lupus_points` ADD IF NOT EXISTS PARTITION")
    'ALTER TABLE `lupus`.`lupus_points`'
    """
    words = statement.split()
    return " ".join(words[: 4 if words[:1] == ["INSERT"] else 3])


def reason_of(text: str) -> str:
    """Return the first line of a server's reason, without secrets and without the names of its classes in front."""
    line = next((line.strip() for line in text.splitlines() if line.strip()), "no reason given")
    for pattern, instead in _SECRET:
        line = pattern.sub(instead, line)
    line = re.sub(r"^(?:[\w.$]+(?:Exception|Error): )+", "", line)
    return line if len(line) <= REASON_CHARACTERS else f"{line[:REASON_CHARACTERS]}…"


def from_server(catalog: str, statement: str, text: str, sql_state: str | None) -> LupusError | DeadSessionError:
    """Return the error that a server's answer stands for."""
    if _DEAD.search(text):
        return DeadSessionError(reason_of(text))
    refused = _REFUSED.search(text) or (sql_state or "")[:2] in _REFUSED_STATES
    made = CatalogError if refused and not _AWAY.search(text) else CatalogAwayError
    return made(catalog, head(statement), reason_of(text))


def from_exception(catalog: str, statement: str, err: Exception) -> LupusError | DeadSessionError | None:
    """Return the error that an exception of the driver stands for; None if it is not the server's.

    Parameters
    ----------
    err
        What PyHive, Thrift or the socket below raised.
    """
    answer: Any = err.args[0] if err.args else None
    status = getattr(answer, "status", None)
    if status is not None:  # pyhive.exc.OperationalError holds the whole answer
        return from_server(catalog, statement, str(status.errorMessage or ""), status.sqlState)
    if _REFUSED.search(str(err)):
        return CatalogError(catalog, head(statement), reason_of(str(err)))
    if isinstance(err, TimeoutError) or getattr(err, "type", None) == _TIMED_OUT:
        return CatalogAwayError(catalog, head(statement), "it did not answer in time")
    if isinstance(err, OSError | EOFError) or type(err).__module__.partition(".")[0] in ("thrift", "thrift_sasl"):
        return DeadSessionError(reason_of(str(err) or type(err).__name__))
    return None
