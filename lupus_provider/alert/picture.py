"""A small picture of series with their bands and anomalies, for a backtest or a chat message.

Drawn by matplotlib, which is optional: a message goes out without its picture, a backtest says what to install.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lupus_provider.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import IO

LINE, BAND, FLAG, EXPECTED = "#1f5fa8", "#c9daf0", "#c62828", "#7a8aa0"
WIDTH, ROW = 9.0, 2.0
"""Inches of the picture, and of each series."""


@dataclass(frozen=True, slots=True)
class Strip:
    """One series of a picture; all arrays have shape (t,)."""

    title: str
    at: np.ndarray
    """Instants or numbers of the axis."""
    value: np.ndarray
    expected: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    strange: np.ndarray
    """Where it is flagged, bool."""


def draw(strips: Sequence[Strip], target: Path | IO[bytes], form: str = "png") -> None:
    """Draw series below each other.

    Parameters
    ----------
    target
        File or stream to write.
    form
        `png` or `svg`.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as err:
        raise MissingExtraError("A picture of series", "pictures") from err  # noqa: TRY003  (a name, not a message)
    figure = Figure(figsize=(WIDTH, ROW * len(strips)), layout="constrained")
    axes = figure.subplots(len(strips), 1, squeeze=False)[:, 0]
    for place, strip in zip(axes, strips, strict=True):
        _strip(place, strip)
    figure.savefig(target, format=form, dpi=110)


def _strip(place: Any, strip: Strip) -> None:
    place.fill_between(strip.at, *_visible_band(strip), color=BAND, linewidth=0)
    place.plot(strip.at, strip.expected, color=EXPECTED, linewidth=0.8, linestyle="--")
    place.plot(strip.at, strip.value, color=LINE, linewidth=1.1)
    place.scatter(strip.at[strip.strange], np.nan_to_num(strip.value[strip.strange]), color=FLAG, s=18, zorder=3)
    place.set_title(strip.title, loc="left", fontsize=9, parse_math=False)
    place.tick_params(labelsize=8)
    place.spines[["top", "right"]].set_visible(False)


def _visible_band(strip: Strip) -> tuple[np.ndarray, np.ndarray]:
    """Return the band cut to the surroundings of the values: an edge at infinity must not flatten the line."""
    shown = np.concatenate([strip.value[np.isfinite(strip.value)], strip.expected[np.isfinite(strip.expected)]])
    low, high = (shown.min(), shown.max()) if len(shown) else (0.0, 1.0)
    margin = 0.5 * (high - low) or 1.0
    return np.clip(strip.lower, low - margin, high + margin), np.clip(strip.upper, low - margin, high + margin)
