"""Words that several parts of a project file share: names, zones, durations, metric names of a family.

Every check raises ValueError with a sentence; the loader adds file, line and key.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from lupus_provider.errors import UnknownMetricError, did_you_mean
from lupus_provider.metrics import Family, known_metrics, parse_metric
from lupus_provider.naming import NAME_PATTERN

_NO_PLACES = frozenset({"localtime", "Factory", "posixrules"})
_SHORT_DURATION = re.compile(r"(?P<number>[0-9]{1,6}) ?(?P<unit>[smhdw])")
Name = Annotated[str, Field(pattern=NAME_PATTERN)]
ColumnName = Annotated[str, Field(min_length=1)]
Text = Annotated[str, Field(min_length=1)]


class Model(BaseModel):
    """Base of all parts of a project file: unknown keys are errors, nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False)


def check_zone(zone: str) -> str:
    """Return the name of an IANA zone; ValueError names the nearest known one."""
    # Asking for one zone opens one file; asking for all their names walks the whole folder, so that is left to the error.
    try:
        known = ZoneInfo(zone).key not in _NO_PLACES
    except (ZoneInfoNotFoundError, ValueError, OSError):
        known = False
    if not known:
        raise ValueError(f"{zone!r} is not an IANA time zone. {did_you_mean(str(zone), available_timezones())}".strip())
    return zone


def _short_duration(given: Any) -> Any:
    """Spell `14d` as ISO 8601 does, which pydantic reads."""
    if isinstance(given, timedelta):
        return given
    match = _SHORT_DURATION.fullmatch(given.strip()) if isinstance(given, str) else None
    if match is not None:
        return f"P{'T' if match['unit'] in 'smh' else ''}{match['number']}{match['unit'].upper()}"
    if isinstance(given, str) and given.lstrip("+-").startswith("P"):
        return given
    raise ValueError(f"{given!r} is not a duration. Write a number and a unit: 30m, 12h, 14d, 2w")


def _positive(duration: timedelta) -> timedelta:
    if duration <= timedelta(0):
        raise ValueError("a duration must be longer than nothing")
    return duration


Duration = Annotated[
    timedelta,
    AfterValidator(_positive),
    BeforeValidator(_short_duration, json_schema_input_type=str),
    Field(examples=["12h", "14d", "2w"]),
]


def _checker(*families: Family) -> Callable[[str], str]:
    def check(name: str) -> str:
        for family in families:
            if _has(family, name):
                return parse_metric(name, family).name
        elsewhere = next((place for family, place in _PLACES.items() if _has(family, name)), None)
        if elsewhere is not None:
            raise ValueError(f"metric {name!r} {elsewhere}")
        raise ValueError(
            str(UnknownMetricError(name, [known for family in families for known in known_metrics(family)]))
        )

    return check


def _has(family: Family, name: str) -> bool:
    try:
        parse_metric(name, family)
    except UnknownMetricError:
        return False
    return True


_PLACES = {
    Family.TABLE: "measures the table's rows. Put it under 'table_metrics'",
    Family.DISTRIBUTION: "measures a column. Put it under 'column_metrics'",
    Family.CLASSIFICATION: "is of 'processor: classification'. Put it under 'metrics' of such a metric set",
    Family.REGRESSION: "is of 'processor: regression'. Put it under 'metrics' of such a metric set",
    Family.RANKING: "is of 'processor: ranking'. Put it under 'metrics' of such a metric set",
    Family.DRIFT: "compares with a reference. Put it under 'column_metrics' of a metric set with 'processor: drift'",
}
"""Where a name belongs that stands in the wrong place."""

_Some = Field(min_length=1)
TableMetrics = Annotated[tuple[Annotated[str, AfterValidator(_checker(Family.TABLE))], ...], _Some]
ColumnMetrics = Annotated[tuple[Annotated[str, AfterValidator(_checker(Family.DISTRIBUTION))], ...], _Some]
ClassificationMetrics = Annotated[tuple[Annotated[str, AfterValidator(_checker(Family.CLASSIFICATION))], ...], _Some]
RegressionMetrics = Annotated[tuple[Annotated[str, AfterValidator(_checker(Family.REGRESSION))], ...], _Some]
RankingMetrics = Annotated[tuple[Annotated[str, AfterValidator(_checker(Family.RANKING))], ...], _Some]
DriftMetrics = Annotated[tuple[Annotated[str, AfterValidator(_checker(Family.DRIFT, Family.DISTRIBUTION))], ...], _Some]
