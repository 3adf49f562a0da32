from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given, settings, strategies as st

from lupus_provider.engines.base import Answer
from lupus_provider.metrics.base import Over, Shape
from lupus_provider.metrics.plan import Subject, make_plan
from lupus_provider.processors.frames import Frame, Keys, encoded

NAMES = ("period", "group_set", "g0", "g1")
ROWS = Subject((), Over.ROWS)
values = st.none() | st.sampled_from(["", "-", "a", "b", "1"])
rows = st.lists(st.tuples(st.integers(0, 2), st.integers(-1, 1), values, values), min_size=1, max_size=12)


def answered(shape, found, **columns):
    """Answer with rows of (period, group_set, g0, g1), and further columns."""
    kinds = {"period": pa.int32(), "group_set": pa.int32(), "g0": pa.string(), "g1": pa.string()}
    keys = {name: pa.array([row[i] for row in found], kinds[name]) for i, name in enumerate(NAMES)}
    return Answer(shape, pa.table({**keys, **columns}), {ROWS: {"rows": "rows"}}, {})


def plan():
    return make_plan({}, group_sets=[["a", "b"], ["a"]])


@settings(deadline=None)
@given(found=rows)
def test_rows_have_one_number_exactly_where_all_their_columns_are_equal_and_numbers_rise_as_they_come(found):
    keys, numbers = Keys.of(answered(Shape.NUMBERS, found).table, NAMES)
    seen = {row: i for i, row in enumerate(dict.fromkeys(found))}
    assert numbers.tolist() == [seen[row] for row in found]
    assert keys.numbers(answered(Shape.NUMBERS, found[::-1]).table).tolist() == numbers[::-1].tolist()


def test_numbers_hold_where_the_columns_together_have_more_combinations_than_an_integer():
    n = 3000
    table = pa.table({f"g{i}": [str(j) for j in range(n)] for i in range(8)})  # 3000^8 is about 6e27
    keys, numbers = Keys.of(table, table.column_names)
    assert numbers.tolist() == list(range(n))
    assert keys.numbers(table.slice(n - 2)).tolist() == [n - 2, n - 1]


@settings(deadline=None)
@given(found=rows)
def test_rows_of_an_answer_find_their_row_of_the_frame_in_any_order(found):
    found = list(dict.fromkeys(found))
    first = answered(Shape.NUMBERS, found, rows=pa.array(range(10, 10 + len(found)), pa.int64()))
    frame = Frame.of(plan(), first, 3)
    order = np.random.default_rng(0).permutation(len(found))
    places = frame.places(first.table.take(pa.array(order)))
    assert frame.rows[places].tolist() == (order + 10.0).tolist()


def test_a_period_without_rows_has_the_whole_with_none():
    frame = Frame.of(plan(), None, 2)
    assert (frame.period.tolist(), frame.rows.tolist(), frame.asked.tolist()) == ([0, 1], [0, 0], [False, False])
    assert frame.group_dicts == [{}]


def test_counted_entities_are_texts_once_and_indices():
    found = [(0, 0, "x", None), (0, 0, None, None)]
    frame = Frame.of(plan(), answered(Shape.NUMBERS, found, rows=pa.array([3, 4], pa.int64())), 1)
    asked = [found[1], found[0], found[1]]
    counts = frame.counts(
        answered(Shape.ENTITIES, asked, entity=pa.array(["v", "v", "w"]), count=pa.array([1, 2, 3], pa.int64()))
    )
    assert counts.group.tolist() == [1, 0, 1]
    assert (counts["count"].tolist(), counts.total(counts["count"]).tolist()) == ([1, 2, 3], [2, 4, 0])
    assert counts.entity is not None
    assert (counts.entity.dictionary.to_pylist(), counts.entity.indices.to_pylist()) == (["v", "w"], [0, 0, 1])


def test_other_counts_are_sorted_by_row_of_the_frame_and_key():
    found = [(0, 0, "x", None), (0, 0, None, None)]
    frame = Frame.of(plan(), answered(Shape.NUMBERS, found, rows=pa.array([3, 4], pa.int64())), 1)
    asked = [found[1], found[0], found[0]]
    counts = frame.counts(
        answered(Shape.SPECTRUM, asked, size=pa.array([1, 9, 2], pa.int64()), values=pa.array([5, 6, 7], pa.int64()))
    )
    assert [counts.group.tolist(), *(counts[name].tolist() for name in ("size", "values"))] == [
        [0, 0, 1],
        [2, 9, 1],
        [7, 6, 5],
    ]


def test_texts_in_several_pieces_are_encoded_as_one_and_null_is_one_of_them():
    for texts in (pa.chunked_array([["b", None], ["a", "b"]]), pa.chunked_array([], pa.string()), pa.array(["b"])):
        found = encoded(texts)
        assert found.indices.null_count == 0
        assert found.dictionary.take(found.indices).to_pylist() == texts.to_pylist()
