"""A suite of expectations: read from YAML or Great Expectations, and what it says of one batch of rows.

Everything is checked before any row is read, because a misspelt argument would otherwise be found after an hour's scan.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from numbers import Real
from typing import TYPE_CHECKING, Any, Literal

from lupus_provider.errors import Terminal, did_you_mean
from lupus_provider.processors.great_expectations import batch_of, open_library

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

ExpectationSeverity = Literal["info", "warning", "critical"]

_NUMBER = "lupus_number"
_LONGEST, _EXAMPLES = 200, 5
_COLUMN_ARGUMENTS = ("column", "column_A", "column_B", "column_list")
_NOT_SALIENT = frozenset({"column", "batch_id", "result_format", "catch_exceptions", "condition_parser"})
_OBSERVED = ("_to_be_between", "_to_equal", "_to_be_less_than")


class BadExpectationError(Terminal, ValueError):
    """An expectation of a suite that cannot be understood."""

    def __init__(self, number: int, expectation: str, wrong: str, hint: str) -> None:
        self.number, self.expectation, self.wrong, self.hint = number, expectation, wrong, hint
        super().__init__(f"expectation {number} of the suite, {expectation!r}, {wrong}. {hint}".rstrip())


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one expectation came to over one batch.

    Attributes
    ----------
    expectation
        Its given name, or its type and arguments; the `entity` of points.
    column
        Empty for expectations of the table or of several columns.
    success
        None if it could not be computed; then `error` says why.
    n_rows
        Rows looked at, missing values included; None where Great Expectations does not say.
    unexpected_ratio
        Share of the unexpected among values that are not missing; None if there are none, or where it is no such expectation.
    observed_value
        What was measured, where it is a number.
    metrics
        Which of `success_ratio`, `unexpected_ratio` and `observed_value` this expectation has, computed or not.
    examples
        Up to five unexpected values as text, with how often each is among the first twenty. They are rows' contents: mind who reads them.
    """

    expectation: str
    column: str
    severity: ExpectationSeverity
    success: bool | None
    metrics: tuple[str, ...]
    n_rows: int | None = None
    unexpected_ratio: float | None = None
    unexpected_count: int | None = None
    observed_value: float | None = None
    error: str | None = None
    examples: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class _Asked:
    expectation: Any
    name: str
    column: str


class Suite:
    """Expectations to hold tables against.

    Parameters
    ----------
    given
        An `ExpectationSuite` of Great Expectations, or a list of mappings as they stand in YAML: `expect` is the snake_case type,
        `name` (may be left out) what its points are called, the rest are its arguments:
        `{"expect": "expect_column_values_to_be_between", "column": "dep_delay", "min_value": -60, "mostly": 0.99}`.

    Raises
    ------
    MissingExtraError
        If Great Expectations is not installed.
    BadExpectationError
        If an expectation is unknown, has wrong arguments, or is given twice.
    """

    def __init__(self, given: Any) -> None:
        self._library = open_library()
        if hasattr(given, "expectations"):
            asked = [_Asked(e, _name(e, (e.meta or {}).get("name")), _column(e)) for e in given.expectations]
        elif isinstance(given, (str, Mapping)) or not hasattr(given, "__iter__"):
            raise BadExpectationError(
                1, str(given)[:80], "is no list", "Give a list of mappings, each with 'expect', or an ExpectationSuite."
            )
        else:
            asked = [self._parse(number, item) for number, item in enumerate(given, 1)]
        for number, item in enumerate(asked, 1):
            if any((other.name, other.column) == (item.name, item.column) for other in asked[: number - 1]):
                raise BadExpectationError(
                    number, item.name, "is given twice", "Leave one out, or give it another name."
                )
        self._asked = asked

    def __len__(self) -> int:
        return len(self._asked)

    @property
    def columns(self) -> frozenset[str] | None:
        """Columns that the expectations read; None where one may look at any."""
        found: set[str] = set()
        for item in self._asked:
            arguments = item.expectation.configuration.kwargs
            named = [arguments[name] for name in _COLUMN_ARGUMENTS if arguments.get(name)]
            looks_around = not named and item.expectation.expectation_type not in _ROW_COUNTS
            if looks_around or arguments.get("row_condition"):
                return None
            for name in named:
                found.update([name] if isinstance(name, str) else name)
        return frozenset(found)

    def _parse(self, number: int, item: Any) -> _Asked:
        if not isinstance(item, Mapping) or not isinstance(item.get("expect"), str):
            raise BadExpectationError(
                number,
                str(item)[:80],
                "does not say what to expect",
                "Give {'expect': 'expect_column_values_to_be_unique', 'column': …}.",
            )
        kind = item["expect"]
        known = self._library.names()
        if kind not in known:
            raise BadExpectationError(
                number, kind, "is unknown to Great Expectations", did_you_mean(kind, known).strip()
            )
        arguments = {str(key): value for key, value in item.items() if key not in ("expect", "name")}
        cls = self._library.expectation_class(kind)
        try:
            expectation = cls(**arguments)
        except (ValueError, TypeError) as err:
            raise BadExpectationError(number, kind, *_wrong_arguments(err, list(cls.__fields__))) from err
        return _Asked(expectation, _name(expectation, item.get("name")), _column(expectation))

    @contextmanager
    def validating(self) -> Iterator[Callable[[Any, Sequence[str]], list[Verdict]]]:
        """Open a context; yield a function that holds the suite against a pandas or Spark frame: one verdict an expectation, in order.

        Its second argument are the columns of the table that the frame is of, for the error that names the nearest.
        """
        with self._library.ephemeral_context() as context:
            numbered = [
                item.expectation.copy(update={"meta": {_NUMBER: number}, "id": None})
                for number, item in enumerate(self._asked)
            ]

            def validate(frame: Any, columns: Sequence[str]) -> list[Verdict]:
                if not numbered:
                    return []
                suite = self._library.suite("lupus", numbered)
                results = batch_of(context, frame).validate(suite, result_format="BASIC").results
                found = {result.expectation_config.meta[_NUMBER]: result for result in results}
                return [self._verdict(item, found[number], columns) for number, item in enumerate(self._asked)]

            yield validate

    def _verdict(self, item: _Asked, result: Any, columns: Sequence[str]) -> Verdict:
        severity = getattr(item.expectation.severity, "value", item.expectation.severity)
        metrics = ["success_ratio"]
        kind = item.expectation.expectation_type
        is_map = self._library.is_map(item.expectation)
        error = _raised(result.exception_info or {})
        if error is not None:
            metrics += ["unexpected_ratio"] if is_map else ["observed_value"] if _is_number(kind, None) else []
            if item.column and item.column not in columns:
                error = f"{error} {did_you_mean(item.column, columns)}".strip()
            return Verdict(item.name, item.column, severity, None, tuple(metrics), error=error)
        told = result.result or {}
        if is_map and "element_count" in told:
            metrics.append("unexpected_ratio")
        observed = told.get("observed_value")
        if "observed_value" in told and not is_map and _is_number(kind, observed):
            metrics.append("observed_value")
        return Verdict(
            item.name, item.column, severity, bool(result.success), tuple(metrics), told.get("element_count"),
            _unexpected_ratio(told), told.get("unexpected_count"),
            float(observed) if isinstance(observed, Real) and not isinstance(observed, bool) else None, None, _examples(told),
        )  # fmt: skip


