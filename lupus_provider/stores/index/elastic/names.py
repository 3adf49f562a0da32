"""Names of the indices: `<prefix>-<room>-v<format>-<suffix>` behind the alias `<prefix>-<room>`.

Everybody reads and writes through the aliases, so that a rebuild swaps a whole set of indices in one request.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass

FORMAT = 2
SERIES, POINTS, BANDS, ANOMALIES, STATE = "series", "points", "bands", "anomalies", "state"
CONTENT = (SERIES, POINTS, BANDS, ANOMALIES)
"""Rooms that a rebuild fills anew."""
ROOMS = (*CONTENT, STATE)


@dataclass(frozen=True, slots=True)
class Names:
    """Names of one set of indices."""

    prefix: str
    rebuild: bool = False
    """The set that a rebuild fills while the other one serves."""

    def __getitem__(self, room: str) -> str:
        """Alias of a room."""
        return f"{self.prefix}-{room}-next" if self.rebuild and room != STATE else f"{self.prefix}-{room}"

    def index(self, room: str, suffix: str) -> str:
        """Name of an index behind the alias."""
        return f"{self.prefix}-{room}-v{FORMAT}-{suffix}"

    def lock(self, metric_set: str) -> str:
        """Id of a metric set's lock: loads into the serving set and into a rebuilt one do not wait for each other."""
        return f"{'next' if self.rebuild else 'load'}|{metric_set}"

    def owned(self, index: str) -> tuple[str, int] | None:
        """Room and format of an index of this prefix; None for anybody else's."""
        found = re.fullmatch(rf"{re.escape(self.prefix)}-({'|'.join(ROOMS)})-v(\d+)-[0-9a-z]+", index)
        return (found[1], int(found[2])) if found else None


def new_suffix() -> str:
    """Suffix that no other set of indices has."""
    return secrets.token_hex(5)


def set_key(project: str, metric_set: str) -> str:
    """Routing of all documents of a metric set: they lie in one shard, so one search sees one state of them."""
    return f"{project}/{metric_set}"


def state_id(key: str, month: int) -> str:
    """Id of the document that says which slots of a metric set's month are valid."""
    return f"state|{key}|{month}"


def set_id(key: str) -> str:
    """Id of the document about a metric set."""
    return f"set|{key}"
