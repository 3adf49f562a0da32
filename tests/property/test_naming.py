# ruff: noqa: DTZ001  (hypothesis takes bounds without a zone)

from __future__ import annotations

import random
from datetime import UTC, datetime

from hypothesis import given, settings, strategies as st

from lupus_provider.naming import group_text, identity_text, period_file, period_of_file, series_id, series_ids

texts = st.text(max_size=6)
maybe = st.none() | texts
groups = st.dictionaries(texts, maybe, max_size=4)
identities = st.tuples(texts, texts, texts, texts, maybe, groups)


@given(identity=identities, seed=st.integers())
def test_the_order_of_group_keys_does_not_change_a_series_id(identity, seed):
    pairs = list(identity[5].items())
    random.Random(seed).shuffle(pairs)
    assert series_id(*identity) == series_id(*identity[:5], dict(pairs))


@settings(max_examples=500)
@given(left=identities, right=identities)
def test_two_identities_have_two_texts_and_two_ids(left, right):
    def spell(i):
        return identity_text(*i[:5]) + group_text(i[5])

    assert (spell(left) == spell(right)) == (left == right)
    assert (series_id(*left) == series_id(*right)) == (left == right)


@given(parts=st.lists(texts, min_size=1, max_size=5))
def test_many_ids_at_once_are_the_ids_one_by_one(parts):
    assert list(series_ids(parts)) == [series_ids([part])[0] for part in parts]


@given(moment=st.datetimes(datetime(1970, 1, 1)))
def test_a_staged_files_name_says_its_period(moment):
    start = moment.replace(microsecond=0, tzinfo=UTC)
    assert period_of_file(period_file(start)) == start
