"""When a row of a Spark table happened, and in which period: SQL text, the same whatever the session's settings.

Instants are whole numbers of microseconds since 1970-01-01 UTC. Local times become instants by arithmetic with the zone's changes within
the span, not by Spark's own functions: these depend on the session's zone, cost more, and take the other one of two instants where a
clock falls back. A period is found by arithmetic, too, because the starts of periods are evenly spaced but for a few places.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from lupus_provider.engines.sql.periods import micros

if TYPE_CHECKING:
    from lupus_provider.periods import Span

ISO_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK = "([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,9})?)?"
_ZONED = "(Z| UTC|[+-](0[0-9]|1[0-5])(:?[0-5][0-9])?)"
ISO_TEXT = f"^{ISO_DAY}([ T]{_CLOCK}{_ZONED}?)?$"
"""Texts that are a time: ISO 8601 with a day, a clock of at least minutes, and an offset; of these all engines make the same."""

_DAY_MICROS = 86_400_000_000
_MARGIN = timedelta(days=2)
"""More than any offset of a zone, so that what lies farther out of a span is out of it in every zone."""


def moment_sql(column: str, type_name: str, time_zone: str, zone: str, span: Span) -> str | None:
    """Return the SQL of a row's instant, BIGINT microseconds; null where there is none, None if the type says no time.

    Right for rows within the span; of others it says only on which side they are. Of local times whole seconds are kept, where the
    span's bounds are whole seconds.

    Parameters
    ----------
    column
        Quoted time column.
    type_name
        Name of its type, as in `spark_source.type_name`.
    time_zone
        Zone of timestamps and texts without a zone.
    zone
        The project's zone: a date is a day of it.
    """
    if type_name == "TIMESTAMP WITH TIME ZONE":
        return f"unix_micros({column})"
    if type_name == "TIMESTAMP":
        return _instant(_wall(column, span), time_zone, span)
    if type_name == "DATE":
        return _instant(f"unix_date({column}) * {_DAY_MICROS}L", zone, span)
    if type_name == "VARCHAR":
        return _text_moment(column, time_zone, zone, span)
    return None


def _text_moment(column: str, time_zone: str, zone: str, span: Span) -> str:
    day = _instant(f"unix_date(try_cast({column} AS DATE)) * {_DAY_MICROS}L", zone, span)
    with_seconds = f"regexp_replace({column}, '^(.{{16}})([Z +-].*)$', '$1:00$2')"  # Spark takes no zone behind minutes
    local = _instant(_wall(f"try_cast({column} AS TIMESTAMP_NTZ)", span), time_zone, span)
    return (
        f"CASE WHEN NOT {column} RLIKE '{ISO_TEXT}' THEN NULL WHEN length({column}) = 10 THEN {day} "
        f"WHEN {column} RLIKE '{_ZONED}$' AND length({column}) > 16 THEN unix_micros(try_cast({with_seconds} AS TIMESTAMP_LTZ)) "
        f"ELSE {local} END"
    )


def _wall(column: str, span: Span) -> str:
    """Microseconds of a local time since 1970-01-01 of its own clock. Seconds are a third of the cost of a decimal."""
    start = (span.start - _MARGIN).astimezone(UTC).replace(microsecond=0)
    since = f"({column} - TIMESTAMP_NTZ'{start:%Y-%m-%d %H:%M:%S}')"  # from before the span: a cast rounds towards zero
    if span.start.microsecond or span.end.microsecond:
        return f"({micros(start)}L + CAST(CAST({since} AS DECIMAL(38, 6)) * 1000000 AS BIGINT))"
    return f"({micros(start)}L + CAST({since} AS BIGINT) * 1000000L)"


def _instant(wall: str, zone: str, span: Span) -> str:
    """Instant of a local time. Of two, the later; one that a clock skipped is read with the offset before (as DuckDB does)."""
    first, *changes = zone_changes(zone, span)
    if not changes:
        return f"({wall} - {first[1]}L)"
    offsets = [first[1], *(offset for _, offset in changes)]
    branches = " ".join(
        f"WHEN {wall} < {at + offset}L THEN {wall} - {before}L" for (at, offset), before in zip(changes, offsets)
    )
    return f"CASE {branches} ELSE {wall} - {offsets[-1]}L END"


def zone_changes(zone: str, span: Span) -> list[tuple[int, int]]:
    """Return when a zone's clock changes within a span and two days around it: (instant, offset from then on), microseconds.

    The first entry is the beginning itself.
    """
    place, step, second = ZoneInfo(zone), timedelta(hours=12), timedelta(seconds=1)

    def offset(moment: datetime) -> timedelta:
        return moment.astimezone(place).utcoffset() or timedelta()

    before = (span.start - _MARGIN).astimezone(UTC).replace(microsecond=0)
    found = [(micros(before), offset(before) // timedelta(microseconds=1))]
    while before < span.end + _MARGIN:
        after = before + step
        if offset(before) != offset(after):
            low, high = before, after
            while high - low > second:
                middle = low + (high - low) // 2 // second * second
                low, high = (middle, high) if offset(middle) == offset(before) else (low, middle)
            found.append((micros(high), offset(high) // timedelta(microseconds=1)))
        before = after
    return found


def bounds_sql(column: str, type_name: str, span: Span) -> str | None:
    """Return a condition that every row within the span meets, on the bare column, so that Spark skips files by it; None if none helps."""
    early, late = span.start - _MARGIN, span.end + _MARGIN
    literals = {
        "TIMESTAMP WITH TIME ZONE": [f"timestamp_micros({micros(moment)}L)" for moment in (span.start, span.end)],
        "TIMESTAMP": [f"TIMESTAMP_NTZ'{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}'" for moment in (early, late)],
        "DATE": [f"DATE'{moment.astimezone(UTC):%Y-%m-%d}'" for moment in (early, late)],
    }
    if type_name not in literals:
        return None
    low, high = literals[type_name]
    return f"({column} >= {low} AND {column} < {high} OR {column} IS NULL)"
