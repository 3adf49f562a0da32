"""The laws of a history, as tests: subclass `HistoryLaws` and give the fixtures `history` and `reopen`.

`reopen` is a picklable call without arguments that opens the same history in another process.
"""

# ruff: noqa: D102  (the names of the laws are their sentences)

from __future__ import annotations

import random
from contextlib import suppress
from datetime import date
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from lupus_provider.periods import Span
from lupus_provider.records import EVALUATIONS, KINDS, POINTS
from lupus_provider.stores.history.base import HistoryQuery
from lupus_provider.testing.builders import (
    METRIC_SET,
    PROJECT,
    a_point,
    an_anomaly,
    an_evaluation,
    anomalies,
    content,
    day,
    evaluations,
    incoming,
    points,
)
from lupus_provider.testing.faults import injected, kill
from lupus_provider.testing.processes import run_together

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from lupus_provider.stores.history.base import HistoryStore, Switched

KEY = (POINTS, PROJECT, METRIC_SET)
END = date(2024, 4, 1)
"""After all months that the laws load."""


def load(history: HistoryStore, values: Mapping[datetime, float | None]) -> Switched:
    """Load one point a period."""
    return history.load(*KEY, lambda: [incoming(at, points(a_point(value, at))) for at, value in values.items()])


def recorded(history: HistoryStore, **query: Any) -> list[dict[str, Any]]:
    """Return what a scan of the points finds, without provenance."""
    return content(POINTS, history.scan(HistoryQuery(*KEY, **query)).read_all())


def values(history: HistoryStore) -> dict[datetime, float | None]:
    """Return period start → value."""
    return {row["period_start"]: row["value"] for row in recorded(history)}


def load_many(reopen: Callable[[], HistoryStore], first: int, times: int) -> None:
    """Load three days and two hours over and over, all with one value at a time; a process of its own runs this."""
    history = reopen()
    for n in range(first, first + times):
        load(history, {at: float(n) for at in (day(), day(0, 1), day(1), day(2))})


def read_many(reopen: Callable[[], HistoryStore], times: int) -> None:
    """Scan over and over: every scan must find one whole load."""
    history = reopen()
    for _ in range(times):
        found = values(history)
        assert len(found) in (0, 4), found
        assert len(set(found.values())) <= 1, found


def compact_many(reopen: Callable[[], HistoryStore], times: int) -> None:
    """Compact over and over, beside loads."""
    history = reopen()
    for _ in range(times):
        history.compact(*KEY, END)


def keep_up_and_die(reopen: Callable[[], HistoryStore], at: int, before: date | None = None) -> None:
    """Compact, or expire what is before a date, and be killed at the so-manieth write; a process of its own runs this."""
    history = reopen()
    with injected(at, kill):
        if before is None:
            history.compact(*KEY, END)
        else:
            history.expire(*KEY, before)


def everything(history: HistoryStore, **query: Any) -> pa.Table:
    """Return what a scan finds, bit for bit: provenance and order included."""
    return history.scan(HistoryQuery(*KEY, **query)).read_all().combine_chunks()


