"""Metrics of classifiers from scores: the probability that a row has the positive label, against whether it has.

With several classes each label is scored against the rest (one-vs-rest), and the label is the entity. Rows whose score or label is unknown
are left out. For row i: s = score, y = 1 where the label is the positive one, else 0; n rows, P of them positive, N = n - P negative.
"""

# ruff: noqa: D102  (`state` and `finish` are documented once, in `metrics.base`)

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from lupus_provider.metrics.base import Family, Floats, Kind, NumberMetric, Over, Primitive, Role, Unit, Worse, ratio
from lupus_provider.metrics.registry import register

if TYPE_CHECKING:
    from collections.abc import Mapping

CALIBRATION_BINS = 10
_ROWS = Primitive("count", of="positive")
_POSITIVES = Primitive("sum", of="positive")


class _OfScores(NumberMetric):
    """What metrics of a score and a label share."""

    family = Family.CLASSIFICATION
    over = Over.SCORES
    roles = (Role("score", Kind.NUMERIC), Role("label", Kind.DISCRETE))
    unit = Unit.RATIO
    bounds = (0, 1)
    worse = Worse.LOWER
    stands_on = _ROWS


class _MeanLoss(_OfScores):
    """Mean of a loss over the rows; undefined without rows."""

    worse = Worse.HIGHER
    loss: ClassVar[str]

    @property
    def state(self) -> Mapping[str, Primitive]:
        return {"total": Primitive("sum", of=self.loss), "count": _ROWS}

    def finish(self, **state: Floats) -> Floats:
        return ratio(state["total"], state["count"])


@register
class LogLoss(_MeanLoss):
    """Mean of -ln of the probability given to what was true: -(1/n) sum of y ln s + (1 - y) ln(1 - s); natural logarithm.

    Probabilities are clipped to 2.2e-16 … 1 - 2.2e-16, so that one certain mistake costs 36, not infinity. Source: scikit-learn
    `log_loss` of two classes; with several classes it is that of each label against the rest.
    """

    name = "log_loss"
    unit = Unit.NONE
    bounds = (0, np.inf)
    loss = "log_loss"


@register
class Brier(_MeanLoss):
    """Mean squared distance between score and truth: (1/n) sum of (s - y)²; 0 is perfect.

    Source: scikit-learn `brier_score_loss` of two classes. Scores must be probabilities, else it can pass 1.
    """

    name = "brier"
    loss = "brier"


@register
class RocAuc(_OfScores):
    """Chance that a positive row scores higher than a negative one, ties count half: area under the ROC curve.

    (sum over positives of negatives below + half the negatives tied) / (P N). Undefined where all rows are of one side. Any scores do,
    only their order matters. Source: scikit-learn `roc_auc_score`; Hanley and McNeil 1982.
    """

    name = "roc_auc"

    @property
    def state(self) -> Mapping[str, Primitive]:
        return {"area": Primitive("auc_area"), "positives": _POSITIVES, "count": _ROWS}

    def finish(self, **state: Floats) -> Floats:
        return ratio(state["area"], 2 * state["positives"] * (state["count"] - state["positives"]))


@register
class AveragePrecision(_OfScores):
    """Mean over positive rows of the precision at their score, rows of one score together: (1/P) sum of precision.

    Undefined, not 0, without positive rows. Any scores do, only their order matters. Source: scikit-learn `average_precision_score`.
    """

    name = "average_precision"

    @property
    def state(self) -> Mapping[str, Primitive]:
        return {"precision": Primitive("precision_sum"), "positives": _POSITIVES}

    def finish(self, **state: Floats) -> Floats:
        return ratio(state["precision"], state["positives"])


@register
class Ece(_OfScores):
    """Expected calibration error: mean distance between score and share of positives, over 10 bins of equal width.

    (1/n) sum over bins b of |sum over rows of b of s - y|; bin b holds b/10 <= s < (b + 1)/10, the last one also 1. Undefined without
    rows. Scores outside 0…1 fall into the bins at the ends. Source: Naeini et al. 2015, Guo et al. 2017.
    """

    name = "ece"
    worse = Worse.HIGHER

    @property
    def state(self) -> Mapping[str, Primitive]:
        gaps = {f"gap_{b}": Primitive("sum", float(b), of="calibration_gap") for b in range(CALIBRATION_BINS)}
        return {**gaps, "count": _ROWS}

    def finish(self, **state: Floats) -> Floats:
        gaps = [
            np.abs(np.nan_to_num(state[f"gap_{b}"], posinf=np.inf, neginf=-np.inf)) for b in range(CALIBRATION_BINS)
        ]
        total = gaps[0]
        for gap in gaps[1:]:  # in order, so that every engine's bits are the same
            total = total + gap
        return ratio(total, state["count"])
