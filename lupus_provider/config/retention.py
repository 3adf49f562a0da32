"""How long records are kept: for ever, unless the project file says an age.

Ages are counted so that nothing goes early: a year is 366 days, and a period goes when all of it is older.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from lupus_provider.config.parts import Model

_AGE = re.compile(r"(?P<number>[0-9]{1,5}) ?(?P<unit>[dwy])")
_DAYS = {"d": 1, "w": 7, "y": 366}


def _age(given: Any) -> Any:
    if isinstance(given, timedelta):
        return given
    match = _AGE.fullmatch(given.strip()) if isinstance(given, str) else None
    if match is not None:
        return timedelta(days=int(match["number"]) * _DAYS[match["unit"]])
    if isinstance(given, str) and given.startswith("P"):  # ISO 8601, as a project is written into JSON
        return given
    raise ValueError(f"{given!r} is not an age. Write a number and a unit of days, weeks or years: 400d, 52w, 3y")


def _at_least_a_day(age: timedelta) -> timedelta:
    if age < timedelta(days=1):
        raise ValueError("an age is at least a day")
    return age


Age = Annotated[
    timedelta,
    AfterValidator(_at_least_a_day),
    BeforeValidator(_age, json_schema_input_type=str),
    Field(examples=["400d", "52w", "3y"]),
]


class Retention(Model):
    """How long records are kept; without an age for ever. `lupus expire` drops what is older."""

    history: Age | None = None
    """Age at which the complete record goes, such as `3y`; what drift is compared with stays."""
    index: Age | None = None
    """Age at which the page forgets, such as `400d`; the index can be rebuilt from the history as far as that goes back."""

    def under(self, own: Retention | None) -> Retention:
        """Return this with what a metric set says of its own instead, key by key."""
        said = {} if own is None else {name: getattr(own, name) for name in own.model_fields_set}
        return self.model_copy(update=said)
