from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lupus_provider.cli.delay_inputs import LEAD_HOURS, hours_of, known_inputs
from lupus_provider.cli.delay_model import DelayModel
from lupus_provider.cli.delays import VERSIONS, landing_minutes, predict_delays, prediction_ids
from lupus_provider.cli.flights import read_zones, source_files

ZONES = {"IAH": "America/Chicago", "LAX": "America/Los_Angeles"}
NOON = datetime(2013, 1, 3, 17, tzinfo=UTC)
NEW_YORK = ZoneInfo("America/New_York")


def flight(hour=NOON, minute=0, delay: int | None = 0, **other):
    """A flight of LGA scheduled at `hour`:`minute`; a delay of None is a cancellation."""
    local = hour.astimezone(NEW_YORK)
    clock = local.hour * 100 + minute
    return {
        "year": local.year,
        "month": local.month,
        "day": local.day,
        "sched_dep_time": clock,
        "dep_delay": delay,
        "sched_arr_time": (clock + 200) % 2400,
        "arr_delay": delay,
        "carrier": "UA",
        "flight": 1,
        "origin": "LGA",
        "dest": "IAH",
        "distance": 1400,
        "hour": local.hour,
        "minute": minute,
        "time_hour": hour,
        **other,
    }


def table(*rows):
    return pa.Table.from_pylist(list(rows)).cast(
        pa.schema(
            [
                (name, pa.timestamp("us", tz="UTC") if name == "time_hour" else kind)
                for name, kind in ((n, pa.string() if isinstance(v, str) else pa.int32()) for n, v in rows[0].items())
            ]
        )
    )


def weather(*rows):
    names = ("wind_speed", "wind_gust", "precip", "visib", "humid")
    full = [
        {"origin": "LGA", "time_hour": NOON, **dict.fromkeys(names, 1.0), **row} for row in rows or [{"origin": "JFK"}]
    ]
    return pa.Table.from_pylist(full)


def replaced(rows, name, values):
    return rows.set_column(rows.column_names.index(name), name, pa.array(values, pa.int32(), from_pandas=True))


def last(inputs, name):
    return float(inputs[name][-1])


@pytest.fixture(scope="module")
def log(whole_year):
    return {
        name: pq.read_table(whole_year / "flights" / f"{name}.parquet")
        for name in ("departures", "weather", "predictions", "truth")
    }


@pytest.fixture(scope="module")
def judged(log):
    """Predictions with their truth, and the local month."""
    joined = log["predictions"].join(log["truth"], "prediction_id", join_type="inner").to_pandas()
    joined["month"] = joined["time_hour"].dt.tz_convert(NEW_YORK).dt.month
    return joined


def test_only_departures_of_the_hours_before_the_prediction_count():
    at = [NOON - timedelta(hours=hours) for hours in (5, 4, 3, 2, 1)]
    rows = [flight(hour, 10, delay) for hour, delay in zip(at, (40, 30, 20, 10, 999))]
    inputs = known_inputs(table(*rows, flight()), weather())
    # The prediction is made at 11: the flights of 8 (20 minutes) and, for 6 hours, 7 (30 min) and 9 (20), 10 (10) are over.
    assert last(inputs, "origin_delay") == pytest.approx((20 + 10) / (2 + 3))
    assert last(inputs, "origin_delay_6h") == pytest.approx((40 + 30 + 20 + 10) / (4 + 3))
    assert last(inputs, "network_delay") == pytest.approx((20 + 10) / (2 + 10))


def test_a_flight_waits_from_the_end_of_its_hour_until_it_leaves_or_is_given_up():
    late = flight(NOON - timedelta(hours=3), 30, 100)
    gone = flight(NOON - timedelta(hours=3), 30, 20)
    cancelled = flight(NOON - timedelta(hours=4), 0, None)
    forgotten = flight(NOON - timedelta(hours=9), 0, None)
    not_yet = flight(NOON - timedelta(hours=1), 0, 300)
    inputs = known_inputs(table(late, gone, cancelled, forgotten, not_yet, flight()), weather())
    assert last(inputs, "waiting") == 2


def test_weather_is_that_of_the_prediction_hour_and_unknown_where_nobody_measured():
    known = weather({"wind_speed": 7.0, "time_hour": NOON - timedelta(hours=1)}, {"wind_speed": 9.0, "time_hour": NOON})
    assert last(known_inputs(table(flight()), known), "wind_speed") == 7.0
    assert np.isnan(last(known_inputs(table(flight()), weather()), "wind_speed"))


