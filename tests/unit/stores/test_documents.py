"""Documents: what is packed comes back, and an instant has one month."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, strategies as st

from lupus_provider.stores.index.documents import decode, encode, months

instants = st.integers(-(2**40), 2**40)
doubles = st.floats(allow_nan=True, allow_infinity=True, width=64)


@given(
    st.lists(st.tuples(instants, doubles, doubles), max_size=40),
    st.dictionaries(instants, st.text(), max_size=4),
)
def test_what_is_packed_comes_back_to_the_bit(slots, notes):
    at = np.array([slot[0] for slot in slots], np.int64)
    columns = [np.array([slot[i] for slot in slots], np.float64) for i in (1, 2)]
    found_at, found, found_notes = decode(encode(at, columns, notes))
    assert found_at.tolist() == at.tolist()
    assert [c.tobytes() for c in found] == [c.tobytes() for c in columns]
    assert found_notes == notes


def test_an_empty_document_has_its_columns():
    at, columns, notes = decode(encode(np.array([], np.int64), [np.array([])] * 3))
    assert (len(at), len(columns), notes) == (0, 3, {})


@given(st.integers(-(2**31), 2**34))
def test_an_instant_is_in_the_month_that_the_calendar_says(seconds):
    calendar = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    assert months(np.array([seconds])).tolist() == [calendar.year * 100 + calendar.month]


@pytest.mark.parametrize(
    ("text", "month"),
    [
        ("2023-12-31T23:59:59", 202312),
        ("2024-01-01T00:00:00", 202401),
        ("2024-02-29T23:59:59", 202402),
        ("1969-12-31T23:59:59", 196912),
    ],
)
def test_months_begin_at_midnight_utc(text, month):
    at = int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())
    assert months(np.array([at])).tolist() == [month]
