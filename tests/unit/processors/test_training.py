from __future__ import annotations

import os
import subprocess
import sys
import threading
import traceback
import warnings
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from lupus_provider.errors import BadPlanError, Terminal, Transient
from lupus_provider.periods import Period
from lupus_provider.processors import mlflow as door
from lupus_provider.processors.mlflow import BadTrackingStoreError, NotInTrackingStoreError, TrackingStoreAwayError
from lupus_provider.processors.training import TrainingProcessor
from lupus_provider.records import POINTS

DAY = timedelta(days=1)
MONDAY = datetime(2024, 1, 1, tzinfo=UTC)
NOW = datetime(2024, 2, 1, tzinfo=UTC)
NUMBERS = count()


def days(n):
    return [Period(MONDAY + i * DAY, MONDAY + (i + 1) * DAY) for i in range(n)]


def milliseconds(moment):
    return None if moment is None else int(moment.timestamp() * 1000)


@contextmanager
def as_a_person_who_trains(uri):
    """MLflow as people set it up; and quiet, because a client that logs may report usage or make a store of its own."""
    environment = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_ALLOW_FILE_STORE": "true", "MLFLOW_TRACKING_URI": uri}
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, value in environment.items():
            patch.setenv(name, value)
        yield


class Trainer:
    """Logs runs into a real store."""

    def __init__(self, uri):
        self.uri = uri
        with as_a_person_who_trains(uri):
            from mlflow import MlflowClient

            self.client = MlflowClient(uri, registry_uri=uri)

    def experiment(self):
        name = f"delay_{next(NUMBERS)}"
        with as_a_person_who_trains(self.uri):
            self.client.create_experiment(name)
        return name

    def run(self, experiment, start, minutes=10, status="FINISHED", metrics=None, params=None, tags=None, name=None):
        """`metrics`: name → value, or name → list of values by step. `minutes` None: it still runs."""
        client = self.client
        with as_a_person_who_trains(self.uri):
            number = client.get_experiment_by_name(experiment).experiment_id
            run = client.create_run(number, start_time=milliseconds(start), tags=tags, run_name=name).info.run_id
            for key, values in (metrics or {}).items():
                for step, value in enumerate(values if isinstance(values, list) else [values]):
                    client.log_metric(run, key, value, timestamp=milliseconds(start) + step, step=step)
            for key, value in (params or {}).items():
                client.log_param(run, key, value)
            if minutes is not None:
                client.set_terminated(run, status, milliseconds(start + timedelta(minutes=minutes)))
        return run

    def register(self, model, *runs):
        with as_a_person_who_trains(self.uri):
            self.client.create_registered_model(model)
            return [self.client.create_model_version(model, "somewhere", run).version for run in runs]


