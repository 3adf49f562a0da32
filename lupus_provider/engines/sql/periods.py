"""Which period holds an instant, by arithmetic: starts of periods are evenly spaced but for a few places, so no join is needed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lupus_provider.engines.sql.dialect import Dialect
    from lupus_provider.periods import Period

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_CHAIN = 32


def micros(moment: datetime) -> int:
    """Return microseconds since 1970-01-01 UTC of an aware datetime."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


class _Even(NamedTuple):
    """Periods one after the other, all of one length."""

    start: int
    length: int
    first: int
    """Index of the first of them."""
    size: int

    @property
    def end(self) -> int:
        return self.start + self.length * self.size


def index_sql(dialect: Dialect, moment: str, periods: Sequence[Period]) -> str:
    """Return the SQL of the index of the period that holds an instant, INT; null where none does.

    Parameters
    ----------
    moment
        SQL of an instant, BIGINT microseconds; it is written several times, so give a column's name.
    periods
        Oldest first, without overlap.
    """
    runs = _runs(periods)
    return f"CAST({_search(dialect, moment, runs)} AS INT)" if runs else "CAST(NULL AS INT)"


def _runs(periods: Sequence[Period]) -> list[_Even]:
    runs: list[_Even] = []
    for index, period in enumerate(periods):
        start, length = micros(period.start), micros(period.end) - micros(period.start)
        if runs and runs[-1].end == start and runs[-1].length == length:
            runs[-1] = runs[-1]._replace(size=runs[-1].size + 1)
        else:
            runs.append(_Even(start, length, index, 1))
    return runs


def _search(dialect: Dialect, moment: str, runs: Sequence[_Even]) -> str:
    if len(runs) > _LONGEST_CHAIN:
        middle = len(runs) // 2
        left, right = _search(dialect, moment, runs[:middle]), _search(dialect, moment, runs[middle:])
        return f"CASE WHEN {moment} < {dialect.bigint(runs[middle].start)} THEN {left} ELSE {right} END"
    branches, end = [], None
    for run in runs:
        start = dialect.bigint(run.start)
        if end is None or end < run.start:
            branches.append(f"WHEN {moment} < {start} THEN NULL")
        place = dialect.bigint(run.first)
        if run.size > 1:
            place += f" + {dialect.whole_quotient(f'({moment} - {start})', dialect.bigint(run.length))}"
        branches.append(f"WHEN {moment} < {dialect.bigint(run.end)} THEN {place}")
        end = run.end
    return f"CASE {' '.join(branches)} END"
