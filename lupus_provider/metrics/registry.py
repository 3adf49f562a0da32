"""The shelves of metrics by family, in a file of its own so that the shelf's files can register themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from lupus_provider.metrics.base import Family, Metric
from lupus_provider.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Mapping

SHELVES: Mapping[Family, Registry[type[Metric]]] = {family: Registry(f"{family} metric") for family in Family}
"""Family → name → class."""
METRICS = SHELVES[Family.DISTRIBUTION]
"""Metrics of one column."""

M = TypeVar("M", bound=type[Metric])


def register(metric: M) -> M:
    """Put a class on the shelf of its family under its name.

    Raises
    ------
    DuplicateNameError
        If the family has the name already.
    """
    return SHELVES[metric.family].register(metric.name)(metric)
