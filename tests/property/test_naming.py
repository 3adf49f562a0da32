# ruff: noqa: DTZ001  (hypothesis takes bounds without a zone)

from __future__ import annotations

import hashlib
import random
from datetime import UTC, datetime

import numpy as np
from hypothesis import given, settings, strategies as st

from lupus_provider.naming import (
    Hashes,
    entity_hashes,
    group_hashes,
    group_text,
    head_hash,
    identity_text,
    period_file,
    period_of_file,
    series_id,
)

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


@given(identity=identities)
def test_any_engine_can_compute_an_id(identity):
    head, entity, group = (
        identity_text("head", *identity[:4]),
        identity_text("entity", identity[4]),
        identity_text("group", *(part for pair in sorted(identity[5].items()) for part in pair)),
    )
    number = 0
    for text in (head, entity, group):
        number ^= int(hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(), 16) >> (256 - 65)
    digits = "abcdefghijklmnopqrstuvwxyz234567"
    assert series_id(*identity) == "".join(digits[(number >> shift) & 31] for shift in range(60, -1, -5))


@given(entities=st.lists(maybe, min_size=1, max_size=4), keys=st.lists(groups, min_size=1, max_size=4), data=st.data())
def test_many_ids_at_once_are_the_ids_one_by_one(entities, keys, data):
    pairs = st.tuples(st.integers(0, len(entities) - 1), st.integers(0, len(keys) - 1))
    rows = data.draw(st.lists(pairs, min_size=1, max_size=9))
    entity, group = np.array(rows).T
    many = head_hash("p", "m", "c", "count") ^ entity_hashes(entities)[entity] ^ group_hashes(keys)[group]
    one_by_one = [series_id("p", "m", "c", "count", entities[e], keys[g]) for e, g in rows]
    assert [bytes(row).decode() for row in many.letters()] == one_by_one


@given(
    rows=st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 2**64 - 1) | st.integers(0, 3), st.integers(0, 1)), max_size=20
    )
)
def test_the_order_of_hashes_is_that_of_the_ids_as_text_within_the_first_key(rows):
    first, high, low = (
        np.array([row[i] for row in rows], kind) for i, kind in enumerate((np.int64, np.uint64, np.uint8))
    )
    hashes = Hashes(high, low)
    spelled = [(int(number), bytes(row)) for number, row in zip(first, hashes.letters())]
    assert [spelled[i] for i in hashes.order(first)] == sorted(spelled)


@given(moment=st.datetimes(datetime(1970, 1, 1)))
def test_a_staged_files_name_says_its_period(moment):
    start = moment.replace(microsecond=0, tzinfo=UTC)
    assert period_of_file(period_file(start)) == start
