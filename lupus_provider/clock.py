"""The only clock. Everything else takes `now` as a parameter, so that tests and backfills decide what time it is."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Return the present moment, aware, in UTC."""
    return datetime.now(UTC)  # noqa: TID251  (the one place)
