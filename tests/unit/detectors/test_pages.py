from __future__ import annotations

import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest

from lupus_provider import detectors
from lupus_provider.detectors import DETECTORS
from lupus_provider.testing import detectors as laws

DOCS = Path(__file__).parents[3] / "docs"


@pytest.mark.parametrize("name", list(DETECTORS))
def test_every_detector_has_a_section_and_a_picture_with_an_anomaly(name: str) -> None:
    page = (DOCS / "detectors.md").read_text()
    assert f"## `{name}`\n" in page
    assert f"](images/detectors/{name}.svg)" in page
    assert "<circle" in (DOCS / "images" / "detectors" / f"{name}.svg").read_text()


@pytest.mark.parametrize(
    "name", sorted(m.name for m in pkgutil.walk_packages(detectors.__path__, f"{detectors.__name__}."))
)
def test_examples_in_docstrings_are_true(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_the_example_of_the_laws_is_true() -> None:
    assert doctest.testmod(laws).failed == 0
