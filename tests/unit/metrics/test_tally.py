from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
from hypothesis import given, strategies as st

from lupus_provider.metrics.bins import REST
from lupus_provider.metrics.tally import tally

ROWS = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from(["a", "b", "é", "日", REST, ""]), st.integers(0, 5)), max_size=30
)


def tallied(rows):
    group = np.array([row[0] for row in rows], np.int64)
    return tally(3, group, np.array([row[1] for row in rows], object), [np.array([row[2] for row in rows], float)])


@given(ROWS)
def test_sums_are_those_of_each_group_and_entity(rows):
    wanted = Counter()
    for group, entity, weight in rows:
        wanted[group, entity] += weight
    found = tallied(rows)
    assert dict(zip(zip(found.group.tolist(), found.entity), found.sums[0].tolist())) == dict(wanted)
    assert found.group.tolist() == sorted(found.group.tolist())


@given(ROWS, st.integers(1, 4))
def test_the_largest_stay_and_nothing_is_lost(rows, limit):
    whole = tallied(rows)
    kept = whole.largest(limit, whole.sums[0])
    assert kept.total(kept.sums[0]).tolist() == whole.total(whole.sums[0]).tolist()
    by_group = defaultdict(dict)
    for group, entity, weight in zip(whole.group.tolist(), whole.entity, whole.sums[0].tolist()):
        by_group[group][entity] = weight
    for group, weights in by_group.items():
        best = sorted(weights, key=lambda entity: (-weights[entity], entity.encode()))[:limit]
        names = kept.entity[kept.group == group].tolist()
        assert set(best) <= set(names) | {REST}
        assert len(names) == len(set(names)) <= limit + 1
