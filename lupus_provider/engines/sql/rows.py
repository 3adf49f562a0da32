"""Functions of a row over several columns: errors of a prediction, scores of a label, hits of a ranking.

Each returns the same bits in every engine: only operations that IEEE 754 defines, logarithms by our own series, weights as literals.
"""

# ruff: noqa: S608  (columns are our aliases, texts are literals)

from __future__ import annotations

import math
from itertools import accumulate
from typing import TYPE_CHECKING

from lupus_provider.engines.sql.values import Value, label_text
from lupus_provider.metrics.base import Over, Primitive

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lupus_provider.engines.sql.dialect import Dialect
    from lupus_provider.metrics.plan import ColumnType, Subject

EPSILON = 2.220446049250313e-16
"""Smallest probability and smallest divisor (scikit-learn clips at the same)."""
DEEPEST = 1_000
"""Places that `ndcg` without a k looks at."""
_TERMS = 12


def prepared(
    dialect: Dialect, subject: Subject, base: str, carried: Sequence[str], columns: Sequence[str],
    types: Sequence[ColumnType],
) -> str:  # fmt: skip
    """Return the relation whose rows the row functions of a subject read: `carried` columns and what is shared by the functions.

    Parameters
    ----------
    base
        Relation of the rows.
    columns, types
        SQL and types of the subject's columns, in the order of their roles.
    """
    keys = "".join(f"{column}, " for column in carried)
    if subject.over is Over.PAIRS:
        prediction, target = (
            f"CASE WHEN isnan({dialect.double(c)}) THEN NULL ELSE {dialect.double(c)} END" for c in columns
        )
        return f"(SELECT {keys}{prediction} AS p, {target} AS t FROM {base}) AS pairs"
    if subject.over is Over.SCORES:
        return _scores(dialect, subject, base, keys, columns, types)
    if subject.over is Over.RANKINGS:
        return _rankings(dialect, base, keys, columns)
    return base


def _scores(
    dialect: Dialect, subject: Subject, base: str, keys: str, columns: Sequence[str], types: Sequence[ColumnType]
) -> str:
    score, label = dialect.double(columns[0]), label_text(dialect, columns[1], types[1])
    positive = f"CASE WHEN {label} = {dialect.literal(subject.positive or '')} THEN 1 WHEN {label} IS NULL THEN NULL ELSE 0 END"
    one, low, high = (dialect.number(number) for number in (1.0, EPSILON, 1.0 - EPSILON))
    score = f"CASE WHEN isnan({score}) THEN NULL ELSE {score} END"
    known = f"SELECT {keys}{score} AS s, {positive} AS y FROM {base}"
    true_side = f"CASE WHEN y = 1 THEN s WHEN y = 0 THEN {one} - s END"
    clipped = f"SELECT *, CASE WHEN {true_side} < {low} THEN {low} WHEN {true_side} > {high} THEN {high} ELSE {true_side} END AS q FROM ({known}) AS k"
    scaled = f"SELECT *, floor(log2(q) + {dialect.number(0.5)}) AS e FROM ({clipped}) AS c"
    mantissa = f"SELECT *, q * power({dialect.number(2.0)}, {dialect.number(0.0)} - e) AS m FROM ({scaled}) AS d"
    series = f"SELECT *, (m - {one}) / (m + {one}) AS z FROM ({mantissa}) AS n"
    return f"({series}) AS scores"


def _rankings(dialect: Dialect, base: str, keys: str, columns: Sequence[str]) -> str:
    """Find the places (from 1) of the truths among the predicted items, both without repeats and nulls, and count the truths.

    Only what stands above the last truth is searched for repeats: most lists have none, and many no truth.
    """
    predicted, truth = columns
    lists = f"SELECT {keys}{predicted} AS shown, {dialect.distinct_items(truth)} AS wanted FROM {base}"
    # A null prediction is an empty one, without places; a null truth is not known yet.
    found = dialect.rising(dialect.kept(dialect.mapped("wanted", dialect.place("shown", "x")), "x > 0"))
    places = f"SELECT *, {found} AS places, {dialect.length('wanted')} AS truths FROM ({lists}) AS lists"
    repeats = dialect.has_repeats("shown", dialect.item("places", dialect.length("places")))
    cleaned = dialect.mapped("places", dialect.distinct_count("shown", "x"))
    return (
        f"(SELECT *, CASE WHEN {repeats} THEN {cleaned} ELSE places END AS hits FROM ({places}) AS placed) AS rankings"
    )


def row_value(dialect: Dialect, subject: Subject, primitive: Primitive) -> Value:
    """Return the value of a row function over the relation that `prepared` made.

    Raises
    ------
    NotImplementedError
        If a metric asks for a function that is not here: a programmer's error.
    """
    functions = _FUNCTIONS[subject.over](dialect, subject.k, primitive.argument)
    function = getattr(functions, primitive.of, None)
    if function is None:
        raise NotImplementedError(f"{subject.over}: {primitive.of}")
    return function()


class _Functions:
    """Row functions of one kind of rows; each method is one, by its name in `Primitive.of`.

    Parameters
    ----------
    k
        Of the subject.
    argument
        Of the primitive.
    """

    def __init__(self, dialect: Dialect, k: int | None, argument: float | None) -> None:
        self.dialect, self.k, self.argument = dialect, k, argument

    def number(self, value: float) -> str:
        return self.dialect.number(value)

    def double(self, value: str) -> str:
        return self.dialect.double(value)


