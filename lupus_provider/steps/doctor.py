"""doctor: tries everything that the steps will need, and says of each thing whether it works and what to do.

One thing that fails never hides the others (tests/unit/steps/test_doctor.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from lupus_provider.errors import LupusError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

State = Literal["ok", "failed"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found out about one thing."""

    name: str
    state: State
    told: str
    """What was done and seen, or what is wrong and what to do."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to try."""

    name: str
    run: Callable[[], str]
    """Returns what was seen; raises what is wrong."""


def examine(checks: Iterable[Check]) -> Iterator[Finding]:
    """Run checks one after the other; yield each finding at once."""
    for check in checks:
        try:
            told = check.run()
        except (LupusError, OSError) as err:
            yield Finding(check.name, "failed", str(err))
        except Exception as err:  # noqa: BLE001  (a library's error is a finding, too, and the other checks still come)
            first = str(err).strip().splitlines() or [""]
            yield Finding(check.name, "failed", f"{type(err).__name__}: {first[0]}")
        else:
            yield Finding(check.name, "ok", told)
