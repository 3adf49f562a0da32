"""Records of the ledger as rows and back: a field is the column of the same name.

Texts that are longer than their column are refused here, because SQLite would keep what Postgres refuses.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import String, Text

from lupus_provider.stores.ledger.errors import RecordTooLongError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy import Table

Record = TypeVar("Record")


def row_of(table: Table, record: Any, **more: Any) -> dict[str, Any]:
    """Return the row of a dataclass, with columns that it lacks.

    Raises
    ------
    RecordTooLongError
        If a text is longer than its column.
    """
    names = {field.name for field in fields(record)}
    row = {column.name: getattr(record, column.name) for column in table.c if column.name in names} | more
    check_lengths(table, row)
    return row


def check_lengths(table: Table, row: Mapping[str, Any]) -> None:
    """Raise RecordTooLongError if a text is longer than its column."""
    for name, value in row.items():
        kind = table.c[name].type
        most = kind.length if isinstance(kind, String) and not isinstance(kind, Text) else None
        if most is not None and value is not None and len(value) > most:
            raise RecordTooLongError(name, len(value), most)


def record_of(kind: type[Record], row: Any) -> Record:
    """Return the dataclass of a row."""
    values = row._mapping
    return kind(**{field.name: values[field.name] for field in fields(kind)})  # type: ignore[arg-type]


def records_of(kind: type[Record], rows: Iterable[Any]) -> list[Record]:
    """Return the dataclasses of rows."""
    return [record_of(kind, row) for row in rows]
