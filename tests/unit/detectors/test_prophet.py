"""The package's own predictions are in tests/golden/prophet.json; where the package is installed, it is asked again."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from lupus_provider.detectors import Outcome, Panel, Prophet, prophet as room
from lupus_provider.detectors.prophet_forecast import Noise, ProphetFits, forecast
from lupus_provider.detectors.prophet_noise import half_widths, tails
from lupus_provider.detectors.prophet_package import fit_series, holiday_keys
from lupus_provider.errors import MissingExtraError
from lupus_provider.testing.detectors import assert_same, judge_all, make_panel

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "prophet.json").read_text())["cases"]
SIMULATION_ERROR = 0.1
"""Of the half width: four standard errors of a 99 % band from 20,000 draws are .05, more where the tail is heavy."""


def kept_fit(case: dict) -> ProphetFits:
    arrays = {}
    for f in fields(ProphetFits):
        if f.name != "holiday_keys":
            stored = case["fits"][f.name]
            kind = {
                "start": "datetime64[us]",
                "fitted_before": "datetime64[us]",
                "series_id": object,
                "changepoints": np.int64,
            }
            arrays[f.name] = np.array([stored], dtype=kind.get(f.name))
    return ProphetFits(**arrays, holiday_keys=tuple(case["holiday_keys"]))


def predicted(case: dict, fits: ProphetFits) -> tuple[np.ndarray, np.ndarray]:
    detector = Prophet.model_validate(case["detector"])
    first = np.datetime64(case["start"], "us") + len(case["value"]) * np.timedelta64(1, "D")
    axis = first + np.arange(len(case["yhat"])) * np.timedelta64(1, "D")
    named = detector.named_holidays(axis)
    centre, half = [], []
    for at in axis:
        on = set(holiday_keys(at.astype("datetime64[D]"), named, detector.holiday_window))
        flags = np.array([float(key in on) for key in fits.holiday_keys])
        expected, noise = forecast(fits, at, "day", flags, multiplicative=detector.seasonality_mode == "multiplicative")
        centre.append(expected[0])
        half.append(half_widths(noise, detector.interval_width)[0])
    return np.array(centre), np.array(half)


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case["name"])
def test_the_forecast_from_parameters_alone_is_the_packages(case: dict) -> None:
    centre, half = predicted(case, kept_fit(case))
    assert centre == pytest.approx(case["yhat"], rel=1e-10)
    assert np.abs(centre - half - case["yhat_lower"]).max() < SIMULATION_ERROR * half.mean()
    assert np.abs(centre + half - case["yhat_upper"]).max() < SIMULATION_ERROR * half.mean()


def test_golden_cases_hold_a_holiday_and_a_band_that_opens() -> None:
    by_name = {case["name"]: case for case in GOLDEN}
    case = by_name["holidays with a day around them"]
    without = replace(kept_fit(case), holiday_beta=np.zeros((1, len(case["holiday_keys"]))))
    assert np.abs(predicted(case, without)[0] - case["yhat"]).max() > 0.1
    half = predicted(by_name["a trend that bends easily"], kept_fit(by_name["a trend that bends easily"]))[1]
    assert half[-1] > 1.5 * half[0]


def test_the_band_is_what_many_simulated_futures_say() -> None:
    rng = np.random.default_rng(0)
    n, draws = 9, 400_000
    noise = Noise(np.array([2.0]), np.array([0.3]), np.array([0.2]), np.array([n]))
    slopes = rng.laplace(0, 0.3, (draws, n)) * (rng.random((draws, n)) < 0.2)
    future = 2.0 * (rng.normal(size=draws) + slopes @ (np.arange(n) + 0.5))
    for width in (0.5, 0.8, 0.99):
        half = half_widths(noise, width)
        assert (np.abs(future) < half).mean() == pytest.approx(width, abs=0.002)
        assert tails(noise, half) == pytest.approx(1 - width, abs=1e-9)


def test_without_bends_to_come_the_band_is_normal() -> None:
    noise = Noise(np.array([3.0]), np.array([0.0]), np.array([0.0]), np.array([7]))
    assert half_widths(noise, 0.99)[0] == pytest.approx(3 * 2.5758293035489)
    assert tails(noise, np.array([0.0, 1e300])[:1])[0] == 1.0
    assert tails(noise, np.array([1e300]))[0] < 1e-12


def panel(n: int = 12, t: int = 80) -> Panel:
    rng = np.random.default_rng(0)
    return make_panel(50 + 5 * (np.arange(t) % 7 < 5) + rng.normal(size=(n, t)))


def test_kept_parameters_change_nothing_but_the_number_of_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    fitted = []
    stand_in = room.fit_series
    monkeypatch.setattr(room, "fit_series", lambda *args: fitted.append(1) or stand_in(*args))
    detector, all_series = Prophet(), panel()
    _, kept = detector.judge(all_series, slice(70, 71), None)
    assert len(fitted) == 12
    for t in range(71, 77):
        fitted.clear()
        judgement, kept = detector.judge(all_series, slice(t, t + 1), ProphetFits.from_table(kept.to_table()))
        assert len(fitted) < 6
        assert_same(judgement, detector.detect(all_series, slice(t, t + 1)), np.s_[:, :], "kept parameters")


def test_in_one_round_every_series_is_fitted_once_and_not_all_on_one_day(monkeypatch: pytest.MonkeyPatch) -> None:
    days = []
    stand_in = room.fit_series
    monkeypatch.setattr(room, "fit_series", lambda local, *rest: days.append(local[-1]) or stand_in(local, *rest))
    detector, all_series = Prophet(), panel(40)
    _, kept = detector.judge(all_series, slice(70, 71), None)
    days.clear()
    for t in range(71, 78):
        _, kept = detector.judge(all_series, slice(t, t + 1), kept)
    assert len(days) == 40
    assert np.unique(days, return_counts=True)[1].max() < 16


def test_a_value_that_came_late_is_fitted_in() -> None:
    first = panel()
    detector = Prophet()
    _, kept = detector.judge(first, slice(70, 71), None)
    value = first.value.copy()
    value[:, 40] += 30
    late = make_panel(value)
    assert_same(
        detector.judge(late, slice(70, 71), kept)[0], detector.detect(late, slice(70, 71)), np.s_[:, :], "late data"
    )


def test_one_series_that_cannot_be_fitted_does_not_break_the_others(monkeypatch: pytest.MonkeyPatch, caplog) -> None:
    stand_in = room.fit_series

    def fit(local: np.ndarray, value: np.ndarray, options: object) -> ProphetFits:
        if value[0] < 0:
            raise RuntimeError("the optimiser gave up")
        return stand_in(local, value, options)

    monkeypatch.setattr(room, "fit_series", fit)
    value = panel(3).value.copy()
    value[1] *= -1
    outcome = judge_all(Prophet(), make_panel(value)).outcome
    assert (outcome[1, 40:] == Outcome.FAILED).all()
    assert (outcome[[0, 2], 40:] <= Outcome.ANOMALY).all()
    assert [record.levelname for record in caplog.records if record.exc_info] == ["ERROR"]


def test_without_the_package_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "fit_series", fit_series)
    monkeypatch.setitem(__import__("sys").modules, "prophet", None)
    with pytest.raises(MissingExtraError, match="prophet"):
        Prophet().detect(panel(1), slice(70, 71))


@pytest.mark.parametrize("jump", [12.0, -12.0])
def test_a_value_outside_the_band_is_flagged_by_direction(jump: float) -> None:
    value = panel(1).value.copy()
    value[0, -1] += jump
    judgement = judge_all(Prophet(), make_panel(value))
    assert judgement.outcome[0, -1] == Outcome.ANOMALY
    assert judgement.kind[0, -1] == ("spike" if jump > 0 else "dip")
    assert judgement.score[0, -1] < 0.001


def test_the_package_itself_gives_the_golden_forecasts() -> None:
    pytest.importorskip("prophet")
    for case in GOLDEN[1:2]:
        detector = Prophet.model_validate(case["detector"])
        axis = np.datetime64(case["start"], "us") + np.arange(len(case["value"])) * np.timedelta64(1, "D")
        fits = fit_series(axis.astype("datetime64[us]"), np.array(case["value"]), detector.options(()))
        centre, _ = predicted(case, fits)
        assert centre == pytest.approx(case["yhat"], rel=1e-3)
