"""Which rows a sample holds: a hash decides, so that every run and every engine measures the same ones.

Engines' own samples depend on files, threads and the order of rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from lupus_provider.errors import PlanFailedError
from lupus_provider.metrics.base import Kind
from lupus_provider.metrics.plan import ColumnType

if TYPE_CHECKING:
    from lupus_provider.engines.sql.dialect import Dialect
    from lupus_provider.metrics.plan import Sample

SAMPLE_BITS = 48
_SINGLE = Kind.BOOL | Kind.NUMBER | Kind.TEXT | Kind.TIME


class Table(Protocol):
    """A table that is open in an engine."""

    name: str
    columns: list[str]

    def column_sql(self, column: str) -> str:
        """Return the SQL of a column."""
        ...

    def type_of(self, column: str) -> ColumnType | str:
        """Return the type of a column, or a sentence that says why it cannot be read."""
        ...


def sample_sql(dialect: Dialect, sample: Sample, table: Table) -> str:
    """Return the condition that rows of a sample meet.

    By a column: rows with the same value there are in it together, nulls never. Without: the row's columns of single values decide, so
    that rows that are alike in all of them are in it together.

    Raises
    ------
    PlanFailedError
        If the column is not there, or no column has single values.
    """
    limit = dialect.bigint(int(sample.ratio * 2**SAMPLE_BITS))
    if sample.by is not None:
        kind = table.type_of(sample.by)
        if isinstance(kind, str):
            raise PlanFailedError(table.name, f"sample: {kind}".rstrip("."))
        return f"{dialect.hash48(dialect.hash_text(table.column_sql(sample.by), kind))} < {limit}"
    types = {column: table.type_of(column) for column in table.columns}
    single = [
        (table.column_sql(column), kind)
        for column, kind in sorted(types.items())  # engines may list columns in another order
        if isinstance(kind, ColumnType) and kind.kind & _SINGLE and not kind.is_list
    ]
    if not single:
        reason = "sample: no column has single values to tell rows apart by. Name a column, {ratio: 0.1, by: user.id}"
        raise PlanFailedError(table.name, reason)
    return f"{dialect.row_hash(single)} < {limit}"
