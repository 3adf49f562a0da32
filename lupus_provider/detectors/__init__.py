"""The shelf of detectors: one file each; the dict below is what YAML, schema, page and backtest know."""

from __future__ import annotations

from lupus_provider.detectors.base import DETECTORS, Detector, Judgement, Outcome, Panel, SeriesInfo, Severity

__all__ = ["DETECTORS", "Detector", "Judgement", "Outcome", "Panel", "SeriesInfo", "Severity"]
