from __future__ import annotations

import numpy as np
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from lupus_provider.detectors.order import median_rows, middle_mean_rows, sort_rows, tail_scales

rows_with_gaps = arrays(
    np.float64, st.tuples(st.integers(1, 4), st.integers(1, 9)),
    elements=st.one_of(st.just(np.nan), st.floats(-1e6, 1e6)),
)  # fmt: skip


@given(rows_with_gaps)
def test_the_median_is_numpys_median_of_what_is_there(rows: np.ndarray) -> None:
    for row, median in zip(rows, median_rows(rows), strict=True):
        there = row[~np.isnan(row)]
        assert np.isnan(median) if len(there) == 0 else np.isclose(median, np.median(there))


def test_the_median_of_two_huge_values_does_not_overflow() -> None:
    assert median_rows(np.array([[1.5e308, 1.7e308]]))[0] == 1.6e308


def test_the_middle_mean_does_not_hear_the_outer_quarters() -> None:
    assert middle_mean_rows(np.array([[-1e9, 1.0, 2.0, 3.0, 1e9, np.nan]]))[0] == 2.0


def test_the_middle_mean_of_nothing_is_undefined() -> None:
    assert np.isnan(middle_mean_rows(np.array([[np.nan, np.nan]]))[0])


def test_gaps_sort_last_and_are_not_counted() -> None:
    ordered, n = sort_rows(np.array([[3.0, np.nan, 1.0]]))
    assert ordered[0, :2].tolist() == [1.0, 3.0]
    assert n.tolist() == [2]


def test_the_scale_of_normal_residuals_is_about_their_standard_deviation() -> None:
    above, below, n = tail_scales(np.random.default_rng(1).normal(0, 3, (500, 180)))
    assert 2.9 < np.median(above) < 3.8
    assert 2.9 < np.median(below) < 3.8
    assert (n == 180).all()


def test_a_mostly_zero_series_keeps_the_scale_of_its_tail() -> None:
    residual = np.zeros((1, 180))
    residual[0, ::18] = 0.1
    above, below, _ = tail_scales(residual)
    assert above[0] > 0.1 / 3.4
    assert below[0] >= 0.79 * above[0]


def test_three_wild_days_do_not_set_the_scale_but_a_fourth_does() -> None:
    residual = np.tile([-1.0, 1.0], (2, 60))
    residual[0, 10:13] = 1000.0
    residual[1, 10:14] = 1000.0
    above, _, _ = tail_scales(residual)
    assert above[0] < 2 < 200 < above[1]


def test_a_skewed_series_has_a_wider_side() -> None:
    above, below, _ = tail_scales(stats.expon.rvs(size=(50, 180), random_state=3) - 0.7)
    assert (above > below).mean() > 0.9


def test_few_residuals_widen_the_scale() -> None:
    few, many = np.tile([-1.0, 1.0], (1, 7)), np.tile([-1.0, 1.0], (1, 90))
    assert tail_scales(few)[0][0] > tail_scales(many)[0][0]


@given(st.floats(1e-280, 1e280))
def test_a_change_of_unit_changes_the_scale_by_that_unit(unit: float) -> None:
    residual = np.random.default_rng(2).normal(size=(3, 40))
    assert np.allclose(tail_scales(residual * unit)[0] / unit, tail_scales(residual)[0], rtol=1e-9)
