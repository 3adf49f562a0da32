from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa
import pytest

from lupus_provider.engines.base import Answer
from lupus_provider.metrics.base import Family, Over, Shape
from lupus_provider.metrics.grammar import parse_metric
from lupus_provider.metrics.plan import Measure, Refused, Subject, make_plan
from lupus_provider.naming import series_id
from lupus_provider.periods import Period
from lupus_provider.processors.assemble import Stamp, points
from lupus_provider.records import POINTS

DAYS = [datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2, 3)]
PERIODS = [Period(DAYS[0], DAYS[1]), Period(DAYS[1], DAYS[2])]
STAMP = Stamp("p", "m", "run", DAYS[2])
ROWS, VALUES = Subject((), Over.ROWS), Subject(("x",), Over.VALUES)
GROUPS = [(1, 0, "b"), (0, 0, None), (0, 0, "a")]


def measure(column, name, family=Family.DISTRIBUTION):
    return Measure((column,) if column else (), parse_metric(name, family))


def table(found, **columns):
    kinds = {"period": pa.int32(), "group_set": pa.int32(), "g0": pa.string()}
    return pa.table({name: pa.array([row[i] for row in found], kind) for i, (name, kind) in enumerate(kinds.items())} | columns)  # fmt: skip


def counted(rows=(5, 6, 7)):
    """Rows of each group: the answer that comes first."""
    found = table(GROUPS, rows=pa.array(rows, pa.int64()))
    return Answer(Shape.NUMBERS, found, {ROWS: {"rows": "rows"}}, {ROWS: [measure("", "row_count", Family.TABLE)]})


def averaged(values, counts=(5, 6, 7)):
    found = table(GROUPS, total=pa.array(values, pa.float64()), counted=pa.array(counts, pa.int64()))
    return Answer(Shape.NUMBERS, found, {VALUES: {"sum": "total", "count": "counted"}}, {VALUES: [measure("x", "avg")]})


def occurring(found, entity, count):
    rows = table(found, entity=pa.array(entity, pa.string()), count=pa.array(count, pa.int64()))
    return Answer(Shape.ENTITIES, rows, {VALUES: {}}, {VALUES: [measure("x", "count"), measure("x", "ratio")]})


def made(*answers, **options):
    return points(make_plan({}, group_columns=["g"], **options), answers, STAMP, PERIODS)


def said(found, *names):
    return {tuple(row[name] if name != "group_key" else dict(row[name]).get("g", "-") for name in names) for row in found.to_pylist()}  # fmt: skip


def test_every_point_has_the_id_of_its_own_words_and_stands_in_the_order_of_period_and_id():
    found = made(counted(), averaged([1, 2, 3]), occurring(GROUPS * 2, ["v"] * 3 + ["w"] * 3, range(1, 7)))
    assert found.schema == POINTS.schema
    rows = found.to_pylist()
    assert len(rows) == 5 + 3 + 2 * 6  # the whole of both periods is counted, though nobody asked for it
    for row in rows:
        words = (row["column_name"], row["metric"], row["entity"], dict(row["group_key"]))
        assert row["series_id"] == series_id("p", "m", *words)
    order = [(row["period_start"], row["series_id"]) for row in rows]
    assert order == sorted(set(order))


def test_values_stay_with_their_group_period_and_entity():
    found = made(
        counted(), averaged([10, 12, 21]), occurring([GROUPS[2], GROUPS[0], GROUPS[2]], ["v", "v", "w"], [1, 4, 3])
    )
    wanted = {
        ("row_count", None, "-", DAYS[0], 0), ("row_count", None, "-", DAYS[1], 0),
        ("row_count", None, "b", DAYS[1], 5), ("row_count", None, None, DAYS[0], 6), ("row_count", None, "a", DAYS[0], 7),
        ("avg", None, "b", DAYS[1], 2), ("avg", None, None, DAYS[0], 2), ("avg", None, "a", DAYS[0], 3),
        ("count", "v", "a", DAYS[0], 1), ("count", "w", "a", DAYS[0], 3), ("count", "v", "b", DAYS[1], 4),
        ("ratio", "v", "a", DAYS[0], 0.25), ("ratio", "w", "a", DAYS[0], 0.75), ("ratio", "v", "b", DAYS[1], 1),
    }  # fmt: skip
    assert said(found, "metric", "entity", "group_key", "period_start", "value") == wanted


def test_an_infinite_value_is_an_error_and_an_undefined_one_is_nothing():
    found = made(counted(), averaged([float("inf"), 0, -0.0], (1, 0, 1)))
    rows = {dict(row["group_key"]).get("g"): row for row in found.to_pylist() if row["metric"] == "avg"}
    assert (rows["b"]["value"], "infinite" in rows["b"]["error"]) == (None, True)
    assert (rows[None]["value"], rows[None]["error"], rows[None]["n_rows"]) == (None, None, 0)
    assert (str(rows["a"]["value"]), rows["a"]["error"]) == ("0.0", None)


def test_a_refused_measure_is_an_error_in_every_group_that_was_asked_for():
    found = made(counted(), Refused(measure("y", "avg"), "no such column"))
    wanted = {("b", DAYS[1]), (None, DAYS[0]), ("a", DAYS[0])}
    assert said(found, "column_name", "error", "group_key", "period_start", "value") - said(
        made(counted()), "column_name", "error", "group_key", "period_start", "value"
    ) == {("y", "no such column", group, start, None) for group, start in wanted}


@pytest.mark.parametrize("metric", ["count", "ratio"])
def test_entities_of_the_whole_that_nobody_asked_for_are_no_points(metric):
    whole = (0, -1, None)
    first = counted()
    rows = pa.concat_tables([first.table, table([whole], rows=pa.array([13], pa.int64()))])
    first = Answer(first.shape, rows, first.columns, first.measures)
    found = made(first, occurring([whole, GROUPS[2]], ["v", "w"], [6, 7]))
    assert {row["entity"] for row in found.to_pylist() if row["metric"] == metric} == {"w"}


def test_nothing_answered_is_no_points():
    assert made().equals(POINTS.empty())
