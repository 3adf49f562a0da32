"""match: what was told keeps its identity, whatever moved."""

from __future__ import annotations

from lupus_provider.alert.episodes import Found
from lupus_provider.periods import Span
from lupus_provider.steps.matching import match
from lupus_provider.testing.builders import day
from lupus_provider.testing.ledger import an_episode

WINDOW = Span(day(0), day(60))


def found(first, last, series="s1"):
    return Found(series, day(first), day(last), {"score": 0.1, "severity": "high"})


def known(episode_id, first, last, series="s1", is_told=True):
    return an_episode(episode_id, series_id=series, first_period=day(first), last_period=day(last), is_told=is_told)


def test_what_nobody_knows_is_new():
    (one,) = match([found(3, 4)], [known("other", 3, 4, series="s2")], WINDOW)
    assert (one.known, one.is_told, one.episode_id) == (None, False, found(3, 4).episode_id)


def test_an_episode_that_grows_at_either_end_is_the_same():
    for first, last in ((3, 9), (1, 5), (4, 4)):
        (one,) = match([found(first, last)], [known("k", 3, 5)], WINDOW)
        assert (one.episode_id, one.is_told, one.first_period, one.last_period) == ("k", True, day(first), day(last))


def test_an_episode_longer_than_the_window_keeps_its_beginning_and_end():
    (one,) = match([found(0, 59)], [known("k", -40, 90)], WINDOW)
    assert (one.episode_id, one.first_period, one.last_period) == ("k", day(-40), day(90))


def test_parts_of_a_told_episode_count_as_told():
    first, second = match([found(1, 2), found(8, 9)], [known("k", 1, 9)], WINDOW)
    assert (first.episode_id, first.is_told) == ("k", True)
    assert (second.is_told, second.known) == (True, None)
    assert second.episode_id != "k"


def test_two_that_grow_together_go_on_as_the_told_one():
    (one,) = match([found(1, 9)], [known("quiet", 1, 2, is_told=False), known("told", 8, 9)], WINDOW)
    assert (one.episode_id, one.is_told) == ("told", True)


def test_no_two_found_episodes_share_an_identity():
    own = found(5, 6).episode_id
    matches = match([found(3, 3), found(5, 6)], [known(own, 3, 6)], WINDOW)
    assert len({m.episode_id for m in matches}) == 2
