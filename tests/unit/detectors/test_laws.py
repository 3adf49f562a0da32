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
    Missing,
    Outcome,
    Panel,
    Seasonal,
    Threshold,
    Window,
)
from lupus_provider.testing.detectors import check_detector, judge_all, make_panel, panel_of_troubles

TRIED = [
    Threshold(min=0), Threshold(max=0.15), Threshold(min=-5, max=60),
    Window(), Window(centre="mean", window=14), Window(ratio=0.5), Window(same_weekday=True, window=6, deviations=3),
    Seasonal(), Seasonal(alarms_per_year=12, window=28, least_residuals=7), Seasonal(season_length=1), Seasonal(holidays="US"),
    Missing(), Missing(patience=2, least_seasons=1, seasons=2),
]  # fmt: skip


@pytest.mark.parametrize("detector", TRIED, ids=lambda detector: detector.key)
@pytest.mark.parametrize("seed", [0, 1])
def test_every_detector_keeps_the_laws(detector: Detector, seed: int) -> None:
    check_detector(detector, panel_of_troubles(seed))


@pytest.mark.parametrize("period", ["hour", "week", "month"])
@pytest.mark.parametrize(
    "detector", [Window(), Seasonal(season_length=4), Missing()], ids=lambda detector: detector.detector
)
def test_the_laws_hold_for_periods_other_than_a_day(
    detector: Detector, period: Literal["hour", "week", "month"]
) -> None:
    check_detector(detector, make_panel(np.random.default_rng(0).normal(size=(3, 70)), period=period))


def test_every_detector_on_the_shelf_is_tried() -> None:
    assert {detector.detector for detector in TRIED} == set(DETECTORS)
    assert all(DETECTORS[name].model_fields["detector"].default == name for name in DETECTORS)


@pytest.mark.parametrize("name", list(DETECTORS))
def test_every_parameter_is_documented_in_the_schema(name: str) -> None:
    fields = json.loads(json.dumps(DETECTORS[name].json_fields()))["properties"]
    undocumented = [field for field, schema in fields.items() if field != "detector" and not schema.get("description")]
    assert undocumented == []


def test_the_shelf_is_a_union_that_the_name_tells_apart() -> None:
    union = TypeAdapter(Threshold | Window | Seasonal | Missing)
    assert union.validate_python({"detector": "seasonal", "alarms_per_year": 2}) == Seasonal(alarms_per_year=2)


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


@pytest.mark.parametrize(
    ("breaker", "law"),
    [
        (Peeking(max=1e301), "looks ahead"), (Comparing(max=1e301), "when it is alone"), (Scribbling(max=1e301), "changed the panel"),
        (Contradicting(max=0.5), "anomaly and band disagree"), (Soothing(max=1e301), "called nothing normal"),
    ],
    ids=["peeking", "comparing", "scribbling", "contradicting", "soothing"],
)  # fmt: skip
def test_a_detector_that_breaks_a_law_is_told_which(breaker: Detector, law: str) -> None:
    with pytest.raises(AssertionError, match=law):
        check_detector(breaker)


@pytest.mark.parametrize("detector", TRIED, ids=lambda detector: detector.key)
def test_a_constant_series_inside_its_bounds_is_never_an_anomaly(detector: Detector) -> None:
    outcome = judge_all(detector, make_panel(np.full((1, 200), 0.1))).outcome
    assert not (outcome == Outcome.ANOMALY).any()
