"""Moments and lengths of time are kept exactly, in any zone, and naive moments not at all."""

from __future__ import annotations

import math
from datetime import UTC, timedelta, timezone

import pytest
from hypothesis import given, strategies as st

from lupus_provider.stores.ledger.columns import EPOCH, Duration, Json, Moment

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
FAR = timedelta(days=700_000)
MOMENTS = st.builds(lambda far, zone: (EPOCH + far).astimezone(zone), st.timedeltas(-FAR, FAR * 4), ZONES)
BIGGEST = 2**63


@given(MOMENTS)
def test_a_moment_comes_back_exactly_in_utc(moment):
    micros = Moment().process_bind_param(moment, None)
    assert abs(micros) < BIGGEST
    back = Moment().process_result_value(micros, None)
    assert back == moment
    assert back.tzinfo is UTC


@given(st.tuples(MOMENTS, MOMENTS))
def test_moments_are_kept_in_their_order(both):
    kept = [Moment().process_bind_param(moment, None) for moment in both]
    assert (kept[0] < kept[1]) == (both[0] < both[1])


def test_a_moment_without_a_zone_is_an_error():
    with pytest.raises(TypeError):
        Moment().process_bind_param(EPOCH.replace(tzinfo=None), None)


@given(st.timedeltas(timedelta(days=-99_999), timedelta(days=99_999)))
def test_a_length_of_time_comes_back_exactly(length):
    assert Duration().process_result_value(Duration().process_bind_param(length, None), None) == length


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(), values, max_size=3),
    max_leaves=10,
)


@given(JSON)
def test_json_comes_back_exactly(value):
    text = Json().process_bind_param(value, None)
    assert Json().process_result_value(text, None) == value
    assert "\0" not in (text or "")


def test_what_json_lacks_is_refused():
    with pytest.raises(ValueError, match="JSON"):
        Json().process_bind_param({"x": math.nan}, None)
