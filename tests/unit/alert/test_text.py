from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, strategies as st

from lupus_provider.alert.text import LONGEST, number, one_line


@given(st.text(st.characters(codec=None), max_size=300))
def test_no_name_makes_a_second_line_or_cannot_be_sent(name):
    shown = one_line(name)
    assert len(shown.splitlines()) <= 1
    assert len(shown) <= LONGEST
    assert not any(unicodedata.category(c) in ("Cc", "Cs") for c in shown)
    assert shown.encode("utf-8").decode() == shown
    assert one_line(shown) == shown


@pytest.mark.parametrize("name", ["dep_delay avg [origin=EWR]", "売上 平均", "café", "👩‍💻", "a" * LONGEST, ""])
def test_a_plain_name_is_shown_as_it_is(name):
    assert one_line(name) == name


@pytest.mark.parametrize(
    "trick", ["a\nb", "a\r\nb", "a\x1b[31mb", "a\u2028b", "a\u202eb", "a\u2066b", "a\x00b", "a\x85b", "a\ud800b"]
)
def test_characters_that_trick_the_eye_are_shown_as_such(trick):
    assert "�" in one_line(trick)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "no value"), (0.0, "0"), (0.51234, "0.5123"), (842.0, "842"), (842.55, "842.5"), (1_000.0, "1,000"), (-123_456.7, "-123,457"),
        (1e18, "1e+18"), (2.5e-7, "2.5e-07"),
    ],
)  # fmt: skip
def test_numbers_are_for_people(value, shown):
    assert number(value) == shown
