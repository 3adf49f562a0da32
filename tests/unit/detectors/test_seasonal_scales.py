from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import stats

from lupus_provider.detectors.seasonal.lanes import LANES, in_lanes, weighted_rows
from lupus_provider.detectors.seasonal.noise import quantile, tail_probability
from lupus_provider.detectors.seasonal.plan import DIAL, FACTOR, factor_of
from lupus_provider.detectors.seasonal.transform import Scale, Transform, backward, choose, forward

RNG = np.random.default_rng(0)
NO, YES = np.array([False]), np.array([True])


def chosen(value: np.ndarray, is_share: np.ndarray = NO, is_count: np.ndarray = NO) -> Scale:
    return Scale(int(choose(value[:, None], is_share, is_count).scale[0]))


@pytest.mark.parametrize(
    ("value", "scale"),
    [
        (RNG.poisson(4, 90).astype(float), Scale.COUNT),
        (np.full(90, 12.0), Scale.IDENTITY),
        (np.round(20 + RNG.normal(0, 0.7, 90)), Scale.IDENTITY),
        (RNG.binomial(200, 0.01, 90) / 200, Scale.SHARE),
        (0.4 + RNG.normal(0, 0.004, 90), Scale.IDENTITY),
        (RNG.normal(0, 1, 90), Scale.IDENTITY),
        (stats.t(1.2).rvs(90, random_state=1), Scale.ASINH),
        (1e6 * np.exp(RNG.normal(0, 0.3, 90)), Scale.LOG),
        (RNG.uniform(0, 9, 90) * (RNG.random(90) < 0.8), Scale.ROOT),
        (np.full(90, np.nan), Scale.IDENTITY),
    ],
)  # fmt: skip
def test_the_scale_follows_the_kind_of_values(value: np.ndarray, scale: Scale) -> None:
    assert chosen(value) == scale


def test_what_is_known_of_the_metric_wins_over_the_values() -> None:
    assert chosen(np.zeros(90), is_count=YES) == Scale.COUNT
    assert chosen(np.where(np.arange(90) % 2, 0.0, 1.0), is_share=YES) == Scale.SHARE


@settings(deadline=None)
@given(st.sampled_from(list(Scale)), st.floats(0.001, 0.999), st.sampled_from([1e-300, 1.0, 1e300]))
def test_there_and_back_is_where_one_was(scale: Scale, x: float, unit: float) -> None:
    unit = 1.0 if scale in (Scale.COUNT, Scale.SHARE) else unit
    transform = Transform(np.array([scale], np.int8), np.array([unit]), np.array([0.3]), np.array([1e-6]))
    assert backward(transform, forward(transform, np.array([x * unit])))[0] == pytest.approx(x * unit, rel=1e-9)


@given(st.floats(1e-6, 0.5), st.floats(0.01, 0.98))
def test_the_quantile_of_the_mixed_tails_has_their_probability(probability: float, heavy: float) -> None:
    scale, weight = np.array([[0.9], [1.0], [1.1]]), np.array([[heavy], [0.01], [0.99 - heavy]])
    reach = quantile(probability, scale, weight)
    assert tail_probability(reach, scale, weight)[0] == pytest.approx(probability, rel=0.01)


def test_one_tail_alone_is_students() -> None:
    one = tail_probability(np.array([3.0]), np.ones((3, 1)), np.array([[1.0], [0.0], [0.0]]))
    assert one[0] == pytest.approx(2 * stats.t(4).sf(3.0))


def test_a_keener_dial_means_lower_thresholds() -> None:
    assert (np.diff(FACTOR) < 0).all()
    assert [factor_of(rate) for rate in DIAL] == pytest.approx(FACTOR.tolist())


def test_lanes_are_whole_and_repeat_what_is_there() -> None:
    assert len(in_lanes(np.arange(65))) == 2 * LANES
    assert set(in_lanes(np.array([3, 5])).tolist()) == {3, 5}


def test_weighted_rows_are_the_matrix_product() -> None:
    weight, rows = RNG.normal(size=(3, 20)), RNG.normal(size=(20, 64))
    assert np.allclose(weighted_rows(weight, rows), weight @ rows)
