"""A stand-in for the prophet package, so that the detector is tried where the package is not: a line and a week by least squares."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from lupus_provider.detectors import Outcome
from lupus_provider.detectors.prophet_forecast import BETAS, NEVER, PLACES, ProphetFits

if TYPE_CHECKING:
    from lupus_provider.detectors.prophet_package import FitOptions


@pytest.fixture(autouse=True)
def no_prophet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep tests of the shelf from fitting with the package; tests of the package call it themselves."""
    monkeypatch.setattr("lupus_provider.detectors.prophet.fit_series", fit_line_and_week)


def fit_line_and_week(local_start: np.ndarray, value: np.ndarray, options: FitOptions) -> ProphetFits:
    first, last = local_start.min(), local_start.max()
    t_scale = (last - first) / np.timedelta64(1, "s")
    t = (local_start - first) / np.timedelta64(1, "s") / t_scale
    angle = (local_start - np.datetime64(0, "us")) / np.timedelta64(1, "D") * 2 * np.pi / 7
    waves = [wave(angle * order) for order in (1, 2, 3) for wave in (np.sin, np.cos)]
    design = np.column_stack([np.ones_like(t), t, *waves])
    y_scale = float(np.abs(value).max()) or 1.0
    scaled = value / y_scale
    found = np.linalg.lstsq(design, scaled, rcond=None)[0]
    beta = np.zeros((1, BETAS))
    beta[0, PLACES["weekly"]] = found[2:]
    sigma = max(float(np.sqrt(np.mean((scaled - design @ found) ** 2))), 1e-9)
    width = max(options.n_changepoints, 1)
    return ProphetFits(
        np.array([""], object), np.array([last]), np.zeros(1, np.uint64), np.array([Outcome.NORMAL], np.int8), np.array([first]),
        np.array([t_scale]), np.array([y_scale]), found[[1]], found[[0]], np.array([sigma]), np.array([width]),
        np.full((1, width), NEVER), np.full((1, width), 0.0), beta, np.zeros((1, 0)), (),
    )  # fmt: skip
