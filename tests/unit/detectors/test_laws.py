from __future__ import annotations

import json
from typing import Literal

import numpy as np
import pytest
from pydantic import TypeAdapter

from lupus_provider.detectors import (
    DETECTORS,
    Detector,
    Judgement,
    Mahalanobis,
    Missing,
    NewGroup,
    Outcome,
    Panel,
    Periodic,
    Prophet,
    Seasonal,
    SeasonalHybridEsd,
    Threshold,
    Trend,
    VanishedGroup,
    Window,
)
from lupus_provider.testing import check_detector
from lupus_provider.testing.detectors import judge_all, make_panel, panel_of_troubles

STATED = ("short", "unit")
"""Laws that limits do not have which somebody stated in the metric's unit."""
TRIED = [
    (Threshold(min=0), STATED), (Threshold(max=0.15), STATED), (Threshold(min=-5, max=60), STATED),
    (Threshold(max=2, of="row_count", per_group=[{"group_key": {"place": "0"}, "min": 0}]), STATED),
    (Window(), ()), (Window(centre="mean", window=14), ()), (Window(ratio=0.5), ()), (Window(difference=3), ("unit",)),
    (Window(same_weekday=True, window=6, deviations=3), ()),
    (Periodic(), ()), (Periodic(change="ratio", seasons=1), ()), (Trend(), ()), (Trend(window=12, previous=12), ()),
    (Mahalanobis(), ()), (Mahalanobis(across_columns=True, season_length=1, window=30, least_periods=14), ()),
    (Prophet(), ()), (Prophet(refit_every=3, window=40, holidays="US", seasonality_mode="multiplicative"), ()),
    (Seasonal(), ()), (Seasonal(holidays="US"), ()), (Seasonal(season_length=1), ()), (SeasonalHybridEsd(), ()),
    (Missing(), ("short",)), (Missing(patience=2, least_seasons=1, seasons=2), ("short",)),
    (NewGroup(), ("short",)), (NewGroup(least_history=3, forgotten_after=3), ("short",)),
    (VanishedGroup(), ("short",)), (VanishedGroup(least_gap=1, least_history=2), ("short",)),
]  # fmt: skip
CASES = [pytest.param(*tried, id=tried[0].key) for tried in TRIED]


@pytest.mark.parametrize(("detector", "without"), CASES)
@pytest.mark.parametrize("seed", [0, 1])
def test_every_detector_keeps_the_laws(detector: Detector, without: tuple, seed: int) -> None:
    check_detector(detector, panel_of_troubles(seed), without=without)


@pytest.mark.parametrize("detector", [detector for detector, _ in TRIED], ids=lambda detector: detector.key)
def test_every_detector_keeps_the_laws_where_series_come_and_go(detector: Detector) -> None:
    rng = np.random.default_rng(3)
    value = np.where(rng.random((8, 70)) < 0.5, np.nan, 20 + rng.normal(size=(8, 70)))
    value[4:, :35] = np.nan
    check_detector(detector, make_panel(value), without=("short", "unit", "quiet"))


@pytest.mark.parametrize("period", ["hour", "week", "month"])
@pytest.mark.parametrize(
    "detector",
    [
        Window(),
        Seasonal(season_length=4),
        Missing(),
        Periodic(),
        Trend(window=12, previous=12),
        Mahalanobis(),
        Prophet(),
        NewGroup(),
    ],
    ids=lambda detector: detector.detector,
)
def test_the_laws_hold_for_periods_other_than_a_day(
    detector: Detector, period: Literal["hour", "week", "month"]
) -> None:
    panel = make_panel(np.random.default_rng(0).normal(size=(3, 70)), period=period)
    check_detector(detector, panel, without=("short", "unit", "quiet"))


def test_every_detector_on_the_shelf_is_tried() -> None:
    assert {detector.detector for detector, _ in TRIED} == set(DETECTORS)
    assert all(DETECTORS[name].model_fields["detector"].default == name for name in DETECTORS)


@pytest.mark.parametrize("name", list(DETECTORS))
def test_every_parameter_is_documented_in_the_schema(name: str) -> None:
    fields = json.loads(json.dumps(DETECTORS[name].json_fields()))["properties"]
    undocumented = [field for field, schema in fields.items() if field != "detector" and not schema.get("description")]
    assert undocumented == []


def test_the_shelf_is_a_union_that_the_name_tells_apart() -> None:
    union = TypeAdapter(Threshold | Window | Seasonal | Missing)
    assert union.validate_python({"detector": "seasonal", "false_alarms_per_series_year": 2}) == Seasonal(
        false_alarms_per_series_year=2
    )


class Peeking(Threshold):
    """Looks at the whole series."""

    def detect(self, panel: Panel, judged: slice) -> Judgement:
        judgement = super().detect(panel, judged)
        judgement.upper[:] = 1e301 * (1 + np.isfinite(panel.value).sum(axis=1, keepdims=True))
        return judgement


class Comparing(Threshold):
    """Judges a series by its neighbours."""

    def detect(self, panel: Panel, judged: slice) -> Judgement:
        judgement = super().detect(panel, judged)
        judgement.score[:] = 1 / (1 + len(panel))
        return judgement


class Scribbling(Threshold):
    """Writes into its input."""

    def detect(self, panel: Panel, judged: slice) -> Judgement:
        panel.value[:] = 0.0
        return super().detect(panel, judged)


class Contradicting(Threshold):
    """Flags nothing but keeps its band."""

    def detect(self, panel: Panel, judged: slice) -> Judgement:
        judgement = super().detect(panel, judged)
        judgement.outcome[judgement.outcome == Outcome.ANOMALY] = Outcome.NORMAL
        judgement.kind[:] = ""
        return judgement


class Soothing(Threshold):
    """Calls nothing normal."""

    def detect(self, panel: Panel, judged: slice) -> Judgement:
        judgement = super().detect(panel, judged)
        judgement.outcome[judgement.outcome == Outcome.NO_DATA] = Outcome.NORMAL
        return judgement


class Scaling(Window):
    """Has a limit in somebody's unit and does not say so."""

    def detect(self, panel: Panel, judged: slice) -> Judgement:
        return Window(difference=4, least_values=self.least_values).detect(panel, judged)


class Hasty(Window):
    """Calls normal what is too short."""

    def detect(self, panel: Panel, judged: slice) -> Judgement:
        judgement = super().detect(panel, judged)
        judgement.outcome[judgement.outcome == Outcome.TOO_SHORT] = Outcome.NORMAL
        return judgement


@pytest.mark.parametrize(
    ("breaker", "law"),
    [
        (Peeking(max=1e301), "looks ahead"), (Comparing(max=1e301), "when it is alone"), (Scribbling(max=1e301), "changed the panel"),
        (Contradicting(max=0.5), "anomaly and band disagree"), (Soothing(max=1e301), "called nothing normal"),
        (Scaling(), "depends on the unit"), (Hasty(), "judges a series of 1 periods"),
    ],
    ids=["peeking", "comparing", "scribbling", "contradicting", "soothing", "scaling", "hasty"],
)  # fmt: skip
def test_a_detector_that_breaks_a_law_is_told_which(breaker: Detector, law: str) -> None:
    with pytest.raises(AssertionError, match=law):
        check_detector(breaker)


@pytest.mark.parametrize("detector", [detector for detector, _ in TRIED], ids=lambda detector: detector.key)
def test_a_constant_series_inside_its_bounds_is_never_an_anomaly(detector: Detector) -> None:
    outcome = judge_all(detector, make_panel(np.full((1, 200), 0.1))).outcome
    assert not (outcome == Outcome.ANOMALY).any()
