from __future__ import annotations

from datetime import UTC, datetime, timedelta

from lupus_provider.alert.episodes import find_episodes, strangeness

AXIS = [datetime(2026, 3, 1, tzinfo=UTC) + timedelta(days=i) for i in range(10)]


def anomaly(day, series="a", severity="high", score=0.01, detector="d"):
    start = AXIS[0] + timedelta(days=day)
    return {"series_id": series, "period_start": start, "detector": detector, "severity": severity, "score": score}


def spans(records, **kwargs):
    return [(e.series_id, e.first_period.day, e.last_period.day) for e in find_episodes(records, AXIS, **kwargs)]


def test_one_quiet_period_does_not_end_an_episode_and_two_do():
    assert spans([anomaly(0), anomaly(2)]) == [("a", 1, 3)]
    assert spans([anomaly(0), anomaly(3)]) == [("a", 1, 1), ("a", 4, 4)]
    assert spans([anomaly(0), anomaly(2)], gap=0) == [("a", 1, 1), ("a", 3, 3)]


def test_series_do_not_merge():
    assert spans([anomaly(0), anomaly(1, "b")]) == [("a", 1, 1), ("b", 2, 2)]


def test_anomalies_beside_the_axis_are_left_out():
    assert spans([anomaly(-1), anomaly(20), anomaly(5)]) == [("a", 6, 6)]


def test_nothing_flagged_is_no_episode():
    assert find_episodes([], AXIS) == []
    assert find_episodes([anomaly(0)], []) == []


def test_severity_is_stranger_than_a_small_probability():
    assert strangeness(anomaly(0, severity="critical", score=None)) > strangeness(
        anomaly(0, severity="high", score=1e-30)
    )
    assert (
        strangeness(anomaly(0, score=1e-9)) > strangeness(anomaly(0, score=1e-3)) > strangeness(anomaly(0, score=None))
    )


def test_of_equally_strange_anomalies_the_first_is_the_worst():
    records = [anomaly(1, detector="b"), anomaly(0, detector="z"), anomaly(0, detector="c")]
    (episode,) = find_episodes(records, AXIS)
    assert (episode.worst["period_start"], episode.worst["detector"]) == (AXIS[0], "c")


def test_the_id_of_an_episode_is_the_same_in_every_release():
    (episode,) = find_episodes([anomaly(0)], AXIS)
    assert episode.episode_id == "5f5f519f6dc764898db82c90614b88c6"