@pytest.fixture(scope="module", params=["file", "sqlite"])
def trainer(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tracking")
    return Trainer(f"file:{folder}/runs" if request.param == "file" else f"sqlite:///{folder}/mlflow.db")


def read(trainer, *experiments, **options):
    options.setdefault("periods", days(3) if "period" not in options else None)
    return TrainingProcessor(trainer.uri, experiment_names=experiments or None, **options).get_metrics(collected_at=NOW)


def values(metrics, **where):
    """(day, metric, entity) → value of the points that are as asked."""
    rows = [row for row in metrics.to_arrow().to_pylist() if all(row[name] == value for name, value in where.items())]
    return {(row["period_start"].day, row["metric"], row["entity"]): row["value"] for row in rows}


def test_a_period_is_told_by_the_last_run_that_finished_in_it(trainer):
    name = trainer.experiment()
    trainer.run(name, MONDAY + timedelta(hours=1), 30, metrics={"val_loss": 0.9, "train_loss": [3.0, 2.0, 0.8]})
    trainer.run(name, MONDAY + timedelta(hours=9), 20, metrics={"val_loss": 0.5, "train_loss": [2.0, 0.4]})
    trainer.run(name, MONDAY + timedelta(hours=20), 20, "FAILED", metrics={"val_loss": 7.0})
    metrics = read(trainer, name, metrics=["val_loss", "train_loss"])
    assert values(metrics) == {
        (1, "run_count", None): 3, (1, "failed_run_count", None): 1, (1, "running_run_count", None): 0,
        (1, "duration_seconds", None): 1200, (1, "val_loss", None): 0.5, (1, "train_loss", None): 0.4,
        (2, "run_count", None): 0, (2, "failed_run_count", None): 0, (2, "running_run_count", None): 0,
        (2, "duration_seconds", None): None, (2, "val_loss", None): None, (2, "train_loss", None): None,
        (3, "run_count", None): 0, (3, "failed_run_count", None): 0, (3, "running_run_count", None): 0,
        (3, "duration_seconds", None): None, (3, "val_loss", None): None, (3, "train_loss", None): None,
    }  # fmt: skip
    assert len(metrics.errors) == 0
    assert set(metrics.to_arrow()["column_name"].to_pylist()) == {name}


def test_points_have_the_schema_of_points_and_are_sorted_and_one_a_series_and_period(trainer):
    name = trainer.experiment()
    for day in range(3):
        trainer.run(name, MONDAY + day * DAY, metrics={"loss": [0.1, 0.2]}, params={"optimizer": "adam"})
    table = read(trainer, name, per_step=True, group_sets=[[], ["params.optimizer"]]).to_arrow()
    assert table.schema == POINTS.schema
    keys = list(zip(table["period_start"].to_pylist(), table["series_id"].to_pylist()))
    assert keys == sorted(set(keys))
    assert len(keys) == 3 * 2 * (4 + 1 + 2)
    assert POINTS.digest(POINTS.sort(table))


def test_a_run_counts_when_it_ended_or_when_it_started_while_it_runs(trainer):
    name = trainer.experiment()
    trainer.run(name, MONDAY + timedelta(hours=23), 120, metrics={"loss": 0.3})  # over midnight
    trainer.run(name, MONDAY + timedelta(hours=5), None, metrics={"loss": 0.7})
    trainer.run(name, MONDAY - timedelta(hours=5), None)
    found = values(read(trainer, name, metrics=["loss"]))
    assert [found[day, "run_count", None] for day in (1, 2, 3)] == [1, 1, 0]
    assert [found[day, "running_run_count", None] for day in (1, 2, 3)] == [1, 0, 0]
    assert [found[day, "loss", None] for day in (1, 2, 3)] == [None, 0.3, None]


def test_days_are_those_of_the_zone_where_periods_are_not_given(trainer):
    name = trainer.experiment()
    trainer.run(name, MONDAY + timedelta(hours=16), metrics={"loss": 1.0})  # 01:10 of the next day in Tokyo
    table = read(trainer, name, period="day", zone="Asia/Tokyo").to_arrow()
    assert set(table["period_start"].to_pylist()) == {datetime(2024, 1, 1, 15, tzinfo=UTC)}


def test_every_logged_metric_comes_where_none_is_named(trainer):
    name = trainer.experiment()
    trainer.run(name, MONDAY, metrics={"train loss/é": 1.0, "auc": 0.5})
    trainer.run(name, MONDAY + timedelta(hours=1), metrics={"test_auc": 0.7, "auc": 0.6})
    found = values(read(trainer, name))
    assert {k: v for k, v in found.items() if not k[1].endswith(("_count", "_seconds"))} == {
        (1, "train loss/é", None): 1.0, (1, "auc", None): 0.6, (1, "test_auc", None): 0.7,
    }  # fmt: skip


def test_a_metric_that_no_run_logged_is_a_point_with_the_nearest_name(trainer):
    name = trainer.experiment()
    trainer.run(name, MONDAY, metrics={"train_loss": 1.0})
    metrics = read(trainer, name, metrics=["trian_loss", "train_loss"], periods=days(1))
    (error,) = metrics.errors.to_pylist()
    assert (error["metric"], error["value"]) == ("trian_loss", None)
    assert "Did you mean 'train_loss'?" in error["error"]
    assert values(metrics)[1, "train_loss", None] == 1.0


def test_a_loss_of_nan_is_undefined_and_an_infinite_one_is_an_error(trainer):
    name = trainer.experiment()
    trainer.run(name, MONDAY, metrics={"nan": float("nan"), "up": float("inf"), "down": float("-inf"), "zero": -0.0})
    metrics = read(trainer, name, periods=days(1))
    found = values(metrics)
    assert found[1, "nan", None] is None
    assert sorted(metrics.errors["metric"].to_pylist()) == [
        "down",
        "up",
    ]  # a database keeps infinity as the largest double
    assert all("infinite" in text for text in metrics.errors["error"].to_pylist())
    assert str(found[1, "zero", None]) == "0.0"


def test_steps_are_entities_of_the_last_finished_run(trainer):
    name = trainer.experiment()
    trainer.run(name, MONDAY, metrics={"loss": [9.0, 8.0, 7.0, 6.0]})
    trainer.run(name, MONDAY + timedelta(hours=1), metrics={"loss": [3.0, float("nan"), 1.0]})
    found = values(read(trainer, name, per_step=True, periods=days(1)), metric="loss")
    assert found == {(1, "loss", None): 1.0, (1, "loss", "0"): 3.0, (1, "loss", "1"): None, (1, "loss", "2"): 1.0}


def test_of_too_many_steps_evenly_spaced_ones_and_the_last_are_kept(trainer):
    name = trainer.experiment()
    trainer.run(name, MONDAY, metrics={"loss": [float(i) for i in range(12)]})
    for most, kept in ((5, ["0", "3", "6", "9", "11"]), (1, ["11"]), (12, [str(i) for i in range(12)])):
        found = values(read(trainer, name, per_step=True, periods=days(1), max_steps=most), metric="loss")
        assert [entity for _, _, entity in sorted(found, key=lambda k: int(k[2] or -1))][1:] == kept


def test_a_step_that_was_logged_twice_has_its_later_value(trainer):
    name = trainer.experiment()
    run = trainer.run(name, MONDAY, metrics={"loss": [5.0]})
    with as_a_person_who_trains(trainer.uri):
        trainer.client.log_metric(run, "loss", 4.0, timestamp=milliseconds(MONDAY) + 500, step=0)
    found = values(read(trainer, name, per_step=True, periods=days(1)), metric="loss")
    assert found == {(1, "loss", None): 4.0, (1, "loss", "0"): 4.0}


def test_parameters_and_tags_split_runs_and_a_run_without_them_is_of_the_group_of_null(trainer):
    name = trainer.experiment()
    trainer.run(name, MONDAY, metrics={"loss": 1.0}, params={"optimizer": "adam"}, tags={"team": "a"})
    trainer.run(name, MONDAY, metrics={"loss": 2.0}, params={"optimizer": "sgd"}, tags={"team": "a"})
    trainer.run(name, MONDAY, 20, metrics={"loss": 3.0}, tags={"team": "b"})
    rows = read(
        trainer, name, group_sets=[[], ["params.optimizer"], ["params.optimizer", "tags.team"]], periods=days(1)
    )
    losses = {tuple(row["group_key"]): row["value"] for row in rows.to_arrow().to_pylist() if row["metric"] == "loss"}
    assert losses == {
        (): 3.0,
        (("params.optimizer", "adam"),): 1.0, (("params.optimizer", "sgd"),): 2.0, (("params.optimizer", None),): 3.0,
        (("params.optimizer", "adam"), ("tags.team", "a")): 1.0, (("params.optimizer", "sgd"), ("tags.team", "a")): 2.0,
        (("params.optimizer", None), ("tags.team", "b")): 3.0,
    }  # fmt: skip


def test_a_grouped_period_without_runs_still_says_that_none_ran(trainer):
    name = trainer.experiment()
    trainer.run(name, MONDAY, params={"optimizer": "adam"})
    rows = read(trainer, name, group_columns=["params.optimizer"], periods=days(2)).to_arrow().to_pylist()
    counts = {(r["period_start"].day, tuple(r["group_key"])): r["value"] for r in rows if r["metric"] == "run_count"}
    assert counts == {(1, (("params.optimizer", "adam"),)): 1, (2, ()): 0}


def test_versions_of_a_registered_model_stand_in_the_points_of_their_runs(trainer):
    name, other = trainer.experiment(), trainer.experiment()
    model = f"model's_{next(NUMBERS)}" if trainer.uri.startswith("sqlite") else f"model_{next(NUMBERS)}"
    first = trainer.run(name, MONDAY, metrics={"loss": 1.0})
    trainer.run(name, MONDAY + timedelta(hours=5), metrics={"loss": 99.0})  # made no version
    second = trainer.run(other, MONDAY + DAY, metrics={"loss": 0.5})
    trainer.register(model, first, second, second)
    of_model = read(trainer, registered_model=model, periods=days(2)).to_arrow().to_pylist()
    losses = {
        (r["period_start"].day, r["column_name"], r["value"], r["model_version"])
        for r in of_model
        if r["metric"] == "loss"
    }
    assert losses == {(1, model, 1.0, "1"), (2, model, 0.5, "3")}  # the newest of two versions of one run
    all_runs = (
        read(trainer, name, registered_model=model, group_columns=["model_version"], periods=days(1))
        .to_arrow()
        .to_pylist()
    )
    found = {
        (r["metric"], tuple(r["group_key"]), r["model_version"], r["value"])
        for r in all_runs
        if r["metric"] in ("loss", "run_count")
    }
    assert found == {
        ("loss", (("model_version", "1"),), "1", 1.0), ("run_count", (("model_version", "1"),), "1", 1),
        ("loss", (("model_version", None),), None, 99.0), ("run_count", (("model_version", None),), None, 1),
    }  # fmt: skip


def test_more_runs_than_a_page_all_count(trainer, monkeypatch):
    monkeypatch.setattr(door, "PAGE", 3)
    names = [trainer.experiment() for _ in range(4)]
    for i in range(7):
        trainer.run(names[0], MONDAY + timedelta(hours=i), metrics={"loss": float(i)})
    found = values(read(trainer, *names, periods=days(1)), column_name=names[0])
    assert (found[1, "run_count", None], found[1, "loss", None]) == (7, 6.0)


def test_deleted_runs_do_not_count(trainer):
    name = trainer.experiment()
    run = trainer.run(name, MONDAY, metrics={"loss": 1.0})
    with as_a_person_who_trains(trainer.uri):
        trainer.client.delete_run(run)
    assert values(read(trainer, name, periods=days(1)))[1, "run_count", None] == 0


def test_a_logged_metric_cannot_take_the_name_of_a_count(trainer, caplog):
    name = trainer.experiment()
    trainer.run(name, MONDAY, metrics={"run_count": 42.0})
    assert values(read(trainer, name, periods=days(1)), metric="run_count") == {(1, "run_count", None): 1}
    assert "left out" in caplog.text


def test_unknown_experiments_and_models_are_told_with_the_nearest(trainer):
    name = trainer.experiment()
    trainer.run(name, MONDAY)
    with pytest.raises(NotInTrackingStoreError, match="Did you mean 'delay_") as caught:
        read(trainer, name.replace("delay", "dealy"))
    assert isinstance(caught.value, Terminal)
    with pytest.raises(NotInTrackingStoreError, match="registered model 'nobody'"):
        read(trainer, registered_model="nobody")


def test_a_store_that_is_not_there_is_away_and_is_not_made(tmp_path):
    (tmp_path / "empty.db").touch()
    (tmp_path / "folder").mkdir()
    before = sorted(tmp_path.rglob("*"))
    for uri in (
        f"sqlite:///{tmp_path}/none.db", f"sqlite:///{tmp_path}/empty.db", f"file:{tmp_path}/none", f"{tmp_path}/folder",
    ):  # fmt: skip
        with pytest.raises(TrackingStoreAwayError, match="Check that it exists") as caught:
            TrainingProcessor(uri).get_metrics()
        assert isinstance(caught.value, Transient)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_server_that_does_not_answer_is_away_and_its_password_is_not_told(monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    password = "sec" + "ret"  # so that it is not in the lines of code that a traceback shows
    with pytest.raises(TrackingStoreAwayError) as caught:
        TrainingProcessor(f"http://ann:{password}@127.0.0.1:9").get_metrics()
    assert caught.value.store == "http://127.0.0.1:9"
    assert password not in "".join(traceback.format_exception(caught.value))


def test_an_address_that_mlflow_does_not_know_is_terminal(tmp_path):
    with pytest.raises(BadTrackingStoreError, match="cannot be used"):
        TrainingProcessor("gopher://somewhere").get_metrics()
    (tmp_path / "x.db").write_text("this is no database, but a letter to a friend")
    with pytest.raises((BadTrackingStoreError, TrackingStoreAwayError)):
        TrainingProcessor(f"sqlite:///{tmp_path}/x.db").get_metrics()


def test_reading_leaves_the_process_as_it_was(trainer, tmp_path, monkeypatch):
    name = trainer.experiment()
    model = f"model_{next(NUMBERS)}"
    trainer.register(model, trainer.run(name, MONDAY, metrics={"loss": 1.0}))
    import mlflow

    monkeypatch.chdir(tmp_path)
    environment, address, threads = dict(os.environ), mlflow.get_tracking_uri(), threading.active_count()
    read(trainer, name, registered_model=model)
    assert dict(os.environ) == environment
    assert mlflow.get_tracking_uri() == address
    assert threading.active_count() == threads
    assert list(tmp_path.iterdir()) == []


def test_mlflow_is_imported_when_it_is_asked_and_not_before():
    code = "import sys, lupus_provider.processors.training; assert not {'mlflow', 'pandas'} & set(sys.modules), sys.modules.keys()"
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"group_columns": ["optimizer"]}, "params.optimizer"),
        ({"group_columns": ["params."]}, "which a run does not have"),
        ({"metrics": "loss"}, r"Give a list: \['loss'\]"),
        ({"experiment_names": "delay"}, "Give a list"),
        ({"period": "dya"}, "Use one of hour, day"),
        ({"zone": "Asia/Tokio"}, "unknown"),
        ({"max_steps": 0}, "Give 1 or more"),
        ({"periods": days(2)[::-1]}, "not in order"),
    ],
)
def test_arguments_that_make_no_sense_are_refused_before_anything_is_read(options, said):
    with pytest.raises(BadPlanError, match=said):
        TrainingProcessor("sqlite:////nowhere.db", **options)
