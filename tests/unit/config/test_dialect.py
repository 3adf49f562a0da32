from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from lupus_provider.config.dialect import BYTES_MAX, dump_yaml, parse_yaml


def value_of(text: str):
    _, value, problems = parse_yaml(text.encode(), "p.yaml")
    assert problems == []
    return value


def only_problem(raw: bytes) -> str:
    _, value, problems = parse_yaml(raw, "p.yaml")
    assert value is None
    assert len(problems) == 1, problems
    return str(problems[0])


@pytest.mark.parametrize("word", ["no", "off", "Yes", "12:30", "010", "2013-01-01", "0x1F", "1_000", "=", "y"])
def test_words_that_yaml_1_1_turns_into_something_else_stay_text(word):
    assert value_of(f"{word}: {word}") == {word: word}


def test_numbers_booleans_and_nothing_are_what_they_look_like():
    assert value_of("[5, -3, 1.5, 1e3, .5, true, false, null, ~, '']") == [
        5,
        -3,
        1.5,
        1000.0,
        0.5,
        True,
        False,
        None,
        None,
        "",
    ]


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**17), 10**17)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(PLAIN.filter(lambda value: value is not None))
def test_what_is_written_is_read_as_the_same(value):
    assert value_of(dump_yaml(value)) == value


def test_a_key_that_is_there_twice_is_told_with_both_lines():
    assert (
        only_problem(b"a: 1\nb: 2\na: 3\n") == "p.yaml:3:1: key 'a' is here twice; the first is in line 1. Remove one."
    )


def test_syntax_errors_have_a_place():
    assert only_problem(b"a: 1\nb: [1, 2\nc: 3\n").startswith("p.yaml:3:2: not YAML:")


def test_bytes_that_are_not_utf8_have_a_place():
    assert only_problem(b"a: 1\nb: caf\xe9\n") == "p.yaml:2:7: the file is not UTF-8 text. Save it as UTF-8."


def test_control_characters_have_a_place():
    assert only_problem(b"a: 1\nb: x\x00\n").startswith("p.yaml:2:5: character 0")


@pytest.mark.parametrize("raw", [b"", b"\n\n", b"# only a comment\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_told_what_to_start_with(raw):
    assert only_problem(raw) == "p.yaml:1:1: the file is empty. Start with 'project: <name>'."


def test_a_byte_order_mark_is_no_part_of_the_first_key():
    assert parse_yaml(b"\xef\xbb\xbfa: 1", "p.yaml")[1] == {"a": 1}


def test_a_tag_that_would_make_an_object_is_refused():
    assert "has no meaning in a project file" in only_problem(b"a: !!python/object/apply:os.system [id]")


def test_a_tag_that_its_text_does_not_fit_is_a_problem_not_a_traceback():
    assert "cannot be read" in only_problem(b"a: !!int abc")


def test_aliases_and_merges_work():
    assert value_of("a: &x {k: 1}\nb: *x\nc: {<<: *x, m: 2}") == {"a": {"k": 1}, "b": {"k": 1}, "c": {"k": 1, "m": 2}}


def test_an_anchor_that_holds_itself_is_a_problem():
    assert only_problem(b"a: &x [*x]").startswith("p.yaml:1:4: an anchor holds itself")


def test_aliases_that_explode_are_refused_before_they_do():
    bomb = "a0: &a0 [1, 2, 3, 4, 5, 6, 7, 8, 9]\n"
    bomb += "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 30))
    assert "Use fewer aliases" in only_problem(bomb.encode())


@pytest.mark.parametrize("raw", [b"[" * 100_000 + b"]" * 100_000, b"- " * 100_000, b"{a: " * 50_000])
def test_nesting_that_would_overflow_the_parser_is_refused(raw):
    assert "levels of nesting" in only_problem(raw)


def test_a_file_that_is_too_long_is_refused_unread():
    assert "Split the project" in only_problem(b"a" * (BYTES_MAX + 1))


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything(raw):
    node, _, problems = parse_yaml(raw, "p.yaml")
    assert problems or node is not None


@given(st.text(alphabet="ab:-[]{}&*!|> \n\"'#,?<~1.e", max_size=60))
def test_no_text_of_yaml_signs_raises_anything(text):
    node, _, problems = parse_yaml(text.encode(), "p.yaml")
    assert problems or node is not None
