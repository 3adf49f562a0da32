"""Laws of episodes, whatever anomalies there are."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, strategies as st

from lupus_provider.alert.episodes import SEVERITIES, find_episodes, strangeness

AXIS = [datetime(2026, 3, 1, tzinfo=UTC) + timedelta(days=i) for i in range(30)]
anomalies = st.lists(
    st.builds(
        lambda series, day, detector, severity, score: {
            "series_id": series,
            "period_start": AXIS[day],
            "detector": detector,
            "severity": severity,
            "score": score,
        },
        st.sampled_from("ab"),
        st.integers(0, len(AXIS) - 1),
        st.sampled_from(["x", "y"]),
        st.sampled_from(SEVERITIES),
        st.sampled_from([None, 0.0, 1e-9, 0.01]),
    ),
    unique_by=lambda r: (r["series_id"], r["period_start"], r["detector"]),
    max_size=40,
)
gaps = st.integers(0, 3)


def members(episode, records):
    inside = [r for r in records if r["series_id"] == episode.series_id]
    return [r for r in inside if episode.first_period <= r["period_start"] <= episode.last_period]


@given(anomalies, gaps)
def test_every_anomaly_is_in_exactly_one_episode_and_no_episode_is_empty(records, gap):
    episodes = find_episodes(records, AXIS, gap)
    parts = [members(episode, records) for episode in episodes]
    assert all(parts)
    assert sorted(id(r) for part in parts for r in part) == sorted(id(r) for r in records)


@given(anomalies, gaps)
def test_quiet_periods_end_an_episode_only_when_there_are_more_than_the_gap(records, gap):
    episodes = find_episodes(records, AXIS, gap)
    for episode in episodes:
        days = sorted({AXIS.index(r["period_start"]) for r in members(episode, records)})
        assert (AXIS[days[0]], AXIS[days[-1]]) == (episode.first_period, episode.last_period)
        assert all(later - earlier <= gap + 1 for earlier, later in itertools.pairwise(days))
    for series in "ab":
        of = [e for e in episodes if e.series_id == series]
        for before, after in itertools.pairwise(of):
            assert AXIS.index(after.first_period) - AXIS.index(before.last_period) > gap + 1


@given(anomalies, gaps, st.randoms(use_true_random=False))
def test_the_order_of_the_anomalies_does_not_matter(records, gap, dice):
    shuffled = list(records)
    dice.shuffle(shuffled)
    assert find_episodes(shuffled, AXIS, gap) == find_episodes(records, AXIS, gap)


@given(anomalies, gaps)
def test_the_worst_is_of_the_episode_and_nothing_in_it_is_stranger(records, gap):
    for episode in find_episodes(records, AXIS, gap):
        inside = members(episode, records)
        assert episode.worst in inside
        assert strangeness(episode.worst) == max(map(strangeness, inside))


@given(anomalies)
def test_ids_tell_episodes_apart_and_do_not_depend_on_the_zone_of_the_clock(records):
    episodes = find_episodes(records, AXIS)
    assert len({e.episode_id for e in episodes}) == len(episodes)
    tokyo = ZoneInfo("Asia/Tokyo")
    elsewhere = [{**r, "period_start": r["period_start"].astimezone(tokyo)} for r in records]
    again = find_episodes(elsewhere, AXIS)
    assert [e.episode_id for e in again] == [e.episode_id for e in episodes]


@given(anomalies)
def test_episodes_are_ordered_by_when_they_began(records):
    starts = [(e.first_period, e.series_id) for e in find_episodes(records, AXIS)]
    assert starts == sorted(starts)
