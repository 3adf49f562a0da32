"""The laws of an index, as tests: subclass `IndexLaws` and give the fixtures `index` and `reopen`.

`reopen` is a picklable call without arguments that opens the same index in another process.
"""

# ruff: noqa: D102  (the names of the laws are their sentences)

from __future__ import annotations

import random
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from lupus_provider.periods import Span
from lupus_provider.records import ANOMALIES, EVALUATIONS, POINTS
from lupus_provider.stores.index.base import CatalogQuery, MetricSetInfo
from lupus_provider.testing.builders import (
    METRIC_SET,
    PROJECT,
    a_point,
    a_table,
    an_anomaly,
    an_evaluation,
    anomalies,
    day,
    evaluations,
    incoming,
    points,
)
from lupus_provider.testing.processes import run_together

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from lupus_provider.stores.history.base import Switched
    from lupus_provider.stores.index.base import IndexStore

ABOUT = MetricSetInfo(PROJECT, METRIC_SET, "day", "UTC")
MINE = frozenset({PROJECT})
SERIES = a_point()["series_id"]


def load(index: IndexStore, values: Mapping[datetime, float | None], about: MetricSetInfo = ABOUT) -> Switched:
    """Load one point a period."""
    return index.load(POINTS, about, lambda: [incoming(at, points(a_point(v, at))) for at, v in values.items()])


def slots(index: IndexStore, series_id: str = SERIES) -> dict[int, float]:
    """Return period start → value of a series."""
    found = index.points([series_id], None, None)
    return dict(zip(found[series_id].t.tolist(), found[series_id].value.tolist())) if series_id in found else {}


def seconds(values: Mapping[datetime, Any]) -> dict[int, Any]:
    """Return the same with epoch seconds."""
    return {int(at.timestamp()): value for at, value in values.items()}


def load_many(reopen: Callable[[], IndexStore], first: int, times: int) -> None:
    """Load two days over and over, both with one value at a time; a process of its own runs this."""
    index = reopen()
    for n in range(first, first + times):
        load(index, {day(): float(n), day(1): float(n)})


def read_many(reopen: Callable[[], IndexStore], times: int) -> None:
    """Read over and over: a period is there whole, and what is found fits together."""
    index = reopen()
    for _ in range(times):
        found = slots(index)
        assert len(found) in (0, 2), found
        assert len(set(found.values())) <= 1, found
        assert len(index.search(CatalogQuery(MINE)).items) in (0, 1)


