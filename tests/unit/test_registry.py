from __future__ import annotations

import sys

import pytest

from lupus_provider.errors import DuplicateNameError, MissingExtraError, UnknownNameError
from lupus_provider.registry import Registry


@pytest.fixture
def shapes() -> Registry:
    registry = Registry("shape")
    registry.register("square")("a square")
    registry.lazy("fraction", "fractions:Fraction", extra="numbers")
    return registry


def test_a_name_is_taken_once(shapes):
    with pytest.raises(DuplicateNameError, match="shape 'square' is registered twice"):
        shapes.register("square")(object)
    with pytest.raises(DuplicateNameError):
        shapes.lazy("square", "a:b", extra="x")
    with pytest.raises(DuplicateNameError):
        shapes.register("fraction")(object)


def test_an_unknown_name_is_told_with_the_nearest(shapes):
    with pytest.raises(UnknownNameError, match="Did you mean 'square'") as caught:
        shapes["sqare"]
    assert isinstance(caught.value, KeyError)
    assert shapes.get("sqare") is None
    assert "sqare" not in shapes


def test_listing_a_shelf_opens_none_of_its_lazy_entries(shapes, monkeypatch):
    monkeypatch.delitem(sys.modules, "fractions", raising=False)
    assert list(shapes) == ["fraction", "square"]
    assert len(shapes) == 2
    assert "fractions" not in sys.modules
    assert shapes["fraction"].__name__ == "Fraction"


def test_a_lazy_entry_whose_library_is_missing_says_what_to_install(shapes):
    shapes.lazy("moon", "no_such_library_here:Moon", extra="moon")
    with pytest.raises(MissingExtraError, match=r"shape 'moon' needs an optional library.*\[moon\]"):
        shapes["moon"]
    assert "moon" in list(shapes)