_ROW_COUNTS = ("expect_table_row_count_to_be_between", "expect_table_row_count_to_equal")


def _name(expectation: Any, given: Any) -> str:
    if given:
        return str(given)
    arguments = {
        k: v for k, v in sorted(expectation.configuration.kwargs.items()) if k not in _NOT_SALIENT and v is not None
    }
    if arguments.get("mostly") == 1:
        del arguments["mostly"]
    text = f"{expectation.expectation_type}({', '.join(f'{k}={_text(v)}' for k, v in arguments.items())})"
    short = f"{text[: _LONGEST - 10]}…{sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
    return text.removesuffix("()") if len(text) <= _LONGEST else short


def _text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # Great Expectations reads 60 as 60.0
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


def _column(expectation: Any) -> str:
    column = expectation.configuration.kwargs.get("column")
    return column if isinstance(column, str) else ""


def _wrong_arguments(err: Exception, known: Sequence[str]) -> tuple[str, str]:
    """Return what is wrong with the arguments, and what to do, from the error of their validation."""
    takes = [
        name
        for name in known
        if name not in ("id", "meta", "rendered_content", "batch_id", "result_format", "catch_exceptions")
    ]
    hint = f"It takes: {', '.join(takes)}."
    problems: dict[str, str] = {}
    unknown = ""
    for problem in err.errors() if hasattr(err, "errors") else ():  # type: ignore[attr-defined]
        name = ".".join(str(part) for part in problem["loc"] if part != "__root__")
        if problem["type"] == "value_error.extra":
            problems.setdefault(name, f"has the unknown argument {name!r}")
            begun = [word for word in takes if word.startswith(name)]
            unknown += did_you_mean(name, takes) or (f"Did you mean {begun[0]!r}? " if begun else "")
        elif problem["type"] == "value_error.missing":
            problems.setdefault(name, f"lacks the argument {name!r}")
        else:
            problems.setdefault(
                name, f"has a wrong argument {name!r}: {problem['msg']}" if name else f"is wrong: {problem['msg']}"
            )
    return "; ".join(problems.values()) or f"has wrong arguments: {str(err)[:200]}", unknown + hint


def _raised(info: Mapping[str, Any]) -> str | None:
    """Return the first message of what was raised; Great Expectations tells it per metric, or at once."""
    parts = [info] if "raised_exception" in info else list(info.values())
    for part in parts:
        if part.get("raised_exception"):
            lines = str(part.get("exception_message") or "").strip().splitlines()
            return (lines[0] if lines else "the expectation raised without a message")[:300]
    return None


def _is_number(kind: str, observed: Any) -> bool:
    """Whether the observed value is a number, or would be one if there were anything to observe."""
    if observed is None:
        return kind.endswith(_OBSERVED) and "quantile" not in kind
    return isinstance(observed, Real) and not isinstance(observed, bool)


def _unexpected_ratio(told: Mapping[str, Any]) -> float | None:
    """Share of the unexpected, from the counts: the percentage that Great Expectations tells is rounded twice."""
    if "element_count" not in told:
        return None
    count, present = told.get("unexpected_count"), told["element_count"] - (told.get("missing_count") or 0)
    return None if count is None or present <= 0 else count / present


def _examples(told: Mapping[str, Any]) -> tuple[tuple[str, int], ...]:
    values = Counter(
        "NaN" if isinstance(value, float) and math.isnan(value) else str(value)[:80]
        for value in told.get("partial_unexpected_list") or ()
    )
    return tuple(values.most_common(_EXAMPLES))
