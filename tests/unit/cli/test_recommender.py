from __future__ import annotations

from datetime import timedelta

import numpy as np
import pyarrow.parquet as pq
import pytest

from lupus_provider.cli.recommender import CANARY_DATE, END_DATE, RELEASE_DATE, START_DATE, ZONE, prepare_recommender
from lupus_provider.cli.recommender_log import make_log
from lupus_provider.cli.recommender_world import BELIEFS, N_ITEMS, World, ranked, wished

NUMBER_OF_DAYS = 60


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    data = tmp_path_factory.mktemp("data")
    prepare_recommender(data)
    return data


@pytest.fixture(scope="module")
def impressions(prepared):
    rows = pq.read_table(prepared / "recommender" / "impressions.parquet").to_pandas()
    rows["day"] = rows["requested_at"].dt.tz_convert(ZONE).dt.date
    return rows


@pytest.fixture(scope="module")
def clicks(prepared):
    return pq.read_table(prepared / "recommender" / "clicks.parquet").to_pandas()


@pytest.fixture(scope="module")
def judged(impressions, clicks):
    """Requests after which something was clicked, with recall at 10."""
    rows = impressions.merge(clicks, on="request_id")
    rows = rows[rows["clicked_items"].str.len() > 0].copy()
    rows["recall"] = [
        len(set(shown[:10]) & set(chosen)) / len(chosen)
        for shown, chosen in zip(rows["predicted_items"], rows["clicked_items"])
    ]
    return rows


def of_item(rows):
    """Share of each item among all predicted ones."""
    numbers = np.array([int(item[1:]) for items in rows["predicted_items"] for item in items])
    return np.bincount(numbers, minlength=N_ITEMS) / len(numbers)


def psi(shares, reference):
    shares, reference = np.maximum(shares, 1e-4), np.maximum(reference, 1e-4)
    return float(np.sum((shares - reference) * np.log(shares / reference)))


def test_every_day_of_the_span_has_its_requests_in_order(impressions):
    assert impressions["day"].nunique() == NUMBER_OF_DAYS == (END_DATE - START_DATE).days + 1
    assert impressions["day"].min() == START_DATE
    assert impressions["day"].max() == END_DATE
    assert impressions["requested_at"].is_monotonic_increasing
    assert impressions["request_id"].is_unique
    assert impressions.groupby("day").size().between(1_200, 2_100).all()


def test_lists_are_twenty_different_items_ranked_by_their_score(impressions):
    assert {len(set(items)) for items in impressions["predicted_items"]} == {20}
    scores = np.array(impressions["scores"].tolist())
    assert scores.shape == (len(impressions), 20)
    assert (np.diff(scores, axis=1) <= 0).all()
    assert ((scores > 0) & (scores < 1)).all()
    assert (scores[:, 0] == impressions["top_score"]).all()


def test_clicks_come_after_their_request_some_are_empty_and_some_were_lost(impressions, clicks):
    both = clicks.merge(impressions, on="request_id", how="left")
    assert (both["clicked_at"] > both["requested_at"]).all()
    assert clicks["clicked_at"].is_monotonic_increasing
    assert len(clicks) / len(impressions) == pytest.approx(0.98, abs=0.003)
    lengths = clicks["clicked_items"].str.len()
    assert (lengths == 0).mean() == pytest.approx(0.10, abs=0.01)
    assert set(lengths) == set(range(11))
    assert all(len(set(items)) == len(items) for items in clicks["clicked_items"])


def test_the_new_version_starts_with_a_tenth_and_then_serves_all(impressions):
    share = (impressions["model_version"] == "v2").groupby(impressions["day"]).mean()
    assert (share[share.index < CANARY_DATE] == 0).all()
    assert share[(share.index >= CANARY_DATE) & (share.index < RELEASE_DATE)].between(0.06, 0.14).all()
    assert (share[share.index >= RELEASE_DATE] == 1).all()


def test_the_update_shows_in_quality_on_its_first_day_and_most_in_th(judged):
    daily = judged.groupby("day")["recall"].mean()
    before, after = daily[daily.index < CANARY_DATE], daily[daily.index >= RELEASE_DATE]
    assert before.mean() - after.mean() > 3 * before.std()
    assert daily[RELEASE_DATE] < before.min()
    by_region = judged.groupby(["model_version", "region"])["recall"].mean().unstack()
    fall = 1 - by_region.loc["v2"] / by_region.loc["v1"]
    assert fall.idxmax() == "TH"
    assert fall["TH"] > 2 * fall["JP"] > 0


