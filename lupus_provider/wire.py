"""Bodies of the HTTP API, and nothing else: server, client and the page's generated types share them.

Series travel as columns, not rows, because a wall of charts is thousands of points. Times are epoch seconds in UTC.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Sort = Literal["attention", "name", "recent", "change"]
Only = Literal["anomalous", "stale"]
Instant = Annotated[int, Field(ge=-62_135_596_800, le=253_402_300_799)]
"""Epoch seconds, of the years 1 to 9999."""


class Wire(BaseModel):
    """Base of all bodies: unknown keys are errors, fields carry their description."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class Problem(Wire):
    """What went wrong, in the form of RFC 9457."""

    type: str
    """Name of the error's class."""
    title: str
    """Short name of the problem."""
    status: int
    """HTTP status."""
    detail: str
    """What was wrong, where, what to do."""


class User(Wire):
    """Who asks."""

    id: str
    name: str


class Me(Wire):
    """The page's bootstrap."""

    user: User
    projects: list[str]
    """Projects that the user may read."""
    version: str
    """Version of Lupus."""
    server_time: int
    """Epoch seconds."""


class Group(Wire):
    """One group column and its value."""

    column: str
    value: str | None
    """None: the rows where the column is null."""


class SeriesSummary(Wire):
    """One card of the chart wall."""

    series_id: str
    project: str
    metric_set: str
    column_name: str
    """Empty for table-level metrics."""
    metric: str
    entity: str | None
    group_key: list[Group]
    """Sorted by column; empty for the whole."""
    name: str
    """`dep_delay null_ratio [origin=EWR]`"""
    unit: str
    """`ratio`, `count`, `seconds`, `column` (the unit of the column) …"""
    timezone: str
    """IANA zone of the project, in which its periods start."""
    period: Literal["hour", "day", "week", "month"]
    first_period: int
    last_period: int
    """Start of the newest period with a point, epoch seconds."""
    last_value: float | None
    last_expected: float | None
    """What the detector expected of the newest judged point; None if nothing was expected."""
    n_points: int
    n_anomalies: int
    """Flagged periods in the asked window; in all history where none was asked."""
    last_anomaly: int | None
    """Period of the newest flagged point of the window."""
    worst_score: float | None
    """Smallest score in the window: probability of a value this strange if nothing is wrong."""
    attention: float
    """What the wall is sorted by; higher needs attention more. 0: nothing wrong."""
    is_stale: bool
    """Nothing stored for the newest period of its metric set."""


class FacetValue(Wire):
    """One value of a facet and how many series it would leave."""

    value: str
    count: int
    """Series that match all other filters and this value."""


class Facet(Wire):
    """One way to narrow the wall: project, metric_set, column, metric, which columns group it, or a group column's value."""

    name: str
    """`project`, `metric_set`, `column`, `metric`, `group_by`, or `group.<column>`; the query parameter of the same name."""
    values: list[FacetValue]


class Day(Wire):
    """Flagged points of one period over all matched series."""

    t: int
    n_anomalies: int


class CatalogPage(Wire):
    """A page of the chart wall."""

    items: list[SeriesSummary]
    total: int
    """Series that match the filters."""
    total_all: int
    """Series that the user may see."""
    counts: dict[str, int]
    """How many of the matched series are `anomalous` and `stale` (counted without the `only` filter)."""
    facets: list[Facet]
    days: list[Day]
    """The overview strip: flagged points a period over the matched series, oldest first, only periods with any.
    Over all history, also where a window is asked, so that the window can be moved."""
    first_period: int | None
    """Oldest period of the matched series; None if nothing matches."""
    last_period: int | None
    """Newest period of the matched series."""
    next_cursor: str | None


class AnomalyPoint(Wire):
    """One flagged point."""

    series_id: str
    t: int
    """Period start, epoch seconds."""
    detector: str
    """Name and hash, `seasonal:1f0c2a9b`."""
    kind: str
    severity: Literal["low", "medium", "high", "critical"]
    direction: Literal["up", "down", "none"]
    value: float | None
    expected: float | None
    lower: float | None
    upper: float | None
    score: float | None
    """Probability of a value this strange if nothing is wrong."""


