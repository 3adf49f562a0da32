from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from lupus_provider.records import ANOMALIES, EVALUATIONS, KINDS, POINTS

START = datetime(2024, 1, 1, tzinfo=UTC)


def point(series: str = "a", hours: int = 0, **facts):
    start = START + timedelta(hours=hours)
    return {
        "series_id": series, "column_name": "age", "metric": "avg", "entity": None, "group_key": [("region", "JP")], "period_start": start,
        "period_end": start + timedelta(hours=1), "value": 1.0, "n_rows": 3, "error": None, "model_version": None, "run_id": "r",
        "collected_at": START, **facts,
    }  # fmt: skip


def table(*points):
    return pa.Table.from_pylist(list(points), schema=POINTS.schema)


def test_every_kind_has_its_key_and_provenance_among_its_columns():
    assert set(KINDS) == {"points", "anomalies", "evaluations", "histograms"}
    for kind in KINDS.values():
        assert {*kind.key, *kind.provenance} <= set(kind.schema.names)
        assert kind.written_at in kind.provenance
        assert not any(kind.schema.field(name).nullable for name in (*kind.key, *kind.provenance))
        assert kind.empty().schema == kind.schema


def test_files_are_in_the_order_of_their_key_whatever_came():
    rows = [point("b", 1), point("a", 2), point("b", 0), point("a", 1)]
    shuffled = table(*rows).select(list(reversed(POINTS.schema.names)))
    assert [(r["series_id"], r["period_start"].hour) for r in POINTS.sort(shuffled).to_pylist()] == [
        ("a", 1),
        ("a", 2),
        ("b", 0),
        ("b", 1),
    ]
    assert POINTS.sort(shuffled).schema == POINTS.schema


def test_a_record_without_its_key_is_refused():
    loose = table(point()).set_column(0, "series_id", pa.array([None], pa.string()))
    with pytest.raises(ValueError, match="series_id"):
        POINTS.sort(loose)


def test_who_wrote_records_and_when_does_not_change_their_digest():
    again = point(run_id="other", collected_at=START + timedelta(days=1))
    assert POINTS.digest(table(point())) == POINTS.digest(table(again))


@pytest.mark.parametrize(
    "change",
    [
        {"series_id": "b"}, {"hours": 1}, {"value": 2.0}, {"value": None}, {"value": 0.0}, {"n_rows": 4}, {"n_rows": 0}, {"n_rows": None},
        {"error": "failed"}, {"error": ""}, {"model_version": "1"}, {"period_end": START + timedelta(hours=2)},
    ],
)  # fmt: skip
def test_every_other_change_changes_the_digest(change):
    assert POINTS.digest(table(point())) != POINTS.digest(table(point(**change)))


def test_null_zero_and_empty_are_three_contents():
    for name, values in (("value", [None, 0.0, 1.0]), ("n_rows", [None, 0, 1]), ("error", [None, "", "x"])):
        assert len({POINTS.digest(table(point(**{name: value}))) for value in values}) == len(values)


def test_both_zeros_are_one_content():
    assert POINTS.digest(table(point(value=0.0))) == POINTS.digest(table(point(value=-0.0)))


def test_texts_that_run_together_are_two_contents():
    left = table(point("a", 0, error="ab"), point("a", 1, error="c"))
    right = table(point("a", 0, error="a"), point("a", 1, error="bc"))
    assert POINTS.digest(left) != POINTS.digest(right)


def test_how_a_table_is_chunked_and_sliced_does_not_change_its_digest():
    whole = table(*(point("a", i, value=float(i), error="e" * i) for i in range(5)))
    chunked = pa.concat_tables([whole.slice(0, 2), whole.slice(2)])
    longer = table(point("9"), *whole.to_pylist(), point("z"))
    assert POINTS.digest(chunked) == POINTS.digest(whole) == POINTS.digest(longer.slice(1, 5))


def test_no_records_have_a_digest_of_their_own():
    assert POINTS.digest(POINTS.empty()) != POINTS.digest(table(point()))
    assert ANOMALIES.digest(ANOMALIES.empty()) != EVALUATIONS.digest(EVALUATIONS.empty())
