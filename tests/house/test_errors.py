"""Every error says whether a retry helps, and crosses process borders whole."""

from __future__ import annotations

import importlib
import pkgutil

import lupus_provider
from lupus_provider.errors import LupusError, Terminal, Transient


def classes():
    for name in (
        "errors",
        "stores",
        "steps",
        "alert",
        "config",
        "engines",
        "metrics",
        "detectors",
        "processors",
        "records",
    ):
        module = importlib.import_module(f"lupus_provider.{name}")
        for found in pkgutil.walk_packages(getattr(module, "__path__", []), f"lupus_provider.{name}."):
            if ".migrations" not in found.name:
                importlib.import_module(found.name)
    todo, found = [LupusError], []
    while todo:
        cls = todo.pop()
        todo += cls.__subclasses__()
        if cls.__module__.startswith(lupus_provider.__name__) and cls not in (LupusError, Terminal, Transient):
            found.append(cls)
    return found


def test_every_error_is_terminal_or_transient_and_not_both():
    assert len(classes()) > 15
    assert [cls for cls in classes() if issubclass(cls, Terminal) == issubclass(cls, Transient)] == []


def test_every_error_says_in_its_docstring_what_it_is():
    assert [cls for cls in classes() if not (cls.__doc__ or "").strip() or cls.__doc__ == cls.__base__.__doc__] == []


def test_every_error_is_named_as_one():
    assert [cls.__name__ for cls in classes() if not cls.__name__.endswith("Error")] == []
