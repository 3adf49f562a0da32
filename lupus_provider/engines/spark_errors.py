"""Spark's errors as one line, and told apart: the query's fault, or that of data and machines.

Spark logs the stack of each query that fails; we expect some to fail, and say so in a point (tests/unit/engines/test_spark_errors.py).
"""

from __future__ import annotations

import logging
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOGGERS = ("SQLQueryContextLogger", "DataFrameQueryContextLogger")
_CODED = re.compile(r"\[[A-Z][A-Z0-9_]+(?:\.[A-Z0-9_]+)*\]\s*(?P<text>[^\n]*)")
_STATE = re.compile(r"SQLSTATE: (?P<state>[0-9A-Z]{5})")
_JAVA = re.compile(r"^: [\w.$]+: (?P<text>[^\n]+)", re.MULTILINE)
_ADVICE = re.compile(r"( Use [`'\"]?try_| If necessary set | Correct the value as per | SQLSTATE:).*")
_THROWN = re.compile(r"^(?P<text>[\w.]+(?:Error|Exception|Exit|Interrupt|Warning)\b.*)$", re.MULTILINE)
_QUERY_STATES = ("0A", "21", "22", "38", "42", "P0")
"""Classes of SQLSTATE: not supported, wrong number of rows, wrong data, a user's function, syntax and names, raised on purpose."""
_LONGEST = 500


def failures() -> tuple[type[Exception], ...]:
    """Return what Spark raises: its own errors, and Java's where PySpark does not translate them."""
    from pyspark.errors import PySparkException

    try:
        from py4j.protocol import Py4JError
    except ImportError:  # Spark Connect alone brings no Java
        return (PySparkException,)
    return (PySparkException, Py4JError)


def one_line(err: BaseException) -> str:
    """Return what an error says, in one line: without codes, the query's text, stacks, and advice on Spark's settings."""
    text = str(err).strip()
    thrown = _THROWN.findall(text) if "Traceback (most recent call last)" in text else []
    if thrown:  # of a Python function; the last line of its stack says what
        return f"a function of the query failed: {thrown[-1].strip()}"[:_LONGEST].rstrip(". ")
    found = _CODED.search(text) or _JAVA.search(text)
    line = found["text"] if found else next(iter(text.splitlines()), type(err).__name__)
    return (_ADVICE.sub("", line).strip() or type(err).__name__)[:_LONGEST].rstrip(". ;")


def sql_state(err: BaseException) -> str | None:
    """Return the five characters of SQLSTATE, None where Spark gives none.

    Examples
    --------
    >>> sql_state(RuntimeError("[DIVIDE_BY_ZERO] Division by zero. SQLSTATE: 22012"))
    '22012'
    """
    found = _STATE.search(str(err))
    if found:
        return found["state"]
    return "38000" if type(err).__name__ == "PythonException" else None


def is_query_fault(err: BaseException) -> bool:
    """Whether the query is to blame, so that the same query without its failing part would come; else the source or the cluster."""
    state = sql_state(err)
    return state is not None and state[:2] in _QUERY_STATES and state != "42K03"  # a path that is not there


@contextmanager
def quiet() -> Iterator[None]:
    """Keep PySpark from logging the queries that fail inside."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    before = [logger.disabled for logger in loggers]
    for logger in loggers:
        logger.disabled = True
    try:
        yield
    finally:
        for logger, disabled in zip(loggers, before):
            logger.disabled = disabled
