"""Registries of the shelves: a dict with a decorator, read-only from outside.

Heavy entries are strings resolved on first use, so that listing a shelf imports none of its libraries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Any, TypeVar

from lupus_provider.errors import DuplicateNameError, MissingExtraError, UnknownNameError

T = TypeVar("T")


class Registry(Mapping[str, T]):
    """Name → object, for one shelf.

    Examples
    --------
    >>> shapes: Registry[type] = Registry("shape")
    >>> @shapes.register("square")
    ... class Square: ...
    >>> shapes["square"] is Square
    True
    """

    def __init__(self, shelf: str) -> None:
        self.shelf = shelf
        self._items: dict[str, T] = {}
        self._lazy: dict[str, tuple[str, str]] = {}

    def register(self, name: str) -> Callable[[Any], Any]:
        """Return a decorator that puts its object on the shelf under `name`; refuses a taken name (DuplicateNameError)."""

        def put(item: Any) -> Any:
            self._refuse_taken(name)
            self._items[name] = item
            return item

        return put

    def lazy(self, name: str, target: str, extra: str) -> None:
        """Put `module:Class` on the shelf unopened; `extra` is what pip must install where its import fails."""
        self._refuse_taken(name)
        self._lazy[name] = (target, extra)

    def _refuse_taken(self, name: str) -> None:
        if name in self._items or name in self._lazy:
            raise DuplicateNameError(self.shelf, name)

    def __getitem__(self, name: str) -> T:
        if name in self._items:
            return self._items[name]
        if name not in self._lazy:
            raise UnknownNameError(self.shelf, name, list(self))
        target, extra = self._lazy[name]
        module, _, attribute = target.partition(":")
        try:
            self._items[name] = getattr(import_module(module), attribute)
        except ImportError as err:
            raise MissingExtraError(f"{self.shelf} {name!r}", extra) from err  # noqa: TRY003  (a name, not a message)
        return self._items[name]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted({*self._items, *self._lazy}))

    def __len__(self) -> int:
        return len({*self._items, *self._lazy})