class _Pairs(_Functions):
    """Of a prediction `p` and a target `t`; null where either is unknown."""

    def error(self) -> Value:
        return Value("p - t", "float")

    def absolute_error(self) -> Value:
        return Value("abs(p - t)", "float")

    def squared_error(self) -> Value:
        return Value("(p - t) * (p - t)", "float")

    def absolute_percentage_error(self) -> Value:
        least = self.number(EPSILON)
        return Value(f"abs(p - t) / CASE WHEN abs(t) < {least} THEN {least} ELSE abs(t) END", "float")

    def symmetric_percentage_error(self) -> Value:
        zero, both = self.number(0.0), "(abs(p) + abs(t))"
        return Value(
            f"CASE WHEN {both} = {zero} THEN {zero} ELSE {self.number(2.0)} * abs(p - t) / {both} END", "float"
        )

    def target(self) -> Value:
        return Value("CASE WHEN p IS NOT NULL THEN t END", "float")

    def truth(self) -> Value:
        return Value("t", "float")


class _Scores(_Functions):
    """Of a score `s` and whether the label is the positive one, `y`; null where either is unknown."""

    def score(self) -> Value:
        return Value("CASE WHEN y IS NOT NULL THEN s END", "float")

    def positive(self) -> Value:
        return Value("CASE WHEN s IS NOT NULL THEN y END", "integer")

    def truth(self) -> Value:
        return Value("y", "integer")

    def brier(self) -> Value:
        return Value("(s - y) * (s - y)", "float")

    def log_loss(self) -> Value:
        """Negative logarithm of q = m 2**e with m near 1: e ln 2 + 2 artanh((m - 1)/(m + 1)), by its power series."""
        square, series = "(z * z)", self.number(1.0 / (2 * _TERMS + 1))
        for term in range(_TERMS - 1, -1, -1):
            series = f"({self.number(1.0 / (2 * term + 1))} + {square} * {series})"
        log = f"({self.double('e')} * {self.number(math.log(2.0))} + {self.number(2.0)} * z * {series})"
        return Value(f"{self.number(0.0)} - {log}", "float")

    def calibration_gap(self) -> Value:
        """Score minus truth in one of ten bins of the score; the last one holds 1."""
        place = int(self.argument or 0)
        inside = {0: "<= 0", 9: ">= 9"}.get(place, f"= {place}")
        return Value(f"CASE WHEN floor(s * {self.number(10.0)}) {inside} THEN s - y END", "float")


class _Rankings(_Functions):
    """Of the places of `hits` among the `shown` items, and the number of `truths`; null where there is no truth to find."""

    def recall(self) -> Value:
        return self._of_truths(f"{self._found()} / {self.double('truths')}")

    def precision(self) -> Value:
        if self.k is not None:
            return self._of_truths(f"{self._found()} / {self.number(float(self.k))}")
        shown = self.double(self.dialect.distinct_count("shown", self.dialect.length("shown")))
        return self._of_truths(f"CASE WHEN {shown} > 0 THEN {self._found()} / {shown} ELSE {self.number(0.0)} END")

    def ndcg(self) -> Value:
        """Binary gains discounted by log2(place + 1), over those of an ideal list cut at k."""
        deepest = DEEPEST if self.k is None else self.k
        gains = [1.0 / math.log2(place + 1) for place in range(1, deepest + 1)]
        ideal = list(accumulate(gains))
        dialect = self.dialect
        best = dialect.item(dialect.numbers(ideal), f"CASE WHEN truths < {deepest} THEN truths ELSE {deepest} END")
        gained = dialect.list_sum(dialect.mapped(self._cut(deepest), dialect.item(dialect.numbers(gains), "x")))
        return self._of_truths(f"{gained} / {best}")

    def average_precision(self) -> Value:
        """Precision at each hit, summed, over the number of truths."""
        precisions = self.dialect.mapped(self._cut(self.k), f"{self.double('i')} / {self.double('x')}")
        return self._of_truths(f"{self.dialect.list_sum(precisions)} / {self.double('truths')}")

    def reciprocal_rank(self) -> Value:
        first = self.double(self.dialect.item(self._cut(self.k), "1"))
        return self._of_truths(f"coalesce({self.number(1.0)} / {first}, {self.number(0.0)})")

    def hit(self) -> Value:
        found = self.dialect.length(self._cut(self.k))
        return Value(f"CASE WHEN truths > 0 THEN CASE WHEN {found} > 0 THEN 1 ELSE 0 END END", "integer")

    def empty_truth(self) -> Value:
        return Value("CASE WHEN truths > 0 THEN 0 WHEN truths = 0 THEN 1 END", "integer")

    def truth(self) -> Value:
        return Value("truths", "integer")

    def _cut(self, k: int | None) -> str:
        return "hits" if k is None else self.dialect.kept("hits", f"x <= {int(k)}")

    def _found(self) -> str:
        return self.double(self.dialect.length(self._cut(self.k)))

    def _of_truths(self, sql: str) -> Value:
        return Value(f"CASE WHEN truths > 0 THEN {sql} END", "float")


_FUNCTIONS: Mapping[Over, type[_Functions]] = {Over.PAIRS: _Pairs, Over.SCORES: _Scores, Over.RANKINGS: _Rankings}
