"""Seasonal, the default detector: the statistics are one file each, `step` is one period, `run` is all of them."""

from __future__ import annotations

from lupus_provider.detectors.seasonal.detector import Seasonal
from lupus_provider.detectors.seasonal.state import ForeignStateError, GapInStateError, State

__all__ = ["ForeignStateError", "GapInStateError", "Seasonal", "State"]
