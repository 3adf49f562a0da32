"""The laws of a stage, as tests: subclass `StageLaws` and give the fixtures `stage` and `reopen`.

`reopen` is a picklable call without arguments that opens the same stage in another process.
"""

# ruff: noqa: D102  (the names of the laws are their sentences)

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from lupus_provider.periods import Span
from lupus_provider.records import EVALUATIONS, POINTS
from lupus_provider.testing.builders import METRIC_SET, PROJECT, a_point, content, day, evaluations, points
from lupus_provider.testing.processes import run_together

if TYPE_CHECKING:
    from collections.abc import Callable

    from lupus_provider.stores.stage.base import StageStore

KEY = (POINTS, PROJECT, METRIC_SET)
ALL = Span(day(-400), day(400))


def staged(stage: StageStore, span: Span = ALL) -> dict[datetime, list[dict[str, Any]]]:
    """Return what is staged: period start → points without provenance."""
    return {file.period_start: content(POINTS, stage.read(POINTS, file)) for file in stage.files(*KEY, span)}


def write_many(reopen: Callable[[], StageStore], value: float, written_at: datetime, times: int) -> None:
    """Write the same periods over and over; a process of its own runs this."""
    stage = reopen()
    for n in range(times):
        stage.write(*KEY, day(n % 3), points(a_point(value, day(n % 3))), written_at)


def read_many(reopen: Callable[[], StageStore], times: int) -> None:
    """Read what is staged over and over; every file must be whole."""
    stage = reopen()
    for _ in range(times):
        for file in stage.files(*KEY, ALL):
            table = stage.read(POINTS, file)
            assert table.num_rows == 1, table


class StageLaws:
    """What every stage keeps."""

    def test_what_is_written_is_read_back_with_its_schema(self, stage: StageStore) -> None:
        rows = points(
            a_point(None, error="division by zero"), a_point(-0.0, metric="sum"),
            a_point(3.5, group_key={"país": "東京 🗼", "empty": "", "null": None}, entity="é"),
        )  # fmt: skip
        assert stage.write(*KEY, day(), rows, day(1))
        (file,) = stage.files(*KEY, ALL)
        assert stage.read(POINTS, file).equals(rows)
        assert stage.read(POINTS, file).schema.equals(POINTS.schema)
        assert (file.period_start, file.digest, file.written_at, file.n_rows) == (day(), POINTS.digest(rows), day(1), 3)

    def test_writing_twice_equals_writing_once(self, stage: StageStore) -> None:
        for _ in range(2):
            assert stage.write(*KEY, day(), points(a_point(1.0)), day(1))
        assert staged(stage) == {day(): content(POINTS, points(a_point(1.0)))}

    def test_the_newest_collection_wins_not_the_last_writer(self, stage: StageStore) -> None:
        assert stage.write(*KEY, day(), points(a_point(2.0)), day(2))
        assert not stage.write(*KEY, day(), points(a_point(1.0)), day(1))
        assert staged(stage)[day()][0]["value"] == 2.0
        assert stage.write(*KEY, day(), points(a_point(3.0)), day(3))
        assert staged(stage)[day()][0]["value"] == 3.0

    def test_the_digest_does_not_say_who_wrote(self, stage: StageStore) -> None:
        stage.write(*KEY, day(), points(a_point(run_id="a", collected_at=day(1))), day(1))
        stage.write(*KEY, day(1), points(a_point(run_id="b", collected_at=day(2))), day(1))
        first, second = stage.files(*KEY, ALL)
        assert first.digest == second.digest

    def test_an_empty_period_is_a_file_too(self, stage: StageStore) -> None:
        stage.write(*KEY, day(), points(a_point()), day(1))
        stage.write(*KEY, day(), points(), day(2))
        assert staged(stage) == {day(): []}

    def test_periods_of_a_day_do_not_touch_each_other(self, stage: StageStore) -> None:
        for hour in (5, 0, 23):
            stage.write(*KEY, day(0, hour), points(a_point(float(hour), day(0, hour))), day(1))
        found = staged(stage)
        assert list(found) == [day(0, 0), day(0, 5), day(0, 23)]
        assert [rows[0]["value"] for rows in found.values()] == [0.0, 5.0, 23.0]

    def test_a_span_is_half_open(self, stage: StageStore) -> None:
        for n in range(4):
            stage.write(*KEY, day(n), points(a_point(start=day(n))), day(9))
        assert list(staged(stage, Span(day(1), day(3)))) == [day(1), day(2)]
        assert list(staged(stage, Span(day(1), day(1)))) == []

    def test_a_period_is_an_instant_whatever_its_zone(self, stage: StageStore) -> None:
        tokyo = timezone(timedelta(hours=9))
        stage.write(*KEY, day(1).astimezone(tokyo), points(a_point(1.0, day(1))), day(9))
        stage.write(*KEY, day(1), points(a_point(2.0, day(1))), day(10))
        assert list(staged(stage, Span(day(1).astimezone(tokyo), day(2).astimezone(tokyo)))) == [day(1)]

    def test_kinds_projects_and_metric_sets_do_not_touch_each_other(self, stage: StageStore) -> None:
        stage.write(*KEY, day(), points(a_point(1.0)), day(1))
        stage.write(POINTS, PROJECT, "other", day(), points(a_point(2.0)), day(1))
        stage.write(POINTS, "other", METRIC_SET, day(), points(a_point(3.0)), day(1))
        stage.write(EVALUATIONS, PROJECT, METRIC_SET, day(), evaluations(), day(1))
        assert staged(stage) == {day(): content(POINTS, points(a_point(1.0)))}

    def test_a_reader_sees_files_whole_while_others_write(
        self, stage: StageStore, reopen: Callable[[], StageStore]
    ) -> None:
        stage.write(*KEY, day(), points(a_point()), day(1))
        codes = run_together(
            (write_many, reopen, 1.0, day(1), 40), (write_many, reopen, 2.0, day(2), 40), (read_many, reopen, 40)
        )
        assert codes == [0, 0, 0]
        assert {rows[0]["value"] for rows in staged(stage).values()} == {2.0}


__all__ = ["StageLaws", "staged"]
