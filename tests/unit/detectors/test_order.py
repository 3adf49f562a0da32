from __future__ import annotations

import numpy as np
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import arrays

from lupus_provider.detectors.order import median_columns, median_rows, pick_columns, sort_columns, sort_rows

rows_with_gaps = arrays(
    np.float64, st.tuples(st.integers(1, 4), st.integers(1, 9)),
    elements=st.one_of(st.just(np.nan), st.floats(-1e6, 1e6)),
)  # fmt: skip


@given(rows_with_gaps)
def test_the_median_is_numpys_median_of_what_is_there(rows: np.ndarray) -> None:
    for row, median in zip(rows, median_rows(rows), strict=True):
        there = row[~np.isnan(row)]
        assert np.isnan(median) if len(there) == 0 else np.isclose(median, np.median(there))


@given(rows_with_gaps)
def test_columns_have_the_medians_of_the_rows_of_the_transposed(rows: np.ndarray) -> None:
    assert np.array_equal(median_columns(rows.T), median_rows(rows), equal_nan=True)


def test_the_median_of_two_huge_values_does_not_overflow() -> None:
    assert median_rows(np.array([[1.5e308, 1.7e308]]))[0] == 1.6e308


def test_gaps_sort_last_and_are_not_counted() -> None:
    for ordered, n in (sort_rows(np.array([[3.0, np.nan, 1.0]])), sort_columns(np.array([[3.0], [np.nan], [1.0]]))):
        assert ordered.ravel()[:2].tolist() == [1.0, 3.0]
        assert n.tolist() == [2]


def test_places_outside_mean_the_edge() -> None:
    assert pick_columns(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([-5, 9])).tolist() == [1.0, 4.0]
