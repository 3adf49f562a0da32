from __future__ import annotations

import numpy as np
import pytest

from lupus_provider.detectors import Mahalanobis, Outcome, Panel, SeriesInfo, Window
from lupus_provider.testing.detectors import check_detector, judge_all, make_panel


def bundles(value: np.ndarray, columns: int = 1) -> Panel:
    """Panel of shape (groups, metrics, periods)."""
    groups, metrics, t = value.shape
    series = [
        SeriesInfo(f"g{g}m{m}", f"x{m % columns}", f"avg@{m}", None, {"g": str(g)})
        for g in range(groups)
        for m in range(metrics)
    ]
    return make_panel(value.reshape(-1, t), series=series)


def together(groups: int = 1, t: int = 150, seed: int = 0) -> np.ndarray:
    """Three metrics that move together by 5 and apart by 0.3, with a week."""
    rng = np.random.default_rng(seed)
    return (
        100 + 9 * (np.arange(t) % 7 < 5) + 5 * rng.normal(size=(groups, 1, t)) + 0.3 * rng.normal(size=(groups, 3, t))
    )


def test_a_metric_within_its_own_range_but_not_with_the_others_is_found_and_named() -> None:
    value = together(30)
    value[:, 1, 140] -= np.sign(value[:, 1, 140] - 106) * 3
    judgement = judge_all(Mahalanobis(), bundles(value))
    strange = (judgement.outcome == Outcome.ANOMALY).reshape(30, 3, -1)
    assert strange[:, 1, 140].mean() > 0.9
    assert not strange[:, [0, 2], 140].any()
    assert set(judgement.kind[judgement.outcome == Outcome.ANOMALY]) == {"joint"}
    assert (judge_all(Window(), bundles(value)).outcome.reshape(30, 3, -1)[:, 1, 140] == Outcome.ANOMALY).mean() < 0.1


def test_expected_is_what_the_other_metrics_say() -> None:
    value = together()
    true = value[0, 1, 140]
    value[0, 1, 140] += 4
    panel = bundles(value)
    judged = slice(140, 141)
    assert Mahalanobis().detect(panel, judged).expected[1, 0] == pytest.approx(true, abs=1.5)


def test_contributions_of_all_metrics_are_there_and_the_moved_one_has_most() -> None:
    value = together()
    value[0, 2, 140] += 4
    distances = Mahalanobis().distances(bundles(value), slice(140, 141))
    assert distances.contribution[:, 0].argmax() == 2
    assert np.isfinite(distances.contribution).all()
    assert distances.contributes_most[:, 0].tolist() == [False, False, True]
    assert np.unique(distances.probability).size == 1


@pytest.mark.parametrize("tail", [None, 4])
def test_stated_probability_is_observed_within_a_factor(tail: int | None) -> None:
    rng = np.random.default_rng(1)
    noise = rng.normal(size=(150, 4, 200)) if tail is None else rng.standard_t(tail, size=(150, 4, 200))
    value = 100 + np.einsum("ij,gjt->git", rng.normal(size=(4, 4)), noise)
    score = judge_all(Mahalanobis(), bundles(value)).score.reshape(150, 4, -1)[:, 0, 90:]
    assert 0.003 < (score < 0.01).mean() < 0.02


def test_a_lone_metric_is_not_judged() -> None:
    outcome = judge_all(Mahalanobis(), make_panel(np.ones(100))).outcome
    assert (outcome == Outcome.TOO_SHORT).all()


def test_a_metric_that_is_absent_today_is_left_out_and_a_young_one_too() -> None:
    value = together()
    value[0, 0, 140] = np.nan
    value[0, 2, :130] = np.nan
    value = np.concatenate([value, together(seed=5)[:, :2]], axis=1)
    outcome = Mahalanobis().detect(bundles(value), slice(140, 141)).outcome[:, 0]
    assert outcome.tolist() == [Outcome.NO_DATA, Outcome.NORMAL, Outcome.TOO_SHORT, Outcome.NORMAL, Outcome.NORMAL]


def test_columns_are_apart_unless_they_are_put_together() -> None:
    value = together(20)[:, :2]
    value[:, 0, 140] += 4
    value[:, 1, 140] -= 4
    apart = judge_all(Mahalanobis(), bundles(value, columns=2)).outcome
    joined = judge_all(Mahalanobis(across_columns=True), bundles(value, columns=2)).outcome.reshape(20, 2, -1)
    assert (apart == Outcome.TOO_SHORT).all()
    assert (joined[:, :, 140] == Outcome.ANOMALY).any(axis=1).mean() > 0.9


def test_copies_of_one_metric_are_quiet_together_and_loud_apart() -> None:
    value = np.repeat(together()[:, :1], 3, axis=1) * np.array([1.0, 24, 1000])[:, None]
    assert not (judge_all(Mahalanobis(), bundles(value)).outcome == Outcome.ANOMALY).any()
    value[0, 1, -1] *= 1.15
    assert judge_all(Mahalanobis(), bundles(value)).outcome[1, -1] == Outcome.ANOMALY


def test_bundles_keep_the_laws_and_one_metric_may_change_its_unit() -> None:
    check_detector(Mahalanobis(), bundles(together(3, 90)))
    value = together(5)
    other = value * np.array([1.0, 1000, 1e-6])[:, None]
    assert (judge_all(Mahalanobis(), bundles(value)).outcome == judge_all(Mahalanobis(), bundles(other)).outcome).all()


def test_no_variance_at_all_and_then_a_jump_is_an_anomaly() -> None:
    value = np.full((1, 3, 60), 5.0)
    value[0, 1, -1] = 6.0
    assert judge_all(Mahalanobis(), bundles(value)).outcome[:, -1].tolist() == [0, 1, 0]
