"""Judgements of a due time merge to the same record in whatever order and however often they come."""

from __future__ import annotations

from datetime import timedelta
from functools import reduce

from hypothesis import given, strategies as st

from lupus_provider.stores.ledger.verdicts import merge_verdicts
from lupus_provider.testing.ledger_deadlines import DUE, a_verdict, kept

WORDS = st.sampled_from(["MET", "LATE", "FAILED", "NOT_RUN", "RUNNING", "EXCUSED"])
HOURS = st.integers(0, 50).map(lambda hours: timedelta(hours=hours))
JUDGEMENTS = st.builds(
    lambda word, judged, told: a_verdict(word, judged_at=DUE + judged, told_at=None if told is None else DUE + told),
    WORDS,
    HOURS,
    st.none() | HOURS,
)
ONE_A_MOMENT = st.lists(JUDGEMENTS, min_size=1, max_size=6, unique_by=lambda verdict: verdict.judged_at)


@given(ONE_A_MOMENT.flatmap(lambda judged: st.tuples(st.just(judged), st.permutations(judged * 2))))
def test_order_and_number_do_not_count(drawn):
    judged, order = drawn
    merged = reduce(merge_verdicts, order, None)
    first, last = (pick(judged, key=lambda verdict: verdict.judged_at) for pick in (min, max))
    assert (merged.verdict, merged.judged_at) == (last.verdict, last.judged_at)
    assert (merged.first_verdict, merged.first_judged_at) == (first.verdict, first.judged_at)
    assert merged.told_at == min((v.told_at for v in judged if v.told_at is not None), default=None)


@given(JUDGEMENTS)
def test_merging_with_itself_changes_nothing(verdict):
    once = merge_verdicts(None, verdict)
    assert once == kept(verdict)
    assert merge_verdicts(once, verdict) == merge_verdicts(once, once) == once


def test_a_judge_cannot_excuse_in_the_name_of_a_person():
    verdict = a_verdict("LATE", excused_by="ann", excused_at=DUE, excuse="x")
    assert merge_verdicts(None, verdict) == kept(a_verdict("LATE"))
    assert merge_verdicts(kept(a_verdict("RUNNING")), verdict).counts_as == "LATE"


def test_a_person_s_excuse_counts_over_any_verdict():
    assert a_verdict("LATE", excused_by="ann").counts_as == "EXCUSED"
    assert a_verdict("EXCUSED").counts_as == "EXCUSED"
