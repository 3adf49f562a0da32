"""What goes wrong between a history and its catalogue beyond one statement; in the style of `lupus_provider.errors`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lupus_provider.errors import Transient

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from lupus_provider.errors import LupusError


class DaysUntoldError(Transient):
    """A catalogue was told of some days and not of others; who notes what it knows notes the rest."""

    def __init__(self, catalog: str, untold: Mapping[date, LupusError], n_told: int) -> None:
        self.catalog, self.untold, self.n_told = catalog, dict(untold), n_told
        day, first = next(iter(sorted(self.untold.items())))
        super().__init__(
            f"catalogue {catalog} was told of {n_told} days and not of {len(self.untold)}; {day}: {first} Other days go on."
        )