class SeriesPoints(Wire):
    """Points of one series as columns of one length, oldest first; null in `value` is a point without a value."""

    series_id: str
    t: list[int]
    """Period starts."""
    value: list[float | None]
    n_rows: list[int | None] | None = None
    error: list[str | None] | None = None
    """Why a value is missing; absent where no point failed."""
    detector: str | None = None
    """Whose band it is."""
    expected: list[float | None] | None = None
    lower: list[float | None] | None = None
    upper: list[float | None] | None = None
    anomalies: list[AnomalyPoint]
    """All flagged points of the range, also those whose point is missing."""
    n_raw: int
    """Points in the range before thinning."""
    method: Literal["raw", "minmax"]
    """How they were thinned to `max_points`."""


class BatchRequest(Wire):
    """Which points to send."""

    ids: Annotated[list[str], Field(min_length=1, max_length=50)]
    start: Instant | None = None
    """Epoch seconds, inclusive."""
    end: Instant | None = None
    """Epoch seconds, exclusive."""
    max_points: Annotated[int, Field(ge=10, le=20_000)] = 400
    """At most so many points a series; anomalies are never thinned away."""
    band: bool = False
    """Send expected, lower and upper."""


class BatchResponse(Wire):
    """Points of the series that exist and that the user may see, in the order asked."""

    items: list[SeriesPoints]


class DetectorInfo(Wire):
    """A rule that judges the series."""

    key: str
    name: str
    parameters: dict[str, object]
    severity: str


class SeriesDetail(Wire):
    """Everything beside the points that the chart's page shows."""

    summary: SeriesSummary
    unit: str
    """`ratio`, `count`, `seconds`, `column` (the unit of the column) …"""
    description: str
    """What the metric is, one sentence."""
    schedule: str | None
    timezone: str
    owner: str | None
    detectors: list[DetectorInfo]
    related: list[SeriesSummary]
    """Same column and metric in the other groups, strangest first; at most 24."""


class AnomalyRow(AnomalyPoint):
    """A flagged point with the series it belongs to."""

    series: SeriesSummary


class AnomalyPage(Wire):
    """Flagged points, strangest first or newest first."""

    items: list[AnomalyRow]
    total: int
    next_cursor: str | None


class PushRequest(Wire):
    """Points of one period of a metric set, measured elsewhere; lists have one item a point. Sending it twice is sending it once."""

    period_start: Instant
    """Start of a period of the metric set."""
    period_end: Instant | None = None
    """Its end, if the sender knows it: another one is refused."""
    collected_at: Annotated[float, Field(ge=0, le=253_402_300_799)]
    """Epoch seconds; when reading the table began. Of two pushes of a period the newer one stays."""
    run_id: Annotated[str, Field(min_length=1, max_length=250)]
    """Who measured, such as the id of a job's run."""
    groups: Annotated[list[list[Group]], Field(max_length=100_000)] = [[]]
    """Distinct groups; the empty one is the whole."""
    group: list[Annotated[int, Field(ge=0)]]
    """Index into `groups`."""
    column_name: list[str]
    """Empty for table-level metrics."""
    metric: list[str]
    entity: list[str | None]
    value: list[Annotated[float, Field(allow_inf_nan=False)] | None]
    """None: measured, but undefined."""
    n_rows: list[Annotated[int, Field(ge=0, lt=2**63)] | None]
    error: list[str | None]
    """Why a metric failed."""
    model_version: list[str | None]
    sample_ratio: Annotated[float, Field(gt=0, le=1)] | None = None
    """Share of the rows that were measured; None: all."""


class PushResponse(Wire):
    """What became of pushed points."""

    stored: bool
    """False: a newer collection of the period is there already."""
    n_points: int
