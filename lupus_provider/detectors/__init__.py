"""The shelf of detectors: one file each; the dict below is what YAML, schema, page and backtest know."""

from __future__ import annotations

from lupus_provider.detectors.base import DETECTORS, Detector, Judgement, Outcome, Panel, SeriesInfo, Severity
from lupus_provider.detectors.missing import Missing
from lupus_provider.detectors.seasonal import Seasonal
from lupus_provider.detectors.threshold import Threshold
from lupus_provider.detectors.window import Window

__all__ = [
    "DETECTORS", "Detector", "Judgement", "Missing", "Outcome", "Panel", "Seasonal", "SeriesInfo", "Severity", "Threshold", "Window",
]  # fmt: skip