def test_the_update_shows_in_what_is_predicted_and_not_in_the_rows(impressions):
    days = [rows for _, rows in impressions.groupby("day")]
    reference = of_item(impressions[impressions["day"] < CANARY_DATE])
    found = np.array([psi(of_item(rows), reference) for rows in days])
    canary, release = (CANARY_DATE - START_DATE).days, (RELEASE_DATE - START_DATE).days
    assert found[:canary].max() < 0.06
    assert found[canary:release].max() < 0.1
    assert found[release:].min() > 0.8
    distinct = np.array([len({item for items in rows["predicted_items"] for item in items[:10]}) for rows in days])
    assert distinct[release:].max() < 0.4 * distinct[:canary].min()
    same_weekday = [len(rows) / len(before) for before, rows in zip(days, days[7:])]
    assert 0.85 < min(same_weekday) < max(same_weekday) < 1.15


def test_the_mean_score_alone_would_hardly_tell(impressions):
    daily = impressions.groupby("day")["top_score"].mean()
    before, after = daily[daily.index < CANARY_DATE], daily[daily.index >= RELEASE_DATE]
    assert abs(after.mean() - before.mean()) < 3.5 * before.std()


def test_weekends_are_busier(impressions):
    per_day = impressions.groupby("day").size()
    weekend = np.array([day.weekday() >= 5 for day in per_day.index])
    assert per_day[weekend].mean() > 1.1 * per_day[~weekend].mean()


def test_the_same_seed_gives_the_same_log_and_another_does_not(prepared):
    kept = {name: pq.read_table(prepared / "recommender" / f"{name}.parquet") for name in ("impressions", "clicks")}
    again = make_log(20131015)
    assert again["impressions"].equals(kept["impressions"])
    assert again["clicks"].equals(kept["clicks"])
    assert not make_log(1)["clicks"].equals(kept["clicks"])


def test_a_second_time_touches_nothing_and_what_is_missing_is_written_again(prepared, monkeypatch):
    files = sorted((prepared / "recommender").iterdir())
    assert [path.name for path in files] == ["clicks.parquet", "impressions.parquet", "source"]
    before = [path.stat().st_mtime_ns for path in files]
    name = prepare_recommender(prepared)
    assert [path.stat().st_mtime_ns for path in files] == before
    content = files[0].read_bytes()
    files[0].unlink()
    assert prepare_recommender(prepared) == name
    assert files[0].read_bytes() == content
    monkeypatch.setattr("lupus_provider.cli.recommender.FORMAT", "other")
    monkeypatch.setattr("lupus_provider.cli.prepared.PreparedFolder.write", lambda *_: None)
    assert prepare_recommender(prepared) != name


def test_candidates_are_of_the_favourite_topics_or_popular_and_count_once():
    world = World.make(np.random.default_rng(3))
    users = np.array([0, 17])
    items, fondness = world.candidates(users)
    for user, row, likes in zip(users, items, fondness):
        counted = row[np.isfinite(likes)]
        assert len(set(counted)) == len(counted)
        assert set(counted) == set(row)
        liked = row[np.isfinite(likes) & (likes > 0)]
        assert set(world.topic[liked]) == set(world.favourites[user])
        assert len(liked) == 150


def test_wishes_follow_their_weights():
    """The first of two items whose weights are as 3 to 1 is wished first three times in four."""
    n = 40_000
    popularity = np.tile(np.log(np.array([3, 1], np.float32)), (n, 1))
    padded = np.concatenate([popularity, np.full((n, 1), -60, np.float32)], axis=1)
    places = wished(np.random.default_rng(5), padded, np.zeros_like(padded), 2)
    assert (places[:, 0] == 0).mean() == pytest.approx(0.75, abs=4 * np.sqrt(0.75 * 0.25 / n))


def test_a_model_that_does_not_read_tastes_ranks_by_popularity():
    popularity = np.array([[-1.0, -3.0, -2.0, -9.0]], np.float32)
    fondness = np.array([[0.0, 5.0, 0.0, -np.inf]], np.float32)
    belief = BELIEFS["v2"]
    silent = type(belief)(popularity=1.0, taste={}, noise=0.0, bias=0.0)
    blind, scores = ranked(np.random.default_rng(0), silent, np.zeros(1), popularity, fondness, 3)
    reading, _ = ranked(np.random.default_rng(0), silent, np.ones(1), popularity, fondness, 3)
    assert blind.tolist() == [[0, 2, 1]]
    assert scores[0] == pytest.approx(1 / (1 + np.exp([1, 2, 3])), abs=1e-3)
    assert reading.tolist() == [[1, 0, 2]]


def test_a_click_may_come_days_later_so_truth_is_late(impressions, clicks):
    both = clicks.merge(impressions, on="request_id")
    wait = both["clicked_at"] - both["requested_at"]
    assert timedelta(hours=4) < wait.mean() < timedelta(hours=6)
    assert (both["clicked_at"].dt.tz_convert(ZONE).dt.date != both["day"]).mean() > 0.15
