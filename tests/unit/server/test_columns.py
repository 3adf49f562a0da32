from __future__ import annotations

import numpy as np
from hypothesis import given, strategies as st

from lupus_provider.server.columns import NO_POINTS, best_band, series_points, to_list
from lupus_provider.stores.index.base import Band, StoredPoints
from lupus_provider.wire import AnomalyPoint


def band(detector, t, expected=1.0):
    column = np.full(len(t), expected)
    return Band(detector, np.array(t, np.int64), column, column - 1, column + np.array(t))


def flag(t, detector="a"):
    return AnomalyPoint(
        series_id="s", t=t, detector=detector, kind="spike", severity="high", direction="up", value=1, expected=None,
        lower=None, upper=None, score=0.1,
    )  # fmt: skip


def points(t, value=None):
    column = np.array(t, np.float64) if value is None else np.array(value, np.float64)
    return StoredPoints(np.array(t, np.int64), column, np.full(len(t), -1), {})


def test_the_band_is_of_the_detector_that_expects_something_and_says_most():
    bound = Band("threshold", np.arange(9), np.full(9, np.nan), np.full(9, np.nan), np.ones(9))
    long, short = band("long", [1, 2, 3]), band("short", [3])
    assert best_band([bound, short, long], []) is long
    assert best_band([bound], []) is bound
    assert best_band([], []) is None


def test_of_equals_the_band_is_of_the_detector_that_flagged_more():
    a, b = band("a", [1, 2]), band("b", [1, 2])
    assert best_band([b, a], [flag(1, "a")]) is a
    assert best_band([a, b], [flag(1, "a"), flag(1, "b"), flag(2, "b")]) is b


times = st.lists(st.integers(0, 60), unique=True).map(sorted)


@given(times, times)
def test_a_band_stands_where_its_own_periods_are(of_points, of_band):
    item = series_points("s", points(of_points), band("d", of_band), [], None)
    assert item.expected == [1.0 if t in of_band else None for t in of_points]
    assert item.upper == [1.0 + t if t in of_band else None for t in of_points]


def test_a_point_without_a_value_is_null():
    item = series_points("s", points([1, 2, 3], [1.0, np.nan, np.inf]), None, [], 10)
    assert item.value == [1.0, None, None]
    assert item.n_rows == [None, None, None]


def test_a_series_without_points_keeps_its_anomalies():
    item = series_points("s", NO_POINTS, None, [flag(5)], 10)
    assert (item.t, item.value, item.n_raw, [a.t for a in item.anomalies]) == ([], [], 0, [5])


def test_thinning_keeps_all_columns_beside_each_other():
    t = list(range(1_000))
    item = series_points("s", points(t), band("d", t[500:]), [flag(123)], 50)
    assert item.method == "minmax"
    assert 123 in item.t
    assert item.value == [float(x) for x in item.t]
    assert item.expected == [1.0 if x >= 500 else None for x in item.t]


def test_fractions_are_rounded_for_charts_and_counts_never_are():
    exact = np.array([1 / 3, 123_456_789.0, -0.0, 2.5e-7 / 3])
    assert to_list(exact) == [0.3333333, 123_456_789.0, 0.0, 8.333333e-08]
    assert to_list(exact, exact=True) == exact.tolist()
