"""Names and numbers as a message shows them.

Names come out of other people's tables, so a message must not let one forge a line or turn the reading direction.
"""

from __future__ import annotations

import math
import unicodedata

LONGEST = 200
"""Characters of a name that are shown."""

_TURNS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that turn the reading direction of what follows."""
_UNSAFE = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Control characters, halves of pairs, line and paragraph separators."""


def one_line(text: str) -> str:
    r"""Return text on one line: what is no visible character shows as `�`; what is too long ends in `…`.

    Examples
    --------
    >>> one_line("JP\nOwner: somebody else")
    'JP�Owner: somebody else'
    """
    shown = "".join("�" if unicodedata.category(c) in _UNSAFE or c in _TURNS else c for c in text)
    return shown if len(shown) <= LONGEST else shown[: LONGEST - 1] + "…"


def number(value: float | None) -> str:
    """Return a number for people: four significant digits, from a thousand on whole with thousands marked.

    Examples
    --------
    >>> number(0.51234), number(123456.0), number(None)
    ('0.5123', '123,456', 'no value')
    """
    if value is None:
        return "no value"
    if 1_000 <= abs(value) < 1e15 and math.isfinite(value):
        return f"{value:,.0f}"
    return f"{value:.4g}"
