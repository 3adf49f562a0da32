"""What a step works on: a metric set of a project, over a span of time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from lupus_provider.errors import BadSpanError
from lupus_provider.periods import Period, Span, days_span, last_complete, periods_in

if TYPE_CHECKING:
    from collections.abc import Mapping
    from zoneinfo import ZoneInfo

    from lupus_provider.config import MetricSet, Project


@dataclass(frozen=True, slots=True)
class Target:
    """A metric set and the span of this run; what every step is given."""

    project: Project
    metric_set_name: str
    span: Span

    @property
    def metric_set(self) -> MetricSet:
        """The metric set's configuration."""
        return self.project.metric_sets[self.metric_set_name]

    @property
    def zone(self) -> ZoneInfo:
        """The project's zone."""
        return self.project.zone

    @property
    def periods(self) -> list[Period]:
        """Periods of the span, oldest first."""
        return periods_in(self.span, self.metric_set.period, self.zone)

    def __str__(self) -> str:
        return f"{self.project.project}.{self.metric_set_name} {self.span.start:%Y-%m-%dT%H:%MZ}…{self.span.end:%Y-%m-%dT%H:%MZ}"


def span_of(conf: Mapping[str, Any], as_of: datetime, project: Project, metric_set_name: str) -> Span:
    """Return the span of a run: what its conf says, else the last complete period by `as_of` and those to revisit.

    Parameters
    ----------
    conf
        `from` and `to`: local days of the project's zone, both inclusive, `2013-01-01`; both or none. Other keys are refused.
    as_of
        Aware; `dag_run.data_interval_end`, else `dag_run.run_after`.

    Raises
    ------
    BadSpanError
        If the conf has unknown keys, one end only, no dates, or ends before it starts.
    """
    metric_set = project.metric_sets[metric_set_name]
    where = f"{project.project}.{metric_set_name}"
    given = {key: value for key, value in conf.items() if value is not None}
    unknown = sorted(set(given) - {"from", "to"})
    if unknown:
        raise BadSpanError(
            where, f"conf key {unknown[0]!r} is unknown", "Use 'from' and 'to', local days such as 2013-01-31."
        )
    if not given:
        return last_complete(as_of, metric_set.period, project.zone, 1 + metric_set.revisit)
    if set(given) != {"from", "to"}:
        raise BadSpanError(where, f"conf has only {next(iter(given))!r}", "Give both 'from' and 'to'.")
    try:
        first, last = _day(str(given["from"])), _day(str(given["to"]))
    except ValueError as err:
        raise BadSpanError(where, str(err), "Give local days such as 2013-01-31.") from err
    if last < first:
        raise BadSpanError(where, f"'to' {last} is before 'from' {first}", "Swap them.")
    try:
        return days_span(first, last, project.zone)
    except OverflowError as err:
        raise BadSpanError(where, f"{first} … {last} is beyond the calendar", "Give days that exist.") from err


def _day(text: str) -> date:
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):  # Python also takes forms that nobody means, such as 20130101.5
        raise ValueError(f"{text!r} is not a day")  # noqa: TRY003  (becomes a BadSpanError)
    return date.fromisoformat(text)
