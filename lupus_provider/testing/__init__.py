"""Public test material: laws, builders and fakes, for us and for other people's metrics, detectors and stores.

`check_detector` is found here too; it is opened on first use, so that the other material needs no numpy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lupus_provider.testing.detectors import check_detector

__all__ = ["check_detector"]


def __getattr__(name: str) -> Any:
    if name == "check_detector":
        return import_module("lupus_provider.testing.detectors").check_detector
    raise AttributeError(name)
