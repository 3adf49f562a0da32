"""Writes prophet.json: series, the package's parameters, and what the package predicts from them.

Run where the extra `prophet` is installed: `python tests/golden/make_prophet.py`. The bands are its own simulation with 20,000 draws.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from lupus_provider.detectors import Prophet
from lupus_provider.detectors.prophet_package import fit_series, holiday_frame, keep_chatter_down, make_model

DRAWS = 20_000
CASES = (
    ("two years of days", "2023-01-02", 760, 7, Prophet()),
    ("a month of days", "2024-05-01", 30, 7, Prophet(interval_width=0.9)),
    ("holidays with a day around them", "2022-12-04", 750, 10, Prophet(holidays="US", holiday_window=1)),
    ("parts of the trend", "2023-01-02", 200, 7, Prophet(seasonality_mode="multiplicative")),
    ("a trend that bends easily", "2023-01-02", 200, 28, Prophet(changepoint_prior_scale=10.0)),
    ("no bends", "2023-01-02", 100, 7, Prophet(n_changepoints=0)),
)


def series(t: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    i = np.arange(t)
    waves = 5 * np.sin(2 * np.pi * i / 7) + 8 * np.sin(2 * np.pi * i / 365.25)
    return np.round(100 + 0.1 * np.maximum(i - t / 2, 0) + waves + 3 * rng.normal(size=t), 3)


def case(name: str, start: str, t: int, horizon: int, detector: Prophet, seed: int) -> dict[str, object]:
    import pandas as pd

    axis = np.datetime64(start, "us") + np.arange(t + horizon) * np.timedelta64(1, "D").astype("timedelta64[us]")
    value = series(t, seed)
    options = detector.options(detector.named_holidays(axis))
    fits = fit_series(axis[:t], value, options)
    model = make_model(axis[:t], options)
    model.uncertainty_samples, model.interval_width = DRAWS, detector.interval_width
    model.fit(pd.DataFrame({"ds": axis[:t], "y": value}), seed=1)
    if options.holidays:  # the coming ones too, as the package has them when it is asked for a country
        model.holidays = holiday_frame(options.holidays, options.holiday_window)
    np.random.seed(0)  # noqa: NPY002  (the package draws from the global generator)
    future = model.predict(pd.DataFrame({"ds": axis[t:]}))
    kept = {column: fits.to_table()[column].to_pylist() for column in fits.to_table().column_names}
    return {
        "name": name, "detector": detector.model_dump(mode="json"), "start": start, "value": value.tolist(),
        "fits": {k: str(v[0]) if k in ("start", "fitted_before") else v[0] for k, v in kept.items()}, "holiday_keys": fits.holiday_keys,
        **{key: [float(f"{x:.12g}") for x in future[key]] for key in ("yhat", "yhat_lower", "yhat_upper")},
    }  # fmt: skip


if __name__ == "__main__":
    keep_chatter_down()
    made = [case(*stated, seed) for seed, stated in enumerate(CASES)]
    source = f"make_prophet.py beside this file, prophet 1.5.0 (CmdStan 2.37), uncertainty_samples={DRAWS}"
    (Path(__file__).parent / "prophet.json").write_text(json.dumps({"source": source, "cases": made}) + "\n")
