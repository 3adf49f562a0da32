from __future__ import annotations

import re
from datetime import date

import pytest
from hypothesis import given, strategies as st

from lupus_provider.errors import BadNameError, StoreUrlError
from lupus_provider.records import KINDS, POINTS
from lupus_provider.stores.history import hive_sql as sql

S3A = {"s3": "s3a"}


def test_the_table_of_points_is_made_from_the_records():
    text = sql.create_table(
        sql.qualified("lupus", "lupus_points"), sql.column_types(POINTS.schema), "external", "'s3a://lake/points'"
    )
    assert text == (
        "CREATE EXTERNAL TABLE IF NOT EXISTS `lupus`.`lupus_points` (`series_id` string, `column_name` string, `metric` string, "
        "`entity` string, `group_key` map<string,string>, `period_start` timestamp, `period_end` timestamp, `value` double, "
        "`n_rows` bigint, `error` string, `model_version` string, `sample_ratio` double, `run_id` string, `collected_at` timestamp) "
        "PARTITIONED BY (`project` string, `metric_set` string, `dt` string) STORED AS PARQUET LOCATION 's3a://lake/points' "
        "TBLPROPERTIES ('lupus.mode'='external', 'parquet.compression'='SNAPPY')"
    )  # fmt: skip


def test_a_managed_table_is_where_the_warehouse_wants_it():
    text = sql.create_table("`a`.`b`", {"value": "double"}, "managed", None)
    assert text.startswith("CREATE TABLE IF NOT EXISTS `a`.`b` (`value` double)")
    assert "LOCATION" not in text


@pytest.mark.parametrize("kind", KINDS.values(), ids=str)
def test_every_kind_of_record_has_a_table(kind):
    assert list(sql.column_types(kind.schema)) == kind.schema.names
    assert not set(kind.schema.names) & set(sql.PARTITION_COLUMNS)


def test_a_partition_names_project_metric_set_and_day():
    wanted = "PARTITION (`project`='shop', `metric_set`='orders', `dt`='2024-02-29')"
    assert sql.partition("shop", "orders", date(2024, 2, 29)) == wanted
    assert sql.condition("shop", "orders") == "`project` = 'shop' AND `metric_set` = 'orders'"
    assert sql.condition("shop", "orders", [date(2024, 1, 1), date(2024, 1, 2)]).endswith(
        "AND `dt` IN ('2024-01-01', '2024-01-02')"
    )


@given(st.text())
def test_only_checked_names_come_into_a_statement(name):
    for make in (sql.identifier, lambda name: sql.partition(name, "m"), lambda name: sql.condition("p", name)):
        try:
            text = make(name)
        except BadNameError:
            continue
        assert re.fullmatch("[a-z0-9_]+", name)
        assert name in text


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("s3://lake/points/dt=2024-01-01/v=1/", "'s3a://lake/points/dt=2024-01-01/v=1'"),
        ("file:///srv/lupus/points", "'file:///srv/lupus/points'"),
        ("file://localhost/srv", "'file:///srv'"),
        ("file:///srv/hist%C3%B3ria/dt%3D1", "'file:///srv/história/dt=1'"),
        ("hdfs://namenode:8020/lupus", "'hdfs://namenode:8020/lupus'"),
    ],
)
def test_a_location_is_decoded_and_called_as_the_server_calls_it(url, text):
    assert sql.location(url, S3A) == text


def test_schemes_are_the_servers():
    assert sql.location("s3://lake/points", {}) == "'s3://lake/points'"


@pytest.mark.parametrize(
    "url",
    [
        "s3://lake/o'neil", "s3://lake/o%27neil", "file:///srv/a%20b", "file:///srv/a b", "file:///srv/%22", "file:///srv/%5C", "file:///srv/${x}",
        "file:///srv/a%0Ab", "file:///srv/a;b", "s3://key:secret@lake/points", "file:///srv/%2541", "s3://lake/a?b", "s3://lake/a#b", "lake", "",
    ],
)  # fmt: skip
def test_a_location_that_a_statement_cannot_hold_is_refused(url):
    with pytest.raises(StoreUrlError):
        sql.location(url, S3A)


@given(st.text(alphabet=st.characters(codec="utf-8")))
def test_no_location_ends_its_literal(tail):
    try:
        text = sql.location(f"file:///srv/{tail}", S3A)
    except (StoreUrlError, ValueError):
        return
    assert not set("'\"\\`$;\n\r\0 ") & set(text[1:-1])


def test_the_table_lies_above_its_projects():
    assert sql.table_folder("s3://lake/h/points/project=p/metric_set=m/dt=1/v=2/") == "s3://lake/h/points"
    assert sql.table_folder("file:///h/points/project%3Dp/metric_set%3Dm") == "file:///h/points"
    with pytest.raises(StoreUrlError):
        sql.table_folder("s3://lake/h/points")
