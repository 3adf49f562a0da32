"""Metrics of classifiers from predicted and true labels: how often each label is right, and how often it is found.

All of them come from the number of rows of each pair of labels, so one aggregation serves them. Labels are compared as text. Where both
labels are known, for label l: tp = rows that have l on both sides, predicted = rows predicted as l, actual = rows whose label is l.
"""

# ruff: noqa: D102  (`of_counts` is documented once, in `metrics.base`)

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from lupus_provider.metrics.base import (
    Counts,
    CountsMetric,
    Family,
    Floats,
    Kind,
    Over,
    Role,
    Shape,
    Unit,
    Values,
    Worse,
    ratio,
)
from lupus_provider.metrics.registry import register
from lupus_provider.metrics.tally import Tally, tally

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lupus_provider.metrics.base import Texts

ARROW = "→"
MAX_ENTITIES = 1_000
"""Labels a group that metrics per label keep, where the measure says no `max_entities`."""


def _precision(tp: Floats, predicted: Floats, actual: Floats) -> Floats:
    del actual
    return ratio(tp, predicted)


def _recall(tp: Floats, predicted: Floats, actual: Floats) -> Floats:
    del predicted
    return ratio(tp, actual)


def _f1(tp: Floats, predicted: Floats, actual: Floats) -> Floats:
    return ratio(2 * tp, predicted + actual)


def _limit(parameters: dict[str, float]) -> int:
    return int(parameters.get("max_entities", MAX_ENTITIES))


def _known(texts: Texts) -> NDArray[np.bool_]:
    return np.not_equal(texts, np.array(None, object)).astype(bool)


def _judged(counts: Counts) -> Floats:
    """Rows of each pair where both labels are known; 0 for the other pairs."""
    both = _known(counts["predicted"]) & _known(counts["label"])
    return np.where(both, counts["count"], 0).astype(float)


def _by_label(counts: Counts) -> Tally:
    """Sum up tp, predicted, actual of each label that occurs on either side, where both sides are known."""
    both = _judged(counts) > 0
    group, count = counts.group[both], counts["count"][both].astype(float)
    predicted, label = counts["predicted"][both], counts["label"][both]
    hit = np.where(predicted == label, count, 0.0)
    nothing = np.zeros(len(count))
    return tally(
        counts.n_groups,
        np.concatenate([group, group]),
        np.concatenate([predicted, label]),
        [np.concatenate([hit, nothing]), np.concatenate([count, nothing]), np.concatenate([nothing, count])],
    )


class _OfLabels(CountsMetric):
    """What metrics of two labels share."""

    family = Family.CLASSIFICATION
    over = Over.LABELS
    shape = Shape.PAIRED
    roles = (Role("prediction", Kind.DISCRETE), Role("label", Kind.DISCRETE))
    unit = Unit.RATIO
    bounds = (0, 1)
    worse = Worse.LOWER


class _SideCount(_OfLabels):
    """Rows of each label on one side, whether or not the other side is known."""

    unit = Unit.COUNT
    bounds = (0, np.inf)
    worse = Worse.UNKNOWN
    per_entity = True
    side: ClassVar[str]

    def of_counts(self, counts: Counts, **parameters: float) -> Values:
        there = _known(counts[self.side])
        count = counts["count"][there].astype(float)
        found = tally(counts.n_groups, counts.group[there], counts[self.side][there], [count])
        found = found.largest(_limit(parameters), found.sums[0])
        return Values(found.sums[0], found.total(found.sums[0])[found.group], found.group, found.entity)


@register
class LabelCount(_SideCount):
    """Rows of each true label, predicted or not; null is no label."""

    name = "label_count"
    side = "label"


@register
class PredictedCount(_SideCount):
    """Rows of each predicted label, whether or not the truth is known; null is no label."""

    name = "predicted_count"
    side = "predicted"


@register
class Confusion(_OfLabels):
    r"""Rows of each pair of labels where both are known, entity `label → predicted`.

    An arrow inside a label is written `\→`, so that no two pairs share a name. Pairs beyond `max_entities` are one entity `…other`.
    """

    name = "confusion"
    unit = Unit.COUNT
    bounds = (0, np.inf)
    worse = Worse.UNKNOWN
    per_entity = True

    def of_counts(self, counts: Counts, **parameters: float) -> Values:
        both = _judged(counts) > 0
        names = [
            f"{_escaped(label)} {ARROW} {_escaped(predicted)}"
            for label, predicted in zip(counts["label"][both], counts["predicted"][both])
        ]
        count = counts["count"][both].astype(float)
        found = tally(counts.n_groups, counts.group[both], np.array(names, object), [count])
        found = found.largest(_limit(parameters), found.sums[0])
        return Values(found.sums[0], found.total(found.sums[0])[found.group], found.group, found.entity)


def _escaped(label: str) -> str:
    return label.replace("\\", "\\\\").replace(ARROW, f"\\{ARROW}")


@register
class Accuracy(_OfLabels):
    """Share of rows whose predicted label is the true one, among rows where both are known; undefined without such rows.

    Source: scikit-learn `accuracy_score`.
    """

    name = "accuracy"

    def of_counts(self, counts: Counts, **_: float) -> Values:
        judged = _judged(counts)
        n_rows = counts.total(judged)
        hits = counts.total(np.where(counts["predicted"] == counts["label"], judged, 0.0))
        return Values(ratio(hits, n_rows), n_rows)