class IndexLaws:
    """What every index keeps."""

    def test_loading_twice_equals_loading_once(self, index: IndexStore) -> None:
        assert load(index, {day(): 1.0, day(40): 2.0}).periods == 2
        again = load(index, {day(): 1.0, day(40): 2.0})
        assert (again.periods, again.unchanged) == (0, 2)
        assert slots(index) == seconds({day(): 1.0, day(40): 2.0})

    def test_a_load_clears_the_slots_that_are_gone(self, index: IndexStore) -> None:
        other = a_point(5.0, entity="b")
        index.load(POINTS, ABOUT, lambda: [incoming(day(), points(a_point(1.0), other))])
        load(index, {day(1): 2.0})
        index.load(POINTS, ABOUT, lambda: [incoming(day(), points(a_point(1.0)))])
        assert slots(index) == seconds({day(): 1.0, day(1): 2.0})
        assert slots(index, other["series_id"]) == {}
        assert set(index.series([SERIES, other["series_id"]], MINE)) == {SERIES}

    def test_an_emptied_period_clears_everything(self, index: IndexStore) -> None:
        load(index, {day(): 1.0})
        index.load(POINTS, ABOUT, lambda: [incoming(day(), points())])
        assert slots(index) == {}
        assert index.search(CatalogQuery(MINE)).total_all == 0
        assert set(index.periods(POINTS, PROJECT, METRIC_SET)) == {day()}

    def test_loads_in_any_order_and_number_equal_one_load(self, index: IndexStore) -> None:
        wanted = {day(n, hour): n + hour / 100 for n in (-31, -1, 0, 30, 31, 59, 60) for hour in (0, 23)}
        rng, starts = random.Random(3), list(wanted) * 3  # noqa: S311  (an order, not a secret)
        rng.shuffle(starts)
        while starts:
            part = [starts.pop() for _ in range(min(len(starts), rng.randint(1, 6)))]
            load(index, {at: wanted[at] for at in part})
        assert slots(index) == dict(sorted(seconds(wanted).items()))

    def test_what_is_recorded_as_loaded_is_what_was_read(self, index: IndexStore) -> None:
        old, new = points(a_point(1.0)), points(a_point(2.0))
        listed = incoming(day(), old)
        index.load(POINTS, ABOUT, lambda: [type(listed)(day(), listed.digest, day(400), lambda: new)])
        assert index.periods(POINTS, PROJECT, METRIC_SET) == {day(): POINTS.digest(new)}
        load(index, {day(): 1.0})
        assert slots(index) == seconds({day(): 1.0})

    def test_what_expires_is_gone_and_nothing_else(self, index: IndexStore) -> None:
        old, others = a_point(entity="old")["series_id"], MetricSetInfo(PROJECT, "others", "day", "UTC")
        kept = {day(n): float(n) for n in (35, 36, 70)}
        load(index, {day(n): float(n) for n in (0, 1, 33, 34)} | kept)
        index.load(POINTS, ABOUT, lambda: [incoming(day(2), points(a_point(1.0, day(2), entity="old")))])
        index.load(POINTS, others, lambda: [incoming(day(), points(a_point(1.0, series_id="o" * 13)))])
        for kind, a_row in ((ANOMALIES, an_anomaly), (EVALUATIONS, an_evaluation)):
            at = [day(n) for n in (1, 2, 34, 35)]
            index.load(
                kind,
                ABOUT,
                lambda kind=kind, a_row=a_row, at=at: [incoming(x, a_table(kind, [a_row(start=x)]), kind) for x in at],
            )
        assert index.expire(PROJECT, METRIC_SET, day(35)) == 5 + 3 + 3
        assert index.expire(PROJECT, METRIC_SET, day(35)) == 0
        assert slots(index) == seconds(kept)
        assert set(index.periods(POINTS, PROJECT, METRIC_SET)) == set(kept)
        assert set(index.periods(ANOMALIES, PROJECT, METRIC_SET)) == {day(35)}
        assert [row.t for row in index.anomalies(MINE).items] == [int(day(35).timestamp())]
        assert [band.t.tolist() for band in index.bands([SERIES], None, None)[SERIES]] == [[int(day(35).timestamp())]]
        page = index.search(CatalogQuery(MINE, sort="name"))
        assert {item.series_id for item in page.items} == {SERIES, "o" * 13}
        assert [one.n_anomalies for one in page.days] == [1]
        about = index.series([SERIES, old], MINE)
        assert (about[SERIES].n_points, about[SERIES].first_period) == (3, int(day(35).timestamp()))
        assert old not in about

    def test_what_has_expired_may_be_loaded_again(self, index: IndexStore) -> None:
        assert index.expire(PROJECT, "unknown", day()) == 0
        load(index, {day(): 1.0, day(1): 2.0})
        assert index.expire(PROJECT, METRIC_SET, day(400)) == 2
        assert index.search(CatalogQuery(MINE)).total_all == 0
        load(index, {day(1): 3.0})
        assert slots(index) == seconds({day(1): 3.0})

    def test_nulls_errors_and_unknown_rows_come_back(self, index: IndexStore) -> None:
        rows = {day(): a_point(None, error="division by zero"), day(1): a_point(None, day(1), n_rows=None)}
        index.load(POINTS, ABOUT, lambda: [incoming(at, points(row)) for at, row in rows.items()])
        found = index.points([SERIES], None, None)[SERIES]
        assert np.isnan(found.value).all()
        assert found.n_rows.tolist() == [100, -1]
        assert dict(found.errors) == seconds({day(): "division by zero"})
        load(index, {day(): 1.0})
        assert dict(index.points([SERIES], None, None)[SERIES].errors) == {}

    def test_points_of_a_span_end_before_it(self, index: IndexStore) -> None:
        load(index, {day(n): float(n) for n in range(-3, 4)})
        start, end = int(day(-1).timestamp()), int(day(2).timestamp())
        assert index.points([SERIES], start, end)[SERIES].value.tolist() == [-1.0, 0.0, 1.0]
        assert index.points([SERIES], -(10**17), 10**17)[SERIES].value.tolist() == [
            -3.0,
            -2.0,
            -1.0,
            0.0,
            1.0,
            2.0,
            3.0,
        ]

    def test_a_series_summary_tells_its_newest_point(self, index: IndexStore) -> None:
        load(index, {day(40): 4.0, day(): 1.0})
        about = index.series([SERIES], MINE)[SERIES]
        assert (about.n_points, about.last_value, about.first_period, about.last_period) == (
            2, 4.0, int(day().timestamp()), int(day(40).timestamp()),
        )  # fmt: skip
        assert about.last_expected is None

    def test_verdicts_may_come_before_their_points(self, index: IndexStore) -> None:
        index.load(ANOMALIES, ABOUT, lambda: [incoming(day(), anomalies(an_anomaly()), ANOMALIES)])
        index.load(EVALUATIONS, ABOUT, lambda: [incoming(day(), evaluations(an_evaluation("anomaly")), EVALUATIONS)])
        assert index.anomalies(MINE).total == 0
        assert index.search(CatalogQuery(MINE)).days == []
        load(index, {day(): 9.0})
        assert index.anomalies(MINE).total == 1
        about = index.series([SERIES], MINE)[SERIES]
        assert (about.n_anomalies, about.last_expected) == (1, 1.0)

    def test_judging_again_replaces_the_verdicts_of_its_periods_only(self, index: IndexStore) -> None:
        load(index, {day(): 9.0, day(1): 9.0})
        both = [incoming(day(n), anomalies(an_anomaly(start=day(n))), ANOMALIES) for n in range(2)]
        index.load(ANOMALIES, ABOUT, lambda: both)
        index.load(ANOMALIES, ABOUT, lambda: [incoming(day(), anomalies(), ANOMALIES)])
        assert [row.t for row in index.anomalies(MINE).items] == [int(day(1).timestamp())]

    def test_bands_come_back_by_detector(self, index: IndexStore) -> None:
        rows = [an_evaluation(start=day(), detector=name, upper=upper) for name, upper in (("b:1", 5.0), ("a:1", None))]
        silent = an_evaluation("too_short", detector="c:1", expected=None, lower=None, upper=None)
        index.load(EVALUATIONS, ABOUT, lambda: [incoming(day(), evaluations(*rows, silent), EVALUATIONS)])
        bands = index.bands([SERIES], None, None)[SERIES]
        assert [band.detector for band in bands] == ["a:1", "b:1"]
        assert np.isnan(bands[0].upper[0])
        assert bands[1].upper.tolist() == [5.0]

    def test_nobody_sees_other_projects(self, index: IndexStore) -> None:
        load(index, {day(): 1.0})
        index.load(ANOMALIES, ABOUT, lambda: [incoming(day(), anomalies(an_anomaly()), ANOMALIES)])
        for nobody in (frozenset(), frozenset({"other"})):
            page = index.search(CatalogQuery(nobody))
            assert (page.total, page.total_all, page.facets, page.days) == (0, 0, [], [])
            assert index.series([SERIES], nobody) == {}
            assert index.related(SERIES, nobody, 5) == []
            assert index.anomalies(nobody).total == 0

    def test_a_search_takes_every_character_literally(self, index: IndexStore) -> None:
        names = ["100%", "a_b", "axb", "o'neil", 'say "x"', "back\\slash", "ÉCOLE", "straße", "東京"]
        rows = [a_point(entity=name) for name in names]
        index.load(POINTS, ABOUT, lambda: [incoming(day(), points(*rows))])
        for word, wanted in (
            ("100%", {"100%"}), ("%", {"100%"}), ("a_b", {"a_b"}), ("o'neil", {"o'neil"}), ('"x"', {'say "x"'}),
            ("k\\s", {"back\\slash"}), ("ÉCOLE", {"ÉCOLE"}), ("école", {"ÉCOLE"}), ("e\u0301cole", {"ÉCOLE"}), ("STRASSE", {"straße"}),
            ("東京 AVG", {"東京"}), (f"{PROJECT} {METRIC_SET}", set(names)), ("x" * 60_000, set()), ("; DROP TABLE", set()),
        ):  # fmt: skip
            found = {item.entity for item in index.search(CatalogQuery(MINE, q=word, limit=100)).items}
            assert found == wanted, word

    def test_pages_follow_each_other_without_gap_or_repeat(self, index: IndexStore) -> None:
        rows = [a_point(entity=str(i)) for i in range(7)]
        index.load(POINTS, ABOUT, lambda: [incoming(day(), points(*rows))])
        seen, cursor = [], None
        for _ in range(4):
            page = index.search(CatalogQuery(MINE, sort="name", cursor=cursor, limit=3))
            seen += [item.entity for item in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break
        assert seen == [str(i) for i in range(7)]

    def test_a_foreign_cursor_begins_anew(self, index: IndexStore) -> None:
        load(index, {day(): 1.0})
        index.load(ANOMALIES, ABOUT, lambda: [incoming(day(), anomalies(an_anomaly()), ANOMALIES)])
        for cursor in ("²", "-1", "x", "1e3", "9" * 5000, "' OR 1=1", "٣"):
            assert len(index.search(CatalogQuery(MINE, cursor=cursor)).items) == 1, cursor
            assert len(index.anomalies(MINE, cursor=cursor).items) == 1, cursor

    def test_facets_count_what_all_other_filters_leave(self, index: IndexStore) -> None:
        rows = [a_point(group_key={"region": r}, metric=m) for r in ("a", "b", None) for m in ("avg", "sum")]
        index.load(POINTS, ABOUT, lambda: [incoming(day(), points(*rows))])
        page = index.search(
            CatalogQuery(MINE, filters={"group.region": frozenset({"a"}), "metric": frozenset({"avg"})})
        )
        facets = {facet.name: {value.value: value.count for value in facet.values} for facet in page.facets}
        assert page.total == 1
        assert facets["group.region"] == {"a": 1, "b": 1, "(null)": 1}
        assert facets["metric"] == {"avg": 1, "sum": 1}

    def test_anomalies_count_in_the_asked_span(self, index: IndexStore) -> None:
        load(index, {day(n): 9.0 for n in range(3)})
        all_three = [incoming(day(n), anomalies(an_anomaly(start=day(n))), ANOMALIES) for n in range(3)]
        index.load(ANOMALIES, ABOUT, lambda: all_three)
        (item,) = index.search(CatalogQuery(MINE, only="anomalous", span=Span(day(1), day(2)))).items
        assert (item.n_anomalies, item.last_anomaly) == (1, int(day(1).timestamp()))
        assert index.search(CatalogQuery(MINE, only="anomalous", span=Span(day(5), day(6)))).total == 0

    def test_metric_sets_do_not_touch_each_other(self, index: IndexStore) -> None:
        load(index, {day(): 1.0})
        other = MetricSetInfo(PROJECT, "other", "hour", "Asia/Tokyo")
        index.load(POINTS, other, lambda: [incoming(day(), points())])
        assert slots(index) == seconds({day(): 1.0})
        assert index.periods(POINTS, PROJECT, METRIC_SET) != index.periods(POINTS, PROJECT, "other")

    def test_a_failed_load_changes_nothing(self, index: IndexStore) -> None:
        load(index, {day(): 1.0})

        def broken() -> Any:
            raise OSError(5, "Input/output error")

        bad = incoming(day(1), points())
        with suppress(OSError):
            index.load(POINTS, ABOUT, lambda: [incoming(day(), points()), type(bad)(day(1), "x", day(400), broken)])
        assert slots(index) == seconds({day(): 1.0})

    def test_a_reader_sees_periods_whole_while_others_load(
        self, index: IndexStore, reopen: Callable[[], IndexStore]
    ) -> None:
        codes = run_together(
            (load_many, reopen, 0, 12),
            (load_many, reopen, 100, 12),
            (load_many, reopen, 0, 12),
            (read_many, reopen, 20),
        )
        assert codes == [0, 0, 0, 0]
        assert len(slots(index)) == 2


__all__ = ["IndexLaws", "load", "slots"]
