"""What one plan looks like in SQL: names of the base relation's columns, and the sources that aggregations read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lupus_provider.engines.sql.rows import prepared, row_value
from lupus_provider.engines.sql.values import Value, column_value
from lupus_provider.metrics.base import Over, Primitive

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lupus_provider.engines.sql.dialect import Dialect
    from lupus_provider.engines.sql.grouping import Grouping
    from lupus_provider.metrics.plan import ColumnType, Subject

BASE = "lupus_base"
OF_ROW = frozenset({Over.PAIRS, Over.SCORES, Over.RANKINGS})
"""Subjects of several columns whose primitives are functions of the row."""


@dataclass(frozen=True, slots=True)
class Relation:
    """The base relation of a plan.

    Attributes
    ----------
    name
        Relation of the rows: the columns of `grouping.carried` and one alias a measured column.
    aliases, types
        Measured column → its alias and type.
    """

    dialect: Dialect
    grouping: Grouping
    aliases: Mapping[str, str]
    types: Mapping[str, ColumnType]
    name: str = BASE

    def source(self, subject: Subject) -> str:
        """Return the SQL of the rows that a subject's primitives aggregate: FROM this."""
        if subject.over is Over.ITEMS:
            return f"({self.items(subject.column, subject.k)}) AS items"
        if subject.over in OF_ROW:
            columns = [self.aliases[column] for column in subject.columns]
            types = [self.types[column] for column in subject.columns]
            return prepared(self.dialect, subject, self.name, self.grouping.carried, columns, types)
        return self.name

    def items(self, column: str, k: int | None, *, distinct: bool = False) -> str:
        """Return the query of the items of a list column, one a row as `item`; `distinct`: without repeats and nulls, before k cuts."""
        alias = self.dialect.distinct_items(self.aliases[column]) if distinct else self.aliases[column]
        value = alias if k is None else self.dialect.first(alias, k)
        return self.dialect.items(self.name, self.grouping.carried, value)

    def shared(self, subject: Subject) -> object:
        """Return a key: subjects with the same key read the same source, so that one query serves them all."""
        if subject.over is Over.ITEMS:
            return subject.column, subject.k
        return (subject.over, subject.columns, subject.positive) if subject.over in OF_ROW else None

    def value(self, subject: Subject, primitive: Primitive | None = None) -> Value:
        """Return the value that a primitive of a subject aggregates."""
        if primitive is not None and primitive.of:
            return row_value(self.dialect, subject, primitive)
        column = "item" if subject.over is Over.ITEMS else self.aliases[subject.column]
        return column_value(self.dialect, subject.over, column, self.types[subject.column])
