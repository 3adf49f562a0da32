from __future__ import annotations

import json

import pytest
from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException

from lupus_provider.errors import BadHiveConnectionError, BadNameError, BadPlanError, CatalogAwayError
from lupus_provider.hooks import hive as module
from lupus_provider.hooks.hive import open_catalog, options_of
from lupus_provider.records import POINTS
from lupus_provider.testing.server_process import quiet_port

CONN_ID = "hiveserver2_default"


@pytest.fixture
def airflow_has(monkeypatch):
    """Give Airflow one connection, and count how often it is asked for."""
    asked = []

    def airflow_has(**given):
        def get(conn_id):
            asked.append(conn_id)
            if not given:
                raise AirflowNotFoundException(conn_id)
            return Connection(conn_id=conn_id, extra=json.dumps({"auth_mechanism": "NONE"}), **given)

        monkeypatch.setattr(module.BaseHook, "get_connection", staticmethod(get))
        return asked

    return airflow_has


def test_a_history_that_names_no_catalogue_has_none():
    assert open_catalog({}) is None
    assert open_catalog({"hive_conn_id": ""}) is None


def test_the_extra_says_how_the_catalogue_is_told(airflow_has):
    airflow_has(conn_type="hiveserver2", host="hive", port=10000)
    extra = {
        "hive_conn_id": CONN_ID, "hive_mode": "managed", "database": "ml", "upload_url": "hdfs://nn/up", "hive_timeout": "30",
        "schemes": {"s3": "s3"}, "table_prefix": "monitoring_", "endpoint_url": "not ours",
    }  # fmt: skip
    catalog = open_catalog(extra)
    options = catalog.options
    assert (options.mode, options.database, options.timeout, options.schemes) == ("managed", "ml", 30.0, {"s3": "s3"})
    assert (catalog.name, catalog.table(POINTS)) == ("hiveserver2_default.ml", "`ml`.`monitoring_points`")


def test_the_default_is_external_tables_in_the_database_lupus():
    options = options_of({"hive_conn_id": CONN_ID})
    assert (options.mode, options.database, options.schemes) == ("external", "lupus", {"s3": "s3a"})


@pytest.mark.parametrize(
    ("extra", "error"),
    [
        ({"hive_mode": "magic"}, BadPlanError), ({"hive_mode": "managed"}, BadPlanError), ({"database": "a`b"}, BadNameError),
        ({"table_prefix": "a b"}, BadNameError),
    ],
)  # fmt: skip
def test_options_that_cannot_be_are_refused(extra, error):
    with pytest.raises(error):
        options_of(extra)


@pytest.mark.parametrize("given", [{}, {"conn_type": "http", "host": "h"}, {"conn_type": "hiveserver2"}])
def test_a_connection_that_is_none_of_hive_is_refused(airflow_has, given):
    airflow_has(**given)
    with pytest.raises(BadHiveConnectionError, match=CONN_ID):
        open_catalog({"hive_conn_id": CONN_ID})


def test_airflow_is_asked_once_and_never_while_a_session_is_opened(airflow_has):
    asked = airflow_has(conn_type="hiveserver2", host="127.0.0.1", port=quiet_port(), login="lupus")
    catalog = open_catalog({"hive_conn_id": CONN_ID})
    assert asked == [CONN_ID]
    for _ in range(2):
        with pytest.raises(CatalogAwayError, match=r"hiveserver2_default\.lupus"):
            catalog.partitions(POINTS, "shop", "orders")
    assert asked == [CONN_ID]
