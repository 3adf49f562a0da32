"""The shelf of detectors: one file each; the dict below is what YAML, schema, page and backtest know."""

from __future__ import annotations

from lupus_provider.detectors.base import DETECTORS, Detector, Judgement, Outcome, Panel, SeriesInfo, Severity
from lupus_provider.detectors.groups import NewGroup, VanishedGroup
from lupus_provider.detectors.mahalanobis import Mahalanobis
from lupus_provider.detectors.missing import Missing
from lupus_provider.detectors.periodic import Periodic
from lupus_provider.detectors.prophet import Prophet
from lupus_provider.detectors.s_h_esd import SeasonalHybridEsd
from lupus_provider.detectors.seasonal import Seasonal
from lupus_provider.detectors.threshold import Threshold
from lupus_provider.detectors.trend import Trend
from lupus_provider.detectors.window import Window

__all__ = [
    "DETECTORS", "Detector", "Judgement", "Mahalanobis", "Missing", "NewGroup", "Outcome", "Panel", "Periodic", "Prophet", "Seasonal",
    "SeasonalHybridEsd", "SeriesInfo", "Severity", "Threshold", "Trend", "VanishedGroup", "Window",
]  # fmt: skip
