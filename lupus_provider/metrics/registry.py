"""The dict of the shelf, in a file of its own so that the shelf's files can register themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lupus_provider.registry import Registry

if TYPE_CHECKING:
    from lupus_provider.metrics.base import Metric

METRICS: Registry[type[Metric]] = Registry("metric")
