"""Column types of the ledger: moments, spans and JSON as they are in Python; the files hold integers and text everywhere.

An integer means the same in every database, session and zone; timestamps with zones do not.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Text
from sqlalchemy.types import TypeDecorator

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Moment(TypeDecorator[datetime]):
    """Aware moment, kept as epoch microseconds, exactly; comes back in UTC. A naive one is an error."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> int | None:  # noqa: ARG002
        """Return epoch microseconds."""
        return None if value is None else (value - EPOCH) // _MICROSECOND

    def process_result_value(self, value: int | None, dialect: Any) -> datetime | None:  # noqa: ARG002
        """Return the moment."""
        return None if value is None else EPOCH + value * _MICROSECOND


class Duration(TypeDecorator[timedelta]):
    """Length of time, kept as microseconds, exactly."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: timedelta | None, dialect: Any) -> int | None:  # noqa: ARG002
        """Return microseconds."""
        return None if value is None else value // _MICROSECOND

    def process_result_value(self, value: int | None, dialect: Any) -> timedelta | None:  # noqa: ARG002
        """Return the length of time."""
        return None if value is None else value * _MICROSECOND


class Json(TypeDecorator[Any]):
    """Plain JSON, kept as text with sorted keys, so that equal values are equal texts."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> str | None:  # noqa: ARG002
        """Return the text; a number that JSON lacks is a ValueError."""
        return None if value is None else json.dumps(value, sort_keys=True, allow_nan=False)

    def process_result_value(self, value: str | None, dialect: Any) -> Any:  # noqa: ARG002
        """Return the value."""
        return None if value is None else json.loads(value)
