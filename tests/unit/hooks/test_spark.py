from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException
from boto3 import Session

from lupus_provider.config import dump_project, load_project
from lupus_provider.errors import BadSparkConnectionError, BadStoreConnectionError
from lupus_provider.hooks import spark as module
from lupus_provider.hooks.spark import SparkConnections, master_of, settings_of
from lupus_provider.hooks.tracking import tracking_uri
from lupus_provider.periods import Span
from lupus_provider.steps.collect_main import access_text, arguments_of, main
from lupus_provider.steps.connections import Submission
from lupus_provider.steps.target import Target
from lupus_provider.stores.objects.access import S3Access
from lupus_provider.testing.builders import METRIC_SET, a_project, day


def connection(**given) -> Connection:
    extra = given.pop("extra", {})
    return Connection(conn_id="lupus_spark", extra=json.dumps(extra), **given)


@pytest.fixture
def airflow_has(monkeypatch):
    def airflow_has(found: Connection | None, **given) -> SparkConnections:
        def get(conn_id):
            if found is None:
                raise AirflowNotFoundException(conn_id)
            return found

        monkeypatch.setattr(module.BaseHook, "get_connection", staticmethod(get))
        return SparkConnections(**given)

    return airflow_has


@pytest.fixture
def opened(monkeypatch):
    """What was asked of the session's opener."""
    calls = []
    monkeypatch.setattr(
        "lupus_provider.engines.spark_session.spark_session",
        lambda *args, **options: calls.append((args, options)) or "session",
    )
    return calls


def test_no_connection_is_spark_inside_the_task(airflow_has, opened):
    connections = airflow_has(None)
    assert connections.submits_spark is False
    assert connections.spark() == "session"
    assert opened == [((), {})]


@pytest.mark.parametrize(
    ("given", "master"),
    [
        ({"host": "spark://m", "port": 7077}, "spark://m:7077"),
        ({"host": "m", "port": 7077}, "spark://m:7077"),
        ({"host": "local[2]"}, "local[2]"),
        ({"host": "yarn"}, "yarn"),
        ({"host": "k8s://https://m:6443"}, "k8s://https://m:6443"),
    ],
)
def test_the_host_is_the_master(given, master):
    assert master_of(connection(conn_type="spark", **given)) == master


def test_settings_of_the_extra_go_to_the_session_and_nothing_else_does(airflow_has, opened):
    found = connection(
        conn_type="spark", host="local[1]", extra={"spark.executor.memory": "2g", "deploy-mode": "client", "queue": "q"}
    )
    airflow_has(found).spark()
    assert opened == [(("local[1]",), {"conf": {"spark.executor.memory": "2g"}})]
    assert settings_of(found) == {"spark.executor.memory": "2g"}


def test_a_connect_server_is_asked_by_its_address_with_the_token(airflow_has, opened):
    pytest.importorskip("airflow.providers.apache.spark")
    airflow_has(connection(conn_type="spark_connect", host="server", port=15002, password="secret")).spark()
    assert opened == [((), {"remote": "sc://server:15002/;token=secret", "conf": {}})]


@pytest.mark.parametrize(
    ("given", "submits"),
    [
        ({"conn_type": "spark"}, False),
        ({"conn_type": "spark", "extra": {"deploy-mode": "client"}}, False),
        ({"conn_type": "spark", "extra": {"deploy-mode": "cluster"}}, True),
        ({"conn_type": "spark", "extra": {"submit": True}}, True),
        ({"conn_type": "spark_connect", "extra": {"submit": True}}, False),
    ],
)
def test_the_connection_says_whether_to_submit(airflow_has, given, submits):
    assert airflow_has(connection(host="h", **given)).submits_spark is submits


@pytest.mark.parametrize("given", [{"conn_type": "http", "host": "h"}, {"conn_type": "spark"}])
def test_a_connection_that_is_none_of_spark_is_refused(airflow_has, given):
    with pytest.raises(BadSparkConnectionError, match="lupus_spark"):
        airflow_has(connection(**given)).spark()


