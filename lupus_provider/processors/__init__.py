"""The public doorway of the library: tables → points. Usable without Airflow, in a notebook or any job."""

from __future__ import annotations

from lupus_provider.processors.classification import ClassificationProcessor
from lupus_provider.processors.distribution import DistributionProcessor
from lupus_provider.processors.drift import DriftProcessor
from lupus_provider.processors.expectation import ExpectationProcessor
from lupus_provider.processors.ranking import RankingProcessor
from lupus_provider.processors.regression import RegressionProcessor
from lupus_provider.processors.result import Metrics
from lupus_provider.processors.table import TableProcessor
from lupus_provider.processors.training import TrainingProcessor

__all__ = [
    "ClassificationProcessor",
    "DistributionProcessor",
    "DriftProcessor",
    "ExpectationProcessor",
    "Metrics",
    "RankingProcessor",
    "RegressionProcessor",
    "TableProcessor",
    "TrainingProcessor",
]