def test_plan_is_taken_as_it_is():
    inputs = known_inputs(table(flight(), flight(flight=2), flight(NOON + timedelta(days=3), 5)), weather())
    assert inputs["scheduled_departures"].tolist() == [2, 2, 1]
    assert inputs["weekday"].tolist() == [4, 4, 7]
    assert inputs["hour"].tolist() == [12, 12, 12]


@pytest.mark.parametrize("instant", [datetime(2013, 6, 13, 21, tzinfo=UTC), datetime(2013, 3, 8, 16, tzinfo=UTC)])
def test_the_inputs_do_not_change_when_the_future_does(log, instant):
    """All that happens after the prediction is wiped out: the flights scored then must look the same."""
    near = abs(hours_of(log["departures"]["time_hour"]) - instant.timestamp() // 3600) < 40
    rows = log["departures"].filter(pa.array(near))
    left = (
        hours_of(rows["time_hour"]) * 60 + rows["minute"].to_numpy() + rows["dep_delay"].to_numpy(zero_copy_only=False)
    )
    known = left < instant.timestamp() / 60
    dep_delay = rows["dep_delay"].to_numpy(zero_copy_only=False)
    wiped = replaced(rows, "dep_delay", np.where(known, dep_delay, np.nan))
    now = hours_of(rows["time_hour"]) - LEAD_HOURS == instant.timestamp() // 3600
    before, after = known_inputs(rows, log["weather"]), known_inputs(wiped, log["weather"])
    assert now.sum() > 30
    assert before["waiting"][now].max() > 0
    for name, values in before.items():
        np.testing.assert_array_equal(values[now], after[name][now], err_msg=name)


@pytest.mark.parametrize(
    ("row", "landed"),
    [
        # The first flight of the table: EWR 5:15 to Houston 8:19 Central, 11 minutes late.
        (flight(datetime(2013, 1, 1, 10, tzinfo=UTC), 15, 2, sched_arr_time=819, arr_delay=11), "2013-01-01T14:30"),
        (flight(datetime(2013, 7, 2, 1, tzinfo=UTC), 50, 0, dest="LAX", sched_arr_time=15, arr_delay=-5), "2013-07-02T07:10"),
        (flight(datetime(2013, 7, 2, 1, tzinfo=UTC), 0, 0, dest="SJU", sched_arr_time=48, arr_delay=0), "2013-07-02T04:48"),
    ],
    ids=["zone", "past midnight", "not among the airports"],
)  # fmt: skip
def test_the_landing_is_an_instant_in_utc(row, landed):
    minutes = landing_minutes(table(row), ZONES)
    assert minutes.astype("datetime64[m]").astype(str).tolist() == [landed]


def test_landing_agrees_with_the_clock_on_arrival_of_the_whole_year(log):
    """The table's own arrival time is another source of the same instant, but for the day and the zone."""
    rows = log["departures"]
    zones = read_zones(source_files()["airports"])
    landed = landing_minutes(rows, zones)
    known = ~np.isnan(landed)
    clock = rows["arr_time"].to_numpy(zero_copy_only=False)[known]
    apart = (landed[known] - (clock // 100 * 60 + clock % 100)) % 60
    assert Counter(apart.tolist()) == {0.0: 327_346}


def test_ids_tell_the_flight(log):
    assert prediction_ids(table(flight(flight=7))).tolist() == ["2013-01-03T17-UA7-LGA"]
    assert len(log["predictions"]["prediction_id"].unique()) == 336_776


def test_truth_comes_after_the_prediction_and_only_of_flights_that_landed(log):
    both = log["truth"].join(log["predictions"], "prediction_id").to_pandas()
    assert len(both) == log["departures"].num_rows - log["departures"]["arr_delay"].null_count == 327_346
    assert (both["landed_at"] - both["predicted_at"]).min() > timedelta(hours=1)
    assert ((both["label"] == "delayed") == (both["arr_delay"] >= 15)).all()
    landed = log["truth"]["landed_at"].cast("int64").to_numpy()
    assert (np.diff(landed) >= 0).all()
    assert (np.diff(log["predictions"]["predicted_at"].cast("int64").to_numpy()) >= 0).all()


def test_each_version_serves_from_its_training_on(log):
    rows = log["predictions"].to_pandas()
    second = rows["predicted_at"] >= VERSIONS[1].trained_at
    assert (rows["model_version"] == np.where(second, "2013-07", "2013-01")).all()
    assert (rows["split"] == np.where(rows["predicted_at"] < VERSIONS[0].trained_at, "training", "serving")).all()
    local = rows["time_hour"].dt.tz_convert(NEW_YORK)
    assert (local.dt.month[rows["split"] == "training"] == 1).all()
    assert set(rows["model_version"][local.dt.month == 7]) == {"2013-07"}


def test_a_version_learns_nothing_that_lands_after_its_training(log):
    """Scores of the first half year stay when the arrivals of everything after January change."""
    end = int(datetime(2013, 7, 10, tzinfo=UTC).timestamp()) // 3600
    rows = log["departures"].filter(pa.array(hours_of(log["departures"]["time_hour"]) < end))
    zones = read_zones(source_files()["airports"])
    cut = VERSIONS[0].trained_at.timestamp() / 60
    late = landing_minutes(rows, zones) >= cut
    changed = replaced(rows, "arr_delay", rows["arr_delay"].to_numpy(zero_copy_only=False) + 60 * late)
    before = log["predictions"].to_pandas()
    after = predict_delays(changed, log["weather"], zones)["predictions"].to_pandas()
    merged = before.merge(after, on="prediction_id", suffixes=("", "_after"))
    assert len(merged) == rows.num_rows > 170_000
    first = merged["model_version"] == "2013-01"
    assert (merged["delayed_score"] == merged["delayed_score_after"])[first].all()
    assert (merged["delayed_score"] != merged["delayed_score_after"])[~first].mean() > 0.9


@pytest.mark.parametrize("month", range(1, 13))
def test_the_model_beats_what_needs_no_model_in_every_month(judged, month):
    from sklearn.metrics import roc_auc_score

    january = judged[judged["month"] == 1]
    rows = judged[judged["month"] == month]
    is_late = rows["label"] == "delayed"
    median_error = (rows["arr_delay"] - january["arr_delay"].median()).abs().mean()
    rates = (january["label"] == "delayed").groupby(january["hour"]).mean()
    by_hour = rows["hour"].map(rates).fillna(0)
    assert (rows["arr_delay"] - rows["predicted_delay"]).abs().mean() < 0.98 * median_error
    auc = roc_auc_score(is_late, rows["delayed_score"])
    assert 0.85 > auc > roc_auc_score(is_late, by_hour) + 0.02
    assert auc > roc_auc_score(is_late, rows["origin_delay"])
    assert np.mean((rows["delayed_score"] - is_late) ** 2) < np.mean(
        (is_late - (january["label"] == "delayed").mean()) ** 2
    )


def test_scores_are_probabilities_and_labels_follow_from_them(log, judged):
    rows = log["predictions"].to_pandas()
    assert rows["delayed_score"].between(0, 1).all()
    for _, of_version in rows.groupby("model_version"):
        scores = of_version["delayed_score"].groupby(of_version["predicted_label"]).agg(["min", "max"])
        assert scores.loc["on_time", "max"] < scores.loc["delayed", "min"]
    landed = judged[judged["split"] == "training"]
    shares = [(landed[name] == "delayed").mean() for name in ("predicted_label", "label")]
    assert shares[0] == pytest.approx(shares[1], abs=0.002)


def test_what_nobody_measured_is_null_and_the_rest_is_never(log):
    nulls = {name: log["predictions"][name].null_count for name in log["predictions"].column_names}
    assert {name for name, count in nulls.items() if count} == {"wind_speed", "wind_gust", "precip", "visib", "humid"}
    assert all(column.null_count == 0 for column in log["truth"].columns)


def test_a_broken_reading_or_an_unknown_carrier_does_not_throw_the_model():
    rng = np.random.default_rng(1)
    n = 500
    names = known_inputs(table(flight()), weather())
    inputs = {name: rng.integers(5, 20, n) for name in names}
    inputs |= {"origin": np.repeat(["EWR", "LGA"], n // 2), "carrier": np.repeat(["UA", "AA"], n // 2)}
    inputs["wind_gust"] = inputs["wind_gust"].astype(float)
    model = DelayModel.train("1", inputs, rng.normal(5, 20, n))
    one = {name: values[:1].copy() for name, values in inputs.items()}
    strongest = model.predict(one | {"wind_speed": inputs["wind_speed"].max(keepdims=True)})
    broken = model.predict(one | {"wind_speed": np.array([1048.36])})
    assert broken.delay == strongest.delay
    assert 0 < model.predict(one | {"carrier": np.array(["ZZ"]), "humid": np.array([np.nan])}).score[0] < 1
