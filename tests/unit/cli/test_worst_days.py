from __future__ import annotations

import io
from datetime import date, timedelta

from hypothesis import given, strategies as st
from rich.console import Console

from lupus_provider.cli.worst_days import Finding, as_table, first_signs, signs_table, worst_days

DAY = date(2013, 2, 8)
SEVERITIES = ["critical", "high", "medium", "low"]


def finding(day=DAY, series="dep_delay null_ratio [origin=EWR]", expected=0.02, severity="high", score=0.01, **kwargs):
    return Finding(day, series, kwargs.get("value", 0.5), expected, "seasonal", severity, score)


FINDINGS = st.builds(
    finding,
    day=st.integers(0, 5).map(lambda n: DAY + timedelta(n)),
    expected=st.none() | st.floats(0, 1),
    severity=st.sampled_from(SEVERITIES),
    score=st.none() | st.floats(0, 1),
)


@given(st.lists(FINDINGS))
def test_every_day_comes_once_and_gravest_days_first(findings):
    shown = worst_days(findings, rows=100)
    assert sorted(f.day for f in shown) == sorted({f.day for f in findings})
    gravest = [min(SEVERITIES.index(f.severity) for f in findings if f.day == one.day) for one in shown]
    assert gravest == sorted(gravest)


@given(st.lists(FINDINGS))
def test_order_of_reading_does_not_matter(findings):
    assert [f.day for f in worst_days(findings)] == [f.day for f in worst_days(findings[::-1])]


def test_a_day_is_shown_by_a_finding_that_knows_what_was_expected():
    threshold = finding(expected=None, severity="critical", score=None)
    seasonal = finding(severity="high", score=1e-9)
    other_day = finding(day=DAY + timedelta(1), severity="high", score=1e-12)
    assert worst_days([threshold, other_day, seasonal]) == [seasonal, other_day]


def test_only_so_many_days_are_shown():
    assert len(worst_days([finding(day=DAY + timedelta(n)) for n in range(30)], rows=12)) == 12


def test_the_table_says_date_series_value_expected_and_detector():
    console = Console(file=io.StringIO(), width=120)
    console.print(as_table([finding(), finding(series="row_count", value=1234.0, expected=None)]))
    text = console.file.getvalue()
    assert "2013-02-08 Fri" in text
    assert "dep_delay null_ratio [origin=EWR]" in text
    assert "0.5" in text
    assert "0.02" in text
    assert "1,234" in text
    assert "seasonal" in text


@given(st.lists(FINDINGS))
def test_a_series_gives_its_first_sign_once_in_the_order_of_days(findings):
    signs = first_signs(findings, rows=100)
    assert {sign.series: sign.day for sign in signs} == {
        series: min(f.day for f in findings if f.series == series) for series in {f.series for f in findings}
    }
    assert [sign.day for sign in signs] == sorted(sign.day for sign in signs)


def test_of_the_same_day_the_gravest_sign_comes_first():
    quiet, grave = finding(severity="low"), finding(series="top_score psi", severity="critical", score=None)
    later = finding(day=DAY + timedelta(1), series="unique")
    assert first_signs([later, quiet, grave]) == [grave, quiet, later]


def test_the_table_of_signs_says_when_the_update_came():
    console = Console(file=io.StringIO(), width=120)
    console.print(signs_table([finding(series="top_score psi [model_version=v2]", expected=None)]))
    assert "10 Oct" in console.file.getvalue()
    assert "top_score psi [model_version=v2]" in console.file.getvalue()