@pytest.fixture
def submitted(monkeypatch):
    """Hooks of Airflow's provider that were made, and what became of them."""
    made = []

    class Hook:
        error: BaseException | None = None

        def __init__(self, **options):
            files = [Path(file) for file in options["files"].split(",")]
            self.options, self.project, self.killed = options, load_project(files[0]), False
            (arguments,) = options["application_args"]
            self.access_file = json.loads(arguments)["access_file"]
            self.is_sent = self.access_file in map(str, files)
            if self.access_file is not None:
                self.access, self.mode = (
                    json.loads(Path(self.access_file).read_text()),
                    os.stat(self.access_file).st_mode & 0o777,
                )
            made.append(self)

        def submit(self, application):
            self.application = application
            if Hook.error is not None:
                raise Hook.error

        def on_kill(self):
            self.killed = True

    monkeypatch.setattr(module, "_submit_hook", lambda: Hook)
    return Hook, made


TARGET = Target(a_project(engine="spark"), METRIC_SET, Span(day(0), day(1)))
SUBMISSION = Submission(TARGET, "file:///stage", "/data", "run", datetime(2024, 1, 1, tzinfo=UTC))


def test_a_task_that_is_ended_ends_its_application(airflow_has, submitted):
    hook_class, made = submitted
    hook_class.error = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        airflow_has(connection(conn_type="spark", host="yarn", extra={"deploy-mode": "cluster"})).submit_spark(
            SUBMISSION
        )
    assert made[0].killed


def test_a_submission_is_the_application_with_the_project_and_no_secret(airflow_has, submitted):
    found = connection(
        conn_type="spark", host="yarn", password="secret", extra={"deploy-mode": "cluster", "spark.a": "b"}
    )
    airflow_has(found).submit_spark(SUBMISSION)
    ((hook,),) = (submitted[1],)
    assert hook.project == TARGET.project
    assert Path(hook.application).name == "collect_main.py"
    assert hook.options["conn_id"] == "lupus_spark"
    assert hook.options["conf"] == {"spark.a": "b"}
    assert not hook.killed
    assert "secret" not in repr(hook.options)
    assert not Path(hook.options["files"]).exists(), "nothing is left behind"
    assert hook.access_file is None


KEYS = S3Access(
    "the-key", "the-secret", "the-token", region="eu-west-1", endpoint_url="http://minio:9000", config={"s3": {}}
)


@pytest.mark.parametrize("mode", ["client", "cluster"])
def test_the_stages_keys_go_by_a_private_file_that_only_a_driver_elsewhere_is_sent(airflow_has, submitted, mode):
    found = connection(conn_type="spark", host="yarn", extra={"submit": True, "deploy-mode": mode})
    airflow_has(found, stage_access=lambda: KEYS).submit_spark(SUBMISSION)
    ((hook,),) = (submitted[1],)
    assert S3Access(**hook.access) == KEYS
    assert hook.mode == 0o600
    assert hook.is_sent == (mode == "cluster")
    assert not [word for word in ("the-key", "the-secret", "the-token") if word in repr(hook.options)]
    assert not Path(hook.access_file).exists()


def test_a_roles_keys_are_those_of_the_moment():
    role = Session("role-key", "role-secret", "role-token")
    given = json.loads(access_text(S3Access(session=lambda: role, region="eu-west-1")))
    assert S3Access(**given) == S3Access("role-key", "role-secret", "role-token", region="eu-west-1")


def test_the_driver_finds_both_files_by_their_names_in_its_working_folder(tmp_path, monkeypatch):
    opened = []
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop.yaml").write_text(dump_project(TARGET.project))
    (tmp_path / "stage-access.json").write_text(access_text(KEYS))
    monkeypatch.setattr("lupus_provider.stores.open_stage", lambda *args: opened.append(args) or "stage")
    monkeypatch.setattr("lupus_provider.steps.collect.collect", lambda *args: args)
    done = main(arguments_of(SUBMISSION, "/gone/shop.yaml", "/gone/stage-access.json"))
    assert opened == [("file:///stage", KEYS)]
    assert done == (TARGET, "stage", Path("/data"), "run", SUBMISSION.now)


@pytest.mark.parametrize(
    ("given", "uri"),
    [
        (
            {"host": "https://mlflow.example.com", "login": "me", "password": "p@ss"},
            "https://me:p%40ss@mlflow.example.com",
        ),
        ({"host": "mlflow", "port": 5000, "schema": "http"}, "http://mlflow:5000"),
        ({"host": "sqlite:////srv/mlflow.db"}, "sqlite:////srv/mlflow.db"),
    ],
)
def test_a_tracking_store_is_an_address_with_its_login(given, uri):
    assert tracking_uri(connection(conn_type="http", **given)) == uri


def test_a_tracking_store_without_a_host_is_refused():
    with pytest.raises(BadStoreConnectionError, match="has no host"):
        tracking_uri(connection(conn_type="http"))