@register
class LabelCoverage(_OfLabels):
    """Share of rows whose true label is known: labels that come late are missing at first. Undefined without rows."""

    name = "label_coverage"

    def of_counts(self, counts: Counts, **_: float) -> Values:
        labelled = counts.total(np.where(_known(counts["label"]), counts["count"], 0))
        return Values(ratio(labelled, counts.rows), counts.rows)


class _OfScore(_OfLabels):
    """What the scores per label and their averages share."""

    @staticmethod
    @abstractmethod
    def score(tp: Floats, predicted: Floats, actual: Floats) -> Floats:
        """Score of labels, NaN where undefined."""


class _PerLabel(_OfScore):
    """A score of each label; labels beyond `max_entities` are scored together, as the entity `…other`."""

    per_entity = True

    def of_counts(self, counts: Counts, **parameters: float) -> Values:
        labels = _by_label(counts)
        labels = labels.largest(_limit(parameters), labels.sums[1] + labels.sums[2])
        tp, predicted, actual = labels.sums
        return Values(
            self.score(tp, predicted, actual), self.behind(tp, predicted, actual), labels.group, labels.entity
        )

    @staticmethod
    def behind(tp: Floats, predicted: Floats, actual: Floats) -> Floats:
        """Rows that the score of a label stands on."""
        return predicted + actual - tp


class _Macro(_OfScore):
    """Unweighted mean of a score over the labels that occur on either side; a label whose score is undefined counts as 0."""

    def of_counts(self, counts: Counts, **_: float) -> Values:
        labels = _by_label(counts)
        tp, predicted, actual = labels.sums
        scores = np.nan_to_num(self.score(tp, predicted, actual))
        return Values(ratio(labels.total(scores), labels.total(np.ones(len(scores)))), labels.total(actual))


class _Weighted(_OfScore):
    """Mean of a score over the labels, weighted by the rows of each true label; an undefined score counts as 0."""

    def of_counts(self, counts: Counts, **_: float) -> Values:
        labels = _by_label(counts)
        tp, predicted, actual = labels.sums
        scores, n_rows = np.nan_to_num(self.score(tp, predicted, actual)), labels.total(actual)
        return Values(ratio(labels.total(scores * actual), n_rows), n_rows)


class _Micro(_OfScore):
    """A score of all labels' sums together; as every row has one label, it equals the accuracy."""

    def of_counts(self, counts: Counts, **_: float) -> Values:
        labels = _by_label(counts)
        tp, predicted, actual = (labels.total(one) for one in labels.sums)
        return Values(self.score(tp, predicted, actual), actual)


@register
class Precision(_PerLabel):
    """Precision of each label: tp / predicted. Undefined, not 0, where the label was never predicted.

    Source: scikit-learn `precision_score(average=None, zero_division=nan)`, over the labels that occur on either side.
    """

    name = "precision"
    score = staticmethod(_precision)

    @staticmethod
    def behind(tp: Floats, predicted: Floats, actual: Floats) -> Floats:
        del tp, actual
        return predicted


@register
class Recall(_PerLabel):
    """Recall of each label: tp / actual. Undefined, not 0, where no row has the label.

    Source: scikit-learn `recall_score(average=None, zero_division=nan)`, over the labels that occur on either side.
    """

    name = "recall"
    score = staticmethod(_recall)

    @staticmethod
    def behind(tp: Floats, predicted: Floats, actual: Floats) -> Floats:
        del tp, predicted
        return actual


@register
class F1(_PerLabel):
    """F1 of each label: 2 tp / (predicted + actual), the harmonic mean of precision and recall; 0 where tp is 0.

    Source: scikit-learn `f1_score(average=None)`.
    """

    name = "f1"
    score = staticmethod(_f1)


@register
class PrecisionMacro(_Macro):
    """Mean precision of the labels; a label that was never predicted counts as 0, as in scikit-learn (`zero_division=0`)."""

    name = "precision_macro"
    score = staticmethod(_precision)


@register
class RecallMacro(_Macro):
    """Mean recall of the labels; a label that no row has counts as 0, as in scikit-learn (`zero_division=0`)."""

    name = "recall_macro"
    score = staticmethod(_recall)


@register
class F1Macro(_Macro):
    """Mean F1 of the labels, as in scikit-learn: not the F1 of the mean precision and recall."""

    name = "f1_macro"
    score = staticmethod(_f1)


@register
class PrecisionMicro(_Micro):
    """Precision of all labels together: the accuracy, as every row has one label."""

    name = "precision_micro"
    score = staticmethod(_precision)


@register
class RecallMicro(_Micro):
    """Recall of all labels together: the accuracy, as every row has one label."""

    name = "recall_micro"
    score = staticmethod(_recall)


@register
class F1Micro(_Micro):
    """F1 of all labels together: the accuracy, as every row has one label."""

    name = "f1_micro"
    score = staticmethod(_f1)


@register
class PrecisionWeighted(_Weighted):
    """Mean precision weighted by the rows of each true label; a label that was never predicted counts as 0."""

    name = "precision_weighted"
    score = staticmethod(_precision)


@register
class RecallWeighted(_Weighted):
    """Mean recall weighted by the rows of each true label: the accuracy."""

    name = "recall_weighted"
    score = staticmethod(_recall)


@register
class F1Weighted(_Weighted):
    """Mean F1 weighted by the rows of each true label."""

    name = "f1_weighted"
    score = staticmethod(_f1)
