"""Cron schedules in a zone: which expressions are taken, and when they fire next.

A schedule that can never fire is refused here, because Airflow's scheduler would look for its next fire time for ever.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from zoneinfo import ZoneInfo

from croniter import CroniterBadDateError, croniter

PRESETS = ("@hourly", "@daily", "@weekly", "@monthly", "@quarterly", "@yearly")
_ANY_DAY = datetime(2024, 1, 1)  # noqa: DTZ001  (wall clock; only whether the schedule ever fires is asked)


def check_schedule(schedule: str) -> str:
    """Return a cron expression that Airflow can run.

    Raises
    ------
    ValueError
        If it is neither five fields nor a preset, or never fires, such as 30 February.
    """
    if schedule in PRESETS:
        return schedule
    if len(schedule.split()) != 5 or not croniter.is_valid(schedule):
        raise ValueError(f"{schedule!r} is not a cron expression of five fields, such as '0 6 * * *'")
    try:
        croniter(schedule, _ANY_DAY).get_next(datetime)
    except CroniterBadDateError as err:
        raise ValueError(f"{schedule!r} never fires: no such day") from err
    return schedule


def fire_times(schedule: str, zone: ZoneInfo, after: datetime, count: int) -> list[datetime]:
    """Return the next `count` times that the schedule fires, aware, in the zone, strictly after `after`.

    A wall-clock time that a clock change skips fires that much later, one that comes twice fires the second time:
    as Airflow does (tests/dags/test_factory_structure.py).

    Examples
    --------
    >>> [str(t) for t in fire_times("30 2 * * *", ZoneInfo("Europe/Berlin"), datetime(2026, 3, 28, 12, tzinfo=UTC), 2)]
    ['2026-03-29 03:30:00+02:00', '2026-03-30 02:30:00+02:00']
    """
    return list(islice(_fires(schedule, zone, after), count))


def _fires(schedule: str, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    expression = "0 0 1 */3 *" if schedule == "@quarterly" else schedule
    wall = croniter(expression, after.astimezone(zone).replace(tzinfo=None))
    last = after.astimezone(UTC)
    while True:
        moment = _moment(wall.get_next(datetime), zone)
        if moment > last:
            last = moment
            yield moment.astimezone(zone)


def _moment(wall: datetime, zone: ZoneInfo) -> datetime:
    """Return the instant, in UTC, at which Airflow's cron timetables see this wall clock."""
    second = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    shown = second.astimezone(zone).replace(tzinfo=None, fold=0)
    return second if shown == wall else wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
