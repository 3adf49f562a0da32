"""The public doorway of the library: tables → points. Usable without Airflow, in a notebook or any job."""

from __future__ import annotations

from lupus_provider.processors.distribution import DistributionProcessor
from lupus_provider.processors.result import Metrics

__all__ = ["DistributionProcessor", "Metrics"]
