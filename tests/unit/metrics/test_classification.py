from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from lupus_provider.metrics import SHELVES, Family, Shape, Unit, parse_metric
from lupus_provider.metrics.base import Counts, Worse

PETS = [  # (predicted, label)
    ("cat", "cat"), ("cat", "cat"), ("cat", "dog"), ("dog", "dog"), ("dog", "cat"), ("dog", "dog"), ("dog", "dog"), ("cat", "fox"),
    (None, "dog"), ("cat", None), (None, None),
]  # fmt: skip


def counts_of(*groups):
    """Counts of the pairs of each group, as an engine would answer."""
    rows = [
        (g, *pair, n)
        for g, pairs in enumerate(groups)
        for pair, n in sorted(Counter(pairs).items(), key=lambda item: [str(part) for part in item[0]])
        if pair != (None, None)  # engines leave those out: nobody asks for them
    ]
    columns = {
        "predicted": np.array([row[1] for row in rows], object),
        "label": np.array([row[2] for row in rows], object),
        "count": np.array([row[3] for row in rows], np.int64),
    }
    group = np.array([row[0] for row in rows], np.int64)
    return Counts(len(groups), group, columns, np.array([len(pairs) for pairs in groups], float))


def measure(name, *groups, **parameters):
    """(group, entity) → (value, n_rows); NaN as None."""
    values = parse_metric(name, Family.CLASSIFICATION).metric.of_counts(counts_of(*groups), **parameters)
    group = np.arange(len(values.value)) if values.group is None else values.group
    entity = [None] * len(group) if values.entity is None else values.entity
    found = {
        (int(g), e): (None if np.isnan(v) else float(v), int(n))
        for g, e, v, n in zip(group, entity, values.value, values.n_rows)
    }
    assert len(found) == len(values.value), "two values have one name"
    return found


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("label_count", {"cat": (3, 9), "dog": (5, 9), "fox": (1, 9)}),
        ("predicted_count", {"cat": (5, 9), "dog": (4, 9)}),
        ("precision", {"cat": (2 / 4, 4), "dog": (3 / 4, 4), "fox": (None, 0)}),
        ("recall", {"cat": (2 / 3, 3), "dog": (3 / 4, 4), "fox": (0, 1)}),
        ("f1", {"cat": (4 / 7, 5), "dog": (6 / 8, 5), "fox": (0, 1)}),
        ("confusion", {"cat → cat": (2, 8), "cat → dog": (1, 8), "dog → cat": (1, 8), "dog → dog": (3, 8), "fox → cat": (1, 8)}),
        ("accuracy", {None: (5 / 8, 8)}),
        ("precision_micro", {None: (5 / 8, 8)}), ("recall_micro", {None: (5 / 8, 8)}), ("f1_micro", {None: (5 / 8, 8)}),
        ("precision_macro", {None: ((2 / 4 + 3 / 4 + 0) / 3, 8)}),
        ("recall_macro", {None: ((2 / 3 + 3 / 4 + 0) / 3, 8)}),
        ("f1_macro", {None: ((4 / 7 + 6 / 8 + 0) / 3, 8)}),
        ("precision_weighted", {None: ((3 * 2 / 4 + 4 * 3 / 4 + 1 * 0) / 8, 8)}),
        ("recall_weighted", {None: (5 / 8, 8)}),
        ("f1_weighted", {None: ((3 * 4 / 7 + 4 * 6 / 8 + 0) / 8, 8)}),
        ("label_coverage", {None: (9 / 11, 11)}),
    ],
)  # fmt: skip
def test_a_table_by_hand(name, expected):
    found = measure(name, PETS)
    assert found.keys() == {(0, entity) for entity in expected}
    for entity, (value, n_rows) in expected.items():
        assert found[0, entity][1] == n_rows
        assert found[0, entity][0] == (None if value is None else pytest.approx(value, abs=1e-15))


@pytest.mark.parametrize("name", [n for n, m in SHELVES[Family.CLASSIFICATION].items() if m.shape is Shape.PAIRED])
def test_groups_do_not_see_each_other(name):
    groups = [PETS, [("dog", "cat")], [], [(None, "cat"), ("cat", None)]]
    together = measure(name, *groups)
    alone = {(i, e): v for i, group in enumerate(groups) for (_, e), v in measure(name, group).items()}
    assert together == alone


@pytest.mark.parametrize("name", [n for n, m in SHELVES[Family.CLASSIFICATION].items() if m.shape is Shape.PAIRED])
@pytest.mark.parametrize("rows", [[], [("a", None)] * 3, [(None, "a")] * 3, [(None, None)] * 2])
def test_without_a_judged_row_all_that_judges_is_undefined(name, rows):
    found = measure(name, rows)
    if name in ("label_count", "predicted_count", "confusion", "precision", "recall", "f1"):
        side = {"label_count": 1, "predicted_count": 0}.get(name)
        assert set(found) == ({(0, "a")} if side is not None and any(row[side] for row in rows) else set())
    elif name == "label_coverage":
        assert found == {(0, None): (None if not rows else float(rows[0][1] == "a"), len(rows))}
    else:
        assert found == {(0, None): (None, 0)}


def test_an_arrow_in_a_label_does_not_make_two_pairs_one():
    found = measure("confusion", [("b", "a → b"), ("b → b", "a"), ("b", "a \\"), ("\\", "a")])
    assert set(found) == {(0, "a \\→ b → b"), (0, "a → b \\→ b"), (0, "a \\\\ → b"), (0, "a → \\\\")}


def test_labels_are_any_text():
    found = measure("recall", [("日本", "日本"), ("", "日本"), ("", ""), ("é", "e\u0301")])
    assert found == {(0, "日本"): (0.5, 2), (0, ""): (1.0, 1), (0, "é"): (None, 0), (0, "e\u0301"): (0.0, 1)}


def test_labels_beyond_the_limit_are_one_and_totals_still_add_up():
    rows = [(f"l{i}", f"l{i}") for i in range(6) for _ in range(i + 1)] + [("l0", "l1")]
    assert measure("label_count", rows, max_entities=2.0) == {
        (0, "l5"): (6, 22),
        (0, "l4"): (5, 22),
        (0, "…other"): (11, 22),
    }
    assert measure("precision", rows, max_entities=2.0)[0, "…other"] == (10 / 11, 11)
    pairs = measure("confusion", rows, max_entities=3.0)
    assert pairs[0, "…other"] == (7, 22)
    assert sum(value for value, _ in pairs.values()) == 22
    assert measure("precision_macro", rows, max_entities=2.0) == measure("precision_macro", rows)


def test_ties_at_the_limit_are_decided_by_name():
    rows = [("x", name) for name in ("b", "a", "c")]
    assert set(measure("label_count", rows, max_entities=2.0)) == {(0, "a"), (0, "b"), (0, "…other")}


def test_a_label_that_is_called_other_joins_the_rest():
    rows = [("x", "…other")] * 9 + [("x", name) for name in "abc"]
    assert measure("label_count", rows, max_entities=2.0) == {(0, "…other"): (11, 12), (0, "a"): (1, 12)}


@pytest.mark.parametrize("name", SHELVES[Family.CLASSIFICATION])
def test_every_metric_says_what_its_values_mean(name):
    metric = parse_metric(name, Family.CLASSIFICATION).metric
    assert metric.__doc__
    assert metric.roles[-1].name == "label"
    assert metric.unit in (Unit.RATIO, Unit.COUNT, Unit.NONE)
    assert metric.bounds[0] == 0
    assert (metric.worse is Worse.UNKNOWN) == (metric.unit is Unit.COUNT)
