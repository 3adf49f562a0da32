"""Draws docs/images/detectors/<name>.svg: what each detector of the shelf says of a generated series.

Run `python docs/make_detector_pictures.py [name …]`; a detector without a scene of its own is drawn on the usual one, so a new
detector needs nothing here. `prophet` is left as it is where its package is not installed.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lupus_provider.detectors import DETECTORS, Detector, Judgement, Outcome, Panel, SeriesInfo
from lupus_provider.errors import MissingExtraError
from lupus_provider.testing.detectors import make_panel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

FOLDER = Path(__file__).parent / "images" / "detectors"
WIDTH, HEIGHT, EDGE = 760, 190, 12
SHOWN = 90
INK, BAND, LINE, ALARM = "#334155", "#cbd5e1", "#94a3b8", "#dc2626"


@dataclass(frozen=True)
class Scene:
    """What is judged, by which parameters, and which of the series is drawn."""

    detector: Detector
    panel: Panel
    row: int = 0


def usual(t: int = 240, seed: int = 4) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return 100 + np.tile([4.0, 6, 7, 6, 3, -12, -14], t // 7 + 1)[:t] + 1.5 * rng.normal(size=t)


def days(value: np.ndarray, series: list[SeriesInfo] | None = None) -> Panel:
    return make_panel(value, series=series, start="2024-01-01")


def troubled(detector: Detector) -> Scene:
    """The usual scene: a spike, a dip, a missing day, and a shift that stays."""
    value = usual()
    value[[170, 205]] += [28, -30]
    value[190] = np.nan
    value[222:] += 16
    return Scene(detector, days(value))


def limits() -> Scene:
    rng = np.random.default_rng(2)
    value = np.clip(0.04 + 0.02 * rng.normal(size=240), 0, 1)
    value[[188, 214, 215]] = [0.16, 0.13, 0.19]
    return Scene(DETECTORS["threshold"](max=0.12), days(value))


def sunday() -> Scene:
    value = usual()
    value[209] = 105.0
    return Scene(DETECTORS["periodic"](), days(value))


def slope() -> Scene:
    value = usual()
    value[190:] += 0.9 * np.arange(50)
    return Scene(DETECTORS["trend"](), days(value))


def outage() -> Scene:
    value = np.where(np.arange(240) % 7 < 5, usual(), np.nan)
    value[[177, 204, 205]] = np.nan
    return Scene(DETECTORS["missing"](), days(value))


def groups(name: str, present: slice) -> Scene:
    value = np.full((2, 240), np.nan)
    value[0], value[1, present] = usual(), usual(seed=9)[present]
    series = [SeriesInfo(place, "", "row_count", None, {"region": place}) for place in ("JP", "TW")]
    return Scene(DETECTORS[name](), days(value, series), row=1)


def joint() -> Scene:
    rng = np.random.default_rng(1)
    value = usual() + 4 * rng.normal(size=240) + 0.4 * rng.normal(size=(3, 240))
    value[1, 210] -= 5
    series = [SeriesInfo(name, "age", name) for name in ("avg", "p50", "p75")]
    return Scene(DETECTORS["mahalanobis"](), days(value, series), row=1)


SCENES: dict[str, Callable[[], Scene]] = {
    "window": lambda: troubled(DETECTORS["window"](same_weekday=True, window=8)),
    "threshold": limits, "periodic": sunday, "trend": slope, "missing": outage, "mahalanobis": joint,
    "new_group": lambda: groups("new_group", slice(190, None)), "vanished_group": lambda: groups("vanished_group", slice(0, 200)),
}  # fmt: skip


def draw(scene: Scene) -> str:
    t = scene.panel.value.shape[1]
    judged = slice(t - SHOWN, t)
    judgement = scene.detector.detect(scene.panel, judged)
    value = scene.panel.observed[scene.row, judged]
    lower, upper, expected = (edge[scene.row] for edge in (judgement.lower, judgement.upper, judgement.expected))
    stack = np.concatenate([value, *(edge[np.isfinite(edge)] for edge in (lower, upper, expected))])
    low, high = np.nanmin(stack), np.nanmax(stack)
    down = lambda y: HEIGHT - EDGE - (np.clip(y, low, high) - low) / (high - low) * (HEIGHT - 2 * EDGE)  # noqa: E731
    x = EDGE + np.arange(SHOWN) / (SHOWN - 1) * (WIDTH - 2 * EDGE)
    parts = [f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>']
    lower, upper = (np.where(np.isinf(edge), far, edge) for edge, far in ((lower, low), (upper, high)))
    for run in runs(np.isfinite(lower) & np.isfinite(upper)):
        points = [*zip(x[run], down(upper[run]), strict=True), *zip(x[run][::-1], down(lower[run])[::-1], strict=True)]
        parts.append(f'<polygon points="{spell(points)}" fill="{BAND}" fill-opacity="0.6"/>')
    for curve, colour, width in ((expected, LINE, 1), (value, INK, 1.6)):
        for run in runs(np.isfinite(curve)):
            points = spell(zip(x[run], down(curve[run]), strict=True))
            parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="{width}"/>')
    parts += marks(judgement, scene.row, x, np.where(np.isfinite(value), down(value), HEIGHT - EDGE))
    title = f"{scene.detector.detector}: value, expected value and band of {SHOWN} days; anomalies in red"
    body = "\n".join(parts)
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"><title>{title}</title>\n{body}\n</svg>\n'


def marks(judgement: Judgement, row: int, x: np.ndarray, y: np.ndarray) -> list[str]:
    found = np.flatnonzero(judgement.outcome[row] == Outcome.ANOMALY)
    parts = [f'<circle cx="{x[i]:.1f}" cy="{y[i]:.1f}" r="4" fill="{ALARM}"/>' for i in found]
    for i in found:
        if i - 1 not in found:
            side = 'text-anchor="end"' if x[i] > WIDTH - 90 else 'text-anchor="start"'
            parts.append(
                f'<text x="{x[i]:.1f}" y="{max(y[i] - 7, 12):.1f}" {side} font-family="sans-serif" font-size="11" fill="{ALARM}">'
                f"{judgement.kind[row, i].replace('_', ' ')}</text>"
            )
    return parts


def runs(has: np.ndarray) -> list[np.ndarray]:
    places = np.flatnonzero(has)
    return [run for run in np.split(places, np.flatnonzero(np.diff(places) > 1) + 1) if len(run)]


def spell(points: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{a:.1f},{b:.1f}" for a, b in points)


def main(names: list[str]) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in names or list(DETECTORS):
        try:
            scene = SCENES[name]() if name in SCENES else troubled(DETECTORS[name]())
            (FOLDER / f"{name}.svg").write_text(draw(scene))
        except MissingExtraError as err:
            print(f"{name}: left as it is. {err}")


if __name__ == "__main__":
    main(sys.argv[1:])
