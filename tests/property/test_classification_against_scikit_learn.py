"""Classification metrics against scikit-learn: the whole way from a table to points, and the formulas alone."""

from __future__ import annotations

import math
import warnings
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from sklearn import metrics as sk

from lupus_provider.metrics import Family, parse_metric
from lupus_provider.metrics.base import Counts
from lupus_provider.processors.classification import OF_LABELS, OF_SCORES, ClassificationProcessor

LABELS = ["cat", "dog", "", "日本", "e\u0301", "→", "…other"]
labels = st.one_of(st.none(), st.sampled_from(LABELS))
pairs = st.lists(st.tuples(labels, labels), max_size=40)
scores = st.one_of(
    st.sampled_from([0.0, 1.0, 0.5, 0.1, 0.3, 1e-300, 1 - 1e-16]), st.floats(0, 1, allow_subnormal=False)
)
unknown_scores = st.one_of(st.none(), st.just(math.nan), scores)
scored = st.lists(
    st.tuples(st.sampled_from(["a", "b", None]), unknown_scores, st.sampled_from(["yes", "no", None])), max_size=40
)
few = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
AVERAGED = {"precision": sk.precision_score, "recall": sk.recall_score, "f1": sk.f1_score}


def escaped(label):
    return "\\→" if label == "→" else label


def of_sklearn(name, rows):
    """Entity → value of rows (predicted, label); None is undefined."""
    judged = [row for row in rows if None not in row]
    predicted, truth = [row[0] for row in judged], [row[1] for row in judged]
    if name in ("label_count", "predicted_count"):
        side = name == "label_count"
        return dict(Counter(row[side] for row in rows if row[side] is not None))
    if name == "confusion":
        return {f"{escaped(t)} → {escaped(p)}": n for (p, t), n in Counter(judged).items()}
    if name == "label_coverage":
        return {None: sum(row[1] is not None for row in rows) / len(rows) if rows else None}
    head, _, average = name.partition("_")
    if not judged:
        return {} if not average and name != "accuracy" else {None: None}
    if name == "accuracy":
        return {None: sk.accuracy_score(truth, predicted)}
    if average:
        return {None: AVERAGED[head](truth, predicted, average=average, zero_division=0)}
    present = sorted({*predicted, *truth})
    values = AVERAGED[head](truth, predicted, labels=present, average=None, zero_division=np.nan)
    return {label: None if math.isnan(value) else value for label, value in zip(present, values)}


LABEL_METRICS = (
    *OF_LABELS,
    "precision_weighted",
    "recall_weighted",
    "f1_weighted",
    "precision_micro",
    "recall_micro",
    "f1_micro",
)


def close(found, wanted):
    assert found.keys() == wanted.keys()
    for entity, value in wanted.items():
        assert found[entity] == (None if value is None else pytest.approx(value, abs=5e-15, rel=5e-15)), entity


@settings(deadline=None)
@given(st.lists(pairs, min_size=1, max_size=3))
def test_formulas_over_labels(groups):
    rows = [
        (g, *pair, n) for g, group in enumerate(groups) for pair, n in Counter(group).items() if pair != (None, None)
    ]
    columns = {
        name: np.array([row[i + 1] for row in rows], kind)
        for i, (name, kind) in enumerate([("predicted", object), ("label", object), ("count", np.int64)])
    }
    counts = Counts(
        len(groups),
        np.array([row[0] for row in rows], np.int64),
        columns,
        np.array([len(group) for group in groups], float),
    )
    for name in LABEL_METRICS:
        values = parse_metric(name, Family.CLASSIFICATION).metric.of_counts(counts)
        group = np.arange(len(groups)) if values.group is None else values.group
        entity = [None] * len(groups) if values.entity is None else values.entity
        for g, members in enumerate(groups):
            found = {e: None if math.isnan(v) else v for i, e, v in zip(group, entity, values.value) if i == g}
            close(found, of_sklearn(name, members))