class HistoryLaws:
    """What every history keeps."""

    def test_an_empty_history_has_the_schema(self, history: HistoryStore) -> None:
        for kind in KINDS.values():
            assert history.scan(HistoryQuery(kind, PROJECT, METRIC_SET)).read_all().schema.equals(kind.schema)
            assert history.periods(kind, PROJECT, METRIC_SET) == {}

    def test_what_is_loaded_is_read_back_exactly(self, history: HistoryStore) -> None:
        rows = points(
            a_point(None, error="division by zero", n_rows=None), a_point(1e-300, metric="sum"),
            a_point(3.5, group_key={"país": "東京 🗼", "empty": "", "null": None}, entity="é"),
        )  # fmt: skip
        history.load(*KEY, lambda: [incoming(day(), rows)])
        table = history.scan(HistoryQuery(*KEY)).read_all()
        assert table.schema.equals(POINTS.schema)
        assert table.combine_chunks().equals(rows)

    def test_verdicts_are_read_back_exactly(self, history: HistoryStore) -> None:
        for table, kind in (
            (anomalies(an_anomaly(None, score=None)), KINDS["anomalies"]),
            (evaluations(an_evaluation("no_data", expected=None)), EVALUATIONS),
        ):
            history.load(kind, PROJECT, METRIC_SET, lambda t=table, k=kind: [incoming(day(), t, k)])
            assert history.scan(HistoryQuery(kind, PROJECT, METRIC_SET)).read_all().combine_chunks().equals(table)

    def test_loading_twice_equals_loading_once(self, history: HistoryStore) -> None:
        first = load(history, {day(): 1.0, day(1): 2.0})
        again = load(history, {day(): 1.0, day(1): 2.0})
        assert (first.periods, first.unchanged, first.days) == (2, 0, (day().date(), day(1).date()))
        assert (again.periods, again.unchanged, again.days) == (0, 2, ())
        assert values(history) == {day(): 1.0, day(1): 2.0}

    def test_a_load_replaces_its_periods_and_leaves_the_others_of_the_day(self, history: HistoryStore) -> None:
        load(history, {day(0, 0): 0.0, day(0, 1): 1.0})
        load(history, {day(0, 1): 11.0, day(0, 2): 2.0})
        load(history, {day(0, 3): 3.0})
        assert values(history) == {day(0, 0): 0.0, day(0, 1): 11.0, day(0, 2): 2.0, day(0, 3): 3.0}

    def test_an_emptied_period_clears_its_points(self, history: HistoryStore) -> None:
        load(history, {day(0, 0): 0.0, day(0, 1): 1.0})
        history.load(*KEY, lambda: [incoming(day(), points())])
        assert values(history) == {day(0, 1): 1.0}
        assert set(history.periods(*KEY)) == {day(), day(0, 1)}

    def test_loads_in_any_order_and_number_equal_one_load(self, history: HistoryStore) -> None:
        wanted = {day(n, hour): n + hour / 100 for n in range(3) for hour in (0, 7, 23)}
        rng, starts = random.Random(7), list(wanted) * 3  # noqa: S311  (an order, not a secret)
        rng.shuffle(starts)
        while starts:
            part = [starts.pop() for _ in range(min(len(starts), rng.randint(1, 5)))]
            load(history, {at: wanted[at] for at in part})
        assert values(history) == wanted

    def test_what_is_recorded_as_loaded_is_what_was_read(self, history: HistoryStore) -> None:
        # A newer collection replaced the staged file between listing and reading; going back to the old content must work.
        old, new = points(a_point(1.0)), points(a_point(2.0))
        listed = incoming(day(), old)
        history.load(*KEY, lambda: [type(listed)(day(), listed.digest, day(400), lambda: new)])
        assert history.periods(*KEY) == {day(): POINTS.digest(new)}
        load(history, {day(): 1.0})
        assert values(history) == {day(): 1.0}

    def test_gather_is_called_while_no_other_load_runs(self, history: HistoryStore) -> None:
        stage = {day(): 1.0}
        history.load(*KEY, lambda: [incoming(at, points(a_point(v, at))) for at, v in stage.items()])
        stage[day()] = 2.0
        load(history, stage)
        assert values(history) == {day(): 2.0}

    def test_metric_sets_projects_and_kinds_do_not_touch_each_other(self, history: HistoryStore) -> None:
        load(history, {day(): 1.0})
        for key in ((POINTS, PROJECT, "other"), (POINTS, "other", METRIC_SET)):
            history.load(*key, lambda: [incoming(day(), points(a_point(9.0)))])
        history.load(EVALUATIONS, PROJECT, METRIC_SET, lambda: [incoming(day(), evaluations(), EVALUATIONS)])
        assert values(history) == {day(): 1.0}

    def test_a_scan_is_sorted_by_series_then_period(self, history: HistoryStore) -> None:
        for n in (2, 0, 1):
            rows = points(*(a_point(float(i), day(n), entity=str(i)) for i in range(50)))
            history.load(*KEY, lambda rows=rows, n=n: [incoming(day(n), rows)])
        table = history.scan(HistoryQuery(*KEY)).read_all()
        keys = list(zip(table["series_id"].to_pylist(), table["period_start"].to_pylist()))
        assert keys == sorted(keys)
        assert len(keys) == 150

    def test_a_scan_sees_nothing_outside_its_span(self, history: HistoryStore) -> None:
        wanted = {day(n, hour): 1.0 for n in range(3) for hour in (0, 12)}
        load(history, wanted)
        found = recorded(history, span=Span(day(0, 12), day(2)))
        assert [row["period_start"] for row in found] == [day(0, 12), day(1), day(1, 12)]

    def test_a_scan_sees_only_its_series_and_columns(self, history: HistoryStore) -> None:
        rows = [a_point(float(i), entity=f"o'{i}") for i in range(5)]
        history.load(*KEY, lambda: [incoming(day(), points(*rows))])
        wanted = [rows[1]["series_id"], rows[3]["series_id"], "nobody"]
        table = history.scan(HistoryQuery(*KEY, columns=("value", "series_id"), series_ids=wanted)).read_all()
        assert table.schema.names == ["value", "series_id"]
        assert sorted(table["value"].to_pylist()) == [1.0, 3.0]

    def test_many_series_come_back(self, history: HistoryStore) -> None:
        rows = [a_point(float(i), entity=str(i)) for i in range(5_000)]
        history.load(*KEY, lambda: [incoming(day(), points(*rows))])
        batches = list(history.scan(HistoryQuery(*KEY, columns=("value",))))
        assert sorted(v for batch in batches for v in batch["value"].to_pylist()) == [float(i) for i in range(5_000)]

    def test_a_scan_reads_on_undisturbed_by_later_loads(self, history: HistoryStore) -> None:
        load(history, {day(n): 1.0 for n in range(3)})
        reader = history.scan(HistoryQuery(*KEY))
        load(history, {day(n): 2.0 for n in range(3)})
        assert set(pa.Table.from_batches(list(reader))["value"].to_pylist()) <= {1.0, 2.0}
        assert set(values(history).values()) == {2.0}

    def test_a_failed_load_changes_nothing(self, history: HistoryStore) -> None:
        load(history, {day(): 1.0})

        def broken() -> pa.Table:
            raise OSError(5, "Input/output error")

        bad = incoming(day(1), points(a_point(2.0, day(1))))
        with suppress(OSError):
            history.load(
                *KEY, lambda: [incoming(day(), points(a_point(3.0))), type(bad)(day(1), "x", day(400), broken)]
            )
        assert values(history) == {day(): 1.0}

    def test_a_reader_sees_a_load_whole_or_not_at_all(
        self, history: HistoryStore, reopen: Callable[[], HistoryStore]
    ) -> None:
        codes = run_together(
            (load_many, reopen, 0, 12), (load_many, reopen, 100, 12), (read_many, reopen, 30), (read_many, reopen, 30)
        )
        assert codes == [0, 0, 0, 0]
        assert len(values(history)) == 4

    def test_two_processes_loading_the_same_leave_one_load(
        self, history: HistoryStore, reopen: Callable[[], HistoryStore]
    ) -> None:
        assert run_together((load_many, reopen, 0, 5), (load_many, reopen, 0, 5), (load_many, reopen, 4, 1)) == [
            0,
            0,
            0,
        ]
        assert len(values(history)) == 4
        assert len(set(values(history).values())) == 1

    # -- compaction --------------------------------------------------------------------------------------------------

    def test_a_compaction_changes_no_scan(self, history: HistoryStore) -> None:
        rows = [
            a_point(None, error="é", n_rows=None), a_point(1e-300, metric="sum"),
            a_point(3.5, group_key={"país": "東京 🗼", "empty": ""}, entity="é"), a_point(-0.0, entity="zero", model_version="v1"),
        ]  # fmt: skip
        for n in (0, 1, 2, 30, 31, 45):
            table = points(*({**row, "period_start": day(n), "run_id": f"run{n}"} for row in rows))
            history.load(*KEY, lambda n=n, table=table: [incoming(day(n), table), incoming(day(n, 1), points())])
        queries: list[dict[str, Any]] = [
            {}, {"span": Span(day(1), day(31))}, {"span": Span(day(30, 1), day(31, 0))}, {"series_ids": [rows[2]["series_id"]]},
            {"columns": ("value", "n_rows"), "span": Span(day(2), day(46))},
        ]  # fmt: skip
        before = [everything(history, **query) for query in queries], history.periods(*KEY)
        done = history.compact(*KEY, END)
        assert (done.months, done.files, done.rows) == (2, 6, 24)
        assert ([everything(history, **query) for query in queries], history.periods(*KEY)) == before
        assert history.compact(*KEY, END).months == 0

    def test_a_month_that_is_not_closed_is_left_alone(self, history: HistoryStore) -> None:
        load(history, {day(n): 1.0 for n in (0, 1, 30, 31, 32)})
        assert history.compact(*KEY, date(2024, 1, 31)).months == 0
        assert history.compact(*KEY, date(2024, 2, 29)).months == 1

    def test_a_late_load_of_a_merged_month_wins(self, history: HistoryStore) -> None:
        wanted: dict[datetime, float | None] = {day(n, hour): float(n) for n in range(5) for hour in (0, 12)}
        load(history, wanted)
        history.compact(*KEY, END)
        late = {day(1, 12): 100.0, day(2): 200.0, day(7): 7.0}
        switched = load(history, late)
        assert (switched.periods, switched.unchanged) == (3, 0)
        history.load(*KEY, lambda: [incoming(day(3), points())])
        left = {**wanted, **late}
        del left[day(3)]
        assert values(history) == left
        assert [row["value"] for row in recorded(history, span=Span(day(1), day(3)))] == [1.0, 100.0, 200.0, 2.0]
        found = everything(history)
        assert history.compact(*KEY, END).months == 1
        assert everything(history) == found
        assert values(history) == left

    def test_any_sequence_of_loads_compactions_and_expiries_says_what_was_loaded_last(
        self, history: HistoryStore, reopen: Callable[[], HistoryStore]
    ) -> None:
        for seed in range(4):
            wanted: dict[datetime, float | None] = {}
            rng = random.Random(seed)  # noqa: S311  (an order, not a secret)
            key = (POINTS, PROJECT, f"orders{seed}")
            for step in range(14):
                act = rng.random()
                if act < 0.55:
                    new = {day(rng.randrange(64), rng.choice((0, 5))): float(step) for _ in range(rng.randint(1, 12))}
                    history.load(*key, lambda new=new: [incoming(at, points(a_point(v, at))) for at, v in new.items()])
                    wanted |= new
                elif act < 0.85:
                    before = history.scan(HistoryQuery(*key)).read_all()
                    history.compact(*key, rng.choice((date(2024, 2, 1), date(2024, 3, 1), END)))
                    assert history.scan(HistoryQuery(*key)).read_all() == before
                elif act < 0.95:
                    first = day(rng.randrange(40))
                    history.expire(*key, first.date())
                    wanted = {at: value for at, value in wanted.items() if at >= first}
                else:
                    history = reopen()
                span = Span(day(rng.randrange(64)), day(64))
                for query in (HistoryQuery(*key), HistoryQuery(*key, span)):
                    found = {r["period_start"]: r["value"] for r in history.scan(query).read_all().to_pylist()}
                    assert found == {at: v for at, v in wanted.items() if query.span is None or at >= span.start}
                assert set(history.periods(*key)) == set(wanted)

    def test_compactions_beside_loads_and_readers_lose_nothing(
        self, history: HistoryStore, reopen: Callable[[], HistoryStore]
    ) -> None:
        load(history, dict.fromkeys((day(), day(0, 1), day(1), day(2)), -1.0))
        codes = run_together(
            (load_many, reopen, 0, 10),
            (load_many, reopen, 100, 10),
            (compact_many, reopen, 12),
            (read_many, reopen, 25),
        )
        assert codes == [0, 0, 0, 0]
        assert len(values(history)) == 4
        assert len(set(values(history).values())) == 1

    # -- expiry ------------------------------------------------------------------------------------------------------

    def test_an_expiry_drops_what_is_older_and_nothing_else(self, history: HistoryStore) -> None:
        load(history, {day(n, hour): float(n) for n in range(40) for hour in (0, 23)})
        history.compact(*KEY, END)
        history.load(POINTS, PROJECT, "other", lambda: [incoming(day(), points(a_point(9.0)))])
        gone = history.expire(*KEY, day(35).date())
        assert (gone.days, gone.periods, gone.rows) == (35, 70, 70)
        left = {day(n, hour): float(n) for n in range(35, 40) for hour in (0, 23)}
        assert values(history) == left
        assert set(history.periods(*KEY)) == set(left)
        assert history.expire(*KEY, day(35).date()).days == 0
        assert history.scan(HistoryQuery(POINTS, PROJECT, "other")).read_all().num_rows == 1

    def test_what_expired_can_be_loaded_again(self, history: HistoryStore) -> None:
        load(history, {day(n): 1.0 for n in range(3)})
        history.compact(*KEY, END)
        history.expire(*KEY, day(2).date())
        assert load(history, {day(): 1.0}).periods == 1
        assert values(history) == {day(): 1.0, day(2): 1.0}

    def test_an_expiry_of_nothing_is_no_error(self, history: HistoryStore) -> None:
        assert history.expire(*KEY, END).days == 0
        assert history.compact(*KEY, END).months == 0


__all__ = ["HistoryLaws", "load", "values"]