def primitive(p, s, y):
    """A primitive over scores `s` and truths `y` (0 or 1), from its definition."""
    if p.name == "auc_area":
        return sum(2 * (s[y == 0] < one).sum() + (s[y == 0] == one).sum() for one in s[y == 1])
    if p.name == "precision_sum":
        return math.fsum((y[s >= one] == 1).mean() for one in s[y == 1]) if (y == 1).any() else math.nan
    true_side = np.clip(np.where(y == 1, s, 1 - s), np.finfo(float).eps, 1 - np.finfo(float).eps)
    rows = {
        "positive": y.astype(float), "brier": (s - y) ** 2, "log_loss": -np.log(true_side),
        "calibration_gap": (s - y)[np.minimum(np.floor(10 * s), 9) == (p.argument or 0)],
    }[p.of]  # fmt: skip
    return len(rows) if p.name == "count" else math.fsum(rows) if len(rows) else math.nan


def ece(s, y):
    """Mean over bins of the distance of mean score and share of positives, weighted by rows: the definition."""
    place = np.minimum((10 * s).astype(int), 9)
    return sum(
        (place == b).mean() * abs(s[place == b].mean() - y[place == b].mean()) for b in range(10) if (place == b).any()
    )


def score_of_sklearn(name, s, y):
    if not len(y) or (name == "roc_auc" and len(set(y)) < 2) or (name == "average_precision" and not y.any()):
        return None
    if name == "ece":
        return ece(s, y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {
            "log_loss": lambda: sk.log_loss(y, s, labels=[0, 1]), "brier": lambda: sk.brier_score_loss(y, s, pos_label=1, labels=[0, 1]),
            "roc_auc": lambda: sk.roc_auc_score(y, s), "average_precision": lambda: sk.average_precision_score(y, s),
        }[name]()  # fmt: skip


@settings(deadline=None)
@given(st.lists(st.tuples(scores, st.booleans()), max_size=40))
def test_formulas_over_scores(rows):
    s, y = np.array([row[0] for row in rows], float), np.array([row[1] for row in rows], np.int64)
    for name in OF_SCORES:
        metric = parse_metric(name, Family.CLASSIFICATION).metric
        with np.errstate(all="ignore"):
            [value] = metric.finish(**{key: np.array([primitive(p, s, y)], float) for key, p in metric.state.items()})
        wanted = score_of_sklearn(name, s, y)
        if wanted is None:
            assert math.isnan(value), name
        else:
            assert value == pytest.approx(wanted, rel=1e-12, abs=1e-12), name


def by_group(metrics):
    """(column, metric, group) → entity → value."""
    found = {}
    for row in metrics.to_arrow().to_pylist():
        assert row["error"] is None, row
        key = row["column_name"], row["metric"], dict(row["group_key"]).get("region", "whole")
        found.setdefault(key, {})[row["entity"]] = row["value"]
    return found


@few
@given(st.lists(st.tuples(st.sampled_from(["JP", "TW", None]), labels, labels), max_size=40))
def test_points_over_labels(rows):
    schema = pa.schema({"region": pa.string(), "guess": pa.string(), "truth": pa.string()})
    table = pa.Table.from_pylist([dict(zip(schema.names, row)) for row in rows], schema=schema)
    found = by_group(
        ClassificationProcessor(
            table, label_column="truth", prediction_column="guess", metrics=LABEL_METRICS, group_sets=[[], ["region"]]
        ).get_metrics()
    )
    groups = {"whole": rows} | {g: [row for row in rows if row[0] == g] for g in {row[0] for row in rows}}
    for group, members in groups.items():
        for name in LABEL_METRICS:
            close(found.get(("guess", name, group), {}), of_sklearn(name, [row[1:] for row in members]))


@few
@given(scored)
def test_points_over_scores(rows):
    schema = pa.schema({"region": pa.string(), "p": pa.float64(), "truth": pa.string()})
    table = pa.Table.from_pylist([dict(zip(schema.names, row)) for row in rows], schema=schema)
    found = by_group(
        ClassificationProcessor(
            table, label_column="truth", score_column="p", positive_label="yes", group_sets=[[], ["region"]]
        ).get_metrics()
    )
    groups = {"whole": rows} | {g: [row for row in rows if row[0] == g] for g in {row[0] for row in rows}}
    for group, members in groups.items():
        known = [(s, t == "yes") for _, s, t in members if s is not None and not math.isnan(s) and t is not None]
        s, y = np.array([row[0] for row in known], float), np.array([row[1] for row in known], np.int64)
        for name in OF_SCORES:
            wanted = score_of_sklearn(name, s, y)
            assert found["p", name, group] == {
                None: None if wanted is None else pytest.approx(wanted, rel=1e-12, abs=1e-12)
            }, name
